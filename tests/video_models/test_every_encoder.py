"""What every encoder promises, whatever it is made of."""

import copy
from dataclasses import replace

import pytest
import torch
from merkwelt.video_models import Features, StereoCNNConfig
from merkwelt.video_models.build import build_encoder, with_eyes
from merkwelt.video_models.recurrent.gru_net import ConvGRUNetConfig
from merkwelt.video_models.recurrent.hgru_net import HGRUNetConfig
from merkwelt.video_models.resnet3d.resnet3d import ResNet3DConfig
from merkwelt.video_models.transformer.config import VideoTransformerConfig
from merkwelt.video_models.two_pathway.two_pathway import TwoPathwayConfig

TRANSFORMER = VideoTransformerConfig(width=48, depth=2)

CAUSAL = {
    "stereo_cnn": StereoCNNConfig(),
    "resnet3d": ResNet3DConfig(),
    "resnet3d_pool": ResNet3DConfig(stem_pool=True, temporal_kernels=(1, 1, 3, 3)),
    "two_pathway": TwoPathwayConfig(blocks=4),
    "one_pathway": TwoPathwayConfig(blocks=4, paths=1, oriented_stem=False),
    "convgru": ConvGRUNetConfig(),
    "hgru": HGRUNetConfig(),
    "hgru_shared": HGRUNetConfig(shared_kernel=True, steps_per_frame=2, kernel=5),
    "transformer": TRANSFORMER,
    "transformer_joint": replace(TRANSFORMER, attend="joint", tubelet_frames=2),
    "transformer_learned": replace(TRANSFORMER, positions="learned"),
}
SEES_ALL = {
    "resnet3d": ResNet3DConfig(causal=False),
    "two_pathway": TwoPathwayConfig(blocks=4, causal=False),
    "transformer": replace(TRANSFORMER, causal=False),
    "transformer_joint": replace(TRANSFORMER, causal=False, attend="joint", tubelet_frames=2),
}
STILL = ("stereo_cnn", "resnet3d", "resnet3d_pool", "two_pathway", "one_pathway", "transformer")
"""Those that promise constant features of a still clip."""

every = pytest.mark.parametrize("name", CAUSAL)


def _encoder(config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build_encoder(config).eval()


def _clips(config, *, batch=2, frames=6, size=(32, 32)):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, config.eyes, frames, 3, *size, generator=generator)


def _all_of(features, end=None):
    """Return everything that is said of the first steps."""
    return [
        features.pooled[:, :end],
        *(each[:, :, :end] for each in features.maps.values()),
    ]


@every
@pytest.mark.parametrize("eyes", [1, 2])
def test_features_have_the_promised_shapes(name, eyes):
    config = with_eyes(CAUSAL[name], eyes)
    features = _encoder(config)(_clips(config, size=(40, 28)))
    assert isinstance(features, Features)
    steps = 6 // features.frames_per_step
    assert {(len(each), each.shape[2]) for each in features.maps.values()} == {(2, steps)}
    deepest = list(features.maps.values())[-1]
    assert features.pooled.shape == (2, steps, deepest.shape[1])
    torch.testing.assert_close(features.pooled, deepest.mean(dim=(3, 4)).transpose(1, 2))
    areas = [each.shape[3] * each.shape[4] for each in features.maps.values()]
    assert areas == sorted(areas, reverse=True)


@every
@pytest.mark.parametrize("stereo", ["concat", "siamese"])
def test_both_eyes_are_seen(name, stereo):
    if name == "stereo_cnn":
        pytest.skip("it is always siamese")
    config = replace(CAUSAL[name], stereo=stereo)
    encoder, clips = _encoder(config), _clips(config)
    exchanged = encoder(clips.flip(1)).pooled
    assert (encoder(clips).pooled - exchanged).abs().max() > 1e-3


@every
def test_later_frames_change_nothing(name):
    encoder, clips = _encoder(CAUSAL[name]), _clips(CAUSAL[name])
    assert encoder.causal
    changed = clips.clone()
    changed[:, :, 4:] = 1 - changed[:, :, 4:]
    one, other = encoder(clips), encoder(changed)
    end = 4 // one.frames_per_step
    for this, that in zip(_all_of(one, end), _all_of(other, end), strict=True):
        torch.testing.assert_close(this, that, rtol=0, atol=0)
    assert (one.pooled[:, end:] - other.pooled[:, end:]).abs().amax(dim=(0, 2)).min() > 1e-4


@every
def test_how_long_a_clip_is_changes_nothing(name):
    # Sums over a matrix of another size are rounded in another order; nothing else may differ.
    encoder = _encoder(CAUSAL[name]).double()
    clips = _clips(CAUSAL[name]).double()
    long, short = encoder(clips), encoder(clips[:, :, :4])
    end = 4 // long.frames_per_step
    for this, that in zip(_all_of(long, end), _all_of(short), strict=True):
        torch.testing.assert_close(this, that, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", SEES_ALL)
def test_those_that_see_later_frames_say_so(name):
    encoder, clips = _encoder(SEES_ALL[name]), _clips(SEES_ALL[name])
    assert not encoder.causal
    changed = clips.clone()
    changed[:, :, 5:] = 1 - changed[:, :, 5:]
    difference = encoder(clips).pooled[:, :2] - encoder(changed).pooled[:, :2]
    assert difference.abs().max() > 1e-4


@pytest.mark.parametrize("name", STILL)
def test_a_still_clip_has_still_features(name):
    config = CAUSAL[name]
    still = _clips(config, frames=1).expand(-1, -1, 6, -1, -1, -1)
    for each in _all_of(_encoder(config)(still)):
        time = 1 if each.ndim == 3 else 2
        first = each.narrow(time, 0, 1).expand_as(each)
        # Rounding of float32 through a few norms.
        torch.testing.assert_close(each, first, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["convgru", "hgru"])
def test_memories_settle_on_a_still_clip(name):
    still = _clips(CAUSAL[name], frames=1).expand(-1, -1, 30, -1, -1, -1)
    change = _encoder(CAUSAL[name])(still).pooled.diff(dim=1).norm(dim=-1).amax(dim=0)
    assert change[-1] < 0.3 * change[0]


@every
def test_clips_do_not_mix(name):
    encoder = _encoder(CAUSAL[name]).double()
    clips = _clips(CAUSAL[name]).double()
    torch.testing.assert_close(encoder(clips).pooled[1:], encoder(clips[1:]).pooled)


@every
def test_looking_twice_sees_the_same_as_does_a_copy(name):
    encoder, clips = _encoder(CAUSAL[name]), _clips(CAUSAL[name])
    first = encoder(clips).pooled
    assert torch.equal(first, encoder(clips).pooled)
    assert torch.equal(first, copy.deepcopy(encoder)(clips).pooled)


@every
def test_every_weight_learns_from_first_and_second_gradients(name):
    encoder = _encoder(CAUSAL[name])
    clips = _clips(CAUSAL[name], frames=4).requires_grad_()
    pooled = encoder(clips).pooled
    # Fixed random weights: a plain sum would be blind to what a last norm takes off.
    score = (pooled * torch.linspace(-1, 1, pooled.numel()).view_as(pooled)).sum()
    (saliency,) = torch.autograd.grad(score, clips, create_graph=True)
    score.backward(retain_graph=True)
    silent = [
        weight_name
        for weight_name, weight in encoder.named_parameters()
        if weight.grad is None or not weight.grad.abs().max() > 0
    ]
    assert silent == []
    encoder.zero_grad()
    saliency.square().sum().backward()
    gradients = [weight.grad for weight in encoder.parameters() if weight.grad is not None]
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)
    assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0


@every
def test_bfloat16_is_close(name):
    encoder, clips = _encoder(CAUSAL[name]), _clips(CAUSAL[name])
    exact = encoder(clips).pooled
    with torch.autocast("cpu", torch.bfloat16):
        rough = encoder(clips).pooled.float()
    assert torch.cosine_similarity(rough.flatten(), exact.flatten(), dim=0) > 0.99


@every
def test_wrong_clips_are_refused(name):
    config = CAUSAL[name]
    encoder, clips = _encoder(config), _clips(config)
    with pytest.raises(ValueError, match=r"expected clips of 2 eye\(s\), got 1; build the encoder"):
        encoder(clips[:, :1])
    with pytest.raises(ValueError, match="expected 3 channels, got 1"):
        encoder(clips[:, :, :, :1])
    with pytest.raises(ValueError, match="at least 16 pixels on each side, got 8 x 32"):
        encoder(clips[..., :8, :])


@every
def test_no_encoder_has_three_eyes(name):
    with pytest.raises(ValueError, match="eyes to be 1 or 2, got 3"):
        replace(CAUSAL[name], eyes=3)


def test_a_sum_and_a_difference_need_an_even_width():
    with pytest.raises(ValueError, match="even width of the first layer"):
        build_encoder(ResNet3DConfig(stem_width=5, widths=(5, 5, 5, 5), norm_groups=5))
