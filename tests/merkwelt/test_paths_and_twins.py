"""Rendering along a path and without a factor, as a person types it."""

import json

import numpy as np
import pytest
from merkwelt.render.rigid import look_at
from merkwelt.streams import ClipDataset
from scipy.spatial.transform import Rotation

from merkwelt.cli import main

RENDER = ("render", "--scene", "room", "--frames", "3", "--size", "12", "--clips", "2")


@pytest.fixture
def path(tmp_path):
    share = np.linspace(0, 1, 13)
    eye = np.stack([-1 + 2 * share, -1.5 + 0 * share, 1.5 + 0 * share], axis=1)
    poses = look_at(eye, eye + [0.0, 1.0, -0.1])
    turns = Rotation.from_matrix(poses[:, :3, :3]).as_quat()
    lines = [
        " ".join(f"{v:.9g}" for v in (0.1 * i, *poses[i, :3, 3], *turns[i])) for i in range(13)
    ]
    file = tmp_path / "walk.tum"
    file.write_text("# time x y z qx qy qz qw\n" + "\n".join(lines))
    return file


@pytest.fixture
def run(library, tmp_path, capsys):
    def _run(name, *words, status=0):
        out = tmp_path / name
        assert main([*RENDER, "--out", str(out), "--library", str(library), *words]) == status
        said = capsys.readouterr()
        return " ".join((said.err if status else said.out).split())

    return _run


def test_a_head_follows_a_file(run, path, tmp_path):
    run("clips", "--path", str(path))
    plan = json.loads((tmp_path / "clips" / "plan.json").read_text())
    assert len(plan["path"]["poses"]) == 13
    path.unlink()
    heads = [ClipDataset(tmp_path / "clips").read(c).trajectory.world_from_head for c in (0, 1)]
    x = np.concatenate(heads)[:, 0, 3]
    np.testing.assert_allclose(x, -1 + np.arange(6) / 6, atol=1e-8)
    assert ClipDataset(tmp_path / "clips").read(0).video.shape == (2, 3, 3, 12, 12)


def test_a_file_is_scaled_and_aligned(run, path, tmp_path):
    (tmp_path / "align.txt").write_text("1 0 0 0.5  0 1 0 0  0 0 1 0.75  0 0 0 1")
    words = ["--path-scale", "0.5", "--path-align", str(tmp_path / "align.txt")]
    run("clips", "--path", str(path), "--path-frame", "world", *words)
    head = ClipDataset(tmp_path / "clips").read(0).trajectory.world_from_head[0, :3, 3]
    np.testing.assert_allclose(head, [0.0, -0.75, 1.5], atol=1e-8)


def test_paths_that_cannot_be_followed_are_refused(run, path, tmp_path):
    assert "beside --path-frame" in run("a", "--path-frame", "field", status=2)
    assert "beside --path-frame" in run("a", "--gaze", "observer", status=2)
    assert "does not exist" in run("a", "--path", str(tmp_path / "nowhere"), status=2)
    assert "its own times" in run("a", "--path", str(path), "--path-rate-hz", "5", status=2)
    assert "has no gait" in run("a", "--path", str(path), "--without", "gait", status=2)
    bad = path.with_name("bad.tum")
    bad.write_text(path.read_text().replace("-1.5", "nan", 1))
    assert "bad.tum, line 2: expected a finite number" in run("a", "--path", str(bad), status=2)
    assert not (tmp_path / "a").exists()


def test_twins_are_rendered(run, tmp_path):
    run("original")
    words = ["--without", "gaze", "colour", "--interocular-times", "2"]
    run("twin", *words)
    one, other = (ClipDataset(tmp_path / name).read(1) for name in ("original", "twin"))
    first, second = one.trajectory.world_from_head, other.trajectory.world_from_head
    np.testing.assert_array_equal(first[:, :3, 3], second[:, :3, 3])
    apart = [np.diff(c.trajectory.world_from_eye[:, 0, :3, 3], axis=0)[0] for c in (one, other)]
    assert np.linalg.norm(apart[1]) == pytest.approx(2 * np.linalg.norm(apart[0]))
    assert (other.video[:, :, 0] == other.video[:, :, 1]).all()
    factors = json.loads((tmp_path / "twin" / "plan.json").read_text())["settings"]["factors"]
    assert (factors["gaze"], factors["gait"], factors["interocular_times"]) == (False, True, 2.0)
    assert "factors" not in (tmp_path / "original" / "plan.json").read_text()


def test_twins_that_make_no_sense_are_refused(run):
    stereo = ["--without", "stereo"]
    assert "disparity is 0" in run("a", *stereo, "--truth", "disparity", status=2)
    assert "plays no part" in run("a", *stereo, "--interocular-times", "2", status=2)
    words = ["--without", "gaze", "--heading", "mineault2021"]
    assert "nothing is spread" in run("a", *words, status=2)
