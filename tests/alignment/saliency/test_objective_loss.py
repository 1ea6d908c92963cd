import pytest
import torch
from merkwelt.alignment import (
    LossOfEachClip,
    ObjectiveLoss,
    SaliencyRecipe,
    saliency_maps,
    saliency_of_clips,
)
from merkwelt.alignment.saliency.gradients import Budget, still_clips
from merkwelt.objectives import Prediction, PredictionConfig, probe_shapes
from merkwelt.video_models.encoder import Features
from torch import nn

LABELS = ("a",) * 5


class _PixelSum(nn.Module):
    """Pooled features of a frame: the sums of both eyes' pixels."""

    eyes = 2
    causal = True

    def forward(self, clips: torch.Tensor) -> Features:
        return Features(maps={}, pooled=clips.sum(dim=(3, 4, 5)).transpose(1, 2))


def _slowness(encoder, clips: torch.Tensor) -> torch.Tensor:
    pooled = encoder(clips).pooled
    return ((pooled[:, 1:] - pooled[:, :-1]) ** 2).sum(dim=(1, 2)) / 2


def _target() -> ObjectiveLoss:
    return ObjectiveLoss(loss=_slowness, loss_name="slowness")


def _moving(seed: int = 0) -> torch.Tensor:
    return torch.rand(5, 2, 3, 3, 12, 12, generator=torch.Generator().manual_seed(seed))


def test_a_loss_of_pixels_by_hand(images):
    target = ObjectiveLoss(
        loss=lambda encoder, clips: (clips**3).sum(dim=(1, 2, 3, 4, 5)), loss_name="cubes"
    )
    recipe = SaliencyRecipe(target=target, clip_frames=2)
    maps = saliency_maps(_PixelSum(), images, LABELS, recipe).maps
    torch.testing.assert_close(maps, 3 * (images**2).amax(dim=1))


def test_slowness_of_moving_clips_by_hand():
    clips = _moving()
    # Half the sum of squared changes by s_t is (s_t - s_{t-1}) - (s_{t+1} - s_t), at every pixel.
    sums = clips.sum(dim=(3, 4, 5))
    change = torch.diff(sums, dim=2)
    expected = {
        0: -change[:, :, 0],
        1: change[:, :, 0] - change[:, :, 1],
        2: change[:, :, 1],
        "last frame": change[:, :, 1],
    }
    for frames, derivative in expected.items():
        recipe = SaliencyRecipe(target=_target(), clip_frames=3, frames=frames)
        saliency = saliency_of_clips(_PixelSum(), clips, LABELS, recipe)
        per_clip = derivative.abs().mean(dim=1)
        torch.testing.assert_close(saliency.maps[:, 4, 7], per_clip, rtol=1e-4, atol=1e-4)


def test_nothing_moves_in_a_still_clip_and_that_is_named(images):
    recipe = SaliencyRecipe(target=_target(), clip_frames=3)
    saliency = saliency_maps(_PixelSum(), images, LABELS, recipe)
    assert saliency.undefined == dict.fromkeys(range(5), "its saliency is constant")
    assert saliency.usable().isnan().all()


def test_one_of_our_objectives_for_each_clip(small_net):
    small_net.causal = True
    shapes = probe_shapes(small_net, eyes=2, size_px=12)
    objective = Prediction(PredictionConfig(width=4), shapes).train()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in objective.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
    target = ObjectiveLoss(loss=LossOfEachClip(objective=objective), loss_name="prediction error")
    recipe = SaliencyRecipe(target=target, clip_frames=3)
    clips = _moving(1)
    ours = saliency_of_clips(small_net, clips, LABELS, recipe, budget=Budget(batch=2))
    assert objective.training
    assert ours.undefined == {}
    small_net.eval()
    for index in range(5):
        clip = clips[index : index + 1].clone().requires_grad_()
        loss = objective(small_net, clip, {})[0]
        expected = torch.autograd.grad(loss, clip)[0].abs().amax(dim=3).mean(dim=(1, 2))
        torch.testing.assert_close(ours.maps[index], expected[0], rtol=1e-4, atol=1e-7)


class _AtRandomFrames(nn.Module):
    """The loss of one frame, drawn anew whenever it is asked."""

    def forward(self, encoder, clips, truth):
        frame = torch.rand(clips.shape[2]).argmax()
        return clips[:, :, frame].square().sum(), {}


def test_what_an_objective_draws_depends_on_the_seed_alone():
    clips = torch.rand(5, 2, 40, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    state = torch.get_rng_state()
    maps = []
    for batch, seed in ((1, 0), (3, 0), (3, 1)):
        loss = LossOfEachClip(objective=_AtRandomFrames(), seed=seed)
        target = ObjectiveLoss(loss=loss, loss_name="one frame")
        recipe = SaliencyRecipe(target=target, clip_frames=40)
        budget = Budget(batch=batch)
        maps.append(saliency_of_clips(_PixelSum(), clips, LABELS, recipe, budget=budget).maps)
    assert torch.equal(maps[0], maps[1])
    assert not torch.equal(maps[1], maps[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_loss_of_the_whole_batch_is_refused(images):
    target = ObjectiveLoss(loss=lambda e, c: _slowness(e, c).mean(), loss_name="slowness")
    recipe = SaliencyRecipe(target=target)
    with pytest.raises(ValueError, match=r"loss for each of 5 clips, got \[\]; wrap"):
        saliency_maps(_PixelSum(), images, LABELS, recipe)


def test_clips_that_do_not_fit_are_refused(images):
    clips = still_clips(images, eyes=2, frames=3)
    with pytest.raises(ValueError, match=r"and 8 frames \(recipe.clip_frames\), got 2 eyes and 3"):
        saliency_of_clips(_PixelSum(), clips, LABELS, SaliencyRecipe())
    with pytest.raises(ValueError, match="one label for each of 5 clips, got 1"):
        saliency_of_clips(_PixelSum(), clips, ("a",), SaliencyRecipe(clip_frames=3))
