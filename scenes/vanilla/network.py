"""One network of a vanilla NeRF (Mildenhall et al. 2020, figure 7), of any depth and width.

Weights by name: ``trunk.0`` .. (encoded position to hidden; a layer that is as much wider as the
encoded position is fed it again, after the hidden values), ``density`` (hidden to one value), and,
with view directions, ``feature`` and ``view.0`` .. (feature and encoded direction to hidden);
``colour`` (hidden to three). Each has a ``.weight`` and a ``.bias``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from .positional_encoding import EncodingConfig

POINTS_PER_BLOCK = 1 << 14
"""Few enough that a layer's output stays in the processor's cache."""


@dataclass(frozen=True, kw_only=True)
class Wiring:
    """What the weights' shapes do not say."""

    position: EncodingConfig
    direction: EncodingConfig | None
    """None: colour does not depend on the direction of view."""
    activates_first: bool = True
    """Whether a ReLU follows the first layer, as in the paper."""
    activates_feature: bool = False
    """Whether a ReLU follows the feature layer; the paper has none there."""


class RadianceNetwork:
    """Density and colour from encoded points."""

    def __init__(self, wiring: Wiring, weights: Mapping[str, Tensor], name: str) -> None:
        """Take the weights that belong to the network ``name``; checks that they fit together.

        Raises:
            ValueError: a weight is missing or does not fit; says which, expected and found.
        """
        prefix = f"{name}."
        own = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        self.wiring, self.weights, self.name = wiring, own, name
        self.depth = _count(own, "trunk")
        self.view_depth = _count(own, "view")
        self._check()

    @property
    def width(self) -> int:
        """Hidden values of the trunk."""
        return self.weights["trunk.0.weight"].shape[0]

    def density(self, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` at positions ``[n, 3]``."""
        parts = [self._density(self._trunk(part)) for part in positions.split(POINTS_PER_BLOCK)]
        return torch.cat(parts) if parts else positions.new_zeros(0)

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities ``[n]`` and colours ``[n, 3]``; black where there is no matter."""
        density, rgb = positions.new_zeros(len(positions)), torch.zeros_like(positions)
        for start in range(0, len(positions), POINTS_PER_BLOCK):
            part = slice(start, start + POINTS_PER_BLOCK)
            hidden = self._trunk(positions[part])
            density[part] = self._density(hidden)
            seen = (density[part] > 0).nonzero()[:, 0]
            rgb[start + seen] = self._colour(hidden[seen], directions[part][seen])
        return density, rgb

    def _trunk(self, positions: Tensor) -> Tensor:
        encoded = self.wiring.position.encode(positions)
        hidden = self._linear("trunk.0", encoded)
        if self.wiring.activates_first:
            hidden = torch.relu_(hidden)
        for layer in range(1, self.depth):
            if self.weights[f"trunk.{layer}.weight"].shape[1] > self.width:
                hidden = torch.cat([hidden, encoded], dim=-1)
            hidden = torch.relu_(self._linear(f"trunk.{layer}", hidden))
        return hidden

    def _density(self, hidden: Tensor) -> Tensor:
        return torch.relu_(self._linear("density", hidden)[:, 0])

    def _colour(self, hidden: Tensor, directions: Tensor) -> Tensor:
        if self.wiring.direction is not None:
            hidden = self._linear("feature", hidden)
            if self.wiring.activates_feature:
                hidden = torch.relu_(hidden)
            hidden = torch.cat([hidden, self.wiring.direction.encode(directions)], dim=-1)
            for layer in range(self.view_depth):
                hidden = torch.relu_(self._linear(f"view.{layer}", hidden))
        return torch.sigmoid_(self._linear("colour", hidden))

    def _linear(self, name: str, values: Tensor) -> Tensor:
        return torch.addmm(self.weights[f"{name}.bias"], values, self.weights[f"{name}.weight"].T)

    def _check(self) -> None:
        if not self.depth:
            raise ValueError(f"the {self.name} network of the NeRF has no layer 'trunk.0'")
        encoded, width = self.wiring.position.size, self.width
        inputs: dict[str, tuple[int, ...]] = {"trunk.0": (encoded,), "density": (width,)}
        for layer in range(1, self.depth):
            inputs[f"trunk.{layer}"] = (width, width + encoded)
        outputs = {"density": 1, "colour": 3} | {f"trunk.{i}": width for i in range(self.depth)}
        before = width
        if self.wiring.direction is not None:
            inputs["feature"] = (width,)
            before = self._output("feature") + self.wiring.direction.size
        for layer in range(self.view_depth):
            inputs[f"view.{layer}"] = (before,)
            before = self._output(f"view.{layer}")
        inputs["colour"] = (before,)
        for name, wanted in inputs.items():
            self._check_layer(name, wanted, outputs.get(name))

    def _output(self, name: str) -> int:
        weight = self.weights.get(f"{name}.weight")
        return weight.shape[0] if weight is not None and weight.ndim == 2 else 0

    def _check_layer(self, name: str, inputs: tuple[int, ...], output: int | None) -> None:
        where = f"the {self.name} network of the NeRF"
        for part in ("weight", "bias"):
            if f"{name}.{part}" not in self.weights:
                raise ValueError(
                    f"{where}: '{name}.{part}' is missing, found {sorted(self.weights)}"
                )
            if not bool(torch.isfinite(self.weights[f"{name}.{part}"]).all()):
                raise ValueError(f"{where}: '{name}.{part}' holds NaN or Inf")
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        fits = weight.ndim == 2 and weight.shape[1] in inputs and bias.shape == weight.shape[:1]
        if not fits or (output is not None and weight.shape[0] != output):
            raise ValueError(
                f"{where}: expected '{name}.weight' [{output or 'any'}, "
                f"{' or '.join(map(str, inputs))}] and a bias that fits it, found "
                f"{list(weight.shape)} and {list(bias.shape)}"
            )


def _count(weights: Mapping[str, Tensor], name: str) -> int:
    count = 0
    while f"{name}.{count}.weight" in weights:
        count += 1
    return count
