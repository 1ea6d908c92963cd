"""Trainings with nerfstudio itself, short ones."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from merkwelt.scenes.captures import read_capture
from merkwelt.scenes.training import TrainSettings, loop, train_scene

pytestmark = [pytest.mark.needs_nerfstudio, pytest.mark.slow]


def _checkpoint(run):
    (path,) = (run / "nerfstudio_models").iterdir()
    return path.name, torch.load(path, weights_only=True)


def test_twenty_steps_on_the_fox(shared_data, tmp_path):
    capture = read_capture(shared_data / "noncommercial" / "fox")
    said = []
    settings = TrainSettings(steps=20, metres_per_unit=0.3)
    trained = train_scene(capture, tmp_path / "run", settings, lambda *args: said.append(args))
    assert np.mean(trained.losses[-5:]) < 0.8 * np.mean(trained.losses[:3])
    shares = [share for share, _ in said]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    messages = " | ".join(message for _, message in said)
    assert "17 of 67 listed photographs do not exist: images/0005.jpg" in messages
    assert "steps/s" in messages

    assert sorted(p.name for p in tmp_path.iterdir()) == ["run"]
    run = tmp_path / "run"
    expected = {"config.yml", "dataparser_transforms.json", "merkwelt_training.json"}
    assert expected <= {p.name for p in run.iterdir()}
    record = json.loads((run / "merkwelt_training.json").read_text())
    assert (record["downscale"], record["metres_per_unit"], record["steps"]) == (8, 0.3, 20)
    assert record["held_out"][:2] == ["images/0001.jpg", "images/0012.jpg"]
    assert len(record["train"]) == 43
    assert len(record["missing"]) == 17
    assert record["orientation_method"] == "up"
    name, checkpoint = _checkpoint(run)
    assert (name, checkpoint["step"]) == ("step-000000019.ckpt", 19)
    assert checkpoint["pipeline"]["_model.field.embedding_appearance.embedding.weight"].shape == (
        43,
        32,
    )
    assert not any("lpips" in key for key in checkpoint["pipeline"])
    # nerfstudio's own placement: the same numbers as its run on all fifty photographs, nearly.
    placed = json.loads((run / "dataparser_transforms.json").read_text())
    reference = shared_data / "trained" / "fox_nerfacto" / "dataparser_transforms.json"
    theirs = json.loads(reference.read_text())
    np.testing.assert_allclose(placed["transform"], theirs["transform"], atol=1e-5)
    assert placed["scale"] == pytest.approx(theirs["scale"], rel=1e-5)


def test_nerfstudio_itself_reads_the_run_back(tmp_path, write_tiny_capture, quick):
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))
    run = train_scene(capture, tmp_path / "run", quick).folder
    from merkwelt.scenes.training.environment import nerfstudio_mended

    with nerfstudio_mended():
        from nerfstudio.utils.eval_utils import eval_setup

        _, pipeline, _, step = eval_setup(run / "config.yml", test_mode="inference")
    assert step == quick.steps - 1
    loaded = pipeline.state_dict()
    for key, value in _checkpoint(run)[1]["pipeline"].items():
        assert torch.equal(loaded[key], value), key


def test_one_seed_gives_one_result_and_touches_no_global_state(tmp_path, write_tiny_capture, quick):
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (
        train_scene(capture, tmp_path / name, dataclasses.replace(quick, seed=seed))
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert first.losses == again.losses != other.losses
    weights = [_checkpoint(run.folder)[1]["pipeline"] for run in (first, again)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_captures_that_know_up_keep_their_axes(tmp_path, write_tiny_capture, quick):
    root = write_tiny_capture(tmp_path / "capture")
    (root / "capture.json").write_text('{"version": 1, "metres_per_unit": 2.0}')
    run = train_scene(read_capture(root), tmp_path / "run", quick).folder
    placed = json.loads((run / "dataparser_transforms.json").read_text())
    np.testing.assert_array_equal(placed["transform"], np.eye(4)[:3])
    assert json.loads((run / "merkwelt_training.json").read_text())["metres_per_unit"] == 2.0


@pytest.mark.parametrize("background", ["auto", "random"])
def test_alpha_channels_without_appearance(tmp_path, write_tiny_capture, quick, background):
    root = write_tiny_capture(tmp_path / "capture", mode="RGBA")
    settings = dataclasses.replace(quick, background=background, appearance_embedding=False)
    run = train_scene(read_capture(root), tmp_path / "run", settings).folder
    record = json.loads((run / "merkwelt_training.json").read_text())
    assert record["background_color"] == {"auto": "white"}.get(background, background)
    assert (
        "_model.field.embedding_appearance.embedding.weight" not in _checkpoint(run)[1]["pipeline"]
    )


def test_an_interrupted_training_leaves_nothing(tmp_path, write_tiny_capture, quick):
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))

    def interrupt(share, _):
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_scene(capture, tmp_path / "run", quick, interrupt)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["capture"]
    from nerfstudio.field_components.encodings import HashEncoding
    from nerfstudio.utils.rich_utils import CONSOLE

    assert HashEncoding.pytorch_fwd.__module__.startswith("nerfstudio")
    assert not CONSOLE.quiet


def test_divergence_is_told(tmp_path, write_tiny_capture, quick, monkeypatch):
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))
    settings = dataclasses.replace(quick, steps=50, learning_rate=1e30)
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_REPORTS", 0.0)
    with pytest.raises(RuntimeError, match=r"training diverged at step \d+: the loss is not"):
        train_scene(capture, tmp_path / "run", settings)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["capture"]


def test_a_checkpoint_that_cannot_be_written(tmp_path, write_tiny_capture, quick, monkeypatch):
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))

    def no_space(*_):
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", no_space)
    with pytest.raises(OSError, match="the checkpoint could not be written to"):
        train_scene(capture, tmp_path / "run", quick)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["capture"]


def test_a_missing_gpu_is_told(tmp_path, write_tiny_capture, quick):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    capture = read_capture(write_tiny_capture(tmp_path / "capture"))
    with pytest.raises(RuntimeError, match="torch sees no CUDA device"):
        train_scene(capture, tmp_path / "run", dataclasses.replace(quick, device="cuda"))
