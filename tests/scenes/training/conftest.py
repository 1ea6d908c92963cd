"""Tiny captures and short trainings."""

import json
import math

import numpy as np
import pytest
from merkwelt.scenes.training import TrainSettings
from merkwelt.scenes.training.settings import ProposalSettings
from PIL import Image


def _pose(angle):
    cos, sin = math.cos(angle), math.sin(angle)
    columns = np.array([[-sin, cos, 0.0], [0.0, 0.0, 1.0], [cos, sin, 0.0], [cos, sin, 0.0]]).T
    return np.vstack([columns, [0.0, 0.0, 0.0, 1.0]]).tolist()


def write_capture(root, *, count=9, size=(24, 16), mode="RGB", folder="images", **entries):
    """Photographs of noise, posed on a circle."""
    generator = np.random.default_rng(0)
    (root / folder).mkdir(parents=True)
    frames = []
    for i in range(count):
        pixels = generator.integers(0, 256, (size[1], size[0], len(mode)), dtype=np.uint8)
        Image.fromarray(pixels).save(root / folder / f"{i}.png")
        frames.append({"file_path": f"{folder}/{i}.png", "transform_matrix": _pose(0.3 * i)})
    width, height = size
    lens = {"fl_x": 30.0, "fl_y": 31.0, "cx": width / 2, "cy": height / 2, "w": width, "h": height}
    (root / "transforms.json").write_text(json.dumps({**lens, "frames": frames, **entries}))
    return root


@pytest.fixture
def write_tiny_capture():
    return write_capture


@pytest.fixture
def quick():
    """Settings of a field so small that a step takes milliseconds."""
    return TrainSettings(
        steps=3,
        rays_per_step=64,
        samples=6,
        proposal_samples=(8, 8),
        levels=4,
        log2_hashmap_size=10,
        max_resolution=64,
        hidden_dim=8,
        proposals=(ProposalSettings(log2_hashmap_size=8), ProposalSettings(log2_hashmap_size=8)),
    )
