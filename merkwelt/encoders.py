"""Encoders by name, as ``merkwelt train --encoder`` builds them."""

from collections.abc import Callable, Mapping
from functools import partial

from .names import EncoderName, FrontName
from .video_models.adapters.torchvision_video import TorchvisionVideoConfig
from .video_models.adapters.transformers_video import TransformersVideoConfig
from .video_models.build import EncoderConfig
from .video_models.dorsalnet.dorsalnet import DorsalNetConfig
from .video_models.fronts import (
    ConcatenateConfig,
    CorrelationVolumeConfig,
    DisparityEnergyConfig,
    FrontConfig,
    GaborBankConfig,
    SumDifferenceConfig,
)
from .video_models.prednet.config import PredNetConfig
from .video_models.recurrent.gru_net import ConvGRUNetConfig
from .video_models.recurrent.hgru_net import HGRUNetConfig, hgru_linsley2018
from .video_models.resnet3d.resnet3d import ResNet3DConfig, resnet2d3d_18, resnet3d_18
from .video_models.stereo_cnn import StereoCNNConfig
from .video_models.transformer.config import VideoTransformerConfig, transformer_small
from .video_models.two_pathway.two_pathway import TwoPathwayConfig

ENCODER_PRESETS: Mapping[EncoderName, Callable[[], EncoderConfig]] = {
    "stereo_cnn": StereoCNNConfig,
    "prednet": PredNetConfig,
    "dorsalnet": DorsalNetConfig,
    "prednet_paper": lambda: PredNetConfig(widths=(48, 96, 192)),
    "resnet3d": ResNet3DConfig,
    "resnet3d_18": resnet3d_18,
    "resnet2d3d_18": resnet2d3d_18,
    "two_pathway": TwoPathwayConfig,
    "one_pathway": partial(TwoPathwayConfig, paths=1),
    "convgru": ConvGRUNetConfig,
    "hgru": HGRUNetConfig,
    "hgru_linsley2018": hgru_linsley2018,
    "transformer": VideoTransformerConfig,
    "transformer_small": transformer_small,
    "torchvision_r3d_18": partial(TorchvisionVideoConfig, network="r3d_18"),
    "torchvision_mc3_18": partial(TorchvisionVideoConfig, network="mc3_18"),
    "torchvision_r2plus1d_18": partial(TorchvisionVideoConfig, network="r2plus1d_18"),
    "torchvision_s3d": partial(TorchvisionVideoConfig, network="s3d"),
    "torchvision_swin3d_t": partial(TorchvisionVideoConfig, network="swin3d_t"),
    "torchvision_mvit_v2_s": partial(TorchvisionVideoConfig, network="mvit_v2_s"),
    "videomae": TransformersVideoConfig,
    "vjepa2": partial(TransformersVideoConfig, network="vjepa2"),
}


def encoder_preset(name: EncoderName) -> EncoderConfig:
    """Return the configuration of an encoder by its name."""
    if name not in ENCODER_PRESETS:
        raise ValueError(f"expected an encoder out of {sorted(ENCODER_PRESETS)}, got {name!r}")
    return ENCODER_PRESETS[name]()


FRONT_PRESETS: Mapping[FrontName, Callable[[], FrontConfig]] = {
    "concatenate": ConcatenateConfig,
    "sum_difference": SumDifferenceConfig,
    "disparity_energy": DisparityEnergyConfig,
    "correlation": CorrelationVolumeConfig,
    "gabor": GaborBankConfig,
}


def front_preset(name: FrontName) -> FrontConfig:
    """Return the configuration of a front end by its name."""
    if name not in FRONT_PRESETS:
        raise ValueError(f"expected a front end out of {sorted(FRONT_PRESETS)}, got {name!r}")
    return FRONT_PRESETS[name]()
