import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.camera import PinholeCamera
from merkwelt.render.film import Film
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.motion import ACTIVITIES, Motion
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.optics.settings import OpticsSettings
from merkwelt.render.rigid import rotation_from_angles, transform
from merkwelt.render.volume import RenderOptions
from merkwelt.render.words.describe import describe
from merkwelt.render.words.looking import View
from merkwelt.scenes.analytic import AnalyticField, analytic_room
from merkwelt.scenes.card import OrientedBox, SceneObject
from merkwelt.scenes.scene import Scene

CAMERA = PinholeCamera.from_hfov(math.radians(65.0), (64, 64))
EYE_HEIGHT = 1.5


def motion_of(xy, yaw, targets, *, fixation_id=None, frame_every=20, activity="walking"):
    """A motion through xy ``[n, 2]`` at 200 Hz, whose one eye looks straight at its targets."""
    n = len(xy)
    time_s = np.arange(n) / 200
    position = np.column_stack([xy, np.full(n, EYE_HEIGHT)])
    offset = targets - position
    gaze_yaw = np.arctan2(offset[:, 1], offset[:, 0])
    pitch = np.arctan2(offset[:, 2], np.hypot(offset[:, 0], offset[:, 1]))
    speed = np.zeros(n)
    if n > 1:
        speed = np.linalg.norm(np.gradient(xy, time_s, axis=0), axis=1)
    return Motion(
        course=Trajectory(
            time_s=time_s,
            world_from_head=transform(rotation_from_angles(yaw), position),
            world_from_eye=transform(rotation_from_angles(gaze_yaw, pitch), position)[None],
            gaze_target=targets,
            fixation_id=np.zeros(n, np.int64) if fixation_id is None else fixation_id,
            saccade=np.zeros(n, bool),
            blink=np.zeros(n, bool),
            gait_phase_rad=np.linspace(0, 5, n),
        ),
        heading_rad=yaw,
        speed=speed,
        activity=np.full(n, ACTIVITIES.index(activity), np.int8),
        frame_every=frame_every,
    )


def scene_of(objects, walls=()):
    """A room of the analytic one's size with other things in it: name, centre, size."""
    listed = tuple(
        SceneObject(name=name, box=OrientedBox(centre_m=centre, size_m=size))
        for name, centre, size in objects
    )
    boxes = [(*thing.box.centre_m, *thing.box.size_m, 0.0) for thing in listed]
    shell = [
        (0, 0, -0.1, 8, 8, 0.2, 0),
        (4.1, 0, 1.5, 0.2, 8, 3, 0),
        (-4.1, 0, 1.5, 0.2, 8, 3, 0),
        (0, 4.1, 1.5, 8, 0.2, 3, 0),
        (0, -4.1, 1.5, 8, 0.2, 3, 0),
    ]
    every = torch.tensor([*shell, *walls, *boxes], dtype=torch.float32)
    card = replace(
        analytic_room().card,
        name="test_room",
        objects=listed,
        bounds=((-4.0, -4.0, 0.0), (4.0, 4.0, 2.7)),
    )
    return Scene(card, AnalyticField(every, torch.full((len(every), 3), 0.5)))


def described(scene, motion, observer="adult"):
    film = Film(scene=scene, camera=CAMERA, renderer=RenderOptions())
    key = ClipKey(dataset_seed=0, scene="room", clip=0)
    _, geometry = film.exposed(motion, OpticsSettings(), key)
    eye = motion.frames().world_from_eye[0]
    view = View(camera=CAMERA, depth=geometry.surface_depth()[0], world_from_eye=eye)
    return describe(scene, observer, motion, view)


THINGS = [
    ("sofa", (0.0, 1.2, 0.4), (1.0, 0.6, 0.8)),
    ("desk_1", (0.3, -1.3, 0.5), (0.6, 0.6, 1.0)),
    ("desk_2", (1.0, -1.3, 0.5), (0.6, 0.6, 1.0)),
    ("cup", (0.3, -1.3, 1.05), (0.1, 0.1, 0.1)),
    ("piano", (3.5, 0.4, 0.8), (0.6, 1.4, 1.6)),
]
TARGET = (3.2, 0.4, 1.0)


def mirrored(objects):
    return [(name, (x, -y, z), size) for name, (x, y, z), size in objects]


def straight(sign=1.0):
    """A walk along +x past the things, the eyes on the piano; mirrored with ``sign`` -1."""
    x = np.linspace(-1.5, 2.0, 401)
    targets = np.tile(np.array(TARGET) * [1, sign, 1], (401, 1))
    return motion_of(np.column_stack([x, np.zeros(401)]), np.zeros(401), targets)


@pytest.fixture(scope="package")
def walk():
    return described(scene_of(THINGS), straight())
