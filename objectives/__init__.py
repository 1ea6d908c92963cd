"""What a video model learns from: losses as modules over pure functions."""

from .objective import Objective, probe_shapes
from .prediction import Prediction, PredictionConfig
from .sfa import SlowFeatures, eta_hz, fit_sfa
from .slowness import Slowness, SlownessConfig

__all__ = [
    "Objective",
    "Prediction",
    "PredictionConfig",
    "SlowFeatures",
    "Slowness",
    "SlownessConfig",
    "eta_hz",
    "fit_sfa",
    "probe_shapes",
]
