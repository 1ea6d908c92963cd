import pytest
import torch
from merkwelt.objectives import probe_shapes
from merkwelt.video_models import DorsalNet, DorsalNetConfig
from torch.utils.flop_counter import FlopCounterMode


def _encoder(**config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DorsalNet(DorsalNetConfig(**{"eyes": 1, **config})).eval()


def _clips(*, batch=2, eyes=1, frames=6, channels=3, size=(33, 33)):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, eyes, frames, channels, *size, generator=generator)


def _count(network):
    return sum(p.numel() for p in network.parameters())


def test_it_has_the_published_size():
    """Mineault et al. 2021: .055 M parameters, .020 M with symmetric filters, 3.1 GFLOP."""
    assert _count(_encoder(symmetric=False)) == pytest.approx(55_000, rel=0.01)
    assert _count(_encoder()) == pytest.approx(20_000, rel=0.01)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        _encoder().to("meta")(_clips(batch=1, frames=10, size=(112, 112)).to("meta"))
    # Grey is filtered once and not in three equal channels.
    first = 2 * 10 * 56 * 56 * 64 * 5 * 7 * 7
    assert counter.get_total_flops() + 2 * first == pytest.approx(3.1e9, rel=0.02)


def test_features_have_the_promised_shapes():
    features = _encoder()(_clips(size=(48, 64)))
    shapes = {name: tuple(each.shape) for name, each in features.maps.items()}
    assert shapes == {
        "conv1": (2, 64, 6, 24, 32),
        "res1": (2, 32, 6, 12, 16),
        "res2": (2, 32, 6, 12, 16),
        "res3": (2, 32, 6, 12, 16),
    }
    expected = features.maps["res3"].flatten(3).mean(dim=3).transpose(1, 2)
    torch.testing.assert_close(features.pooled, expected)


@pytest.mark.parametrize("symmetric", [True, False])
def test_grey_in_three_channels_is_filtered_as_by_three_filters(symmetric):
    """The published input: luma as 0 to 255, less 123, over 75, as red, green and blue."""
    encoder, clips = _encoder(symmetric=symmetric), _clips()
    luma = 0.299 * clips[:, 0, :, 0] + 0.587 * clips[:, 0, :, 1] + 0.114 * clips[:, 0, :, 2]
    grey = (255 * luma - 123) / 75
    ends = [grey[:, :1]] * 2, [grey[:, -1:]] * 2
    video = torch.cat([*ends[0], grey, *ends[1]], dim=1).unsqueeze(1).expand(-1, 3, -1, -1, -1)
    free = encoder.conv1.weight[:, 0]
    tied = [free, free.flip(-1), free.flip(-2), free.flip(-1, -2)]
    filters = torch.cat(tied) if symmetric else free
    expected = torch.conv3d(video, filters, stride=(1, 2, 2), padding=(0, 3, 3))
    expected = encoder.norm1(expected).relu()
    torch.testing.assert_close(encoder(clips).maps["conv1"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("eyes", [1, 2])
def test_a_mirrored_world_changes_places_of_the_first_filters(eyes):
    """Odd sizes, where a stride of 2 meets the same pixels from either side."""
    encoder, clips = _encoder(eyes=eyes), _clips(eyes=eyes)
    first = encoder(clips).maps["conv1"].unflatten(1, (4, 16))
    sideways = encoder(clips.flip(1, -1)).maps["conv1"].unflatten(1, (4, 16))
    torch.testing.assert_close(sideways[:, [1, 0, 3, 2]].flip(-1), first, rtol=1e-4, atol=1e-4)
    upside_down = encoder(clips.flip(-2)).maps["conv1"].unflatten(1, (4, 16))
    torch.testing.assert_close(upside_down[:, [2, 3, 0, 1]].flip(-2), first, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["batch", "frame"])
def test_it_says_whether_it_sees_ahead(norm):
    clips, now = _clips(frames=7, size=(16, 16)).requires_grad_(), 3
    for causal in (False, True):
        encoder = _encoder(causal=causal, norm=norm)
        assert encoder.causal is causal
        chosen = encoder(clips).maps["res3"][:, :, now]
        weights = torch.linspace(-1, 1, chosen.numel()).view_as(chosen)
        (gradient,) = torch.autograd.grad((chosen * weights).sum(), clips)
        ahead = gradient[:, :, now + 1 :].abs().max()
        assert (float(ahead) == 0) is causal


def test_a_still_clip_has_constant_features():
    clips = _clips(frames=1).expand(-1, -1, 6, -1, -1, -1)
    pooled = _encoder()(clips).pooled
    torch.testing.assert_close(pooled, pooled[:, :1].expand_as(pooled), rtol=1e-4, atol=1e-5)


def test_other_channels_are_all_filtered():
    encoder = _encoder(image_channels=5, symmetric=False, filters=8)
    clips = _clips(channels=5).requires_grad_()
    (gradient,) = torch.autograd.grad(encoder(clips).maps["conv1"].square().sum(), clips)
    assert float(gradient.abs().amax(dim=(0, 1, 2, 4, 5)).min()) > 0
    grey = _encoder(image_channels=1)
    luma = torch.full((1, 1, 3, 1, 16, 16), 0.3)
    expected = _encoder()(luma.expand(-1, -1, -1, 3, -1, -1)).pooled
    torch.testing.assert_close(grey(luma).pooled, expected, rtol=1e-4, atol=1e-5)


def test_frames_can_be_normalised_by_themselves():
    """Then training changes nothing of what an untrained network says, nor do other clips."""
    encoder, clips = _encoder(norm="frame"), _clips()
    alone = encoder(clips[:1]).pooled
    torch.testing.assert_close(encoder.train()(clips).pooled[:1], alone, rtol=1e-4, atol=1e-5)


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"clips of 1 eye\(s\), got 2; .* DorsalNetConfig\(eyes=2"):
        _encoder()(_clips(eyes=2))
    with pytest.raises(ValueError, match="expected 3 channels, got 1"):
        _encoder()(_clips(channels=1))
    with pytest.raises(ValueError, match="at least 16 pixels"):
        _encoder()(_clips(size=(15, 20)))
    with pytest.raises(ValueError, match="divisible by 4"):
        DorsalNetConfig(filters=6)
    with pytest.raises(ValueError, match="eyes to be 1 or 2"):
        DorsalNetConfig(eyes=3)


def test_looking_for_shapes_leaves_no_trace():
    encoder = _encoder().train()
    before = {name: each.clone() for name, each in encoder.state_dict().items()}
    probe_shapes(encoder, eyes=1)
    assert encoder.training
    assert encoder.blocks[0].training
    assert all(torch.equal(each, before[name]) for name, each in encoder.state_dict().items())
