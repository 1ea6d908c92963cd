"""From a file of trained Gaussians to a scene."""

import hashlib
from pathlib import Path

import numpy as np

from ..card import Matrix, SceneCard, Vector
from ..import_options import ImportOptions, UpAxis
from ..scene import Scene
from .field import GaussianConfig, GaussianField
from .gaussians import Gaussians
from .ply_file import read_ply
from .raw import to_gaussians
from .splat_file import read_splat
from .viewpoints import viewpoints_around

READERS = {".splat": read_splat, ".ply": read_ply}
INNER_SHARE = 0.99
"""Share of the visible matter, along each axis, that the bounds hold."""
MARGIN = 0.05
"""The bounds are widened on each side by this share of their longest side."""
GRAINS = 100
"""Grains of density along the longest side of the bounds."""
COARSEST_GRAIN_M = 0.025
"""In metric scenes no grain is coarser: bodies are planned on a map of 5 cm."""
FAR_SIDES = 1000.0
"""What absorbs less than half of the light is shown this many longest sides away."""

_WORLD_FROM_FILE: dict[UpAxis, list[list[int]]] = {
    "y-down": [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
    "y-up": [[1, 0, 0], [0, 0, -1], [0, 1, 0]],
    "z-up": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "z-down": [[1, 0, 0], [0, -1, 0], [0, 0, -1]],
    "x-up": [[0, 0, -1], [0, 1, 0], [1, 0, 0]],
    "x-down": [[0, 0, 1], [0, 1, 0], [-1, 0, 0]],
}


def is_splat_file(path: Path) -> bool:
    """Return whether a path names a file of Gaussians, by its ending."""
    return path.suffix.lower() in READERS and not path.is_dir()


def import_splats(path: Path, options: ImportOptions) -> Scene:
    """Return the scene of a ``.splat`` or ``.ply`` file of trained Gaussians.

    The world is the file's, turned so that +z is up and scaled to metres if the scale is known.
    The bounds hold 99 % of the visible matter along each axis. Cameras are not in such files; the
    card gets viewpoints around the bounds instead.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, or holds nothing that can be seen.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist")
    if options.near is not None or options.far is not None:
        raise ValueError(
            f"{path} holds Gaussians, which have no near and far planes; leave them out"
        )
    if options.tables != "single":
        raise ValueError(
            f"{path} holds Gaussians, which have no hash tables to store as {options.tables!r}"
        )
    gaussians = to_gaussians(READERS[path.suffix.lower()](path), path)
    scale = options.metres_per_unit or 1.0
    world_from_file = np.eye(4)
    world_from_file[:3, :3] = scale * np.asarray(
        _WORLD_FROM_FILE[options.splats.up], dtype=np.float64
    )
    low, high = visible_bounds(gaussians, world_from_file)
    longest = float((high - low).max()) / scale
    grain = longest / GRAINS
    if options.metres_per_unit is not None:
        grain = min(grain, COARSEST_GRAIN_M / scale)
    config = GaussianConfig(
        grain=grain, far=FAR_SIDES * longest, background=options.background or "black"
    )
    card = SceneCard(
        name=options.name,
        licence=options.licence,
        source=options.source or f"3D Gaussians of {path.name}",
        field_kind="gaussians",
        field_config=config.to_dict(),
        checkpoint_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        metres_per_unit=options.metres_per_unit,
        world_from_field=_matrix(world_from_file),
        bounds=(_vector(low), _vector(high)),
        floor_height=options.splats.floor,
        world_from_viewpoint=tuple(
            _matrix(pose)
            for pose in viewpoints_around(low, high, is_metric=options.metres_per_unit is not None)
        ),
    )
    return Scene(card, GaussianField(config, gaussians))


def visible_bounds(
    gaussians: Gaussians, world_from_field: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper corner ``[3]`` of the space of interest, in the world.

    Along each axis the quantiles of mean less and plus one standard deviation, each Gaussian
    weighing what it absorbs over its area, ``opacity * s1 * s2``; floaters far away fall out.
    """
    linear = world_from_field[:3, :3]
    points = gaussians.positions.double().numpy() @ linear.T + world_from_field[:3, 3]
    scales = gaussians.scales.double().numpy()
    axes = linear @ gaussians.axes().numpy()
    deviations = np.sqrt(np.square(axes * scales[:, None]).sum(axis=2))
    weight = gaussians.opacities.double().numpy() * np.sort(scales, axis=1)[:, 1:].prod(axis=1)
    tail = (1 - INNER_SHARE) / 2
    low, high = (
        np.array([_quantile(points[:, a] + sign * deviations[:, a], weight, q) for a in range(3)])
        for sign, q in ((-1, tail), (1, 1 - tail))
    )
    margin = MARGIN * float((high - low).max())
    return low - margin, high + margin


def _quantile(values: np.ndarray, weight: np.ndarray, q: float) -> float:
    order = np.argsort(values, kind="stable")
    share = (np.cumsum(weight[order]) - weight[order] / 2) / weight.sum()
    return float(np.interp(q, share, values[order]))


def _matrix(array: np.ndarray) -> Matrix:
    return tuple(tuple(float(v) for v in row) for row in array)  # type: ignore[return-value]


def _vector(array: np.ndarray) -> Vector:
    x, y, z = (float(v) for v in array)
    return x, y, z
