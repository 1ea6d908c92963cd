"""What goes before an encoder: fusion of the eyes, binocular energy units, a V1 filter bank."""

from .correlation_volume import CorrelationVolume, CorrelationVolumeConfig
from .disparity_energy import DisparityEnergy, DisparityEnergyConfig
from .front import Front, FrontConfig
from .fronted_encoder import FrontedConfig, FrontedEncoder, fronted
from .gabor_bank import GaborBank, GaborBankConfig
from .pixels import Concatenate, ConcatenateConfig, SumDifference, SumDifferenceConfig
from .readout import disparity_of_tuning

__all__ = [
    "Concatenate",
    "ConcatenateConfig",
    "CorrelationVolume",
    "CorrelationVolumeConfig",
    "DisparityEnergy",
    "DisparityEnergyConfig",
    "Front",
    "FrontConfig",
    "FrontedConfig",
    "FrontedEncoder",
    "GaborBank",
    "GaborBankConfig",
    "SumDifference",
    "SumDifferenceConfig",
    "disparity_of_tuning",
    "fronted",
]
