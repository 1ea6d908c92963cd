"""Numbers as classes: soft targets for a softmax, and back; on a line or on a circle."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Classes of equal width between two numbers; on a circle the last is beside the first."""

    low: float
    high: float
    count: int
    circular: bool

    @property
    def width(self) -> float:
        """Width of a class."""
        return (self.high - self.low) / self.count

    def classes(self, values: Float[Tensor, "..."]) -> Int[Tensor, "..."]:
        """Return the class of each value; on a line, values beyond an end belong to its class."""
        places = ((values - self.low) / self.width).floor().long()
        return places % self.count if self.circular else places.clamp(0, self.count - 1)

    def centres(self, like: Tensor) -> Float[Tensor, " class"]:
        """Return the middle of each class."""
        numbers = torch.arange(self.count, dtype=torch.float32, device=like.device)
        return self.low + (numbers + 0.5) * self.width

    def targets(
        self, values: Float[Tensor, "*shape"], *, smoothing_bins: float
    ) -> Float[Tensor, "*shape class"]:
        """Return the probabilities that the softmax is to give to the classes.

        Proportional to ``exp(-(d / smoothing_bins)^2 / 2)``, with d the distance in classes of the
        value from a class's middle, around the circle where there is one (a wrapped normal, which
        for so narrow ones is a von Mises distribution). 0 puts all on the class of the value.
        """
        if smoothing_bins == 0:
            return torch.nn.functional.one_hot(self.classes(values), self.count).float()
        within = values if self.circular else values.clamp(self.low, self.high)
        distance = (within.float().unsqueeze(-1) - self.centres(values)) / self.width
        if self.circular:
            distance = (distance + self.count / 2) % self.count - self.count / 2
        return (-0.5 * (distance / smoothing_bins).square()).softmax(dim=-1)

    def decode(self, shares: Float[Tensor, "*shape class"]) -> Float[Tensor, "*shape"]:
        """Return the mean of the probabilities of the classes, on a circle their mean direction."""
        centres = self.centres(shares)
        if not self.circular:
            return (shares * centres).sum(dim=-1)
        scale = 2 * math.pi / (self.high - self.low)
        angles = (centres - self.low) * scale
        sine, cosine = ((shares * f(angles)).sum(dim=-1) for f in (torch.sin, torch.cos))
        return self.low + torch.atan2(sine, cosine).remainder(2 * math.pi) / scale


def circle_distance(
    one: Float[Tensor, "*shape"], other: Float[Tensor, "*shape"]
) -> Float[Tensor, "*shape"]:
    """Return the angle in [0, pi] between two angles in radians."""
    return ((one - other + math.pi).remainder(2 * math.pi) - math.pi).abs()
