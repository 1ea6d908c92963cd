"""When the lids are closed."""

import numpy as np

from .. import steady
from ..observer.card import GazeCard


def blinks(card: GazeCard, time_s: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return, for times ``[n]``, whether the lids are closed; log-normal time between blinks."""
    closed = np.zeros(len(time_s), dtype=bool)
    spread = card.blink_spread.value
    median_s = 60.0 / card.blinks_per_min.value * float(steady.exp(-(spread**2) / 2))

    def interval_s() -> float:
        return median_s * float(steady.exp(spread * steady.normal(rng, 1)[0]))

    start_s = -rng.random() * interval_s()
    while start_s <= time_s[-1]:
        closed |= (time_s >= start_s) & (time_s < start_s + card.blink_s.sample(rng))
        start_s += interval_s()
    return closed
