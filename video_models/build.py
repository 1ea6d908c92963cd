"""From an encoder's configuration to its module."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .adapters.torchvision_video import TorchvisionVideo, TorchvisionVideoConfig
from .adapters.transformers_video import TransformersVideo, TransformersVideoConfig
from .dorsalnet.dorsalnet import DorsalNet, DorsalNetConfig
from .fronts import FrontedConfig, FrontedEncoder, fronted
from .fronts.build import FRONTS, build_front
from .prednet.config import PredNetConfig
from .prednet.prednet import PredNet
from .recurrent.gru_net import ConvGRUNet, ConvGRUNetConfig
from .recurrent.hgru_net import HGRUNet, HGRUNetConfig
from .resnet3d.resnet3d import ResNet3D, ResNet3DConfig
from .stereo_cnn import StereoCNN3D, StereoCNNConfig
from .transformer.config import VideoTransformerConfig
from .transformer.video_transformer import VideoTransformer
from .two_pathway.two_pathway import TwoPathway, TwoPathwayConfig

EncoderConfig = (
    StereoCNNConfig
    | PredNetConfig
    | FrontedConfig
    | DorsalNetConfig
    | ResNet3DConfig
    | TwoPathwayConfig
    | ConvGRUNetConfig
    | HGRUNetConfig
    | VideoTransformerConfig
    | TorchvisionVideoConfig
    | TransformersVideoConfig
)
"""Whatever describes an encoder: it has ``eyes`` and ``image_channels``."""


def _build_fronted(config: FrontedConfig) -> FrontedEncoder:
    """Return an encoder behind a front end."""
    return FrontedEncoder(config, build_front(config.front), build_encoder(config.encoder))


ENCODERS: Mapping[type, Callable[[Any], nn.Module]] = {
    StereoCNNConfig: StereoCNN3D,
    PredNetConfig: PredNet,
    DorsalNetConfig: DorsalNet,
    FrontedConfig: _build_fronted,
    ResNet3DConfig: ResNet3D,
    TwoPathwayConfig: TwoPathway,
    ConvGRUNetConfig: ConvGRUNet,
    HGRUNetConfig: HGRUNet,
    VideoTransformerConfig: VideoTransformer,
    TorchvisionVideoConfig: TorchvisionVideo,
    TransformersVideoConfig: TransformersVideo,
}
"""The encoder that each configuration describes."""

PARTS: tuple[type, ...] = (*FRONTS,)
"""Configurations that are fields of an encoder's, and no encoder themselves."""


def build_encoder(config: EncoderConfig) -> nn.Module:
    """Return the untrained encoder; weights come from torch's random state."""
    return ENCODERS[type(config)](config)


def with_eyes(config: EncoderConfig, eyes: int) -> EncoderConfig:
    """Return the same encoder for another number of eyes."""
    if isinstance(config, FrontedConfig):
        return fronted(dataclasses.replace(config.front, eyes=eyes), config.encoder)
    return dataclasses.replace(config, eyes=eyes)
