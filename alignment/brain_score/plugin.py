"""What a Brain-Score plug-in says of a model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..prepare import Preparation

REGIONS = ("V1", "V2", "V4", "IT")
Kind = Literal["video", "image"]
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A model for Brain-Score: how it is called, what is read of it, and what it is shown."""

    identifier: str
    """Name in Brain-Score's registry and of the plug-in's folder, a Python package."""
    kind: Kind
    layers: tuple[str, ...]
    """Names of modules whose outputs are activations, shallow to deep."""
    formats: Mapping[str, str] = field(default_factory=dict)
    """Axes of each layer's activation without the batch, of letters C T H W; videos only."""
    regions: Mapping[str, str]
    """Region of the visual cortex to the layer that stands for it. Explicit, or Brain-Score fetches
    public benchmarks to choose layers."""
    preparation: Preparation
    frames: int
    """Of a video, or for which a picture stands still."""
    fps: float = 25.0
    """Frames a second that videos are brought to."""
    loader: str
    """``module:function`` that returns the encoder from the plug-in's folder."""
    source: str
    """What the model is, in words."""

    def __post_init__(self) -> None:
        """Refuse what Brain-Score could not use."""
        if not _IDENTIFIER.fullmatch(self.identifier):
            raise ValueError(
                f"expected an identifier of letters, digits and _, a letter first, as it names a "
                f"Python package; got {self.identifier!r}"
            )
        if not self.layers or self.frames < 1 or not self.fps > 0:
            raise ValueError(
                f"expected at least one layer and frame, and a frame rate above 0, got "
                f"{len(self.layers)} layers, {self.frames} frames and {self.fps} a second"
            )
        lost = {region: layer for region, layer in self.regions.items() if layer not in self.layers}
        if lost:
            raise ValueError(
                f"expected regions to name layers out of {', '.join(self.layers)}, got "
                + ", ".join(f"{region}={layer}" for region, layer in lost.items())
            )
        if self.kind == "video" and set(self.formats) != set(self.layers):
            raise ValueError("expected the format of each layer of a video model, and of no other")


def regions_by_depth(layers: Sequence[str]) -> dict[str, str]:
    """Return the cortical regions laid out evenly over layers, shallow to deep.

    A guess: which layer stands for which region is measured by fitting neural data. Fewer layers
    than regions stand for several.
    """
    last = len(layers) - 1
    steps = len(REGIONS) - 1
    return {region: layers[round(i * last / steps)] for i, region in enumerate(REGIONS)}


def identifier_of(name: str) -> str:
    """Return a name as an identifier: other characters become ``_``."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_")
    return plain if plain[:1].isalpha() else f"model_{plain}"
