"""How like the features of two networks are, and how many dimensions they fill."""

import numpy as np
import torch

from ..alignment.probes.similarity import cka_matrix, participation_ratio, rsa
from ..objectives.spread import effective_rank
from .decoding import spread
from .features import FeatureSet
from .results import Similarity

MOST_STEPS = 4000
POOLED = "pooled"


def compare(features: FeatureSet, other: FeatureSet, tested: np.ndarray) -> Similarity:
    """Return the similarity of all layers of two networks, on tested clips.

    Raises:
        ValueError: networks with different numbers of steps for the same clips.
    """
    if features.pooled.shape[1] != other.pooled.shape[1]:
        raise ValueError(
            f"expected networks with as many steps for a clip to compare, got "
            f"{features.pooled.shape[1]} ({features.name}) and {other.pooled.shape[1]} "
            f"({other.name})"
        )
    rows, columns = (_layers(each, tested) for each in (features, other))
    # Distances between steps of one clip say little: one vector for each clip.
    means = [each.pooled[tested].mean(axis=1).astype(np.float64) for each in (features, other)]
    return Similarity(
        other=other.name,
        rows=tuple(rows),
        columns=tuple(columns),
        cka=cka_matrix(list(rows.values()), list(columns.values())),
        rsa=rsa(*means),
    )


def dimensions(features: FeatureSet, tested: np.ndarray) -> dict[str, float]:
    """Return how many dimensions the pooled vectors of tested clips fill."""
    rows = features.pooled[tested].reshape(-1, features.pooled.shape[-1]).astype(np.float64)
    return {
        "effective_rank": float(effective_rank(torch.from_numpy(rows))),
        "participation_ratio": participation_ratio(rows),
        "channels": float(rows.shape[1]),
        "mean_std": float(rows.std(axis=0).mean()),
    }


def _layers(features: FeatureSet, tested: np.ndarray) -> dict[str, np.ndarray]:
    every = {**features.layers, POOLED: features.pooled}
    flat = {name: each[tested].reshape(-1, each.shape[-1]) for name, each in every.items()}
    kept = spread(len(flat[POOLED]), MOST_STEPS)
    return {name: each[kept].astype(np.float64) for name, each in flat.items()}
