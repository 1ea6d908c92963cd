"""Human maps and clips of a few tiny pictures."""

import json

import numpy as np
import pytest
from merkwelt.alignment import HumanMaps
from merkwelt.alignment.maps.npz import write_portable_npz

SIDE = 28
SMALL = ("--size", "24", "--steps", "3", "--stills", "4", "--seeds", "1")


def bump_maps(count=6, *, seed=0):
    """Pictures with one bright spot, on which people looked; names are those of CO3D's files."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    images, maps = [], []
    for _ in range(count):
        row, column = rng.uniform(8, SIDE - 8, 2)
        bump = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / 40)
        image = rng.integers(0, 90, (SIDE, SIDE, 3))
        image[..., 0] = np.round(255 * bump)
        images.append(image.astype(np.uint8))
        maps.append(bump.astype(np.float32))
    # The first two are views of one object.
    objects = [0, 0, *range(1, count - 1)]
    return HumanMaps(
        images=np.stack(images),
        maps=np.stack(maps),
        names=tuple(f"cup_1_2_{each}_0000{i}" for i, each in enumerate(objects)),
        labels=tuple(("cup", "ball")[i % 2] for i in range(count)),
        kind="test maps",
        are_human=True,
        source="made here",
        licence="none",
    )


@pytest.fixture(scope="session")
def maps_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.npz"
    write_portable_npz(bump_maps(), path)
    return path


@pytest.fixture
def results_of():
    def read(folder):
        return json.loads((folder / "results.json").read_text(encoding="utf-8"))

    return read
