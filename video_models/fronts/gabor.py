"""Quadrature pairs of Gabor filters, and the closed forms of their size.

A filter's carrier runs along its ``angle_rad``, from x (right) towards y (down): at 0 it answers
vertical bars. ``f`` is in cycles per pixel; sigmas are of the Gaussian envelope along and across
the carrier.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class GaborShape:
    """Filters that share a frequency and an envelope."""

    frequency: float
    """Cycles per pixel."""
    sigma_along_px: float
    sigma_across_px: float
    size_px: int
    """Height and width of the filter; odd."""


def sigma_along_px(frequency: float, bandwidth_octaves: float) -> float:
    """Return the envelope for a full bandwidth at half amplitude.

    A Gabor's amplitude falls to one half at ``f +- sqrt(ln 2 / 2) / (pi sigma)``, so
    ``sigma f = sqrt(ln 2 / 2) / pi * (2^b + 1) / (2^b - 1)``.
    """
    ratio = 2**bandwidth_octaves
    return math.sqrt(math.log(2) / 2) / math.pi * (ratio + 1) / (ratio - 1) / frequency


def sigma_across_px(frequency: float, bandwidth_rad: float) -> float:
    """Return the envelope for a full orientation bandwidth at half amplitude.

    At half amplitude the frequency across the carrier is ``sqrt(ln 2 / 2) / (pi sigma)``, and its
    ratio to ``f`` is taken as the tangent of half the bandwidth.
    """
    return math.sqrt(math.log(2) / 2) / math.pi / math.tan(bandwidth_rad / 2) / frequency


def size_px(sigma_px: float, *, sigmas: float = 3.0) -> int:
    """Return the odd size that reaches ``sigmas`` standard deviations on each side."""
    return 2 * math.ceil(sigmas * sigma_px) + 1


def gabor_pairs(
    shape: GaborShape, angles_rad: Sequence[float]
) -> Float[Tensor, "angle 2 size size"]:
    """Return cosine and sine filters in double precision.

    Each filter's mean is taken off: it answers 0 to a uniform field. The pair's amplitude is 1 for
    a grating of amplitude 1 at its frequency and angle.
    """
    half = shape.size_px // 2
    offsets = torch.arange(-half, half + 1, dtype=torch.float64)
    y, x = torch.meshgrid(offsets, offsets, indexing="ij")
    angles = torch.tensor(list(angles_rad), dtype=torch.float64).view(-1, 1, 1)
    along, across = x * angles.cos() + y * angles.sin(), y * angles.cos() - x * angles.sin()
    envelope = torch.exp(
        -(along / shape.sigma_along_px).square() / 2 - (across / shape.sigma_across_px).square() / 2
    )
    envelope = 2 * envelope / envelope.sum(dim=(1, 2), keepdim=True)
    phase = 2 * math.pi * shape.frequency * along
    return zero_mean(torch.stack([envelope * phase.cos(), envelope * phase.sin()], dim=1))


def zero_mean(taps: Tensor) -> Tensor:
    """Return filters ``[.., rows, columns]`` without their mean."""
    return taps - taps.mean(dim=(-2, -1), keepdim=True)


class GaborPairs(nn.Module):
    """Filters of several frequencies, each at several angles, as one convolution a frequency."""

    def __init__(
        self, shapes: Sequence[GaborShape], angles_rad: Sequence[float], *, learnable: bool
    ) -> None:
        """Start at the Gabors; learnable filters keep zero mean and nothing else."""
        super().__init__()
        self.shapes, self.angles = tuple(shapes), len(angles_rad)
        for i, shape in enumerate(self.shapes):
            taps = gabor_pairs(shape, angles_rad).float()
            if learnable:
                self.register_parameter(f"taps{i}", nn.Parameter(taps))
            else:
                self.register_buffer(f"taps{i}", taps)

    def forward(
        self,
        images: Float[Tensor, "image height width"],
        *,
        stride: int = 1,
        beyond_px: int = 0,
    ) -> Float[Tensor, "image frequency angle 2 rows columns"]:
        """Return the answers of the pairs; beyond its edge an image goes on as at it.

        Args:
            images: any range, in at least single precision.
            stride: rows and columns between answers.
            beyond_px: further columns on the left and the right that are answered too.
        """
        answers = [
            self._answers(images, i, stride=stride, beyond_px=beyond_px)
            for i in range(len(self.shapes))
        ]
        return torch.stack(answers, dim=1).unflatten(2, (self.angles, 2))

    def taps(self, index: int) -> Float[Tensor, "angle 2 size size"]:
        """Return the filters of a frequency."""
        return zero_mean(getattr(self, f"taps{index}"))

    def _answers(self, images: Tensor, index: int, *, stride: int, beyond_px: int) -> Tensor:
        taps = self.taps(index).flatten(0, 1).unsqueeze(1).to(images.dtype)
        half = taps.shape[-1] // 2
        wide = half + beyond_px
        padded = F.pad(images.unsqueeze(1), (wide, wide, half, half), mode="replicate")
        return F.conv2d(padded, taps, stride=stride).to(images.dtype)
