"""``merkwelt evaluate`` on models that others trained."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from merkwelt.alignment import Preparation, ScoredModel
from merkwelt.alignment.models.fixation import FixatingEncoder
from merkwelt.video_models.encoder import Features

from merkwelt import scored_model
from merkwelt.cli import main
from merkwelt.scored_model import fixating


@pytest.fixture(scope="module")
def few_pairs(shared_data, tmp_path_factory):
    """Five of the real pairs, so that a network is scored in a second."""
    whole = np.load(shared_data / "clickme" / "clickme2_co3d_29.npz")
    path = tmp_path_factory.mktemp("maps") / "few.npz"
    np.savez(path, **{name: whole[name][:5] for name in whole.files})
    return path


def _tflite(shared_data, name):
    return str(shared_data / "models_tflite" / f"{name}.tflite")


def _refused(capsys, words, *expected, status=2):
    assert main(words) == status
    message = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in message
    for part in expected:
        assert part in message


def test_a_tflite_file_is_scored(shared_data, few_pairs, tmp_path, capsys):
    name, out = "mobilenet_v1_0.25_128_quant", tmp_path / "scores"
    words = ["evaluate", _tflite(shared_data, name), "--maps", str(few_pairs), "--out", str(out)]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "logit of the network's own class" in printed
    assert "random-init network" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["settings"]["size"] == 128
    assert results["settings"]["interpolation"] == "bilinear"
    (model,) = json.loads((out / "models.json").read_text())
    assert model["name"] == name
    assert model["parameters"] == 467_593
    assert model["published_top1"]["percent"] == 39.5
    assert model["results"] == "results.json"
    report = (out / "report.html").read_text()
    assert "de-quantised" in report
    assert f"merkwelt evaluate {name}.tflite --maps few.npz --out scores" in report


def test_several_models_are_compared_in_one_report(shared_data, few_pairs, tmp_path, capsys):
    names = ("mobilenet_v1_0.25_128_quant", "mobilenet_v1_0.5_160_quant")
    out = tmp_path / "scores"
    files = [_tflite(shared_data, name) for name in names]
    assert main(["evaluate", *files, "--maps", str(few_pairs), "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    entries = json.loads((out / "models.json").read_text())
    report = (out / "report.html").read_text()
    for name, entry in zip(names, entries, strict=True):
        assert any(line.startswith(name) and "best floor" in line for line in lines)
        results = json.loads((out / entry["results"]).read_text())
        assert results["settings"]["size"] == int(name.split("_")[-2])
        assert name in report


def test_models_that_do_not_exist_are_refused(shared_data, few_pairs, tmp_path, capsys):
    end = ["--maps", str(few_pairs), "--out", str(tmp_path / "scores")]
    _refused(capsys, ["evaluate", "efficientnet-lite9", *end], "efficientnet-lite0", "FILE.tflite")
    _refused(capsys, ["evaluate", "no.tflite", *end], "expected a .tflite file")
    _refused(capsys, ["evaluate", "timm:resnet18", *end], "timm:resnet18@random", "--weights")
    file = _tflite(shared_data, "mobilenet_v1_0.25_128_quant")
    _refused(capsys, ["evaluate", file, file, *end], "more than once")
    _refused(capsys, ["evaluate", file, *end, "--weights", "w.pth"], "--weights only beside")
    _refused(capsys, ["evaluate", file, *end, "--fixation", "moving"], "looks at one frame")
    assert not (tmp_path / "scores").exists()


class Differences(torch.nn.Module):
    """How much each frame differs from the first."""

    eyes = 2

    def forward(self, clips):
        change = (clips - clips[:, :, :1]).abs().mean(dim=(1, 3, 4, 5))
        return Features(maps={}, pooled=change[:, :, None])


def test_a_still_image_moves_before_a_video_models_eyes():
    model = ScoredModel(
        name="run",
        encoder=Differences(),
        untrained=Differences(),
        preparation=Preparation(size=16),
        weights="none",
        is_classifier=False,
        clip_frames=8,
    )
    assert fixating(model, "still") is model
    moving = fixating(model, "moving", seed=3)
    assert moving.name == "run, fixational eye movement"
    assert isinstance(moving.untrained, FixatingEncoder)
    image = torch.rand(1, 1, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    clip = image.expand(-1, 2, 8, -1, -1, -1)
    assert model.encoder(clip).pooled.max() == 0
    seen = moving.encoder(clip).pooled
    assert (seen[0, 1:] > 0).all()
    assert torch.equal(seen, moving.untrained(clip).pooled)
    assert not torch.equal(seen, fixating(model, "moving", seed=4).encoder(clip).pooled)


def test_a_run_is_called_after_its_folder_however_it_is_named(tmp_path, monkeypatch):
    loaded = SimpleNamespace(encoder=Differences(), experiment=None)
    monkeypatch.setattr(scored_model, "load_run", lambda run: loaded)
    monkeypatch.setattr(scored_model, "build", lambda experiment: (Differences(),))
    inside = tmp_path / "sfa" / "checkpoints"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    for words in (tmp_path / "sfa", Path("..")):
        model = scored_model.run_model(words)
        assert (model.name, model.weights) == ("sfa", "the run sfa")
