"""A generated statistic beside a published one: interval over clips, and verdict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Verdict = Literal["within", "outside", "too few data", "no published value", "not applicable"]
RESAMPLES = 300
COVERED = (0.025, 0.975)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What was published, and how near counts as the same."""

    value: str
    """In words, with its condition."""
    low: float | None
    """Least value accepted; None for no limit."""
    high: float | None
    tolerance: str
    """Why these limits."""
    source: str

    def __post_init__(self) -> None:
        """Refuse figures without source, reason or limit."""
        if not (self.source and self.tolerance):
            raise ValueError(f"expected a source and a reason for the limits, got {self}")
        if self.low is None and self.high is None:
            raise ValueError(f"expected at least one limit, got {self}")

    @property
    def limits(self) -> tuple[float, float]:
        """The accepted range, endless where there is no limit."""
        return (
            -math.inf if self.low is None else self.low,
            math.inf if self.high is None else self.high,
        )


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found of one statistic; NaN where there was nothing to measure."""

    value: float
    low: float
    """The interval that 95 % of resamplings of the clips fall in."""
    high: float
    n: int
    """How many single observations."""
    clips: int
    """How many clips they come from."""
    verdict: Verdict
    reason: str = ""


def find(
    clips: Sequence[np.ndarray],
    reduce: Callable[[np.ndarray], float],
    published: Published | None,
    *,
    count: Callable[[np.ndarray], int] = len,
    least: int,
    seed: int = 0,
) -> Finding:
    """Return the statistic of the pooled rows ``[k, ...]`` of clips, and the verdict on it.

    Too few are less than ``least`` observations, those of a single clip, or an interval that
    covers the whole accepted range: nothing could then be told from it.
    """
    filled = [rows for rows in clips if count(rows) > 0]
    pooled = _pooled(clips)
    n = int(count(pooled))
    value = reduce(pooled) if len(pooled) else math.nan
    low, high = interval(clips, reduce, seed=seed) if len(filled) > 1 else (math.nan, math.nan)
    verdict, reason = judge(value, (low, high), published, n=n, least=least)
    return Finding(
        value=value, low=low, high=high, n=n, clips=len(filled), verdict=verdict, reason=reason
    )


def judge(
    value: float,
    interval: tuple[float, float],
    published: Published | None,
    *,
    n: int,
    least: int,
) -> tuple[Verdict, str]:
    """Return the verdict on a value and the reason for it, if there is more to say."""
    if n < least:
        return "too few data", f"{n} of at least {least}"
    if not all(math.isfinite(x) for x in (value, *interval)):
        return "too few data", "no interval over clips"
    if published is None:
        return "no published value", ""
    low, high = published.limits
    edge = high if published.low is None else low
    if (published.low is None or published.high is None) and interval[0] < edge < interval[1]:
        return "too few data", "the interval lies on both sides of the limit"
    if math.isfinite(low) and math.isfinite(high) and interval[0] < low and interval[1] > high:
        return "too few data", "the interval covers the whole accepted range"
    return ("within" if low <= value <= high else "outside"), ""


def interval(
    clips: Sequence[np.ndarray], reduce: Callable[[np.ndarray], float], *, seed: int = 0
) -> tuple[float, float]:
    """Return the bootstrap interval of a statistic, clips being drawn with replacement.

    Resamplings in which it cannot be computed are left out; NaN if half of them are.
    """
    rng = np.random.Generator(np.random.Philox(key=seed))
    values = []
    for _ in range(RESAMPLES):
        pooled = _pooled([clips[i] for i in rng.integers(len(clips), size=len(clips))])
        values.append(reduce(pooled) if len(pooled) else math.nan)
    finite = np.asarray(values)[np.isfinite(values)]
    if len(finite) < RESAMPLES / 2:
        return math.nan, math.nan
    low, high = np.quantile(finite, COVERED)
    return float(low), float(high)


def _pooled(clips: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(clips) if clips else np.zeros(0)
