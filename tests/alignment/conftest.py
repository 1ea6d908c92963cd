import numpy as np
import pytest
import torch
from merkwelt.alignment import HumanMaps
from merkwelt.video_models.encoder import Features
from torch import nn


class EnergyEncoder(nn.Module):
    """Pooled features: half the squared pixel values, so the gradient is the clip itself."""

    eyes = 2

    def forward(self, clips: torch.Tensor) -> Features:
        energy = (clips**2).sum(dim=(1, 3, 4, 5))[:, :, None] / 2
        return Features(maps={}, pooled=energy)


class SmallNet(nn.Module):
    """A small smooth video network over two eyes with batch norm, to see evaluation mode."""

    eyes = 2

    def __init__(self, seed: int = 0, channels: int = 6) -> None:
        super().__init__()
        self.conv = nn.Conv3d(6, channels, 3, padding=1)
        self.norm = nn.BatchNorm3d(channels)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.conv.parameters():
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))

    def forward(self, clips: torch.Tensor) -> Features:
        stereo = clips.permute(0, 1, 3, 2, 4, 5).flatten(1, 2)
        maps = torch.tanh(self.norm(self.conv(stereo)))
        return Features(maps={"conv": maps}, pooled=maps.mean(dim=(-2, -1)).transpose(1, 2))


@pytest.fixture
def energy_encoder() -> EnergyEncoder:
    return EnergyEncoder()


@pytest.fixture
def small_net() -> SmallNet:
    return SmallNet()


@pytest.fixture
def untrained_net() -> SmallNet:
    return SmallNet(seed=1)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 12, 12, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def toy_maps() -> HumanMaps:
    """Six images whose maps are their largest channel, which the energy encoder's saliency is."""
    pictures = np.random.default_rng(0).integers(1, 255, (6, 16, 16, 3)).astype(np.uint8)
    return HumanMaps(
        images=pictures,
        maps=pictures.max(axis=3).astype(np.float32),
        names=tuple(f"picture {i}" for i in range(6)),
        labels=("a", "a", "b", "b", "b", "c"),
        kind="toy maps",
        are_human=True,
        source="test",
        licence="CC0-1.0",
    )
