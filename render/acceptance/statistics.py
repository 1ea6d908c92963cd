"""The list of statistics: which samples, reduced how, beside which published figure, for whom."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..motion.motion import ACTIVITIES
from .published import PUBLISHED
from .reduce import Reduce
from .verdict import Finding, Published, find

Need = Literal["walks", "grown", "young", "looks", "two eyes", "converges", "body", "mineault2021"]
_LACKING: Mapping[Need, str] = {
    "walks": "does not walk",
    "grown": "published of adults",
    "young": "published of toddlers who walk",
    "looks": "does not move the eyes",
    "two eyes": "has one eye",
    "converges": "its eyes are parallel",
    "body": "is carried",
    "mineault2021": "only of the preset mineault2021",
}
GROWN_M = 1.2
"""Eyes above this height, when upright, are an adult's."""
LEAST_SHARE = 0.02
LEAST_CONVERGENCE_DEG = 0.01


def _all(rows: np.ndarray) -> np.ndarray:
    return rows


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """One number that motion is judged by."""

    key: str
    """Also that of its published figure, if there is one."""
    group: str
    title: str
    unit: str
    samples: str
    """Which samples of ``measure_clip`` it is of."""
    reduce: Reduce
    needs: tuple[Need, ...] = ()
    least: int = 20
    """Fewer observations are too few data."""
    select: Callable[[np.ndarray], np.ndarray] = field(default=_all)
    """Which rows, or columns, of the samples."""
    count: Callable[[np.ndarray], int] = field(default=len)
    """How many observations rows hold."""

    @property
    def published(self) -> Published | None:
        """What was published of it."""
        return PUBLISHED.get(self.key)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What an observer turned out to be and do, of which depends what can be asked."""

    name: str
    traits: frozenset[Need]

    @classmethod
    def of(cls, name: str, clips: Sequence[Mapping[str, np.ndarray]], eyes: int) -> "Subject":
        """Return what the samples of clips show of an observer."""
        shares = np.concatenate([clip["activity"] for clip in clips]).mean(axis=0)
        upright_m = float(np.quantile(np.concatenate([clip["height"] for clip in clips]), 0.9))
        moved = float(np.mean(np.concatenate([clip["speed"] for clip in clips]) > 0.1))
        walks = shares[ACTIVITIES.index("walking")] > LEAST_SHARE and moved > LEAST_SHARE
        saccades = sum(float(clip["saccades_per_s"][:, 0].sum()) for clip in clips)
        vergence = np.concatenate([clip["vergence"] for clip in clips])[:, 0]
        traits: dict[Need, bool] = {
            "walks": bool(walks),
            "grown": upright_m > GROWN_M,
            "young": bool(walks) and upright_m <= GROWN_M,
            "looks": saccades > 0,
            "two eyes": eyes == 2,
            "converges": eyes == 2 and bool((vergence > LEAST_CONVERGENCE_DEG).any()),
            "body": shares[ACTIVITIES.index("carried")] < 1,
            "mineault2021": name == "mineault2021",
        }
        return cls(name=name, traits=frozenset(trait for trait, has in traits.items() if has))

    def lacks(self, needs: Sequence[Need]) -> str:
        """Return why something does not apply, or nothing."""
        return next((_LACKING[need] for need in needs if need not in self.traits), "")


def finding_of(
    statistic: Statistic,
    clips: Sequence[Mapping[str, np.ndarray]],
    subject: Subject,
    *,
    seed: int = 0,
) -> Finding:
    """Return what clips show of a statistic, and the verdict."""
    lacking = subject.lacks(statistic.needs)
    if lacking:
        nothing = float("nan")
        return Finding(
            value=nothing,
            low=nothing,
            high=nothing,
            n=0,
            clips=0,
            verdict="not applicable",
            reason=lacking,
        )
    return find(
        [statistic.select(clip[statistic.samples]) for clip in clips],
        statistic.reduce,
        statistic.published,
        count=statistic.count,
        least=statistic.least,
        seed=seed,
    )
