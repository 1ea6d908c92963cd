"""A small real scene in a library of its own: the analytic room, with cameras on its card."""

from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.rigid import look_at
from merkwelt.scenes import Scene
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import save_scene

STANDS = [(-1.0, -1.5), (-1.0, 1.5), (0.5, 1.0), (1.5, 0.5), (1.8, -1.8), (-0.5, 0.2)]


@pytest.fixture(scope="session")
def room():
    scene = analytic_room()
    poses = [
        look_at(np.array([x, y, 1.4]), np.array([tx, ty, 0.8]))
        for x, y in STANDS
        for tx, ty in ((0.0, 0.0), (-1.0, 0.5))
    ]
    cameras = tuple(tuple(map(tuple, pose.tolist())) for pose in poses)
    card = replace(scene.card, name="room", world_from_training_camera=cameras)
    return Scene(card, scene.field)


@pytest.fixture(scope="session")
def library(room, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    save_scene(room, folder / "room")
    unscaled = replace(room.card, name="unscaled", metres_per_unit=None)
    save_scene(Scene(unscaled, room.field), folder / "unscaled")
    return folder
