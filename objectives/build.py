"""From an objective's configuration to its module."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .contrast.prediction import ContrastivePrediction, ContrastivePredictionConfig
from .cross_eye.prediction import CrossEye
from .cross_eye.settings import CrossEyeConfig
from .harmonizer.config import HarmonizerConfig
from .harmonizer.harmonised import Harmonised, HarmonisedConfig
from .latent.prediction import LatentPrediction
from .latent.settings import LatentPredictionConfig
from .next_frame.prediction import Prediction, PredictionConfig
from .objective import FeatureShapes, FollowsEncoder
from .prednet.errors import PredNetErrors, PredNetErrorsConfig
from .self_motion.prediction import SelfMotion
from .self_motion.settings import SelfMotionConfig
from .slowness.deep import Slowness, SlownessConfig
from .temporal.classes import TemporalClasses, TemporalClassesConfig
from .temporal.contrast import TemporalContrast, TemporalContrastConfig

ObjectiveConfig = (
    SlownessConfig
    | PredictionConfig
    | PredNetErrorsConfig
    | HarmonisedConfig
    | ContrastivePredictionConfig
    | LatentPredictionConfig
    | CrossEyeConfig
    | SelfMotionConfig
    | TemporalContrastConfig
    | TemporalClassesConfig
)


def _harmonised(config: HarmonisedConfig, shapes: FeatureShapes) -> Harmonised:
    # The objective on clips draws its weights first: they are those that it has by itself.
    base = config.objective
    return Harmonised(
        config, shapes, None if base is None else OBJECTIVES[type(base)](base, shapes)
    )


OBJECTIVES: Mapping[type, Callable[[Any, FeatureShapes], nn.Module]] = {
    SlownessConfig: Slowness,
    PredictionConfig: Prediction,
    PredNetErrorsConfig: PredNetErrors,
    HarmonisedConfig: _harmonised,
    ContrastivePredictionConfig: ContrastivePrediction,
    LatentPredictionConfig: LatentPrediction,
    CrossEyeConfig: CrossEye,
    SelfMotionConfig: SelfMotion,
    TemporalContrastConfig: TemporalContrast,
    TemporalClassesConfig: TemporalClasses,
}
"""The objective that each configuration describes."""

PARTS: tuple[type, ...] = (HarmonizerConfig,)
"""Configurations that are fields of an objective's, and no objective themselves."""


def build_objective(
    config: ObjectiveConfig, shapes: FeatureShapes, encoder: nn.Module
) -> nn.Module:
    """Return the untrained objective of an encoder; weights come from torch's random state."""
    objective = OBJECTIVES[type(config)](config, shapes)
    if isinstance(objective, FollowsEncoder):
        objective.follow(encoder)
    return objective
