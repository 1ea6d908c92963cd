import importlib.util
import sys
from dataclasses import replace

import pytest
import torch
from merkwelt.video_models.adapters.torchvision_video import (
    TorchvisionVideo,
    TorchvisionVideoConfig,
)

needs_torchvision = pytest.mark.skipif(
    importlib.util.find_spec("torchvision") is None, reason="the extra 'vision' is not installed"
)
SIZES = {
    "r3d_18": (33_371_472, 205_200, 8),
    "mc3_18": (11_695_440, 205_200, 1),
    "r2plus1d_18": (31_505_325, 205_200, 8),
    "s3d": (8_320_048, 410_000, 8),
    "swin3d_t": (28_158_070, 307_600, 2),
    "mvit_v2_s": (34_537_744, 307_600, 2),
}
"""Published parameters, those of the classifier among them, and frames for each time step."""


def _encoder(**config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TorchvisionVideo(TorchvisionVideoConfig(**config)).eval()


def _clips(eyes=1, frames=8, size=32):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(1, eyes, frames, 3, size, size, generator=generator)


@needs_torchvision
@pytest.mark.parametrize("network", SIZES)
def test_networks_are_those_of_torchvision_without_their_classifier(network):
    whole, classifier, step = SIZES[network]
    encoder = _encoder(network=network)
    assert sum(p.numel() for p in encoder.parameters()) == whole - classifier
    assert encoder.frames_per_step == step
    assert not encoder.causal


@needs_torchvision
@pytest.mark.parametrize("network", [name for name in SIZES if name != "mvit_v2_s"])
def test_features_of_two_eyes_at_the_promised_steps(network):
    encoder = _encoder(network=network, eyes=2)
    features = encoder(_clips(eyes=2))
    assert features.frames_per_step == encoder.frames_per_step
    assert {each.shape[2] for each in features.maps.values()} == {8 // encoder.frames_per_step}
    assert features.pooled.isfinite().all()


@needs_torchvision
@pytest.mark.parametrize("network", ["r3d_18", "swin3d_t"])
def test_the_deepest_map_is_what_torchvision_pools(network):
    encoder, clips = _encoder(network=network, eyes=1), _clips()
    mean, std = encoder.mean.view(3, 1, 1, 1), encoder.std.view(3, 1, 1, 1)
    # Without its classifier the whole network returns the mean over time and space.
    whole = encoder.net((clips[:, 0].transpose(1, 2) - mean) / std)
    torch.testing.assert_close(encoder(clips).pooled.mean(dim=1), whole, rtol=1e-4, atol=1e-5)


@needs_torchvision
@pytest.mark.slow
def test_mvit_takes_one_size_and_length():
    encoder, clips = _encoder(network="mvit_v2_s", eyes=1), _clips(frames=16)
    mean, std = encoder.mean.view(3, 1, 1, 1), encoder.std.view(3, 1, 1, 1)
    large = torch.nn.functional.interpolate(
        clips.flatten(0, 2), size=224, mode="bilinear", antialias=True
    )
    hidden = {}
    encoder.net.norm.register_forward_hook(lambda *seen: hidden.update(norm=seen[2]))
    encoder.net((large.transpose(0, 1).unsqueeze(0) - mean) / std)
    tokens = hidden["norm"][:, 1:].unflatten(1, (8, 49)).mean(dim=2)
    features = encoder(clips)
    torch.testing.assert_close(features.pooled, tokens, rtol=1e-4, atol=1e-5)
    assert [each.shape[-1] for each in features.maps.values()] == [56, 28, 14, 7]
    with pytest.raises(ValueError, match="clips of 16 frames, the only length .* got 8"):
        encoder(_clips())
    refusing = _encoder(network="mvit_v2_s", eyes=1, resize=False)
    with pytest.raises(ValueError, match="224 x 224 pixels, the only size that mvit_v2_s takes"):
        refusing(clips)


@needs_torchvision
def test_gradients_of_gradients_work():
    encoder, clips = _encoder(network="mc3_18", eyes=1), _clips(frames=2).requires_grad_()
    score = encoder(clips).pooled.square().mean()
    (saliency,) = torch.autograd.grad(score, clips, create_graph=True)
    saliency.square().sum().backward()
    weight = encoder.net.stem[0].weight
    assert weight.grad.isfinite().all()
    assert weight.grad.abs().max() > 0


@needs_torchvision
def test_weights_come_from_a_file_and_only_whole(tmp_path):
    first = _encoder(network="mc3_18", eyes=1)
    body = first.net.state_dict()
    # A classifier of any size is passed over.
    torch.save({**body, "fc.weight": torch.zeros(7, 512)}, tmp_path / "net.pth")
    config = TorchvisionVideoConfig(network="mc3_18", eyes=1, weights=str(tmp_path / "net.pth"))
    second = TorchvisionVideo(config).eval()
    assert torch.equal(first(_clips()).pooled, second(_clips()).pooled)
    with pytest.raises(ValueError, match="weights of r2plus1d_18, got a file with .* missing"):
        TorchvisionVideo(replace(config, network="r2plus1d_18"))
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        TorchvisionVideo(replace(config, weights=str(tmp_path / "other.pth")))
    (tmp_path / "net.pkl").write_bytes(b"")
    with pytest.raises(ValueError, match=r"as .safetensors, .pth or .pt, got net.pkl"):
        TorchvisionVideo(replace(config, weights=str(tmp_path / "net.pkl")))


@needs_torchvision
def test_wrong_clips_are_refused():
    encoder = _encoder(network="r3d_18", eyes=1)
    with pytest.raises(ValueError, match="number of frames that 8 divides, got 12"):
        encoder(_clips(frames=12))
    with pytest.raises(ValueError, match="at least 16 pixels"):
        encoder(_clips(size=8))


def test_without_torchvision_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.delitem(sys.modules, "torchvision.models.video", raising=False)
    monkeypatch.delitem(sys.modules, "torchvision.models", raising=False)
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[vision\]'"):
        TorchvisionVideo(TorchvisionVideoConfig())


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="image_channels 3, got 1"):
        TorchvisionVideoConfig(image_channels=1)
