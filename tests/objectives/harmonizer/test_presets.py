import pytest
import torch
from merkwelt.objectives.harmonizer.presets import PRESETS, co3d_fel

from .small import built, clips, stills


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_trains_the_weights(name):
    encoder, objective = built(harmonizer=PRESETS[name]())
    parts, _ = objective.stills_loss(encoder, stills())
    weights = dict(encoder.named_parameters())
    gradients = torch.autograd.grad(parts["harmonizer"], list(weights.values()), allow_unused=True)
    for weight, gradient in zip(weights, gradients, strict=True):
        # A bias after the last rectifier's slope is fixed has no second derivative at all.
        assert gradient is None or gradient.isfinite().all(), weight
    assert gradients[0] is not None
    assert gradients[0].abs().max() > 0
    loss, measures = objective(encoder, clips(), stills())
    loss.backward()
    assert all(each.isfinite() for each in measures.values())


@pytest.mark.parametrize("compare", ["mse", "bce", "cosine", "cross-entropy"])
def test_the_comparisons_of_one_preset_train(compare):
    encoder, objective = built(harmonizer=co3d_fel(compare))
    parts, _ = objective.stills_loss(encoder, stills())
    parts["harmonizer"].backward()
    assert encoder.retina.conv.weight.grad.isfinite().all()
    assert encoder.retina.conv.weight.grad.abs().max() > 0
