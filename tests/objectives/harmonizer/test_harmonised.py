import math
from dataclasses import replace

import pytest
import scipy.stats
import torch
from merkwelt.objectives import (
    HarmonisedConfig,
    HarmonizerConfig,
    PredictionConfig,
    SlownessConfig,
    probe_shapes,
)
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.harmonizer.presets import PRESETS, co3d_fel
from merkwelt.objectives.harmonizer.pyramid import disc_blur
from merkwelt.objectives.harmonizer.saliency import still_clips
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig
from merkwelt.video_models.encoder import Features
from torch import nn
from torch.nn import functional as F

BASES = {"sfa": SlownessConfig(outputs=3), "predict": PredictionConfig(width=8), "none": None}


def _built(encoder=None, *, seed=0, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = encoder or StereoCNN3D(StereoCNNConfig(widths=(4, 8, 8, 12)))
        shapes = probe_shapes(encoder, eyes=encoder.eyes)
        config = HarmonisedConfig(**({"classes": 3, "still_frames": 2} | settings))
        return encoder, build_objective(config, shapes, encoder)


def _clips(seed=0):
    return torch.rand(3, 2, 5, 3, 24, 24, generator=torch.Generator().manual_seed(seed))


def _stills(count=4, seed=1, size=24):
    """Images with a bright patch, whose place is the human map and whose colour is the label."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.3 * torch.rand(count, 3, size, size, generator=generator)
    maps = torch.zeros(count, size, size)
    labels = torch.arange(count) % 3
    for i in range(count):
        row, column = torch.randint(size - 8, (2,), generator=generator).tolist()
        images[i, labels[i], row : row + 8, column : column + 8] += 0.7
        maps[i, row : row + 8, column : column + 8] = 1 + torch.rand(8, 8, generator=generator)
    return {"stills": images, "still_labels": labels, "still_maps": maps}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_trains_the_weights(name):
    encoder, objective = _built(harmonizer=PRESETS[name]())
    parts, _ = objective.stills_loss(encoder, _stills())
    weights = dict(encoder.named_parameters())
    gradients = torch.autograd.grad(parts["harmonizer"], list(weights.values()), allow_unused=True)
    for weight, gradient in zip(weights, gradients, strict=True):
        # A bias after the last rectifier's slope is fixed has no second derivative at all.
        assert gradient is None or gradient.isfinite().all(), weight
    assert gradients[0] is not None
    assert gradients[0].abs().max() > 0
    loss, measures = objective(encoder, _clips(), _stills())
    loss.backward()
    assert all(each.isfinite() for each in measures.values())


@pytest.mark.parametrize("compare", ["mse", "bce", "cosine", "cross-entropy"])
def test_the_comparisons_of_one_preset_train(compare):
    encoder, objective = _built(harmonizer=co3d_fel(compare))
    parts, _ = objective.stills_loss(encoder, _stills())
    parts["harmonizer"].backward()
    assert encoder.retina.conv.weight.grad.isfinite().all()
    assert encoder.retina.conv.weight.grad.abs().max() > 0


def test_saliency_is_learned_from_maps_and_not_from_labels():
    found = {}
    for map_weight in (0.0, 10.0):
        rules = HarmonizerConfig(map_weight=map_weight)
        encoder = StereoCNN3D(StereoCNNConfig(eyes=1, widths=(4, 8, 8, 12), temporal_kernel=1))
        encoder, objective = _built(encoder, still_frames=1, harmonizer=rules)
        parameters = [*encoder.parameters(), *objective.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=3e-3)
        for _ in range(40):
            parts, _ = objective.stills_loss(encoder, _stills())
            optimiser.zero_grad()
            parts["total"].backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
        report = objective.evaluate(encoder, [(_clips(), _stills())], [(_clips(), _stills())])
        found[map_weight] = report["stills_alignment"]
    assert found[10.0] > found[0.0] + 0.1, found


@pytest.mark.parametrize("base", sorted(BASES))
def test_the_loss_is_the_sum_of_its_parts(base):
    rules = HarmonizerConfig(map_weight=2.0, label_smoothing=0.2, weight_decay=1e-3)
    encoder, objective = _built(objective=BASES[base], harmonizer=rules, weight=0.5)
    clips, truth = _clips(), _stills()
    loss, measures = objective(encoder, clips, truth)
    named = {name: each.item() for name, each in measures.items()}
    images = truth["stills"]
    pooled = encoder(still_clips(images, eyes=2, frames=2)).pooled[:, -1]
    logits = objective.classifier.linear(pooled)
    entropy = F.cross_entropy(logits, truth["still_labels"], label_smoothing=0.2)
    assert named["stills_cross_entropy"] == pytest.approx(entropy.item(), rel=1e-5)
    decayed = [
        weight.square().sum().item() / 2
        for module in (encoder, objective.classifier)
        for name, weight in module.named_parameters()
        if "norm" not in name
    ]
    assert named["stills_weight_decay"] == pytest.approx(1e-3 * sum(decayed), rel=1e-5)
    stills = entropy.item() + 2 * named["stills_harmonizer"] + named["stills_weight_decay"]
    on_clips = named.get("clips_loss", 0.0)
    assert loss.item() == pytest.approx(on_clips + 0.5 * stills, rel=1e-5)
    assert {"effective_rank", "feature_std"} <= set(named)


def test_the_objective_on_clips_starts_as_it_does_alone():
    encoder, objective = _built(objective=BASES["predict"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        alone = StereoCNN3D(StereoCNNConfig(widths=(4, 8, 8, 12)))
        base = build_objective(BASES["predict"], probe_shapes(alone, eyes=2), alone)
    for one, other in ((encoder, alone), (objective.base, base)):
        for name, each in one.state_dict().items():
            assert torch.equal(each, other.state_dict()[name])


def test_saliency_is_the_gradient_by_the_image_that_all_eyes_see():
    encoder, objective = _built()
    encoder, objective = encoder.double(), objective.double()
    truth = _stills(count=2)
    images = truth["stills"].double()
    rules = HarmonizerConfig(channels="abs-max")
    labels = truth["still_labels"]
    seen = objective.classifier(encoder, images, labels, rules, create_graph=False)

    def logit(images):
        pooled = encoder(still_clips(images, eyes=2, frames=2)).pooled[:, -1]
        return objective.classifier.linear(pooled)[0, labels[0]].item()

    for place in ((0, 5, 7), (2, 13, 3)):
        step = torch.zeros_like(images)
        step[(0, *place)] = 1e-6
        slope = (logit(images + step) - logit(images - step)) / 2e-6
        assert seen.gradient[(0, *place)].item() == pytest.approx(slope, rel=1e-4, abs=1e-8)
    assert torch.equal(seen.saliency(rules), seen.gradient.abs().amax(dim=1))


def test_stills_do_not_depend_on_each_other():
    encoder, objective = _built()
    truth = _stills()
    rules = HarmonizerConfig()
    together = objective.classifier(
        encoder, truth["stills"], truth["still_labels"], rules, create_graph=False
    )
    alone = objective.classifier(
        encoder, truth["stills"][2:3], truth["still_labels"][2:3], rules, create_graph=False
    )
    torch.testing.assert_close(together.gradient[2:3], alone.gradient, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("scalar", ["top-logit", "feature-norm"])
def test_other_scalars(scalar):
    encoder, objective = _built(harmonizer=HarmonizerConfig(scalar=scalar))
    images = _stills()["stills"].requires_grad_()
    pooled = encoder(still_clips(images, eyes=2, frames=2)).pooled[:, -1]
    logits = objective.classifier.linear(pooled)
    values = logits.max(dim=1).values if scalar == "top-logit" else pooled.square().sum(1).sqrt()
    (expected,) = torch.autograd.grad(values.sum(), images)
    seen = objective.classifier(
        encoder, images, torch.zeros(4).long(), objective.config.harmonizer, create_graph=False
    )
    torch.testing.assert_close(seen.gradient, expected, rtol=1e-4, atol=1e-7)


def test_scaling_by_chance():
    rules = HarmonizerConfig(relative_to_chance=True, weight_decay=0.0, label_smoothing=0.0)
    encoder, objective = _built(harmonizer=rules)
    parts, _ = objective.stills_loss(encoder, _stills())
    named = {name: each.item() for name, each in parts.items()}
    expected = named["cross_entropy"] / math.log(3) + named["harmonizer"] / math.log(2)
    assert named["total"] == pytest.approx(expected, rel=1e-6)


def test_whole_time_steps_are_looked_at():
    encoder, _ = _built()
    shapes = replace(probe_shapes(encoder, eyes=2), frames_per_step=4)
    objective = build_objective(HarmonisedConfig(classes=2, still_frames=5), shapes, encoder)
    assert objective.classifier.frames == 8


def test_evaluation_works_without_gradients_and_agrees_with_scipy():
    encoder, objective = _built(objective=BASES["sfa"])
    held_out = _stills(count=10, seed=5) | {"still_tokens": torch.ones(10)}
    held_out["still_tokens"][3] = 0
    with torch.no_grad():
        report = objective.eval().evaluate(
            encoder.eval(), [(_clips(), _stills())], [(_clips(2), held_out), (_clips(3), {})]
        )
    assert {"delta", "stills_alignment_training", "stills_accuracy_training"} <= set(report)
    rules, labels = objective.config.harmonizer, held_out["still_labels"]
    seen = objective.classifier(encoder, held_out["stills"], labels, rules, create_graph=False)
    maps = held_out["still_maps"].numpy()
    kept = [i for i in range(10) if i != 3]

    def rho(first, second):
        return scipy.stats.spearmanr(first.ravel(), second.ravel()).statistic

    signed = seen.gradient.mean(dim=1).numpy()
    largest = seen.gradient.abs().amax(dim=1)
    blurred, largest = disc_blur(disc_blur(largest)).numpy(), largest.numpy()
    columns = (torch.arange(24) + 0.5) / 24 - 0.5
    centre = torch.exp(-(columns[:, None] ** 2 + columns**2) * 4.5).numpy()
    expected = {
        "stills_alignment": sum(rho(blurred[i], maps[i]) for i in kept) / 9,
        "stills_alignment_trained": sum(rho(signed[i], maps[i]) for i in kept) / 9,
        "stills_alignment_fine": sum(rho(largest[i], maps[i]) for i in kept) / 9,
        "stills_alignment_centre": sum(rho(centre, maps[i]) for i in kept) / 9,
        "stills_alignment_other_map": sum(
            rho(maps[i], maps[j]) for i in kept for j in kept if i != j
        )
        / 72,
        "stills_cross_entropy": F.cross_entropy(seen.logits, labels).item(),
        "stills_cross_entropy_chance": math.log(3),
        "stills_accuracy": (seen.logits.argmax(1) == labels).float().mean().item(),
        "stills_accuracy_chance": 1 / 3,
        "stills_scored": 9,
    }
    for name, value in expected.items():
        # Gradients of batches of 8 and of 10 differ by rounding, which moves few ranks.
        assert report[name] == pytest.approx(value, abs=2e-4), name


def test_hooks_of_the_objective_on_clips_are_passed_on():
    class Following(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = []

        def follow(self, encoder):
            self.calls.append("follow")

        def after_step(self, encoder):
            self.calls.append("after_step")

        def finish(self, encoder, training):
            self.calls.append(f"finish {len(training)}")

    encoder, objective = _built()
    objective.after_step(encoder)  # nothing to pass it on to
    objective.finish(encoder, [])
    objective.base = Following()
    objective.follow(encoder)
    objective.after_step(encoder)
    objective.finish(encoder, [(_clips(), {})])
    assert objective.base.calls == ["follow", "after_step", "finish 1"]
    assert objective.needs_double_backward
    eyes = type("NeedsBoth", (), {"clip_eyes": 2})()
    assert HarmonisedConfig(classes=2, objective=eyes).clip_eyes == 2
    assert HarmonisedConfig(classes=2).clip_eyes is None


def test_asking_for_second_derivatives_changes_nothing():
    first, second = _built(objective=BASES["sfa"]), _built(objective=BASES["sfa"])
    second[1]._differentiable_twice = True
    for encoder, objective in (first, second):
        objective(encoder, _clips(), _stills())[0].backward()
    for one, other in zip(first[0].parameters(), second[0].parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


class Attending(nn.Module):
    """An encoder of patches whose middle is given."""

    eyes = 1
    causal = True

    def __init__(self, middle):
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, stride=8)
        self.middle = middle

    def forward(self, clips):
        frames = clips[:, 0]
        tokens = self.patches(frames.flatten(0, 1)).flatten(2).transpose(1, 2)
        hidden = self.middle(tokens)
        pooled = hidden.mean(dim=1).unflatten(0, frames.shape[:2])
        return Features(maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled)


class Attention(nn.Module):
    def forward(self, tokens):
        heads = tokens[:, None].contiguous()
        return F.scaled_dot_product_attention(heads, heads, heads)[:, 0]


@pytest.mark.parametrize(
    ("middle", "message"),
    [
        (Attention(), r"fused attention .* attention='math'.*\(torch: derivative for"),
        (nn.Hardsigmoid(), r"nn.Hardsigmoid has none \(in middle\); write it as \(x / 6"),
    ],
)
def test_what_has_no_second_derivative_says_what_to_do(middle, message):
    encoder, objective = _built(Attending(middle))
    with pytest.raises(RuntimeError, match=message):
        objective(encoder, _clips(), _stills())
    assert all(weight.grad is None for weight in encoder.parameters())


def test_attention_without_fusion_trains():
    encoder, objective = _built(Attending(Attention()))
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        loss, _ = objective(encoder, _clips(), _stills())
        loss.backward()
    assert encoder.patches.weight.grad.abs().max() > 0


# Importing torch's compiler warns of torch's own use of TorchScript.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script_method:DeprecationWarning")
def test_compiled_encoders_are_refused():
    encoder, objective = _built()
    with pytest.raises(RuntimeError, match="but it is compiled: .* train without compiling"):
        objective(torch.compile(encoder), _clips(), _stills())
    encoder.stages[1].compile()
    with pytest.raises(RuntimeError, match="its part 'stages.1' is compiled"):
        objective(encoder, _clips(), _stills())
    with pytest.raises(RuntimeError, match="its part 'stages.1' is compiled"):
        objective.follow(encoder)


def test_an_encoder_without_gradient_is_refused():
    class Detached(Attending):
        def forward(self, clips):
            return super().forward(clips.detach())

    encoder, objective = _built(Detached(nn.Identity()), harmonizer=PRESETS["fel2022"]())
    with pytest.raises(RuntimeError, match="features that depend on the image"):
        objective(encoder, _clips(), _stills())


def test_a_frozen_encoder_trains_the_classifier():
    encoder, objective = _built()
    encoder.requires_grad_(False)
    objective(encoder, _clips(), _stills())[0].backward()
    assert objective.classifier.linear.weight.grad.abs().max() > 0


def test_wrong_stills_are_refused():
    encoder, objective = _built()
    truth = _stills()
    with pytest.raises(ValueError, match=r"got no stills, still_labels, still_maps; .*--maps"):
        objective(encoder, _clips(), {})
    with pytest.raises(ValueError, match=r"maps \[4, 12, 12\]"):
        objective(encoder, _clips(), truth | {"still_maps": torch.rand(4, 12, 12)})
    with pytest.raises(ValueError, match="labels from 0 to 2, got 0 to 7"):
        objective(encoder, _clips(), truth | {"still_labels": torch.tensor([0, 1, 2, 7])})
    with pytest.raises(ValueError, match="beside the held-out clips, got none"):
        objective.evaluate(encoder, [(_clips(), truth)], [(_clips(), {})])
    for wrong, message in (
        ({"classes": 0}, "at least 1 class"),
        ({"classes": 2, "weight": -1.0}, "weight of at least 0"),
        ({"classes": 2, "objective": HarmonisedConfig(classes=2)}, "got a harmonised one"),
    ):
        with pytest.raises(ValueError, match=message):
            HarmonisedConfig(**wrong)
