"""What a person says about a trained run when importing it."""

import math
from dataclasses import dataclass
from typing import Literal

from .table_storage import TableStorage

PlainBackground = Literal["white", "black"]


UpAxis = Literal["y-down", "y-up", "z-up", "z-down", "x-up", "x-down"]


@dataclass(frozen=True, kw_only=True)
class SplatSettings:
    """What a file of Gaussians does not say."""

    up: UpAxis = "y-down"
    """Which way the file's axes point; y-down is COLMAP's, and that of most trained splats."""
    floor: float | None = None
    """Height of a floor to walk on, in world units along the upward axis."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What a run's own files cannot say."""

    name: str
    metres_per_unit: float | None = None
    """Metres per unit of the capture's camera poses."""
    licence: str = "unknown"
    source: str = ""
    tables: TableStorage = "single"
    """How hash tables are stored: ``half`` is half the size, ``byte`` a quarter (about 57 dB)."""
    near: float | None = None
    """Near plane of a vanilla NeRF in its own units; None reads it from the run's config.yml."""
    far: float | None = None
    """Far plane, likewise."""
    background: PlainBackground | None = None
    """Background of a vanilla NeRF, where None reads it from the run's config.yml, or of splats,
    where None is black."""
    splats: SplatSettings = SplatSettings()

    def __post_init__(self) -> None:
        """Refuse planes that cannot be meant."""
        for name, plane in (("near", self.near), ("far", self.far)):
            if plane is not None and not (math.isfinite(plane) and plane >= 0):
                raise ValueError(f"expected a finite {name} plane of at least 0, got {plane}")

    def refuse_planes(self, run: str) -> None:
        """Raise ValueError if planes or a background were given for a run that states its own."""
        given = [n for n in ("near", "far", "background") if getattr(self, n) is not None]
        if given:
            raise ValueError(
                f"{run} is a nerfacto run, whose config.yml states {', '.join(given)}; leave "
                f"{', '.join('--' + name for name in given)} out"
            )
