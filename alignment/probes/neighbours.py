"""Classes by nearest neighbours: what features hold without anything being fitted."""

import numpy as np
from jaxtyping import Float, Int

NEIGHBOURS = 20
TEMPERATURE = 0.07
_ROWS_AT_ONCE = 1024


def neighbour_votes(
    known: Float[np.ndarray, "known feature"],
    labels: Int[np.ndarray, " known"],
    features: Float[np.ndarray, "row feature"],
    classes: int,
    *,
    neighbours: int = NEIGHBOURS,
    temperature: float = TEMPERATURE,
) -> Float[np.ndarray, "row class"]:
    """Return each class's share of the votes of the nearest known rows.

    A neighbour votes with ``exp(s / temperature)``, s the cosine of the angle between it and the
    row (Wu et al. 2018, arXiv 1805.01978). Features are centred by the mean of the known rows:
    without that, those that are never negative are all alike.

    Raises:
        ValueError: no known rows, or settings outside their range.
    """
    if not len(known) or neighbours < 1 or temperature <= 0:
        raise ValueError(
            f"expected known rows, neighbours >= 1 and a temperature above 0, got {len(known)} "
            f"rows, {neighbours} and {temperature}"
        )
    mean = known.mean(axis=0)
    there, near = _unit(known - mean), min(neighbours, len(known))
    parts = []
    for start in range(0, len(features), _ROWS_AT_ONCE):
        cosines = _unit(features[start : start + _ROWS_AT_ONCE] - mean) @ there.T
        nearest = np.argpartition(-cosines, near - 1, axis=1)[:, :near]
        found = np.take_along_axis(cosines, nearest, axis=1)
        # The largest is taken off, so that nothing overflows; shares do not change.
        power = np.exp((found - found.max(axis=1, keepdims=True)) / temperature)
        votes = np.zeros((len(found), classes))
        rows = np.repeat(np.arange(len(found)), near)
        np.add.at(votes, (rows, labels[nearest].ravel()), power.ravel())
        parts.append(votes / votes.sum(axis=1, keepdims=True))
    return np.concatenate(parts) if parts else np.zeros((0, classes))


def _unit(rows: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)
