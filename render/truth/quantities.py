"""What a clip can carry besides colour and depth, by name."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Literal, get_args

from torch import Tensor

Quantity = Literal["expected_depth", "opacity", "confidence", "flow", "disparity", "masks", "ids"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)


class Target(IntEnum):
    """The view in which a pixel's surface point is looked for; the third axis of ``masks``."""

    OTHER_EYE = 0
    """The other eye at the same time."""
    NEXT = 1
    """The same eye in the next frame."""
    PREVIOUS = 2
    """The same eye in the previous frame."""


class Fate(IntEnum):
    """What becomes of a pixel's surface point in another view; the values of ``masks``."""

    UNKNOWN = 0
    """There is no other view, or the pixel shows no surface."""
    VISIBLE = 1
    """In the picture, and nothing is in front of it."""
    HIDDEN = 2
    """In the picture's frame, but something nearer is in front: half-occluded."""
    OUTSIDE = 3
    """Beyond the picture's edge, or behind the camera."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """The ground truth of a clip besides colour and median depth; None is what was not asked for.

    Shapes are those of a clip; a batch has one more axis in front.
    """

    expected_depth: Tensor | None = None
    """float32 ``[eye, time, h, w]``: z-depth averaged over where light is absorbed, world units."""
    opacity: Tensor | None = None
    """float32 ``[eye, time, h, w]`` in [0, 1]: share of the light absorbed along the ray."""
    confidence: Tensor | None = None
    """float32 ``[eye, time, h, w]`` in [0, 1]: how well photographs cover what the pixel shows."""
    flow_forward: Tensor | None = None
    """float32 ``[eye, time, 2, h, w]``: xy in the next frame minus xy here, in pixels.

    NaN in the last frame, where there is no surface, and where the point is behind the camera.
    """
    flow_backward: Tensor | None = None
    """float32 ``[eye, time, 2, h, w]``: the same towards the previous frame."""
    disparity: Tensor | None = None
    """float32 ``[eye, time, h, w]``: ``x_left - x_right`` in pixels, NaN where there is none."""
    masks: Tensor | None = None
    """uint8 ``[eye, time, 3, h, w]``: the ``Fate`` of each pixel's point in each ``Target``."""
    ids: Tensor | None = None
    """int64 ``[eye, time, h, w]``: place in ``objects``, -1 for everything else."""
    objects: tuple[str, ...] = ()
    """Names of the scene's objects, if there are ids."""

    def held(self) -> dict[str, Tensor]:
        """Return what is there, by name."""
        named = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value for name, value in named if isinstance(value, Tensor)}


def in_order(asked: Iterable[str]) -> tuple[Quantity, ...]:
    """Return quantities once each, in the order of ``QUANTITIES``.

    Flow and disparity bring the masks that say where they can be trusted.

    Raises:
        ValueError: there is no such quantity; lists the ones there are.

    Example:
        >>> in_order(["flow", "opacity", "flow"])
        ('opacity', 'flow', 'masks')
    """
    wanted = set(asked)
    unknown = sorted(wanted - set(QUANTITIES))
    if unknown:
        raise ValueError(f"expected ground truth out of {list(QUANTITIES)}, got {unknown}")
    if wanted & {"flow", "disparity"}:
        wanted.add("masks")
    return tuple(quantity for quantity in QUANTITIES if quantity in wanted)
