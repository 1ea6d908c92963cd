"""Scores against what people reach: raw scores become shares of a ceiling.

Two ways, side by side: over the ceiling, and corrected for a floor, ``(score - floor) / (ceiling -
floor)``, which is 0 for a map of another image and 1 for a person. Intervals resample images for
the numerator and the denominator together.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .maps.human_maps import HumanMaps
from .results import CeilingScores, MetricScores
from .scores.bootstrap import Interval, bootstrap_interval, joint_interval
from .scores.ceilings import Ceilings, spearman_brown
from .scores.metrics import SPEARMAN
from .scores.published import PublishedCeiling, published_ceilings

SPLIT_HALF = "split-half ceiling"
SPEARMAN_BROWN = "Spearman-Brown ceiling"
LEAVE_ONE_OUT = "leave-one-out ceiling"
OTHER_HALVES = "other images' halves"
NO_FLOOR = "none: not measured for single people"


@dataclass(frozen=True, kw_only=True)
class Resampling:
    """How intervals are drawn."""

    seed: int
    resamples: int
    level: float

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of an interval, with a fresh generator."""
        generator = np.random.default_rng(self.seed)
        return {"generator": generator, "resamples": self.resamples, "level": self.level}


def with_published(
    scored: MetricScores, maps: HumanMaps, floor_name: str, resampling: Resampling
) -> MetricScores:
    """Return the scores with the constants that were published for this kind of map."""
    entries = tuple(
        _published_entry(scored, ceiling, floor_name, resampling)
        for ceiling in published_ceilings(maps, scored.name)
    )
    return replace(scored, ceilings=(*scored.ceilings, *entries))


def with_measured(
    scored: MetricScores, people: Ceilings, floor_name: str, resampling: Resampling
) -> MetricScores:
    """Return the scores with the ceilings that were measured on single people.

    Args:
        scored: One metric.
        people: The ceilings of the same metric on the same images.
        floor_name: The floor of whole maps of other images, which belongs to Spearman-Brown.
        resampling: How intervals are drawn.
    """
    half, whole_floor = people.split_half, scored.floor(floor_name).per_image
    made = f"{people.people_text}, maps by {people.recipe}"
    entries = [
        _entry(
            scored,
            _Ceiling(SPLIT_HALF, f"{people.settings.name}; {made}", half),
            _Floor(OTHER_HALVES, people.floor),
            resampling,
        )
    ]
    if scored.name.startswith(SPEARMAN.name):
        source = f"2r/(1+r) of the split-half mean r ({people.settings.name}); {made}"
        ceiling = _Ceiling(SPEARMAN_BROWN, source, half, predicts_whole=True)
        entries.append(_entry(scored, ceiling, _Floor(floor_name, whole_floor), resampling))
    if not np.isnan(people.leave_one_out).all():
        source = f"one person against the mean of all others; {made}"
        ceiling = _Ceiling(LEAVE_ONE_OUT, source, people.leave_one_out)
        entries.append(_entry(scored, ceiling, None, resampling))
    return replace(scored, ceilings=(*scored.ceilings, *entries))


@dataclass(frozen=True)
class _Ceiling:
    name: str
    source: str
    per_image: np.ndarray
    predicts_whole: bool = False
    """Whether Spearman-Brown is applied to the mean."""

    def of(self, mean: np.ndarray) -> np.ndarray:
        return spearman_brown(mean) if self.predicts_whole else mean


@dataclass(frozen=True)
class _Floor:
    name: str
    per_image: np.ndarray


def _entry(
    scored: MetricScores, ceiling: _Ceiling, floor: _Floor | None, resampling: Resampling
) -> CeilingScores:
    own, options = scored.per_image, resampling.options
    per_image = ceiling.of(ceiling.per_image)
    known = np.where(np.isnan(own), np.nan, ceiling.per_image)
    interval = joint_interval([known], ceiling.of, **options())
    over = joint_interval([own, known], lambda s, c: _ratio(s, ceiling.of(c)), **options())
    each = bootstrap_interval(_ratio(own, per_image), **options())
    corrected = _undefined_interval(resampling)
    if floor is not None:
        corrected = joint_interval(
            [own, known, floor.per_image],
            lambda s, c, f: _ratio(s - f, ceiling.of(c) - f),
            **options(),
        )
    return CeilingScores(
        name=ceiling.name,
        value=interval.mean,
        source=ceiling.source,
        measured=True,
        interval=interval,
        per_image=per_image,
        over_ceiling=over,
        over_own_ceiling=each,
        floor_name=NO_FLOOR if floor is None else floor.name,
        floor_corrected=corrected,
    )


def _published_entry(
    scored: MetricScores, ceiling: PublishedCeiling, floor_name: str, resampling: Resampling
) -> CeilingScores:
    own, floor, options = scored.per_image, scored.floor(floor_name).per_image, resampling.options
    return CeilingScores(
        name=ceiling.name,
        value=ceiling.value,
        source=ceiling.source,
        measured=False,
        interval=None,
        per_image=None,
        over_ceiling=joint_interval([own], lambda s: s / ceiling.value, **options()),
        over_own_ceiling=None,
        floor_name=floor_name,
        floor_corrected=joint_interval(
            [own, floor], lambda s, f: _ratio(s - f, ceiling.value - f), **options()
        ),
    )


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Return the quotient; NaN where there is no room: the denominator is not above 0."""
    nan = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    return np.divide(numerator, denominator, out=nan, where=denominator > 0)


def _undefined_interval(resampling: Resampling) -> Interval:
    nan = float("nan")
    return Interval(mean=nan, low=nan, high=nan, count=0, level=resampling.level)
