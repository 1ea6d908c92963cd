"""A number with its unit and its source, and how it varies from one draw to the next."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np

from .. import steady

Distribution = Literal["fixed", "normal", "lognormal", "exponential", "uniform", "vonmises"]
_DISTRIBUTIONS = get_args(Distribution)
_CIRCLE = 4096


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A cited parameter."""

    value: float
    """The value itself (fixed), the mean (normal, exponential, uniform, vonmises) or the median
    (lognormal)."""
    unit: str
    source: str
    """Where the number comes from; an assumption says that it is one."""
    distribution: Distribution = "fixed"
    spread: float = 0.0
    """Standard deviation (normal), that of the logarithm (lognormal), or concentration (vonmises);
    otherwise not used."""
    low: float | None = None
    """Smallest value that is drawn; None for no limit (0 for lognormal and exponential)."""
    high: float | None = None

    def __post_init__(self) -> None:
        """Refuse numbers without source, and distributions that cannot be drawn from."""
        if not self.source:
            raise ValueError(f"expected every number to name its source, got {self.value}")
        if self.distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"expected one of the distributions {_DISTRIBUTIONS}, got {self.distribution!r}"
            )
        if not all(math.isfinite(x) for x in (self.value, self.spread, *self._limits())):
            raise ValueError(f"expected finite numbers, got {self}")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"expected low < high, got {self.low} and {self.high}")
        if self.distribution == "uniform" and (self.low is None or self.high is None):
            raise ValueError(f"expected low and high of a uniform quantity, got {self}")
        if self.distribution in ("normal", "lognormal", "vonmises") and not self.spread > 0:
            raise ValueError(f"expected a positive spread, got {self.spread}")
        if self.distribution in ("lognormal", "exponential") and not self.value > 0:
            raise ValueError(f"expected a positive value, got {self.value}")

    def _limits(self) -> list[float]:
        return [limit for limit in (self.low, self.high) if limit is not None]

    def sample(self, rng: np.random.Generator) -> float:
        """Return one draw, which takes exactly one number from the generator."""
        return self.quantile(float(rng.random()))

    def quantile(self, share: float) -> float:
        """Return the value below which a ``share`` in [0, 1) of the (truncated) draws falls."""
        if self.distribution == "fixed":
            return self.value
        if self.distribution == "uniform":
            assert self.low is not None
            assert self.high is not None
            return self.low + share * (self.high - self.low)
        if self.distribution == "vonmises":
            return self.value + _von_mises_quantile(self.spread, share)
        low = 0.0 if self.low is None else self._cumulative(self.low)
        high = 1.0 if self.high is None else self._cumulative(self.high)
        value = self._inverse(min(max(low + share * (high - low), 1e-12), 1 - 1e-12))
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)

    def _cumulative(self, value: float) -> float:
        if self.distribution == "normal":
            return float(steady.normal_share((value - self.value) / self.spread))
        if value <= 0:
            return 0.0
        if self.distribution == "lognormal":
            return float(steady.normal_share(_log(value / self.value) / self.spread))
        return 1 - float(steady.exp(-value / self.value))

    def _inverse(self, share: float) -> float:
        if self.distribution == "normal":
            return self.value + self.spread * steady.normal_quantile(share)
        if self.distribution == "lognormal":
            return self.value * float(steady.exp(self.spread * steady.normal_quantile(share)))
        return -self.value * _log(1 - share)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the quantity that ``to_dict`` described."""
        return cls(**data)


def _log(value: float) -> float:
    return float(steady.log(value))


def _von_mises_quantile(concentration: float, share: float) -> float:
    """Return the angle below which a share of a von Mises distribution about 0 falls, in radians.

    From its cumulated density on a fine grid, which is exact to 1e-5.
    """
    edges = np.linspace(-math.pi, math.pi, _CIRCLE + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    below = np.concatenate([[0.0], np.cumsum(steady.exp(concentration * (steady.cos(middle) - 1)))])
    return float(steady.interpolate(np.array([share]), below / below[-1], edges)[0])
