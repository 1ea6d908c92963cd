"""How well self-motion is told on clips that were not trained on, beside floors."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from .bins import circle_distance
from .quantities import HEADINGS, RATES, Quantity, directions


@dataclass(frozen=True, kw_only=True)
class Told:
    """True and guessed quantities of clips, each ``[batch, pair]``."""

    values: Mapping[Quantity, Tensor]
    usable: Mapping[Quantity, Tensor]
    """Where each counts."""
    guesses: Mapping[Quantity, Tensor] = field(default_factory=dict)
    cross_entropy: Mapping[Quantity, Tensor] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence["Told"]) -> "Told":
        """Return all parts as one."""
        names = ("values", "usable", "guesses", "cross_entropy")
        return cls(
            **{
                name: {
                    key: torch.cat([getattr(part, name)[key].cpu().flatten() for part in parts])
                    for key in getattr(parts[0], name)
                }
                for name in names
            }
        )

    def where_usable(self, name: Quantity) -> tuple[Tensor, Tensor]:
        """Return the true and the guessed values of a quantity where it counts."""
        usable = self.usable[name]
        return self.values[name][usable], self.guesses[name][usable]


def report(told: Told, training: Told, *, classes: int) -> dict[str, float]:
    """Return errors on held-out clips, and those of always saying the training clips' mean.

    Returns:
        ``heading_error_deg`` and ``heading_error_median_deg``: angles between the true and the
        told direction of heading; the same ``_of_mean_direction`` of the training clips, and
        ``heading_error_deg_of_random_direction``, which is 90;
        ``heading_azimuth_error_deg``, ``heading_elevation_error_deg``: mean angles on the circle;
        ``yaw_rate_error_deg_s``, ``pitch_rate_error_deg_s``, ``speed_error_m_s``: mean distances,
        with the same ``_of_mean``, and ``_r2``, which the mean held-out value would make 0;
        ``cross_entropy`` of the true classes, beside ``cross_entropy_of_chance``, ``ln classes``.
        NaN where nothing is there to measure.
    """
    measures = {
        "cross_entropy": _mean(
            torch.stack(
                [each[told.usable[name]].mean() for name, each in told.cross_entropy.items()]
            )
        ),
        "cross_entropy_of_chance": math.log(classes),
    }
    for name in told.values:
        values, guesses = told.where_usable(name)
        if name in HEADINGS:
            measures[f"{name}_error_deg"] = math.degrees(_mean(circle_distance(values, guesses)))
        else:
            mean = training.values[name][training.usable[name]].mean()
            measures |= _line_measures(name, values, guesses, mean)
    if all(name in told.values for name in HEADINGS):
        measures |= _heading_measures(told, training)
    return measures


def angle_between(
    one: Float[Tensor, "sample 3"], other: Float[Tensor, "*sample 3"]
) -> Float[Tensor, " sample"]:
    """Return the angles in radians between directions, exact for small ones too."""
    other = other.expand_as(one)
    cross = torch.linalg.cross(one, other, dim=-1).norm(dim=-1)
    return torch.atan2(cross, (one * other).sum(dim=-1))


def _heading_measures(told: Told, training: Told) -> dict[str, float]:
    azimuth, elevation = (told.where_usable(name) for name in HEADINGS)
    true = directions(azimuth[0], elevation[0])
    usual = [training.values[name][training.usable[name]] for name in HEADINGS]
    # Only its direction matters.
    mean = directions(usual[0], usual[1]).mean(dim=0)
    errors = {
        "": angle_between(true, directions(azimuth[1], elevation[1])).rad2deg(),
        "_of_mean_direction": angle_between(true, mean).rad2deg(),
    }
    measures = {"heading_error_deg_of_random_direction": 90.0}
    for name, each in errors.items():
        measures[f"heading_error_deg{name}"] = _mean(each)
        measures[f"heading_error_median_deg{name}"] = _mean(each.median() if len(each) else each)
    return measures


def _line_measures(
    name: Quantity, values: Tensor, guesses: Tensor, mean: Tensor
) -> dict[str, float]:
    scale, unit = (math.degrees(1), "deg_s") if name in RATES else (1.0, "m_s")
    spread = (values - values.mean()).square().sum()
    return {
        f"{name}_error_{unit}": scale * _mean((values - guesses).abs()),
        f"{name}_error_{unit}_of_mean": scale * _mean((values - mean).abs()),
        f"{name}_r2": float(1 - (values - guesses).square().sum() / spread)
        if float(spread) > 0
        else float("nan"),
    }


def _mean(values: Tensor) -> float:
    return float(values.mean()) if values.numel() else float("nan")
