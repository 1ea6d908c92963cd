"""The package lerobot opens what is exported.

lerobot pins another torch than merkwelt does, so it usually lies in an environment of its own,
whose interpreter MERKWELT_LEROBOT_PYTHON names. Without it, and without lerobot beside merkwelt,
these tests are skipped; `test_export` checks the files without lerobot.
"""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest
from export_data import CLIPS, FRAMES, RATE_HZ, make_data, rows_of
from merkwelt.streams import ClipDataset
from merkwelt.streams.lerobot import LeRobotSettings, export_lerobot

EYES = ("left", "right")
OPENER = Path(__file__).with_name("open_with_lerobot.py")


def interpreter():
    """Return an interpreter that has lerobot, or skip."""
    named = os.environ.get("MERKWELT_LEROBOT_PYTHON")
    if named:
        return named
    try:
        version("lerobot")
    except PackageNotFoundError:
        pytest.skip("lerobot is not installed; name an interpreter in MERKWELT_LEROBOT_PYTHON")
    return sys.executable


@pytest.fixture(scope="module", params=["pyav", "torchcodec"])
def opened(request, tmp_path_factory):
    """The data set, its export, and what lerobot reads of it."""
    python = interpreter()
    folder = tmp_path_factory.mktemp("lerobot")
    data, out = make_data(folder / "data"), folder / "out"
    export_lerobot(data, out, LeRobotSettings(streams=("video", "depth")))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "home")}
    arguments = [python, str(OPENER), str(out), str(folder / "read.npz"), request.param]
    ran = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=300)
    if ran.returncode and "torchvision.io' has no attribute 'VideoReader'" in ran.stderr:
        pytest.skip("this torchvision has no VideoReader, which this lerobot decodes pyav with")
    if ran.returncode and "Could not load libtorchcodec" in ran.stderr:
        pytest.skip("torchcodec finds no FFmpeg")
    assert ran.returncode == 0, ran.stderr[-3000:]
    with np.load(folder / "read.npz") as read:
        return ClipDataset(data), out, dict(read)


def test_it_counts_episodes_frames_and_tasks(opened):
    _, _, read = opened
    assert read["counts"].tolist() == [CLIPS, CLIPS * FRAMES, 3]
    assert read["task"].tolist() == [f"task {c % 3}" for c in range(CLIPS) for _ in range(FRAMES)]


def test_it_reads_every_pixel(opened):
    clips, _, read = opened
    for eye, name in enumerate(EYES):
        videos = np.concatenate([clips.sample(int(c)).video[eye].numpy() for c in clips.clip_ids])
        found = read[f"observation.images.{name}"]
        assert found.dtype == np.float32
        np.testing.assert_array_equal(np.rint(found * 255), videos)


def test_it_reads_the_columns(opened):
    _, out, read = opened
    rows = rows_of(out, "data/*/*.parquet")
    for name in ("observation.state", "action", "timestamp", "fixation_id", "index"):
        np.testing.assert_array_equal(read[name], np.array([row[name] for row in rows]))


def test_it_reads_windows_and_single_episodes(opened):
    clips, out, read = opened
    rows = rows_of(out, "data/*/*.parquet")
    np.testing.assert_array_equal(read["two_actions"], [rows[0]["action"], rows[1]["action"]])
    # After the last frame there is nothing: it is padded.
    assert read["two_actions_pad"].tolist() == [False, True]
    first, second = (clips.sample(int(clip)).video.numpy() for clip in clips.clip_ids[:2])
    np.testing.assert_array_equal(np.rint(read["two_pictures"] * 255), first[0, :2])
    np.testing.assert_array_equal(np.rint(read["only"] * 255), second[1, 0])
    assert read["only_index"].tolist() == list(range(FRAMES, 2 * FRAMES))


def test_it_reads_depth_in_millimetres(opened):
    clips, _, read = opened
    if read["version"].item() < "0.6":
        pytest.skip(f"lerobot {read['version']} knows no depth")
    for eye, name in enumerate(EYES):
        depth = np.concatenate([clips.sample(int(c)).depth[eye].numpy() for c in clips.clip_ids])
        known = np.isfinite(depth) & (depth > 0)
        read_m = read[f"observation.images.{name}_depth"][:, 0] / 1000
        # Half a step of the codes, and half a millimetre of lerobot's rounding.
        np.testing.assert_allclose(read_m[known], depth[known], rtol=1.13e-3, atol=5.1e-4)


def test_it_reads_the_statistics(opened):
    _, _, read = opened
    assert read["stats/observation.images.left/mean"].shape == (3, 1, 1)
    np.testing.assert_allclose(read["stats/action/mean"], read["action"].mean(0), rtol=1e-5)
    np.testing.assert_allclose(read["stats/timestamp/max"], [(FRAMES - 1) / RATE_HZ], rtol=1e-6)
