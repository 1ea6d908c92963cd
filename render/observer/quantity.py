"""A number with its unit and its source, and how it varies from one draw to the next."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from scipy.special import ndtr, ndtri

Distribution = Literal["fixed", "normal", "lognormal", "exponential", "uniform"]
_DISTRIBUTIONS = ("fixed", "normal", "lognormal", "exponential", "uniform")


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A cited parameter."""

    value: float
    """The value itself (fixed), the mean (normal, exponential, uniform) or median (lognormal)."""
    unit: str
    source: str
    """Where the number comes from; an assumption says that it is one."""
    distribution: Distribution = "fixed"
    spread: float = 0.0
    """Standard deviation (normal) or that of the logarithm (lognormal); otherwise not used."""
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
        if self.distribution in ("normal", "lognormal") and not self.spread > 0:
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
        low = 0.0 if self.low is None else self._cumulative(self.low)
        high = 1.0 if self.high is None else self._cumulative(self.high)
        value = self._inverse(min(max(low + share * (high - low), 1e-12), 1 - 1e-12))
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)

    def _cumulative(self, value: float) -> float:
        if self.distribution == "normal":
            return float(ndtr((value - self.value) / self.spread))
        if value <= 0:
            return 0.0
        if self.distribution == "lognormal":
            return float(ndtr(math.log(value / self.value) / self.spread))
        return 1 - math.exp(-value / self.value)

    def _inverse(self, share: float) -> float:
        if self.distribution == "normal":
            return self.value + self.spread * float(ndtri(share))
        if self.distribution == "lognormal":
            return self.value * math.exp(self.spread * float(ndtri(share)))
        return -self.value * math.log1p(-share)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Return the quantity that ``to_dict`` described."""
        return cls(**data)
