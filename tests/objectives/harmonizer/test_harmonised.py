import math

import pytest
import torch
from merkwelt.objectives import HarmonisedConfig, HarmonizerConfig, probe_shapes
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.harmonizer.saliency import still_clips
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig
from torch import nn
from torch.nn import functional as F

from .small import BASES, built, clips, stills


@pytest.mark.parametrize("base", sorted(BASES))
def test_the_loss_is_the_sum_of_its_parts(base):
    rules = HarmonizerConfig(map_weight=2.0, label_smoothing=0.2, weight_decay=1e-3)
    encoder, objective = built(objective=BASES[base], harmonizer=rules, weight=0.5)
    videos, truth = clips(), stills()
    loss, measures = objective(encoder, videos, truth)
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
    on_stills = entropy.item() + 2 * named["stills_harmonizer"] + named["stills_weight_decay"]
    on_clips = named.get("clips_loss", 0.0)
    assert loss.item() == pytest.approx(on_clips + 0.5 * on_stills, rel=1e-5)
    assert {"effective_rank", "feature_std"} <= set(named)


def test_the_objective_on_clips_starts_as_it_does_alone():
    encoder, objective = built(objective=BASES["predict"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        alone = StereoCNN3D(StereoCNNConfig(widths=(4, 8, 8, 12)))
        base = build_objective(BASES["predict"], probe_shapes(alone, eyes=2), alone)
    for one, other in ((encoder, alone), (objective.base, base)):
        for name, each in one.state_dict().items():
            assert torch.equal(each, other.state_dict()[name])


def test_scaling_by_chance():
    rules = HarmonizerConfig(relative_to_chance=True, weight_decay=0.0, label_smoothing=0.0)
    encoder, objective = built(harmonizer=rules)
    parts, _ = objective.stills_loss(encoder, stills())
    named = {name: each.item() for name, each in parts.items()}
    expected = named["cross_entropy"] / math.log(3) + named["harmonizer"] / math.log(2)
    assert named["total"] == pytest.approx(expected, rel=1e-6)


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

    encoder, objective = built()
    objective.after_step(encoder)  # nothing to pass it on to
    objective.finish(encoder, [])
    objective.base = Following()
    objective.follow(encoder)
    objective.after_step(encoder)
    objective.finish(encoder, [(clips(), {})])
    assert objective.base.calls == ["follow", "after_step", "finish 1"]
    assert objective.needs_double_backward
    eyes = type("NeedsBoth", (), {"clip_eyes": 2})()
    assert HarmonisedConfig(classes=2, objective=eyes).clip_eyes == 2
    assert HarmonisedConfig(classes=2).clip_eyes is None


def test_a_frozen_encoder_trains_the_classifier():
    encoder, objective = built()
    encoder.requires_grad_(False)
    objective(encoder, clips(), stills())[0].backward()
    assert objective.classifier.linear.weight.grad.abs().max() > 0


def test_wrong_stills_are_refused():
    encoder, objective = built()
    truth = stills()
    with pytest.raises(ValueError, match=r"got no stills, still_labels, still_maps; .*--maps"):
        objective(encoder, clips(), {})
    with pytest.raises(ValueError, match=r"maps \[4, 12, 12\]"):
        objective(encoder, clips(), truth | {"still_maps": torch.rand(4, 12, 12)})
    with pytest.raises(ValueError, match="labels from 0 to 2, got 0 to 7"):
        objective(encoder, clips(), truth | {"still_labels": torch.tensor([0, 1, 2, 7])})
    with pytest.raises(ValueError, match="beside the held-out clips, got none"):
        objective.evaluate(encoder, [(clips(), truth)], [(clips(), {})])
    for wrong, message in (
        ({"classes": 0}, "at least 1 class"),
        ({"classes": 2, "weight": -1.0}, "weight of at least 0"),
        ({"classes": 2, "objective": HarmonisedConfig(classes=2)}, "got a harmonised one"),
    ):
        with pytest.raises(ValueError, match=message):
            HarmonisedConfig(**wrong)
