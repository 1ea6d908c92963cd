from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.key import ClipKey
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.rigid import look_at
from merkwelt.scenes import Scene
from merkwelt.scenes.analytic import AnalyticField

from merkwelt.viewer.contents import plan_contents
from merkwelt.viewer.settings import ViewSettings


@pytest.fixture(scope="session")
def settings():
    return ViewSettings(frames=6, size=24, points=5000)


@pytest.fixture(scope="session")
def navigation(room):
    return Navigation.of(room, load_observer("adult"))


@pytest.fixture(scope="session")
def planned(room, navigation, settings):
    key = ClipKey(dataset_seed=0, scene="room", clip=1)
    return plan_contents(room, load_observer("adult"), settings, key, navigation)


@pytest.fixture(scope="session")
def statue(room):
    """A box that cameras look at from all sides; without metric scale or floor."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    position = np.stack([4 * np.cos(angle), 4 * np.sin(angle), 1 + np.sin(3 * angle)], axis=1)
    cameras = tuple(tuple(map(tuple, m)) for m in look_at(position, np.zeros(3)).tolist())
    card = replace(
        room.card,
        name="statue",
        metres_per_unit=None,
        floor_height=None,
        objects=(),
        bounds=((-1.5, -1.5, -1.5), (1.5, 1.5, 1.5)),
        world_from_training_camera=cameras,
    )
    box = torch.tensor([[0.0, 0.0, 0.0, 1.5, 1.0, 2.0, 0.4]])
    return Scene(card, AnalyticField(box, torch.tensor([[0.6, 0.4, 0.2]])))
