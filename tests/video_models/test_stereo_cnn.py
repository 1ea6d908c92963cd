import pytest
import torch
from merkwelt.video_models import Features, StereoCNN3D, StereoCNNConfig


def _encoder(**config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return StereoCNN3D(StereoCNNConfig(**config))


def _clips(*, batch=2, eyes=2, frames=5, channels=3, size=(32, 32)):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, eyes, frames, channels, *size, generator=generator)


def test_features_have_the_promised_shapes():
    features = _encoder()(_clips(size=(32, 48)))
    shapes = {name: tuple(each.shape) for name, each in features.maps.items()}
    assert shapes == {
        "stage1": (2, 24, 5, 16, 24),
        "stage2": (2, 32, 5, 8, 12),
        "stage3": (2, 48, 5, 4, 6),
        "stage4": (2, 64, 5, 4, 6),
    }
    assert features.pooled.shape == (2, 5, 64)


def test_pooled_is_the_spatial_mean_of_the_deepest_map():
    features = _encoder()(_clips())
    expected = torch.stack(
        [features.maps["stage4"][:, :, t].flatten(2).mean(dim=2) for t in range(5)], dim=1
    )
    torch.testing.assert_close(features.pooled, expected)


def test_it_is_small():
    assert sum(p.numel() for p in _encoder().parameters()) == 148_188


@pytest.mark.parametrize("size", [(16, 16), (33, 45), (128, 128)])
def test_any_size_works(size):
    features = _encoder()(_clips(batch=1, frames=2, size=size))
    assert features.pooled.isfinite().all()


@pytest.mark.parametrize("name", ["stage1", "stage4", "pooled"])
def test_no_feature_knows_a_later_frame(name):
    encoder, now = _encoder().double(), 2
    clips = _clips().double().requires_grad_()
    features = encoder(clips)
    chosen = features.pooled[:, now] if name == "pooled" else features.maps[name][:, :, now]
    weights = torch.linspace(-1, 1, chosen.numel(), dtype=torch.float64).view_as(chosen)
    (gradient,) = torch.autograd.grad((chosen * weights).sum(), clips)
    assert gradient[:, :, now + 1 :].abs().max() == 0
    assert gradient[:, :, : now + 1].abs().amax(dim=(0, 1, 3, 4, 5)).min() > 0


def test_later_frames_change_nothing_to_the_bit():
    encoder, clips = _encoder(), _clips()
    changed = clips.clone()
    changed[:, :, 3:] = 0
    torch.testing.assert_close(
        encoder(clips).pooled[:, :3], encoder(changed).pooled[:, :3], rtol=0, atol=0
    )


def test_a_still_clip_has_still_features():
    still = _clips(frames=1).expand(-1, -1, 6, -1, -1, -1)
    pooled = _encoder()(still).pooled
    torch.testing.assert_close(pooled, pooled[:, :1].expand_as(pooled), rtol=0, atol=1e-6)


def test_clips_do_not_mix():
    encoder, clips = _encoder(), _clips()
    torch.testing.assert_close(encoder(clips).pooled[1:], encoder(clips[1:]).pooled)


def test_exchanged_eyes_keep_the_sum_and_turn_the_difference():
    encoder, clips = _encoder(), _clips()
    fused, exchanged = encoder._fuse(clips), encoder._fuse(clips.flip(1))
    torch.testing.assert_close(exchanged[:, :12], fused[:, :12])
    torch.testing.assert_close(exchanged[:, 12:], -fused[:, 12:])


def test_equal_eyes_have_no_difference():
    clips = _clips(eyes=1).expand(-1, 2, -1, -1, -1, -1)
    assert _encoder()._fuse(clips)[:, 12:].abs().max() == 0


def test_one_eye_works():
    features = _encoder(eyes=1)(_clips(eyes=1))
    assert isinstance(features, Features)
    assert features.maps["stage1"].shape == (2, 12, 5, 16, 16)


def test_uniform_light_is_not_seen():
    answer = _encoder().retina(torch.full((1, 3, 4, 32, 32), 0.8))
    assert answer[..., 1:-1, 1:-1].abs().max() < 1e-5


def test_every_frame_is_normalised_by_itself():
    encoder, clips = _encoder(), _clips()
    normal = encoder.fused_norm(encoder._fuse(clips)).unflatten(1, (8, -1))
    mean, variance = normal.mean(dim=(2, 4, 5)), normal.var(dim=(2, 4, 5), correction=0)
    torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-5)
    torch.testing.assert_close(variance, torch.ones_like(variance), rtol=0, atol=1e-2)


def test_norm_agrees_with_torch_frame_by_frame():
    encoder, clips = _encoder(norm_groups=2), _clips()
    fused = encoder._fuse(clips)
    expected = torch.stack(
        [torch.nn.functional.group_norm(fused[:, :, t], 4) for t in range(5)], dim=2
    )
    torch.testing.assert_close(encoder.fused_norm(fused), expected, rtol=1e-4, atol=1e-5)


def test_wrong_clips_are_refused():
    encoder = _encoder()
    with pytest.raises(ValueError, match=r"expected clips of 2 eye\(s\), got 1; build"):
        encoder(_clips(eyes=1))
    with pytest.raises(ValueError, match="expected 3 channels, got 1"):
        encoder(_clips(channels=1))
    with pytest.raises(ValueError, match="at least 16 pixels on each side, got 8 x 32"):
        encoder(_clips(size=(8, 32)))


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="eyes to be 1 or 2, got 3"):
        StereoCNNConfig(eyes=3)
    with pytest.raises(ValueError, match="divisible by norm_groups 4"):
        StereoCNNConfig(widths=(12, 32, 50, 64))
    with pytest.raises(ValueError, match="only positive numbers"):
        StereoCNNConfig(temporal_kernel=0)
