"""The contract with Brain-Score: a plug-in is written, loaded by a stand-in, and shown stimuli."""

import importlib
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from merkwelt.alignment import ScoredModel

from merkwelt.brain_score import BrainScoreRequest, export_brain_score
from merkwelt.cli import main
from merkwelt.recipes import recipe
from merkwelt.training.clips import MemoryClips
from merkwelt.training.loop import train
from merkwelt.training.run_folder import load_run

from .brain_score_stub import write_stub

SIZE, FRAMES = 32, 4
MEAN, SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one step on noise: weights that no initialisation has."""
    rng = np.random.default_rng(0)
    videos = [
        torch.from_numpy(rng.integers(0, 255, (2, 8, 3, SIZE, SIZE)).astype(np.uint8))
        for _ in range(10)
    ]
    folder = tmp_path_factory.mktemp("runs") / "sfa-tiny"
    train(recipe("sfa"), MemoryClips(videos, frame_rate_hz=10.0), folder, steps=1, device="cpu")
    return folder


@pytest.fixture
def brain_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function from a plug-in's folder to the model that Brain-Score has registered."""
    write_stub(tmp_path / "stub")
    monkeypatch.syspath_prepend(str(tmp_path / "stub"))
    before = set(sys.modules)

    def load(folder: Path):
        monkeypatch.syspath_prepend(str(folder.parent))
        importlib.import_module(folder.name)
        registry = importlib.import_module("brainscore_vision").model_registry
        return registry[folder.name]()

    yield load
    for name in set(sys.modules) - before:
        if not name.startswith(("merkwelt", "torch")):
            del sys.modules[name]


class Video:
    def __init__(self, frames: np.ndarray) -> None:
        self.frames = frames

    def to_numpy(self) -> np.ndarray:
        return self.frames


def test_a_video_model_activates_as_our_encoder(run, tmp_path, brain_score) -> None:
    done = export_brain_score(run, tmp_path, BrainScoreRequest(size=SIZE, frames=FRAMES, fps=10.0))
    assert done.folder == tmp_path / "models" / "sfa_tiny"
    model = brain_score(done.folder)
    frames = np.random.default_rng(1).integers(0, 256, (2, FRAMES, SIZE, SIZE, 3)).astype(np.uint8)
    read = model.activations_model([Video(each) for each in frames], layers=model.layers)

    clips = torch.from_numpy(frames).permute(0, 1, 4, 2, 3).float() / 255
    with torch.no_grad():
        features = load_run(run).encoder(clips[:, None].expand(-1, 2, -1, -1, -1, -1))
    assert model.identifier == "sfa_tiny"
    assert model.layers == [*(f"layers.{name}" for name in features.maps), "layers.pooled"]
    for name, values in features.maps.items():
        assert model.activations_model.formats[f"layers.{name}"] == "CTHW"
        np.testing.assert_allclose(read[f"layers.{name}"], values.numpy(), atol=1e-6)
    np.testing.assert_allclose(
        read["layers.pooled"], features.pooled.mean(dim=1).numpy(), atol=1e-6
    )
    assert (model.activations_model.fps, model.activations_model.num_frames) == (10, FRAMES)
    assert list(model.region_layer_map) == ["V1", "V2", "V4", "IT"]
    deepest = list(features.maps)[-1]
    looked = model.look_at([Video(frames[0])], "IT")
    # One video rather than two: convolutions round otherwise.
    np.testing.assert_allclose(looked[0], features.maps[deepest][0].numpy(), atol=1e-5)


def test_a_run_as_an_image_model(run, tmp_path, brain_score) -> None:
    request = BrainScoreRequest(kind="image", size=SIZE, identifier="stills", frames=FRAMES)
    model = brain_score(export_brain_score(run, tmp_path, request).folder)
    picture = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), picture[..., ::-1])
    read = model.activations_model([str(tmp_path / "picture.png")], layers=model.layers)
    still = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    with torch.no_grad():
        features = load_run(run).encoder(still.expand(1, 2, FRAMES, -1, -1, -1))
    for name, values in features.maps.items():
        np.testing.assert_allclose(read[f"layers.{name}"], values.mean(dim=2).numpy(), atol=1e-6)


def test_a_network_by_name_with_modules_as_layers(tmp_path, brain_score, monkeypatch) -> None:
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    ).eval()
    named = ScoredModel.from_module(network, name="timm:tiny", size=16)
    monkeypatch.setattr("merkwelt.brain_score.scored_model", lambda words: named)
    request = BrainScoreRequest(kind="image", layers=("0", "pooled"))
    done = export_brain_score("timm:tiny@random", tmp_path, request)
    assert done.plugin.layers == ("encoder.network.0", "layers.pooled")
    model = brain_score(done.folder)
    picture = np.random.default_rng(3).integers(0, 256, (20, 24, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), picture[..., ::-1])
    read = model.activations_model([tmp_path / "picture.png"], layers=model.layers)
    # The model's own preparation: centre crop of 17 px, resized, normalised.
    cut = torch.from_numpy(picture[1:18, 3:20].copy()).permute(2, 0, 1)[None].float() / 255
    shown = torch.nn.functional.interpolate(cut, size=16, mode="bicubic", antialias=True)
    mean, sd = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, SD))
    with torch.no_grad():
        first = network[0]((shown.clamp(0, 1) - mean) / sd)
        logits = network[1:](first)
    np.testing.assert_allclose(read["encoder.network.0"], first.numpy(), atol=1e-5)
    np.testing.assert_allclose(read["layers.pooled"], logits.numpy(), atol=1e-5)
    with pytest.raises(ValueError, match="--kind image"):
        export_brain_score("timm:tiny@random", tmp_path, BrainScoreRequest())


def test_an_image_network(tmp_path, brain_score) -> None:
    """EfficientNet-Lite0 with its weights: a module of its own beside the logits."""
    pytest.importorskip("efficientnet_lite_pytorch")
    from merkwelt.scored_model import scored_model

    layers = ("_blocks.2", "_blocks.10")
    done = export_brain_score(
        "efficientnet-lite0", tmp_path, BrainScoreRequest(kind="image", layers=layers, size=64)
    )
    assert done.plugin.layers == ("encoder.network._blocks.2", "encoder.network._blocks.10")
    model = brain_score(done.folder)
    picture = np.random.default_rng(3).integers(0, 256, (80, 64, 3)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "picture.png"), picture[..., ::-1])
    read = model.activations_model([tmp_path / "picture.png"], layers=model.layers)
    network = scored_model("efficientnet-lite0").encoder.network
    heard = {}
    hook = network._blocks[2].register_forward_hook(lambda *each: heard.update(block=each[2]))
    from merkwelt.alignment.brain_score.shown import image_tensors

    shown = image_tensors([tmp_path / "picture.png"], done.plugin.preparation)[0]
    with torch.no_grad():
        network((shown[None] - 127 / 255) / (128 / 255))
    hook.remove()
    np.testing.assert_allclose(read["encoder.network._blocks.2"], heard["block"].numpy(), atol=1e-4)


def test_the_command_says_what_it_wrote(run, tmp_path, capfd) -> None:
    words = ["brain-score", str(run), "--out", str(tmp_path), "--size", str(SIZE)]
    assert main(words) == 0
    said = capfd.readouterr().out
    assert "sfa_tiny: video model, 8 frames at 25 a second" in said
    assert "laid out by depth, a guess" in said
    assert main(words) == 2
    assert "another --identifier" in capfd.readouterr().err.replace("\n", " ")
    chosen = [*words, "--identifier", "chosen", "--regions", "V1", "layers.pooled"]
    assert main(chosen) == 0
    assert "layers.pooled" in (tmp_path / "models" / "chosen" / "model.py").read_text()


def test_says_what_is_wrong(run, tmp_path) -> None:
    with pytest.raises(ValueError, match="expected layers that the model has, got nowhere"):
        export_brain_score(run, tmp_path, BrainScoreRequest(layers=("nowhere",), size=SIZE))
    with pytest.raises(ValueError, match="V1=layers.no"):
        export_brain_score(run, tmp_path, BrainScoreRequest(regions={"V1": "layers.no"}, size=SIZE))
    assert not (tmp_path / "models").exists()
