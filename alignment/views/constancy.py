"""Does looking stay with the thing when the view of it changes?

A map of one view is carried to another and correlated with the map there, over the pixels that both
views see; then the other way round. Four questions are one computation: people with people, a model
with itself, people with a model, and a model with people.

What must be beaten, over the same pixels: the same map not carried (looking that stays in the
picture rather than with the thing), maps of other things, and a centred Gaussian.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..plain_data import plain_data
from ..scores.bootstrap import Interval, bootstrap_interval, paired_difference
from ..scores.floors import CENTRED_GAUSSIAN, centred_gaussian
from ..scores.ranks import spearman
from .carry import TOLERANCE, Carried
from .view_pairs import View, ViewPair, carried_between, views_in

NOT_CARRIED = "the same map, not carried"
OTHER_THINGS = "maps of other things"
FLOORS = (NOT_CARRIED, OTHER_THINGS, CENTRED_GAUSSIAN)


@dataclass(frozen=True, kw_only=True)
class ConstancySettings:
    """How pairs of views are compared."""

    tolerance: float = TOLERANCE
    """Ratio of depths up to which two points are one surface."""
    least_share: float = 0.1
    """Least share of the picture that both views must see for a pair to count."""
    seed: int = 0
    """Of the bootstrap."""

    def __post_init__(self) -> None:
        """Refuse shares that are none."""
        if not 0 < self.least_share <= 1 or not self.tolerance >= 1:
            raise ValueError(
                f"expected a share in (0, 1] and a tolerance of at least 1, got "
                f"{self.least_share} and {self.tolerance}"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class ConstancyFloor:
    """What knows less scores over the same pixels."""

    name: str
    values: np.ndarray
    """float64 ``[pair]``."""
    interval: Interval
    difference: Interval
    """Carried minus this, pair by pair."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Constancy:
    """How well carried maps agree with those of the view they are carried to."""

    name: str
    pair_names: tuple[str, ...]
    values: np.ndarray
    """float64 ``[pair]``: Spearman's rho, the mean of both ways; NaN where undefined."""
    shares: np.ndarray
    """float64 ``[pair]``: share of the picture that both views see, the mean of both ways."""
    turns_deg: np.ndarray
    """float64 ``[pair]``: angle between the cameras' directions."""
    interval: Interval
    floors: tuple[ConstancyFloor, ...]
    by_lag: Mapping[str, Interval]
    """For each lag of the study, in words."""
    undefined: Mapping[str, str]
    """Pairs without a value, and why."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for ``results.json``; undefined numbers are None."""
        return plain_data(
            {
                "name": self.name,
                "spearman": self.interval,
                "floors": [
                    {"name": f.name, "spearman": f.interval, "difference": f.difference}
                    for f in self.floors
                ],
                "by_lag": self.by_lag,
                "pairs": [self._pair_to_dict(i) for i in range(len(self.pair_names))],
                "undefined": self.undefined,
            }
        )

    def _pair_to_dict(self, pair: int) -> dict[str, Any]:
        return {
            "name": self.pair_names[pair],
            "spearman": self.values[pair],
            "floors": {floor.name: floor.values[pair] for floor in self.floors},
            "share_seen_by_both": self.shares[pair],
            "turn_deg": self.turns_deg[pair],
        }


def constancy(
    pairs: Sequence[ViewPair],
    carried: Mapping[str, np.ndarray],
    own: Mapping[str, np.ndarray] | None = None,
    *,
    name: str,
    settings: ConstancySettings | None = None,
) -> Constancy:
    """Return how well maps that are carried agree with maps of the views they are carried to.

    Pairs count once, as the mean of both ways. Pairs of one thing are not independent, which the
    bootstrap over pairs does not know.

    Args:
        pairs: Views that are compared.
        carried: Map ``[h, w]`` of each view, by the view's name: those that are carried.
        own: The maps that they are compared with; by default the same.
        name: What is compared, in words, such as ``people carried, model``.
        settings: Tolerance, least share and seed.

    Raises:
        ValueError: no pairs, a view without a map, or maps and views of different sizes.
    """
    settings = settings or ConstancySettings()
    _check(pairs, (carried,) if own is None else (carried, own))
    work = _Work(pairs=pairs, carried=carried, own=carried if own is None else own, of=settings)
    rows = [work.pair(pair) for pair in pairs]
    table = np.array([row.scores for row in rows])
    generator = np.random.default_rng(settings.seed)
    values = table[:, 0]
    floors = tuple(
        ConstancyFloor(
            name=floor,
            values=table[:, i],
            interval=bootstrap_interval(table[:, i], generator),
            difference=paired_difference(values, table[:, i], generator),
        )
        for i, floor in enumerate(FLOORS, start=1)
    )
    return Constancy(
        name=name,
        pair_names=tuple(pair.name for pair in pairs),
        values=values,
        shares=np.array([row.share for row in rows]),
        turns_deg=np.degrees([pair.turn_rad for pair in pairs]),
        interval=bootstrap_interval(values, generator),
        floors=floors,
        by_lag=_by_lag(pairs, values, generator),
        undefined={p.name: r.why for p, r in zip(pairs, rows, strict=True) if r.why},
    )


@dataclass(frozen=True, kw_only=True)
class _Row:
    scores: tuple[float, ...]
    """Of the carried map and of each floor."""
    share: float
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class _Work:
    pairs: Sequence[ViewPair]
    carried: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray]
    of: ConstancySettings

    def pair(self, pair: ViewPair) -> _Row:
        """Return scores of a pair, both ways averaged."""
        nothing = (float("nan"),) * (1 + len(FLOORS))
        moved = [
            carried_between(self.carried[a.name], a, b, tolerance=self.of.tolerance)
            for a, b in pair.ways()
        ]
        share = float(np.mean([each.share for each in moved]))
        least = min(each.share for each in moved)
        if least < self.of.least_share:
            seen = f"both views see {least:.1%} of the picture together, less than "
            return _Row(scores=nothing, share=share, why=f"{seen}{self.of.least_share:.0%}")
        ways = zip(pair.ways(), moved, strict=True)
        scores = [self._way(source, target, each) for (source, target), each in ways]
        mean = tuple(float(each) for each in np.mean(scores, axis=0))
        if not np.isfinite(mean[0]):
            why = "a map is constant or not finite where both views see it"
            return _Row(scores=nothing, share=share, why=why)
        return _Row(scores=mean, share=share)

    def _way(self, source: View, target: View, moved: Carried) -> list[float]:
        seen = moved.visible
        own = self.own[target.name][seen]
        size = target.camera.size_rowcol_px
        others = [
            self.carried[view.name][seen]
            for view in views_in(self.pairs)
            if view.thing != target.thing
        ]
        middle = centred_gaussian(max(size)).numpy()
        top, left = ((max(size) - side) // 2 for side in size)
        middle = middle[top : top + size[0], left : left + size[1]]
        away = [_rho(other, own) for other in others]
        known = [rho for rho in away if np.isfinite(rho)]
        return [
            _rho(moved.values[seen], own),
            _rho(self.carried[source.name][seen], own),
            float(np.mean(known)) if known else float("nan"),
            _rho(middle[seen], own),
        ]


def _rho(first: np.ndarray, second: np.ndarray) -> float:
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return float("nan")
    rows = [torch.from_numpy(each.astype(np.float64))[None] for each in (first, second)]
    return float(spearman(*rows)[0])


def _by_lag(
    pairs: Sequence[ViewPair], values: np.ndarray, generator: np.random.Generator
) -> dict[str, Interval]:
    groups: dict[str, list[float]] = {}
    for pair, value in zip(pairs, values, strict=True):
        for what, lag in pair.lags.items():
            groups.setdefault(f"{what} {lag}", []).append(value)
    return {
        lag: bootstrap_interval(np.array(found), generator) for lag, found in sorted(groups.items())
    }


def _check(pairs: Sequence[ViewPair], kinds: tuple[Mapping[str, np.ndarray], ...]) -> None:
    if not pairs:
        raise ValueError("expected at least one pair of views, got none")
    sizes = {view.camera.size_rowcol_px for view in views_in(pairs)}
    if len(sizes) > 1:
        raise ValueError(f"expected views of one size, got {sorted(sizes)}; resize them first")
    for maps in kinds:
        missing = [view.name for view in views_in(pairs) if view.name not in maps]
        if missing:
            raise ValueError(
                f"expected a map of every view, missing {', '.join(missing[:3])} "
                f"({len(missing)} in all)"
            )
        wrong = {maps[view.name].shape for view in views_in(pairs)} - sizes
        if wrong:
            raise ValueError(
                f"expected maps of the views' size {sorted(sizes)[0]}, got {sorted(wrong)}"
            )
