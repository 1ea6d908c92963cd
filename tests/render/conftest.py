import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import adult
from merkwelt.render.rigid import look_at
from merkwelt.scenes.analytic import AnalyticField, analytic_room
from merkwelt.scenes.scene import Scene

# Where there is no GPU, Triton's kernels run in its interpreter. Asked for before triton is first
# imported, because that is when its own functions are declared as one or the other.
if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")


def as_matrices(poses):
    return tuple(tuple(map(tuple, pose)) for pose in np.asarray(poses).tolist())


@pytest.fixture
def compiled_resources(repository, tmp_path):
    """A function that compiles a field's Triton kernels for an H100 and returns their figures."""

    def compiled(field):
        # In a process of its own: this one's kernels may be interpreted.
        script, found = repository / "benchmarks" / "triton_resources.py", tmp_path / "found.json"
        command = [sys.executable, script, "--field", field, "--json", found]
        environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"}
        environment["TRITON_CACHE_DIR"] = str(tmp_path / "cache")
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(found.read_text())[field]

    return compiled


@pytest.fixture(scope="session")
def room() -> Scene:
    return analytic_room()


@pytest.fixture(scope="session")
def room_navigation(room) -> Navigation:
    return Navigation.of(room, adult())


@pytest.fixture(scope="session")
def full_room(room) -> Scene:
    block = torch.tensor([[0.0, 0.0, 1.0, 20.0, 20.0, 20.0, 0.0]])
    return Scene(room.card, AnalyticField(block, torch.tensor([[0.5, 0.5, 0.5]])))


@pytest.fixture(scope="session")
def statue(room) -> Scene:
    """A box that 40 cameras look at from all sides; without metric scale or floor."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    position = np.stack([4 * np.cos(angle), 4 * np.sin(angle), 1 + np.sin(3 * angle)], axis=1)
    card = replace(
        room.card,
        name="statue",
        metres_per_unit=None,
        floor_height=None,
        objects=(),
        bounds=((-4.0, -4.0, -4.0), (4.0, 4.0, 4.0)),
        world_from_training_camera=as_matrices(look_at(position, np.zeros(3))),
    )
    box = torch.tensor([[0.0, 0.0, 0.0, 1.5, 1.0, 2.0, 0.4]])
    return Scene(card, AnalyticField(box, torch.tensor([[0.6, 0.4, 0.2]])))
