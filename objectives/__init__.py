"""What a video model learns from: losses as modules over pure functions."""

from .contrast.prediction import ContrastivePrediction, ContrastivePredictionConfig
from .cross_eye.prediction import CrossEye
from .cross_eye.settings import CrossEyeConfig
from .harmonizer.config import HarmonizerConfig
from .harmonizer.harmonised import Harmonised, HarmonisedConfig
from .latent.prediction import LatentPrediction
from .latent.settings import LatentPredictionConfig
from .next_frame.prediction import Prediction, PredictionConfig
from .objective import Objective, probe_shapes
from .prednet.errors import PredNetErrors, PredNetErrorsConfig
from .self_motion.prediction import SelfMotion
from .self_motion.settings import SelfMotionConfig
from .slowness.closed_form import fit_sfa
from .slowness.deep import Slowness, SlownessConfig
from .slowness.moments import SfaMoments
from .slowness.slow_features import SlowFeatures, eta_hz
from .temporal.classes import TemporalClasses, TemporalClassesConfig
from .temporal.contrast import TemporalContrast, TemporalContrastConfig

__all__ = [
    "ContrastivePrediction",
    "ContrastivePredictionConfig",
    "CrossEye",
    "CrossEyeConfig",
    "Harmonised",
    "HarmonisedConfig",
    "HarmonizerConfig",
    "LatentPrediction",
    "LatentPredictionConfig",
    "Objective",
    "PredNetErrors",
    "PredNetErrorsConfig",
    "Prediction",
    "PredictionConfig",
    "SelfMotion",
    "SelfMotionConfig",
    "SfaMoments",
    "SlowFeatures",
    "Slowness",
    "SlownessConfig",
    "TemporalClasses",
    "TemporalClassesConfig",
    "TemporalContrast",
    "TemporalContrastConfig",
    "eta_hz",
    "fit_sfa",
    "probe_shapes",
]
