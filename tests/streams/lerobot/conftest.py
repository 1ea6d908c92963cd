import sys
from pathlib import Path

import pytest
from merkwelt.streams.lerobot import export_lerobot

sys.path.insert(0, str(Path(__file__).parent))

from export_data import CLIPS, FRAMES, make_data  # noqa: E402 - found by the line above


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return make_data(tmp_path_factory.mktemp("clips") / "data")


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / "set"
    done = export_lerobot(data, out)
    assert (done.episodes, done.frames) == (CLIPS, CLIPS * FRAMES)
    assert done.bytes == sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    return out
