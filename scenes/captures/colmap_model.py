"""COLMAP's cameras and images as plain data, and its camera models as lenses.

Names, numbers and parameter orders are those of COLMAP's ``src/colmap/sensor/models.h`` and its
documentation of camera models.
"""

from dataclasses import dataclass
from typing import Any

from .capture import Distortion

MODEL_NAMES = {
    0: "SIMPLE_PINHOLE",
    1: "PINHOLE",
    2: "SIMPLE_RADIAL",
    3: "RADIAL",
    4: "OPENCV",
    5: "OPENCV_FISHEYE",
    6: "FULL_OPENCV",
    7: "FOV",
    8: "SIMPLE_RADIAL_FISHEYE",
    9: "RADIAL_FISHEYE",
    10: "THIN_PRISM_FISHEYE",
}
"""Camera models by the number that the binary format stores."""

PARAMETERS = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
}
"""Parameters of the models that a pinhole with OpenCV distortion can express."""


@dataclass(frozen=True, kw_only=True)
class ColmapCamera:
    """A camera as COLMAP stores it."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ColmapImage:
    """A registered photograph as COLMAP stores it: camera from world."""

    name: str
    camera_id: int
    quaternion_wxyz: tuple[float, float, float, float]
    translation: tuple[float, float, float]


def parameter_count(model: str, *, where: str) -> int:
    """Return how many numbers a camera model has.

    Raises:
        ValueError: the model is not supported; names it.
    """
    if model not in PARAMETERS:
        raise ValueError(
            f"{where}: camera model {model} is not supported; expected one of "
            f"{', '.join(PARAMETERS)}. Run COLMAP's image_undistorter first"
        )
    return len(PARAMETERS[model])


def lens_of(camera: ColmapCamera, *, where: str) -> dict[str, Any]:
    """Return the entries of a ``View`` that describe its lens and size."""
    count = parameter_count(camera.model, where=where)
    if len(camera.parameters) != count:
        raise ValueError(
            f"{where}: expected {count} numbers for a {camera.model} camera, found "
            f"{len(camera.parameters)}"
        )
    values = dict(zip(PARAMETERS[camera.model], camera.parameters, strict=True))
    focal = values.get("f")
    return {
        "fx": values.get("fx", focal),
        "fy": values.get("fy", focal),
        "cx": values["cx"],
        "cy": values["cy"],
        "width": camera.width,
        "height": camera.height,
        "distortion": Distortion(
            **{name: values.get(name, 0.0) for name in ("k1", "k2", "p1", "p2")}
        ),
    }
