"""Encoders of (stereo) video."""

from .dorsalnet.dorsalnet import DorsalNet, DorsalNetConfig
from .encoder import Encoder, Features
from .prednet.config import PredNetConfig
from .prednet.features import PredNetFeatures
from .prednet.prednet import PredNet
from .stereo_cnn import StereoCNN3D, StereoCNNConfig

__all__ = [
    "DorsalNet",
    "DorsalNetConfig",
    "Encoder",
    "Features",
    "PredNet",
    "PredNetConfig",
    "PredNetFeatures",
    "StereoCNN3D",
    "StereoCNNConfig",
]
