"""The theory of slow features on pictures that are rendered along a real path."""

import importlib.util
import sys

import numpy as np
import pytest
from merkwelt.objectives.slowness.egocentric import Walk


@pytest.fixture
def room_walk(repository):
    path = repository / "benchmarks" / "room_walk.py"
    spec = importlib.util.spec_from_file_location("room_walk", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["room_walk"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["room_walk"]


@pytest.mark.slow
def test_slow_features_of_rendered_pictures_are_those_of_the_theory(room_walk, tmp_path):
    # Steps and turns are large, so that 2,500 frames see the whole room many times.
    room = room_walk.RoomWalk(
        walk=Walk(size_x=3.0, size_y=2.1, step=0.3, turn_rad=0.65), frames=2500, inputs=16
    )
    found = room_walk.measure_room(room, tmp_path, lambda share, message: None)
    assert found["modes"][:2] == ["(1, 0, 0)", "(0, 1, 0)"]
    assert min(found["correlation"]) >= 0.95
    assert min(found["span_r2"][:2]) >= 0.95
    # On frames that the features were not fitted to.
    assert min(found["correlation_held_out_third"]) >= 0.9
    # No function of pictures can be slower than the theory's, but for how a path samples it.
    assert np.all(np.array(found["delta"][:2]) > 0.9 * np.array(found["delta_theory"][:2]))
