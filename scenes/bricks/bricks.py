"""What the render-ready form of a scene consists of, and how it is stored."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from .space import CORNERS, VERTICES, VOXELS, BrickSpace, index_of

FORMAT, TILTED_FORMAT = 1, 2
"""Of files without tilts, and of those with them, which older versions cannot draw."""
MOST_STORED = 255
MOST_STEP_CELLS = 2.0
TEN_BITS = 1023


@dataclass(frozen=True, kw_only=True)
class BrickLook:
    """How stored numbers become a picture."""

    step_cells: float = 1.0
    """Distance between the places at which a ray is looked at, in cells."""
    density_range: tuple[float, float] = (-7.0, 5.0)
    """Logarithm of the optical depth of one cell that the bytes 0 and 255 stand for."""
    colour_range: tuple[float, float] = (-0.125, 1.125)
    """Colours that 0 and 1023 stand for; beyond [0, 1], so that mixtures can reach its ends."""
    tilt_range: tuple[float, float] = (-1.024, 1.022)
    """Tilts that 0 and 1023 stand for, if there are any; 512 is none at all."""
    behind: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Colour of the light that nothing absorbs."""
    dark: float = 0.02
    """Share of the light at which a ray ends; its colour is then taken for the whole."""
    faint: float = 0.002
    """Weight below which a sample is passed over."""

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 0 < self.step_cells <= MOST_STEP_CELLS:
            raise ValueError(
                f"expected a step of at most {MOST_STEP_CELLS:g} cells, got {self.step_cells}"
            )
        for low, high in (self.density_range, self.colour_range, self.tilt_range):
            if not (np.isfinite([low, high]).all() and low < high):
                raise ValueError(f"expected ascending ranges of stored numbers, got {self}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bricks:
    """A scene as bricks of 8 x 8 x 8 cells, where it has matter.

    Numbers belong to the cells' corners and are interpolated; a brick has its 9 x 9 x 9 corners for
    itself, so that neighbouring bricks hold the numbers of their common face twice.
    """

    space: BrickSpace
    look: BrickLook
    places: np.ndarray
    """int32 ``[brick, 4]``: level, z, y and x in bricks."""
    occupied: np.ndarray
    """bool ``[brick, 512]``: the cells with matter, ordered ``[z, y, x]``."""
    density: np.ndarray
    """uint8 ``[brick, 729]``."""
    colour: np.ndarray
    """uint32 ``[brick, 729]``: red, green and blue in ten bits each, red lowest."""
    tilt: np.ndarray | None = None
    """uint32 ``[brick, 729]`` like ``colour``: how much brighter all three channels are for a ray
    along x, y and z. None if colours do not depend on the direction."""
    field_sha256: str = ""
    """Fingerprint of the field that it was made from."""

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together."""
        n, along = len(self.places), self.space.bricks_along
        expected = {"places": 4, "occupied": VOXELS, "density": VERTICES, "colour": VERTICES}
        if self.tilt is not None:
            expected["tilt"] = VERTICES
        for name, width in expected.items():
            if getattr(self, name).shape != (n, width):
                raise ValueError(
                    f"expected {name} [{n}, {width}], got {list(getattr(self, name).shape)}"
                )
        top = np.array([self.space.levels, along, along, along])
        if n and not ((self.places >= 0) & (self.places < top)).all():
            raise ValueError("expected bricks inside their cubes, found some beyond")
        if len(np.unique(self.places, axis=0)) != n:
            raise ValueError("expected each brick once, found some twice")

    @cached_property
    def index(self) -> np.ndarray:
        """Where the bricks are, see ``index_of``."""
        return index_of(self.places, self.space)

    @cached_property
    def hops(self) -> np.ndarray:
        """uint8 ``[brick, 512]``: distance of each cell to the next one with matter, at most 8."""
        from .hop_loops import measure_hops

        return measure_hops(self.occupied, self.places, self.index, self.space.bricks_along)

    @property
    def megabytes(self) -> float:
        """Memory that rendering it takes."""
        arrays = (self.density, self.colour, self.tilt, self.hops, self.index)
        return sum(array.nbytes for array in arrays if array is not None) / 1e6

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what a file holds."""
        told = {
            "places": self.places.astype(np.int16),
            "hops": self.hops,
            "density": self.density,
            "colour": self.colour,
        }
        return told if self.tilt is None else {**told, "tilt": self.tilt}

    def description(self) -> dict[str, str]:
        """Return what a file says about its arrays."""
        format_, look = TILTED_FORMAT, asdict(self.look)
        if self.tilt is None:
            format_ = FORMAT
            del look["tilt_range"]
        told = {"format": format_, "space": asdict(self.space), "look": look}
        return {"merkwelt_bricks": json.dumps(told), "field_sha256": self.field_sha256}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], told: Mapping[str, str]) -> Self:
        """Return the bricks that ``arrays`` and ``description`` came from.

        Raises:
            ValueError: something is missing, misshaped, or of a newer version.
        """
        if "merkwelt_bricks" not in told:
            raise ValueError("it lacks its description")
        data = json.loads(told["merkwelt_bricks"])
        needed = _arrays_of(data["format"])
        if missing := needed - set(arrays):
            raise ValueError(f"it lacks {sorted(missing)}")
        look, space = (_with_tuples(data[part]) for part in ("look", "space"))
        hops = np.ascontiguousarray(arrays["hops"], dtype=np.uint8)
        tilt = arrays["tilt"] if "tilt" in needed else None
        bricks = cls(
            space=BrickSpace(**space),
            look=BrickLook(**look),
            places=arrays["places"].astype(np.int32),
            occupied=hops == 0,
            density=np.ascontiguousarray(arrays["density"], dtype=np.uint8),
            colour=np.ascontiguousarray(arrays["colour"], dtype=np.uint32),
            tilt=None if tilt is None else np.ascontiguousarray(tilt, dtype=np.uint32),
            field_sha256=told.get("field_sha256", ""),
        )
        # Measuring them takes seconds, which a scene that is loaded does not have.
        bricks.__dict__["hops"] = hops
        return bricks


def _arrays_of(number: int) -> set[str]:
    """Return the names of the arrays that a file of a format holds."""
    names = {"places", "hops", "density", "colour"}
    if number == TILTED_FORMAT:
        return names | {"tilt"}
    if number != FORMAT:
        raise ValueError(
            f"expected format {FORMAT} or {TILTED_FORMAT}, found {number}; update merkwelt"
        )
    return names


def _with_tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}


def store_density(log_depth: np.ndarray, look: BrickLook) -> np.ndarray:
    """Return bytes for logarithms of the optical depth of one cell."""
    low, high = look.density_range
    return np.clip(np.round((log_depth - low) / (high - low) * MOST_STORED), 0, MOST_STORED).astype(
        np.uint8
    )


def store_colour(rgb: np.ndarray, look: BrickLook) -> np.ndarray:
    """Return words uint32 ``[...]`` for colours ``[..., 3]``."""
    return _store(rgb, look.colour_range)


def store_tilt(tilt: np.ndarray, look: BrickLook) -> np.ndarray:
    """Return words uint32 ``[...]`` for tilts ``[..., 3]``."""
    return _store(tilt, look.tilt_range)


def stored_colour(words: np.ndarray, look: BrickLook) -> np.ndarray:
    """Return the colours float32 ``[..., 3]`` of words."""
    return _stored(words, look.colour_range)


def stored_tilt(words: np.ndarray, look: BrickLook) -> np.ndarray:
    """Return the tilts float32 ``[..., 3]`` of words."""
    return _stored(words, look.tilt_range)


def _store(values: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    low, high = ends
    steps = np.round((values - low) / (high - low) * TEN_BITS)
    steps = np.clip(steps, 0, TEN_BITS).astype(np.uint32)
    return steps[..., 0] | steps[..., 1] << np.uint32(10) | steps[..., 2] << np.uint32(20)


def _stored(words: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    low, high = ends
    shifts = np.array([0, 10, 20], dtype=np.uint32)
    steps = (words[..., None] >> shifts) & np.uint32(TEN_BITS)
    return (low + steps.astype(np.float32) * ((high - low) / TEN_BITS)).astype(np.float32)


def corner_of(cell: np.ndarray | int, which: int) -> np.ndarray | int:
    """Return the vertex in its brick of a cell's corner, whose number's bits are x, y and z."""
    x = (cell & 7) + (which & 1)
    y = ((cell >> 3) & 7) + ((which >> 1) & 1)
    z = (cell >> 6) + (which >> 2)
    return (z * CORNERS + y) * CORNERS + x
