"""Counterfactual twins: a clip in which one factor is changed, and nothing else.

Growing animals were deprived of stereo, of eye movements or of colour to see what each is good for.
Here the same clip id is rendered again without a factor. Whatever is random about a clip is drawn
from the factor's own stream, so that what a factor does not touch stays equal to the bit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, Self, get_args

import numpy as np
import torch

from .observer.card import Observer
from .optics.transfer import light_from_srgb, luminance, srgb_from_light
from .rig import Rig

Factor = Literal["stereo", "gaze", "gait", "colour", "blink"]
Heading = Literal["mineault2021"]
CONCENTRATIONS: dict[Heading, tuple[float, float]] = {"mineault2021": (2.5, 16.0)}
"""Von Mises concentrations of yaw and pitch between gaze and heading (Mineault et al. 2021)."""


@dataclass(frozen=True, kw_only=True)
class Factors:
    """What a clip has; the default is everything, as the observer's card says."""

    stereo: bool = True
    """Without, both eyes see the picture from midway between them."""
    gaze: bool = True
    """Without, the eyes stay straight ahead in the head, and the head does not follow a gaze."""
    gait: bool = True
    """Without, steps neither move nor turn the head; path, targets and phase are the same."""
    colour: bool = True
    """Without, the three channels are equal: the luminance of the picture."""
    blink: bool = True
    """Without, the lids never close."""
    interocular_times: float = 1.0
    """Factor on the distance between the eyes."""
    heading: Heading | None = None
    """Spread of the gaze about the heading that replaces the card's."""

    def __post_init__(self) -> None:
        """Refuse factors that do not exist or that contradict each other."""
        times = self.interocular_times
        if not (times > 0 and math.isfinite(times)):
            raise ValueError(
                f"expected a positive factor on the distance between the eyes, got {times}; for "
                "none at all render without stereo"
            )
        if self.heading is not None and self.heading not in CONCENTRATIONS:
            raise ValueError(f"expected the heading {list(CONCENTRATIONS)}, got {self.heading!r}")
        if times != 1 and not self.stereo:
            raise ValueError(
                f"without stereo the eyes' distance plays no part, got interocular_times={times}; "
                "leave one of them out"
            )
        if self.heading is not None and not self.gaze:
            raise ValueError(
                f"without gaze nothing is spread about the heading, got heading={self.heading!r}; "
                "leave one of them out"
            )

    @classmethod
    def without(
        cls,
        names: Sequence[Factor],
        *,
        interocular_times: float = 1.0,
        heading: Heading | None = None,
    ) -> Self:
        """Return all factors but those named.

        Example:
            >>> Factors.without(["gaze"]).gaze
            False
        """
        unknown = sorted(set(names) - set(get_args(Factor)))
        if unknown:
            raise ValueError(f"expected factors out of {get_args(Factor)}, got {unknown}")
        has = {name: name not in names for name in get_args(Factor)}
        return cls(**has, interocular_times=interocular_times, heading=heading)

    @property
    def is_original(self) -> bool:
        """Whether nothing is changed."""
        return all(getattr(self, f.name) == f.default for f in fields(self))

    def require_sense(self, *, stereo: bool, truth: Sequence[str]) -> None:
        """Raise ValueError if clips with one eye, or with this ground truth, have no such twin."""
        if not stereo and not self.stereo:
            raise ValueError(
                "expected two eyes to render without stereo, got one (stereo=False, or the "
                "observer's card); leave stereo out of --without, or render stereo"
            )
        if not stereo and self.interocular_times != 1:
            raise ValueError(
                "one eye has no distance to another, got one eye and interocular_times="
                f"{self.interocular_times}; leave it out, or render stereo"
            )
        if not self.stereo and "disparity" in truth:
            raise ValueError(
                "without stereo both eyes see the same and disparity is 0 everywhere; leave "
                "disparity out"
            )

    def require_sense_for(self, observer: Observer) -> None:
        """Raise ValueError if an observer who finds a way of its own has no such twin."""
        if not self.gait and observer.locomotion in ("stand", "glide"):
            raise ValueError(
                f"the observer {observer.name} does not walk and has no gait to go without; leave "
                "gait out of --without"
            )
        looks = self.gaze and self.blink and self.heading is None
        if not looks and observer.locomotion == "glide":
            raise ValueError(
                f"the eyes of the observer {observer.name} do not move or blink; leave out "
                "--heading, and gaze and blink in --without"
            )

    def require_sense_on_path(self, *, looks_around: bool) -> None:
        """Raise ValueError if a head on an imported path has no such twin."""
        if not self.gait:
            raise ValueError(
                "a head that a path carries has no gait to go without; leave gait out of --without"
            )
        if not looks_around and not self.gaze:
            raise ValueError(
                "along this path the eyes look straight ahead as it is; ask for --gaze observer, "
                "or leave gaze out of --without"
            )
        if not looks_around and self.heading is not None:
            raise ValueError(
                "along this path the eyes look straight ahead; ask for --gaze observer, or leave "
                "--heading out"
            )


ORIGINAL = Factors()


def observer_with(observer: Observer, factors: Factors) -> Observer:
    """Return the observer whose gaze is spread about the heading as the factors say."""
    if factors.heading is None:
        return observer
    yaw, pitch = CONCENTRATIONS[factors.heading]
    card, source = observer.gaze, f"{factors.heading} (NeurIPS 2021)"
    gaze = replace(
        card,
        azimuth_concentration=replace(card.azimuth_concentration, value=yaw, source=source),
        elevation_concentration=replace(card.elevation_concentration, value=pitch, source=source),
    )
    return replace(observer, gaze=gaze)


def place_eyes(
    factors: Factors, rig: Rig, heads: np.ndarray, eye_axes: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Return eye poses ``[eye, time, 4, 4]`` as ``Rig.world_from_eye`` does, with the factors.

    Without stereo, both eyes are where a single eye would be.
    """
    if rig.eyes == 2 and not factors.stereo:
        middle = replace(rig, eyes=1).world_from_eye(heads, eye_axes, target)
        return np.repeat(middle, 2, axis=0)
    rig = replace(rig, interocular_m=factors.interocular_times * rig.interocular_m)
    return rig.world_from_eye(heads, eye_axes, target)


def luminance_only(video: torch.Tensor) -> torch.Tensor:
    """Return uint8 video ``[..., 3, height, width]`` whose channels all are its luminance.

    sRGB is made linear (IEC 61966-2-1), weighted by `optics.transfer.LUMINANCE` and encoded again.
    """
    grey = torch.empty_like(video[..., 0, :, :])
    # Picture by picture: in float64 a clip would take 24 times its size.
    for index in np.ndindex(*video.shape[:-3]):
        light = light_from_srgb(video[index].permute(1, 2, 0).double() / 255)
        grey[index] = (255 * srgb_from_light(luminance(light))).round().to(torch.uint8)
    return grey.unsqueeze(-3).expand_as(video).contiguous()
