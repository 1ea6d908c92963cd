"""A data set of clips in many rooms of textured boxes, each with other walls, things and colours.

    python benchmarks/random_rooms.py --rooms 8 --clips 512 --out rooms

Rooms are in closed form, so that they take no training; the clips are those of the observer
``mineault2021``. For benchmarks that want more than one scene to learn from.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import AnalyticField
from merkwelt.scenes.card import SceneCard
from merkwelt.scenes.scene import Scene
from merkwelt.streams import make_plan, render_dataset

THINGS = 7
WALL_M = 0.2


def random_room(number: int) -> Scene:
    """Return a furnished room; the same for the same number."""
    rng = np.random.default_rng(number)
    length, width, height = rng.uniform((5.0, 4.5, 2.5), (9.0, 8.0, 3.5))
    boxes = [*_walls(length, width, height), *(_thing(rng, length, width) for _ in range(THINGS))]
    colours = rng.uniform(0.15, 0.85, (len(boxes), 3))
    card = SceneCard(
        name=f"room_{number}",
        licence="Apache-2.0",
        source="closed form, benchmarks/random_rooms.py",
        field_kind="analytic",
        metres_per_unit=1.0,
        bounds=((-length / 2, -width / 2, 0.0), (length / 2, width / 2, height)),
        floor_height=0.0,
    )
    return Scene(card, AnalyticField(torch.tensor(boxes), torch.from_numpy(colours)))


def _walls(length: float, width: float, height: float) -> list[tuple[float, ...]]:
    """Return floor, ceiling and four walls: centre, size and yaw of each."""
    thick, x, y = WALL_M, length / 2 + WALL_M / 2, width / 2 + WALL_M / 2
    long, wide = length + 2 * WALL_M, width + 2 * WALL_M
    level = [(0.0, 0.0, z, long, wide, thick, 0.0) for z in (-thick / 2, height + thick / 2)]
    ends = [(side * x, 0.0, height / 2, thick, wide, height, 0.0) for side in (-1, 1)]
    sides = [(0.0, side * y, height / 2, long, thick, height, 0.0) for side in (-1, 1)]
    return [*level, *ends, *sides]


def _thing(rng: np.random.Generator, length: float, width: float) -> tuple[float, ...]:
    """Return a box that stands somewhere on the floor."""
    size = rng.uniform((0.3, 0.3, 0.4), (1.4, 1.4, 1.8))
    x, y = rng.uniform(-0.5, 0.5, 2) * (length, width)
    return (x, y, size[2] / 2, *size, rng.uniform(0, math.pi))


def main() -> None:
    """Render."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--rooms", type=int, default=8)
    parser.add_argument("--first", type=int, default=0, help="number of the first room")
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--hfov-deg", type=float, default=90.0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    scenes = [random_room(options.first + i) for i in range(options.rooms)]
    settings = ClipSettings(
        frames=options.frames, size=options.size, hfov_deg=options.hfov_deg, depth=False
    )
    plan = make_plan(scenes, load_observer("mineault2021"), settings, clips=options.clips)
    by_name: dict[str, Scene | Path | str] = {scene.card.name: scene for scene in scenes}
    render_dataset(plan, by_name, options.out, workers=1)


if __name__ == "__main__":
    main()
