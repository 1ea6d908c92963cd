"""Encoders of (stereo) video."""

from .encoder import Encoder, Features
from .stereo_cnn import StereoCNN3D, StereoCNNConfig

__all__ = ["Encoder", "Features", "StereoCNN3D", "StereoCNNConfig"]
