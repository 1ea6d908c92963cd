"""From an encoder's configuration to its module."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .stereo_cnn import StereoCNN3D, StereoCNNConfig

EncoderConfig = StereoCNNConfig
"""Whatever describes an encoder: it has ``eyes`` and ``image_channels``."""

ENCODERS: Mapping[type, Callable[[Any], nn.Module]] = {StereoCNNConfig: StereoCNN3D}
"""The encoder that each configuration describes."""

PARTS: tuple[type, ...] = ()
"""Configurations that are fields of an encoder's, and no encoder themselves."""


def build_encoder(config: EncoderConfig) -> nn.Module:
    """Return the untrained encoder; weights come from torch's random state."""
    return ENCODERS[type(config)](config)


def with_eyes(config: EncoderConfig, eyes: int) -> EncoderConfig:
    """Return the same encoder for another number of eyes."""
    return dataclasses.replace(config, eyes=eyes)
