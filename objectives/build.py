"""From an objective's configuration to its module."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .next_frame.prediction import Prediction, PredictionConfig
from .objective import FeatureShapes, FollowsEncoder
from .slowness.deep import Slowness, SlownessConfig

ObjectiveConfig = SlownessConfig | PredictionConfig

OBJECTIVES: Mapping[type, Callable[[Any, FeatureShapes], nn.Module]] = {
    SlownessConfig: Slowness,
    PredictionConfig: Prediction,
}
"""The objective that each configuration describes."""

PARTS: tuple[type, ...] = ()
"""Configurations that are fields of an objective's, and no objective themselves."""


def build_objective(
    config: ObjectiveConfig, shapes: FeatureShapes, encoder: nn.Module
) -> nn.Module:
    """Return the untrained objective of an encoder; weights come from torch's random state."""
    objective = OBJECTIVES[type(config)](config, shapes)
    if isinstance(objective, FollowsEncoder):
        objective.follow(encoder)
    return objective
