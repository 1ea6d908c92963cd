"""What a video model learns from: losses as modules over pure functions."""

from .next_frame.prediction import Prediction, PredictionConfig
from .objective import Objective, probe_shapes
from .slowness.closed_form import SlowFeatures, eta_hz, fit_sfa
from .slowness.deep import Slowness, SlownessConfig

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
