"""Shapes of hierarchical slow feature analysis."""

from dataclasses import dataclass

from .slow_features import Covariance


@dataclass(frozen=True, kw_only=True)
class NodeConfig:
    """What a node does: linear slow features, their monomials, slow features of those."""

    inputs: int | None = 32
    """Linear slow features of what the node sees, which are expanded; None: as many as it has
    rank."""
    outputs: int = 32
    """Slow features of the expanded ones."""
    degree: int = 2
    noise_variance: float = 0.0
    """Of white noise that is added to the expanded features, in expectation. It keeps the next
    layer from amplifying directions that carry hardly any variance."""

    def __post_init__(self) -> None:
        """Refuse nodes without features."""
        if (self.inputs is not None and self.inputs < 1) or self.outputs < 1 or self.degree < 1:
            raise ValueError(f"expected at least 1 input, output and degree, got {self}")
        if self.noise_variance < 0:
            raise ValueError(f"expected a noise variance of at least 0, got {self.noise_variance}")


@dataclass(frozen=True, kw_only=True)
class LayerConfig:
    """Nodes that look at overlapping patches of the layer below."""

    patch_rowcol: tuple[int, int]
    """Rows and columns that a node sees."""
    stride_rowcol: tuple[int, int]
    """Rows and columns from node to node."""
    node: NodeConfig = NodeConfig()
    shared: bool = True
    """One node, trained on all patches and applied to all; otherwise one for each place."""

    def __post_init__(self) -> None:
        """Refuse patches and strides of nothing."""
        if min(*self.patch_rowcol, *self.stride_rowcol) < 1:
            raise ValueError(f"expected patches and strides of at least 1, got {self}")

    def grid(self, rows: int, columns: int) -> tuple[int, int]:
        """Return rows and columns of nodes over so many rows and columns.

        Raises:
            ValueError: a patch is larger than that, or patches do not reach the far edges.
        """
        across = zip((rows, columns), self.patch_rowcol, self.stride_rowcol, strict=True)
        sizes = []
        for size, patch, stride in across:
            if size < patch or (size - patch) % stride:
                raise ValueError(
                    f"expected patches {self.patch_rowcol} at strides {self.stride_rowcol} to "
                    f"cover {(rows, columns)} rows and columns exactly; change the patch, the "
                    "stride or the size of the pictures"
                )
            sizes.append((size - patch) // stride + 1)
        return sizes[0], sizes[1]


@dataclass(frozen=True, kw_only=True)
class HierarchyConfig:
    """Layers of nodes, and a top node that sees the whole last layer."""

    layers: tuple[LayerConfig, ...]
    top: NodeConfig = NodeConfig()
    covariance: Covariance = "within"
    rank_tolerance: float = 1e-7
    """Directions whose variance is below this share of a node's largest are dropped."""

    def __post_init__(self) -> None:
        """Refuse hierarchies without a layer."""
        if not self.layers:
            raise ValueError("expected at least one layer below the top node, got none")

    def grids(self, height: int, width: int) -> list[tuple[int, int]]:
        """Return rows and columns of nodes of every layer over pictures of that size."""
        found = []
        for layer in self.layers:
            height, width = layer.grid(height, width)
            found.append((height, width))
        return found


def panorama_hierarchy(*, outputs: int = 32) -> HierarchyConfig:
    """Return the shape that RatLab (version 3) has for panoramas of 40 rows and 320 columns.

    63 x 9 nodes of 10 x 8 pixels every 5 x 4, 8 x 2 nodes of 14 x 6 nodes every 7 x 3 (columns x
    rows), and a top node; in each 32 slow features, quadratic, noise of variance 0.05, 32 slow
    features. Franzius, Sprekeler & Wiskott 2007, doi 10.1371/journal.pcbi.0030166.
    """
    node = NodeConfig(inputs=32, outputs=32, noise_variance=0.05)
    return HierarchyConfig(
        layers=(
            LayerConfig(patch_rowcol=(8, 10), stride_rowcol=(4, 5), node=node),
            LayerConfig(patch_rowcol=(6, 14), stride_rowcol=(3, 7), node=node),
        ),
        top=NodeConfig(inputs=32, outputs=outputs, noise_variance=0.05),
        covariance="total",
    )
