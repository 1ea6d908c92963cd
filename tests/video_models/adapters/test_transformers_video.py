import importlib.util
import json
import sys
from dataclasses import replace

import pytest
import torch
from merkwelt.video_models.adapters.transformers_video import (
    TransformersVideo,
    TransformersVideoConfig,
)

needs_transformers = pytest.mark.skipif(
    importlib.util.find_spec("transformers") is None, reason="the extra 'hf' is not installed"
)
SMALL = TransformersVideoConfig(image_size_px=32, frames=4, width=48, depth=2, eyes=1)
both = pytest.mark.parametrize("network", ["videomae", "vjepa2"])


def _encoder(config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TransformersVideo(config).eval()


def _clips(eyes=1, frames=4, size=32):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, eyes, frames, 3, size, size, generator=generator)


@needs_transformers
@both
def test_features_are_the_networks_hidden_states(network):
    encoder, clips = _encoder(replace(SMALL, network=network)), _clips()
    features = encoder(clips)
    assert features.frames_per_step == 2
    assert {tuple(each.shape) for each in features.maps.values()} == {(2, 48, 2, 2, 2)}
    mean, std = encoder.mean.view(3, 1, 1), encoder.std.view(3, 1, 1)
    videos = (clips[:, 0] - mean) / std
    options = {"skip_predictor": True} if network == "vjepa2" else {}
    last = encoder.net(videos, **options).last_hidden_state
    torch.testing.assert_close(features.pooled, last.unflatten(1, (2, 4)).mean(dim=2))


@needs_transformers
@both
def test_every_weight_learns_and_gradients_of_gradients_work(network):
    encoder = _encoder(replace(SMALL, network=network, eyes=2))
    clips = _clips(eyes=2).requires_grad_()
    pooled = encoder(clips).pooled
    score = (pooled * torch.linspace(-1, 1, pooled.numel()).view_as(pooled)).sum()
    (saliency,) = torch.autograd.grad(score, clips, create_graph=True)
    score.backward(retain_graph=True)
    silent = [n for n, p in encoder.named_parameters() if p.grad is None]
    assert silent == []
    saliency.square().sum().backward()


@needs_transformers
@both
def test_attention_may_be_fused(network):
    config = replace(SMALL, network=network)
    math, fused = _encoder(config), _encoder(replace(config, attention="fused"))
    torch.testing.assert_close(math(_clips()).pooled, fused(_clips()).pooled, rtol=0, atol=1e-4)


@needs_transformers
@both
def test_weights_come_from_a_folder(network, tmp_path):
    config = replace(SMALL, network=network)
    first = _encoder(config)
    first.net.save_pretrained(tmp_path / "net")
    second = _encoder(replace(config, weights=str(tmp_path / "net"), width=96, image_size_px=64))
    assert second.image_size_px == 32
    assert torch.equal(first(_clips()).pooled, second(_clips()).pooled)
    said = json.loads((tmp_path / "net" / "config.json").read_text())
    said["model_type"] = "gpt2"
    (tmp_path / "net" / "config.json").write_text(json.dumps(said))
    with pytest.raises(ValueError, match=f"expected the weights of {network} in .* got .* 'gpt2'"):
        _encoder(replace(config, weights=str(tmp_path / "net")))


@needs_transformers
def test_missing_weights_are_named(tmp_path):
    net = _encoder(SMALL).net
    state = {name: each for name, each in net.state_dict().items() if "layernorm_" not in name}
    net.save_pretrained(tmp_path, state_dict=state)
    with pytest.raises(ValueError, match=r"got none for encoder.layer.0.layernorm_after.bias"):
        _encoder(replace(SMALL, weights=str(tmp_path)))


@needs_transformers
def test_pickled_weights_are_not_read(tmp_path):
    net = _encoder(SMALL).net
    net.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(net.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(FileNotFoundError, match=r"expected model.safetensors in"):
        _encoder(replace(SMALL, weights=str(tmp_path)))


@needs_transformers
def test_nothing_is_downloaded():
    with pytest.raises(FileNotFoundError, match="nothing is downloaded"):
        _encoder(replace(SMALL, weights="MCG-NJU/videomae-base"))


@needs_transformers
def test_wrong_clips_are_refused():
    encoder = _encoder(SMALL)
    with pytest.raises(ValueError, match="clips of 4 frames, for which this videomae .* got 6"):
        encoder(_clips(frames=6))
    with pytest.raises(ValueError, match="number of frames that 2 divides, got 3"):
        encoder(_clips(frames=3))
    with pytest.raises(ValueError, match="32 x 32 pixels, the only size that videomae takes"):
        _encoder(replace(SMALL, resize=False))(_clips(size=40))
    longer = _encoder(replace(SMALL, network="vjepa2"))(_clips(frames=8, size=40))
    assert longer.pooled.shape == (2, 4, 48)


def test_without_transformers_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"install the extra 'merkwelt\[hf\]'"):
        TransformersVideo(SMALL)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="patches that divide the image size"):
        TransformersVideoConfig(image_size_px=40)
    with pytest.raises(ValueError, match="only positive numbers, got width 0"):
        TransformersVideoConfig(width=0)
