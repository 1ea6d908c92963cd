"""Encoders by name, as ``merkwelt train --encoder`` builds them."""

from collections.abc import Callable, Mapping

from .names import EncoderName
from .video_models.build import EncoderConfig
from .video_models.stereo_cnn import StereoCNNConfig

ENCODER_PRESETS: Mapping[EncoderName, Callable[[], EncoderConfig]] = {
    "stereo_cnn": StereoCNNConfig,
}


def encoder_preset(name: EncoderName) -> EncoderConfig:
    """Return the configuration of an encoder by its name."""
    if name not in ENCODER_PRESETS:
        raise ValueError(f"expected an encoder out of {sorted(ENCODER_PRESETS)}, got {name!r}")
    return ENCODER_PRESETS[name]()
