"""What is told of self-motion: where the eye goes and how it turns, seen from the eye."""

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ..objective import Truth, frame_rate_hz_of

Quantity = Literal["heading_azimuth", "heading_elevation", "yaw_rate", "pitch_rate", "speed"]
QUANTITIES: tuple[Quantity, ...] = (
    "heading_azimuth",
    "heading_elevation",
    "yaw_rate",
    "pitch_rate",
    "speed",
)
HEADINGS = ("heading_azimuth", "heading_elevation")
RATES = ("yaw_rate", "pitch_rate")

_NEEDS = (
    (
        "translation_m",
        (*HEADINGS, "speed"),
        "clips of scenes without metric scale and videos without poses do not have it: give the "
        "scene its metres_per_unit and render again, or ask for objective.quantities out of "
        "yaw_rate and pitch_rate alone",
    ),
    (
        "rotation_rad",
        RATES,
        "videos without poses do not have it: take rendered clips, or videos with poses",
    ),
)


def require_motion(truth: Truth, quantities: Iterable[Quantity]) -> None:
    """Raise ValueError if it is not known of a batch what is to be told of it."""
    asked = set(quantities)
    for name, needed_for, remedy in _NEEDS:
        if name not in truth and asked.intersection(needed_for):
            raise ValueError(
                f"expected clips of which self-motion is known, got some without {name}; {remedy}"
            )
    if frame_rate_hz_of(truth) is None:
        raise ValueError("expected clips of known frame_rate_hz: speeds and turns are rates")


def quantities_of(
    truth: Truth, pairs: list[int], asked: Iterable[Quantity]
) -> Mapping[Quantity, Float[Tensor, "batch pair"]]:
    """Return quantities at pairs of frames.

    Headings are in radians: azimuth ``atan2(x, z)``, positive to the right of the line of sight,
    and elevation ``atan2(-y, hypot(x, z))``, positive above it. Turns are in radians a second:
    yaw, positive to the right (about y, down), and pitch, positive upwards (about x, right). The
    speed is in metres a second.

    Raises:
        ValueError: what is needed is not known.
    """
    asked = list(asked)
    require_motion(truth, asked)
    rate_hz = truth["frame_rate_hz"].float()
    found: dict[Quantity, Tensor] = {}
    if "rotation_rad" in truth:
        turn = truth["rotation_rad"][:, pairs].float() * rate_hz.to(truth["rotation_rad"].device)
        found |= {"pitch_rate": turn[..., 0], "yaw_rate": turn[..., 1]}
    if "translation_m" in truth:
        x, y, z = truth["translation_m"][:, pairs].float().unbind(-1)
        found |= {
            "heading_azimuth": torch.atan2(x, z),
            "heading_elevation": torch.atan2(-y, torch.hypot(x, z)),
            "speed": torch.stack([x, y, z], -1).norm(dim=-1) * rate_hz.to(x.device),
        }
    return {name: found[name] for name in asked}


def directions(
    azimuth_rad: Float[Tensor, "*shape"], elevation_rad: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape 3"]:
    """Return unit vectors with the given azimuth and elevation."""
    level = elevation_rad.cos()
    return torch.stack(
        [azimuth_rad.sin() * level, -elevation_rad.sin(), azimuth_rad.cos() * level], dim=-1
    )
