"""The protocol of a radiance field: all that a renderer knows about what it renders."""

from typing import Literal, Protocol, runtime_checkable

from torch import Tensor

Background = Literal["black", "white", "last_sample"]


@runtime_checkable
class Field(Protocol):
    """Density and colour at points in the field's own coordinates."""

    background: Background
    """What shows behind the last sample: a colour, or the last sample's own colour."""

    def density(self, positions: Tensor) -> Tensor:
        """Return densities ``[n]`` (per field unit of length) at positions ``[n, 3]``."""
        ...

    def radiance(self, positions: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Return densities ``[n]`` and colours ``[n, 3]`` in [0, 1] at positions ``[n, 3]``.

        ``directions`` ``[n, 3]`` are unit vectors from the eye outwards, in field coordinates.
        """
        ...

    def sample_edges(self, origins: Tensor, directions: Tensor) -> Tensor:
        """Return where to look along each ray: edges ``[n, k + 1]`` of k adjoining intervals.

        Edges are distances from the origin in field units, ascending. A field places its samples
        itself because its picture depends on them (nerfacto's proposal networks), or because it
        knows where its matter is.
        """
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights that a scene folder must store, by name."""
        ...
