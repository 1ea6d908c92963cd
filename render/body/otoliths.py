"""The otolith organs: specific force, a little late."""

import numpy as np

from ..observer.card import BodySenseCard
from .lag import lagged


def otolith_signals_m_s2(
    specific_force_head_m_s2: np.ndarray, senses: BodySenseCard, step_s: float
) -> np.ndarray:
    """Return specific force ``[n, 3]`` along head axes, low-passed by ``1 / (T s + 1)``.

    Before the first instant it is taken to have been the same for long.
    """
    force = specific_force_head_m_s2
    return lagged(force, senses.otolith_s.value, step_s, start=force[0])
