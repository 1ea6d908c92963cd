"""Gradient methods against captum and against closed forms."""

import captum.attr
import pytest
import torch
from merkwelt.alignment import (
    ClassLogit,
    ImageEncoder,
    IntegratedGradients,
    SaliencyRecipe,
    SmoothGrad,
    saliency_maps,
)
from merkwelt.alignment.saliency.attributions import (
    integrated_gradients,
    noise_picture,
    packed,
    smooth_maps,
)
from merkwelt.alignment.saliency.gradients import Budget, still_clips
from torch import nn

LABELS = ("a", "a", "b", "b", "c")


def _value(net):
    return lambda clips, rows: torch.linalg.vector_norm(net(clips).pooled[:, -1], dim=1)


def _of_clips(net):
    return lambda clips: _value(net)(clips, None)


@pytest.fixture
def image_encoder() -> ImageEncoder:
    """A smooth image network: two convolutions and the mean of each of four channels."""
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.Softplus(), nn.Conv2d(6, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return ImageEncoder(network, mean=(0.5, 0.5, 0.5), sd=(0.25, 0.25, 0.25))


def _logits(encoder: ImageEncoder):
    return lambda pictures: encoder(pictures[:, None, None]).pooled[:, -1]


def test_captum_agrees_on_the_gradient(small_net, images):
    clips = still_clips(images, eyes=2, frames=4).contiguous().requires_grad_()
    saliency = captum.attr.Saliency(_of_clips(small_net.eval()))
    theirs = saliency.attribute(clips, abs=True).amax(dim=3).mean(dim=(1, 2))
    ours = saliency_maps(small_net, images, LABELS, SaliencyRecipe(clip_frames=4)).maps
    torch.testing.assert_close(ours, theirs)


def test_captum_agrees_on_the_last_frame_and_on_a_named_one(small_net, images):
    clips = still_clips(images, eyes=2, frames=4).contiguous().requires_grad_()
    theirs = captum.attr.Saliency(_of_clips(small_net.eval())).attribute(clips, abs=True)
    theirs = theirs.amax(dim=3).mean(dim=1)
    # The target is read at the last step and the kernel reaches one frame back.
    assert (theirs[:, :2] == 0).all()
    for frames, index in (("last frame", 3), (2, 2)):
        recipe = SaliencyRecipe(clip_frames=4, frames=frames)
        ours = saliency_maps(small_net, images, LABELS, recipe).maps
        torch.testing.assert_close(ours, theirs[:, index])


def test_captum_agrees_on_smoothgrad_with_the_same_noise(image_encoder, images, monkeypatch):
    method = SmoothGrad(samples=6, noise_sd=0.3)
    noise = [noise_picture((0, i, s), (3, 12, 12)) for i in range(5) for s in range(6)]
    monkeypatch.setattr(torch, "normal", lambda mean, sd: torch.stack(noise) * sd)
    chosen = _logits(image_encoder)(images).argmax(dim=1)
    tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(_logits(image_encoder)))
    theirs = tunnel.attribute(
        images, nt_type="smoothgrad", nt_samples=6, stdevs=0.3, target=chosen, abs=True
    )
    # Captum averages samples before channels, so only the mean over channels commutes.
    recipe = SaliencyRecipe(target=ClassLogit(), method=method, channels="abs-mean", clip_frames=1)
    ours = saliency_maps(image_encoder, images, LABELS, recipe).maps
    torch.testing.assert_close(ours, theirs.mean(dim=1), rtol=1e-4, atol=1e-6)


def test_smoothgrad_is_a_mean_over_a_loop_of_samples(small_net, images):
    clips = still_clips(images, eyes=2, frames=2).contiguous()
    method = SmoothGrad(samples=3, noise_sd=0.4)
    keys = [(7, index) for index in range(5)]
    value = _value(small_net.eval())
    ours = smooth_maps(value, clips, SaliencyRecipe(), method, keys, 4)
    for index in range(5):
        expected = torch.zeros(12, 12)
        for sample in range(3):
            noisy = clips[index] + 0.4 * noise_picture((7, index, sample), (3, 12, 12))
            noisy = noisy[None].requires_grad_()
            found = torch.autograd.grad(value(noisy, None).sum(), noisy)[0][0]
            expected += found.abs().amax(dim=2).mean(dim=(0, 1)) / 3
        torch.testing.assert_close(ours[index], expected, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("method", [SmoothGrad(samples=5), IntegratedGradients(steps=5)])
def test_no_more_clips_at_once_than_the_batch_and_the_same_maps(small_net, images, method):
    sizes: list[int] = []
    small_net.register_forward_hook(lambda _, given, __: sizes.append(len(given[0])))
    recipe = SaliencyRecipe(method=method, clip_frames=2)
    maps = {}
    for batch in (1, 3, 8):
        sizes.clear()
        budget = Budget(batch=batch)
        maps[batch] = saliency_maps(small_net, images, LABELS, recipe, budget=budget).maps
        assert max(sizes) == batch
        assert sum(sizes) == 5 * 5
    # Convolutions may add in another order for another batch; the sums over samples do not.
    torch.testing.assert_close(maps[3], maps[1], rtol=1e-4, atol=1e-8)
    torch.testing.assert_close(maps[8], maps[1], rtol=1e-4, atol=1e-8)


def test_the_batch_changes_no_bit_where_clips_are_treated_one_by_one(energy_encoder, images):
    recipe = SaliencyRecipe(method=SmoothGrad(samples=7), clip_frames=1)
    one, four = (
        saliency_maps(energy_encoder, images, LABELS, recipe, budget=Budget(batch=batch)).maps
        for batch in (1, 4)
    )
    assert torch.equal(one, four)


def test_pairs_are_packed_row_by_row():
    pairs = [(rows.tolist(), repeats.tolist()) for rows, repeats in packed(2, 3, 4)]
    assert pairs == [([0, 0, 0, 1], [0, 1, 2, 0]), ([1, 1], [1, 2])]


def test_noise_is_standard_normal_and_its_own_for_every_key():
    pictures = {
        key: noise_picture(key, (3, 60, 60)) for key in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 0))
    }
    for key, picture in pictures.items():
        # 10,800 draws: a mean is off by more than 0.05 once in ten million.
        assert picture.mean().abs() < 0.05
        assert picture.std() == pytest.approx(1, abs=0.04)
        assert torch.equal(picture, noise_picture(key, (3, 60, 60)))
        for other in pictures:
            if other != key:
                assert (picture * pictures[other]).mean().abs() < 0.06


def test_captum_agrees_on_integrated_gradients(small_net, images):
    clips = still_clips(images, eyes=2, frames=3).contiguous()
    theirs = captum.attr.IntegratedGradients(_of_clips(small_net.eval())).attribute(
        clips, baselines=0.25, n_steps=10, method="riemann_middle"
    )
    method = IntegratedGradients(steps=10, baseline=0.25)
    ours = integrated_gradients(_value(small_net), clips, method, batch=4)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-7)


def test_integrated_gradients_are_complete(small_net, images):
    clips = still_clips(images, eyes=2, frames=3).contiguous()
    value = _value(small_net.eval())
    attributions = integrated_gradients(value, clips, IntegratedGradients(steps=64), batch=8)
    expected = value(clips, None) - value(torch.full_like(clips, 0.5), None)
    sums = attributions.sum(dim=(1, 2, 3, 4, 5))
    torch.testing.assert_close(sums, expected.detach(), rtol=1e-3, atol=1e-5)
