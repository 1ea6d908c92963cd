"""A front end with the constraints of primary visual cortex: a fixed bank of Gabor filters."""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from .colour import colour_channels, require_colours
from .front import clips_of_frames, frames_of_eyes, require_front
from .gabor import GaborPairs, GaborShape, sigma_across_px, sigma_along_px, size_px

FULL_CONTRAST = 2.0
"""A grating between 0 and 1 has amplitude one half; its answer is to be 1."""

ROUND_ZERO = 1e-4
"""Energies are rounded off here so that their root has a slope at 0."""


@dataclass(frozen=True, kw_only=True)
class GaborBankConfig:
    """Settings of ``GaborBank``."""

    eyes: int = 2
    image_channels: int = 3
    orientations: int = 4
    """Spread over half a turn, from vertical bars on; see ``cardinal_bias``."""
    frequencies: int = 3
    """Peak frequencies: quantiles of a log-normal distribution."""
    median_frequency: float = 0.15
    """Median peak frequency, cycles per pixel. Cells have theirs in cycles per degree, and what a
    pixel is worth depends on the camera; only the shape of the distribution is theirs."""
    spread_octaves: float = 1.0
    """Standard deviation of the peaks. At one eccentricity of macaque V1 they cover a wide range
    (De Valois, Albrecht & Thorell 1982, Vision Research 22:545, source); that most lie within an
    octave of the median is recalled."""
    bandwidth_octaves: float = 1.4
    """Full bandwidth at half amplitude; the median of the same paper (recalled)."""
    bandwidth_deg: float = 40.0
    """Full orientation bandwidth at half amplitude: median near 40 degrees (De Valois, Yund &
    Hepler 1982, Vision Research 22:531, source)."""
    cardinal_bias: float = 0.25
    """Orientations have the density ``1 + bias cos(4 angle)``. That foveal cells prefer horizontal
    and vertical is in the same paper (source); how much is recalled."""
    simple_phases: int = 4
    """Simple cells at each frequency and orientation, their phases spread over a turn."""
    ocular_dominance: tuple[float, ...] = (-1.0, 0.0, 1.0)
    """With two eyes there is a bank for each: -1 is driven by the left eye alone, 1 by the right
    eye alone, 0 by both alike (the groups of Hubel & Wiesel 1962)."""
    normalise: bool = True
    """Divide by the energy of all orientations and frequencies at the place (Heeger 1992)."""
    semi_saturation: float = 0.1
    """Contrast at which normalisation sets in."""
    spikes: float | None = None
    """Spikes that a response of 1 stands for. While training, responses then vary as counts do:
    noise with the variance of the mean. None adds no noise."""
    stride_px: int = 2
    """Rows and columns between the places that have cells."""
    learnable: bool = False
    """Learn the filters, starting from the Gabors."""

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        require_front(self, eyes=(1, 2))
        require_colours(self.image_channels, "grey")
        counts = ("orientations", "frequencies", "simple_phases", "stride_px")
        few = [name for name in counts if getattr(self, name) < 1]
        if few:
            raise ValueError(f"expected at least 1 for {', '.join(few)}, got {self}")
        positive = ("median_frequency", "bandwidth_octaves", "bandwidth_deg", "semi_saturation")
        low = [name for name in positive if getattr(self, name) <= 0]
        if low or self.spread_octaves < 0 or (self.spikes is not None and self.spikes <= 0):
            raise ValueError(
                f"expected {', '.join(low) or 'spread_octaves and spikes'} above 0, got {self}"
            )
        if not 0 <= self.cardinal_bias < 1 or self.bandwidth_deg >= 180:
            raise ValueError(
                "expected cardinal_bias in [0, 1) and bandwidth_deg below 180, got "
                f"{self.cardinal_bias} and {self.bandwidth_deg}"
            )
        if not self.ocular_dominance or max(map(abs, self.ocular_dominance)) > 1:
            raise ValueError(f"expected ocular dominances in [-1, 1], got {self.ocular_dominance}")
        if max(self.peak_frequencies()) > 0.5:
            raise ValueError(
                "expected peak frequencies of at most 0.5 cycles per pixel, got "
                f"{max(self.peak_frequencies()):.3g}; lower median_frequency or spread_octaves"
            )

    @property
    def banks(self) -> int:
        """Groups of cells that the eyes drive alike."""
        return len(self.ocular_dominance) if self.eyes == 2 else 1

    @property
    def out_channels(self) -> int:
        """Channels of what comes out."""
        filters = self.orientations * self.frequencies
        return self.banks * filters * (self.simple_phases + 1)

    def peak_frequencies(self) -> tuple[float, ...]:
        """Return peak frequencies, cycles per pixel: the middles of equally likely ranges."""
        normal = NormalDist()
        shares = [(i + 0.5) / self.frequencies for i in range(self.frequencies)]
        octaves = [self.spread_octaves * normal.inv_cdf(each) for each in shares]
        return tuple(self.median_frequency * 2**each for each in octaves)

    def angles_rad(self) -> tuple[float, ...]:
        """Return the directions of the carriers; 0 answers vertical bars."""
        angle = np.linspace(0, math.pi, 1441)
        share = (angle + self.cardinal_bias * np.sin(4 * angle) / 4) / math.pi
        wanted = np.arange(self.orientations) / self.orientations
        return tuple(float(each) for each in np.interp(wanted, share, angle))

    def shapes(self) -> tuple[GaborShape, ...]:
        """Return the filters of each frequency."""
        shapes = []
        for frequency in self.peak_frequencies():
            along = sigma_along_px(frequency, self.bandwidth_octaves)
            across = sigma_across_px(frequency, math.radians(self.bandwidth_deg))
            size = size_px(max(along, across))
            shapes.append(
                GaborShape(
                    frequency=frequency,
                    sigma_along_px=along,
                    sigma_across_px=across,
                    size_px=size,
                )
            )
        return tuple(shapes)


class GaborBank(nn.Module):
    """Simple and complex cells of primary visual cortex, over a picture's grey.

    Simple cells are half-rectified Gabor filters; complex cells are the amplitude of a quadrature
    pair (Adelson & Bergen 1985). A grating of full contrast gives 1 at the cell that it suits.
    Normalised cells are divided by ``sqrt(semi_saturation^2 + sum of energies)``, the energies of
    all orientations and frequencies at that place (after Heeger 1992, with rectified and not
    squared cells), and lie in [0, 1].

    Channels: ocular dominance, frequency, orientation, then the simple cells and the complex cell
    (fastest).
    """

    eye_weights: Tensor
    turns: Tensor

    def __init__(self, config: GaborBankConfig) -> None:
        """Build the filters; nothing is random."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        self.pairs = GaborPairs(config.shapes(), config.angles_rad(), learnable=config.learnable)
        self.register_buffer("eye_weights", _eye_weights(config), persistent=False)
        turn = 2 * math.pi * torch.arange(config.simple_phases) / config.simple_phases
        self.register_buffer("turns", torch.stack([turn.cos(), turn.sin()]), persistent=False)

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch 1 time out_channel rows columns"]:
        """Return the responses of all cells; in training with noise, if there is to be any.

        Noise is drawn from torch's current random state.
        """
        frames = frames_of_eyes(clips, self.config)
        responses = self.responses(frames)
        if self.training and self.config.spikes is not None:
            spread = (responses.clamp_min(0) / self.config.spikes + ROUND_ZERO**2).sqrt()
            responses = responses + spread * torch.randn_like(responses)
        return clips_of_frames(responses.flatten(1, 4), len(clips))

    def responses(
        self, frames: Float[Tensor, "eye frame channel height width"]
    ) -> Float[Tensor, "frame bank frequency orientation cell rows columns"]:
        """Return the responses without noise: simple cells by phase, then the complex cell."""
        eyes, count = frames.shape[:2]
        grey = colour_channels(frames.flatten(0, 1), "grey")[:, 0]
        answers = self.pairs(grey, stride=self.config.stride_px).unflatten(0, (eyes, count))
        weights = FULL_CONTRAST * self.eye_weights.to(answers.dtype)
        # Not a matrix product, which autocast would round to 8 bits.
        driven = torch.stack(
            [(bank.view(-1, *[1] * 6) * answers).sum(dim=0) for bank in weights], dim=1
        )
        cosine, sine = driven.unbind(dim=4)
        energy = cosine.square() + sine.square()
        complex_cell = (energy + ROUND_ZERO**2).sqrt() - ROUND_ZERO
        even, odd = self.turns.to(answers.dtype)
        turned = [c * cosine - s * sine for c, s in zip(even, odd, strict=True)]
        simple = F.relu(torch.stack(turned, dim=4))
        cells = torch.cat([simple, complex_cell.unsqueeze(4)], dim=4)
        if not self.config.normalise:
            return cells
        around = energy.sum(dim=(2, 3), keepdim=True).unsqueeze(4)
        return cells * (around + self.config.semi_saturation**2).rsqrt()


def _eye_weights(config: GaborBankConfig) -> Float[Tensor, "bank eye"]:
    """Return how strongly each eye drives each bank."""
    if config.eyes == 1:
        return torch.ones(1, 1)
    dominance = torch.tensor(config.ocular_dominance)
    return torch.stack([(1 - dominance) / 2, (1 + dominance) / 2], dim=1)
