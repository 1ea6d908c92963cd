"""The command, from a run and a data set on disk to a report."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from merkwelt.streams.engine import run_plan
from merkwelt.streams.live.held_out import is_held_out
from merkwelt.streams.plan import Plan, PlannedScene, Storage

from merkwelt.cli import main
from merkwelt.probing.probe import unseen_clips
from merkwelt.recipes import recipe
from merkwelt.training import StoredClips, train

from .seen import rendered


class Rendered:
    """Random dots with known disparity, seen on a walk."""

    skips = ()
    device = "none"

    def __call__(self, plan, clip):
        return rendered(plan, clip)


def data_set(folder, *, scenes=("hall",), truth=("disparity",), clips=10):
    plan = Plan(
        scenes=tuple(PlannedScene(name=name, sha256=name) for name in scenes),
        observer={"name": "adult"},
        settings={"frames": 6, "size": 24, "frame_rate_hz": 10.0, "depth": True, "truth": truth},
        clips=clips,
        seed=0,
        storage=Storage(shard_clips=5),
        code_version="0.1.0",
    )
    run_plan(plan, Rendered(), folder)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("probing")
    data_set(root / "clips")
    experiment = replace(recipe("sfa"), steps=2, batch_size=4)
    train(experiment, StoredClips(root / "clips"), root / "run")
    mono = replace(experiment, seed=1)
    train(mono, StoredClips(root / "clips"), root / "other")
    return root


def told(capsys, words):
    status = main([str(word) for word in words])
    streams = capsys.readouterr()
    return status, streams.out + streams.err


def test_a_run_is_probed_on_the_clips_that_it_held_out(place, capsys, tmp_path):
    words = ["probe", place / "run", "--data", place / "clips", "--out", tmp_path / "out"]
    words += ["--resamples", 20, "--against", place / "other"]
    status, said = told(capsys, words)
    assert status == 0, said
    assert "held out of its training" in said
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["how"]["clips_tested"] == 2
    disparity = next(
        each for each in found["measured"] if (each["task"], each["measure"]) == ("disparity", "R2")
    )
    assert {"run", "other", "the same network untrained"} <= set(disparity["scores"])
    assert {each["condition"] for each in found["stereo_controls"]} >= {"eyes swapped"}
    assert [each["other"] for each in found["similarity"]][:2] == ["run", "other"]
    page = (tmp_path / "out" / "report.html").read_text()
    for text in ("Stereo controls: disparity", "How slow it is", "What it is like", "NaN"):
        assert (text in page) == (text != "NaN"), text


def test_scenes_are_held_out_where_there_are_several(place, capsys, tmp_path):
    data = data_set(tmp_path / "two", scenes=("hall", "attic"), truth=(), clips=12)
    words = ["probe", place / "run", "--data", data, "--out", tmp_path / "out"]
    words += ["--resamples", 20]
    status, said = told(capsys, [*words, "--held-out-scenes", "attic"])
    assert status == 0, said
    assert "Whole scenes are held out: attic" in said
    assert "merkwelt render --truth disparity" in said
    status, said = told(capsys, [*words, "--held-out-scenes", "cellar"])
    assert status == 2
    assert "['attic', 'hall']" in said


def test_bad_input_is_one_message(place, capsys, tmp_path):
    out = ["--out", tmp_path / "out"]
    for words, text in (
        ([place / "run", *out], "either --data DIR"),
        ([place / "run", "--data", place / "clips", "--split", "val", *out], "with --images alone"),
        ([place / "run", "--images", tmp_path, "--against", place, *out], "with --data alone"),
        ([place / "clips", "--data", place / "clips", *out], "expected a training run"),
        ([place / "run", "--data", tmp_path, *out], "expected a data set"),
        ([place / "run", "--data", place / "clips", "--map", "V1", *out], "'stage4'"),
        ([place / "run", "--images", tmp_path / "none", *out], "found nothing at"),
    ):
        status, said = told(capsys, ["probe", *words])
        assert status == 2, said
        assert text in said
        assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_few_clips_are_refused(place, capsys, tmp_path):
    data = data_set(tmp_path / "few", clips=3)
    words = ["probe", place / "run", "--data", data, "--out", tmp_path / "out"]
    status, said = told(capsys, words)
    assert status == 2
    assert "at least 4 clips" in said


def test_categories_of_images(place, capsys, tmp_path):
    rng = np.random.default_rng(0)
    for name in ("dark", "light"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(4):
            picture = rng.integers(0, 100, (32, 32, 3), dtype=np.uint8) + 150 * (name == "light")
            path = tmp_path / "images" / name / f"{number}.png"
            cv2.imwrite(str(path), picture.astype(np.uint8))
    words = ["probe", place / "run", "--images", tmp_path / "images", "--out", tmp_path / "out"]
    status, said = told(capsys, words)
    assert status == 0, said
    assert "most frequent class" in said
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert found["classes"] == ["dark", "light"]
    assert (tmp_path / "out" / "probe.safetensors").is_file()


def test_a_run_on_the_stream_of_a_plan_is_tested_on_what_the_stream_held_out(place):
    experiment = replace(recipe("sfa"), steps=2, batch_size=4)
    config = json.loads((place / "run" / "config.json").read_text())
    held_out = unseen_clips(place / "run", experiment, place / "clips")
    assert len(held_out) == 2
    streamed = place / "streamed"
    streamed.mkdir()
    config["data"]["stream"] = {}
    (streamed / "config.json").write_text(json.dumps(config))
    wanted = [clip for clip in range(10) if is_held_out(clip, share=0.2, seed=0)]
    assert unseen_clips(streamed, experiment, place / "clips") == wanted
    config["data"]["identity"] = "another"
    (streamed / "config.json").write_text(json.dumps(config))
    assert unseen_clips(streamed, experiment, place / "clips") is None
