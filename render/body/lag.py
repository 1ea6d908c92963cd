"""First-order lags, exact for signals that are straight between their samples."""

import numpy as np

from .. import steady


def lagged(
    signal: np.ndarray, time_constant_s: float, step_s: float, *, start: np.ndarray
) -> np.ndarray:
    """Return ``x`` of ``T dx/dt = u - x`` for a signal ``u`` ``[n, k]``, with ``x[0] = start``.

    ``x[i] = e x[i - 1] + p u[i - 1] + q u[i]`` with ``e = exp(-h / T)``, ``q = 1 - (1 - e) T / h``
    and ``p = 1 - e - q``.
    """
    fade = float(steady.exp(-step_s / time_constant_s))
    now = 1 - (1 - fade) * time_constant_s / step_s
    driven = (1 - fade - now) * signal[:-1] + now * signal[1:]
    # A loop, because compiled filters may round differently on another machine.
    followed = [start]
    for drive in driven:
        followed.append(fade * followed[-1] + drive)
    return np.stack(followed)


def faded(signal: np.ndarray, time_constant_s: float, step_s: float) -> np.ndarray:
    """Return a signal ``[n, k]`` through ``T s / (T s + 1)``, from rest: steady parts fade."""
    rest = np.zeros(signal.shape[1])
    return signal - lagged(signal, time_constant_s, step_s, start=rest)
