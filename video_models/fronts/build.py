"""From a front end's configuration to its module."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from .correlation_volume import CorrelationVolume, CorrelationVolumeConfig
from .disparity_energy import DisparityEnergy, DisparityEnergyConfig
from .gabor_bank import GaborBank, GaborBankConfig
from .pixels import Concatenate, ConcatenateConfig, SumDifference, SumDifferenceConfig

FRONTS: Mapping[type, Callable[[Any], nn.Module]] = {
    ConcatenateConfig: Concatenate,
    SumDifferenceConfig: SumDifference,
    DisparityEnergyConfig: DisparityEnergy,
    CorrelationVolumeConfig: CorrelationVolume,
    GaborBankConfig: GaborBank,
}
"""The front end that each configuration describes."""


def build_front(config: Any) -> nn.Module:  # noqa: ANN401 - any of the keys above
    """Return the untrained front end; weights come from torch's random state."""
    if type(config) not in FRONTS:
        names = sorted(kind.__name__ for kind in FRONTS)
        raise ValueError(
            f"expected the configuration of a front end out of {names}, got {type(config).__name__}"
        )
    return FRONTS[type(config)](config)
