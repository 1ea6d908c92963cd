"""The scene card: everything a user or a renderer must know about a scene besides its field.

A card is plain data, written as ``scene.json``. World coordinates are right-handed with +z up, in
metres when ``metres_per_unit`` is known and in units of the capture's poses otherwise.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from .table_storage import TableStorage

CARD_VERSION = 1
Vector = tuple[float, float, float]
Matrix = tuple[tuple[float, float, float, float], ...]

IDENTITY: Matrix = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))  # type: ignore[assignment]


@dataclass(frozen=True, kw_only=True)
class OrientedBox:
    """A box turned about the world's +z axis."""

    centre_m: Vector
    """Centre in world coordinates."""
    size_m: Vector
    """Full extent along the box's own x, y and z axes."""
    yaw_rad: float = 0.0
    """Counter-clockwise turn of the box's x axis from the world's x axis."""

    def __post_init__(self) -> None:
        """Refuse sizes that no box can have."""
        if min(self.size_m) <= 0 or not all(map(math.isfinite, (*self.size_m, *self.centre_m))):
            raise ValueError(f"expected a finite box of positive size, got {self}")

    def box_from_world(self, points_m: np.ndarray) -> np.ndarray:
        """Return points ``[..., 3]`` in the box's own axes, relative to its centre."""
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        offset = np.asarray(points_m, dtype=np.float64) - np.asarray(self.centre_m)
        x = cos * offset[..., 0] + sin * offset[..., 1]
        y = -sin * offset[..., 0] + cos * offset[..., 1]
        return np.stack([x, y, offset[..., 2]], axis=-1)

    def contains(self, points_m: np.ndarray, *, margin_m: float = 0.0) -> np.ndarray:
        """Return, for points ``[..., 3]``, whether each lies inside the box grown by a margin."""
        half = np.asarray(self.size_m) / 2 + margin_m
        return np.all(np.abs(self.box_from_world(points_m)) <= half, axis=-1)

    def corners_m(self) -> np.ndarray:
        """Return the eight corners ``[8, 3]`` in world coordinates."""
        signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
        local = signs * np.asarray(self.size_m) / 2
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        return local @ turn.T + np.asarray(self.centre_m)


@dataclass(frozen=True, kw_only=True)
class SceneObject:
    """A named thing in a scene."""

    name: str
    """Name unique within the scene, such as ``sofa`` or ``chair_2``."""
    box: OrientedBox
    wnid: str | None = None
    """WordNet id of its ImageNet-1k category, such as ``n04344873``, if it has one."""
    label: str | None = None
    """ImageNet-1k label that belongs to ``wnid``, such as ``studio couch``."""


@dataclass(frozen=True, kw_only=True)
class SceneCard:
    """What a scene is, where it came from and what was measured on it."""

    name: str
    licence: str
    source: str
    """Where the scene came from, in words."""
    field_kind: str
    """Which radiance field it holds: ``nerfacto``, ``nerfacto-tcnn``, ``vanilla``, ``gaussians`` or
    ``analytic``."""
    field_config: Mapping[str, Any] = field(default_factory=dict)
    """What the field needs besides its weights (levels, resolutions, sample counts)."""
    table_storage: TableStorage = "single"
    """How the folder stores hash tables: ``single``, ``half`` or ``byte``."""
    checkpoint_sha256: str = ""
    """Hash of the checkpoint that the field was made from."""
    metres_per_unit: float | None = None
    """Metres per unit of the capture's camera poses; None means unknown, and forbids stereo."""
    world_from_field: Matrix = IDENTITY
    """Similarity from the field's own coordinates to the world."""
    field_from_capture: Matrix = IDENTITY
    """Similarity from the capture's coordinates (its pose file) to the field's."""
    up: Vector = (0.0, 0.0, 1.0)
    bounds: tuple[Vector, Vector] = ((-1.0, -1.0, -1.0), (1.0, 1.0, 1.0))
    """Lower and upper corner of the space of interest, in world coordinates."""
    floor_height: float | None = None
    """Height z of the floor in the world, if there is one."""
    objects: tuple[SceneObject, ...] = ()
    world_from_training_camera: tuple[Matrix, ...] = ()
    """Camera-to-world poses (OpenCV axes) of the views that trained the field."""
    world_from_viewpoint: tuple[Matrix, ...] = ()
    """Likewise poses to look from, for a field whose training views are not known."""
    capture_path: str | None = None
    """Folder of the photographs on the machine that trained the scene, if any."""
    held_out: tuple[str, ...] = ()
    """Photographs kept out of training, relative to the capture."""
    pixel_centre_px: float = 0.5
    """Where in a photograph's pixel the ray passed that trained the field: 0.5 is its middle, 0 its
    upper left corner, as in vanilla NeRF's programs."""
    quality: Mapping[str, float] = field(default_factory=dict)
    """Measured figures, such as ``held_out_psnr_db``."""
    version: int = CARD_VERSION

    def __post_init__(self) -> None:
        """Refuse cards that cannot be meant."""
        if not self.name or "/" in self.name or self.name.startswith("."):
            raise ValueError(
                f"expected a scene name without '/' or a leading dot, got {self.name!r}"
            )
        scale = self.metres_per_unit
        if scale is not None and not (math.isfinite(scale) and scale > 0):
            raise ValueError(
                f"scene {self.name!r}: expected a positive metres_per_unit, got {scale}"
            )

    @property
    def is_metric(self) -> bool:
        """Whether world coordinates are metres."""
        return self.metres_per_unit is not None

    @property
    def world_from_view(self) -> tuple[Matrix, ...]:
        """Where to look from: the training cameras, or the viewpoints if those are not known."""
        return self.world_from_training_camera or self.world_from_viewpoint

    @property
    def world_units_per_field_unit(self) -> float:
        """Scale of ``world_from_field``."""
        linear = np.asarray(self.world_from_field, dtype=np.float64)[:3, :3]
        return float(np.cbrt(np.linalg.det(linear)))

    def require_metric(self, purpose: str) -> None:
        """Raise ValueError unless the scene's scale in metres is known."""
        if not self.is_metric:
            raise ValueError(
                f"scene {self.name!r} has no metric scale, which {purpose} needs; measure a known "
                "length in the capture and import or train it again with "
                "--metres-per-unit METRES_PER_UNIT_OF_THE_CAPTURE"
            )

    def to_json(self) -> str:
        """Return the card as indented JSON."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str = "scene.json") -> "SceneCard":
        """Return the card that ``to_json`` wrote.

        Raises:
            ValueError: the text is no scene card, or of a newer version; names ``where``.
        """
        try:
            data = json.loads(text)
            version = data["version"]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{where} is not a scene card: {error}") from error
        if version != CARD_VERSION:
            raise ValueError(
                f"{where}: expected card version {CARD_VERSION}, found {version}; update merkwelt"
            )
        unknown = sorted(set(data) - {f.name for f in fields(cls)})
        if unknown:
            raise ValueError(f"{where}: unknown entries {unknown}")
        data["objects"] = tuple(_object_from_json(entry) for entry in data.get("objects", ()))
        return cls(**{key: _tuples(value) for key, value in data.items()})

    @classmethod
    def read(cls, path: Path) -> "SceneCard":
        """Return the card stored in a file."""
        return cls.from_json(path.read_text(), where=str(path))


def _object_from_json(entry: Mapping[str, Any]) -> SceneObject:
    box = OrientedBox(**{key: _tuples(value) for key, value in entry["box"].items()})
    return SceneObject(**{**entry, "box": box})


def _tuples(value: Any) -> Any:  # noqa: ANN401 - JSON is untyped
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
