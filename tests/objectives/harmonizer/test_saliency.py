from dataclasses import replace

import pytest
import torch
from merkwelt.objectives import HarmonisedConfig, HarmonizerConfig, probe_shapes
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.harmonizer.saliency import still_clips
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig

from .small import built, clips, stills


def test_saliency_is_learned_from_maps_and_not_from_labels():
    found = {}
    for map_weight in (0.0, 10.0):
        rules = HarmonizerConfig(map_weight=map_weight)
        encoder = StereoCNN3D(StereoCNNConfig(eyes=1, widths=(4, 8, 8, 12), temporal_kernel=1))
        encoder, objective = built(encoder, still_frames=1, harmonizer=rules)
        parameters = [*encoder.parameters(), *objective.parameters()]
        optimiser = torch.optim.Adam(parameters, lr=3e-3)
        for _ in range(40):
            parts, _ = objective.stills_loss(encoder, stills())
            optimiser.zero_grad()
            parts["total"].backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
        report = objective.evaluate(encoder, [(clips(), stills())], [(clips(), stills())])
        found[map_weight] = report["stills_alignment"]
    assert found[10.0] > found[0.0] + 0.1, found


def test_saliency_is_the_gradient_by_the_image_that_all_eyes_see():
    encoder, objective = built()
    encoder, objective = encoder.double(), objective.double()
    truth = stills(count=2)
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
    encoder, objective = built()
    truth = stills()
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
    encoder, objective = built(harmonizer=HarmonizerConfig(scalar=scalar))
    images = stills()["stills"].requires_grad_()
    pooled = encoder(still_clips(images, eyes=2, frames=2)).pooled[:, -1]
    logits = objective.classifier.linear(pooled)
    values = logits.max(dim=1).values if scalar == "top-logit" else pooled.square().sum(1).sqrt()
    (expected,) = torch.autograd.grad(values.sum(), images)
    seen = objective.classifier(
        encoder, images, torch.zeros(4).long(), objective.config.harmonizer, create_graph=False
    )
    torch.testing.assert_close(seen.gradient, expected, rtol=1e-4, atol=1e-7)


def test_whole_time_steps_are_looked_at():
    encoder, _ = built()
    shapes = replace(probe_shapes(encoder, eyes=2), frames_per_step=4)
    objective = build_objective(HarmonisedConfig(classes=2, still_frames=5), shapes, encoder)
    assert objective.classifier.frames == 8
