"""Hierarchical slow feature analysis of video (Franzius, Sprekeler & Wiskott 2007).

Nodes see small patches that overlap, and do linear slow feature analysis, expansion, and slow
feature analysis again; the next layer's nodes see patches of those features. Degrees of polynomials
multiply from layer to layer, while no node has many inputs.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .clip_signals import Pairs
from .expanded import ExpandedConfig, ExpandedFeatures, fit_expanded_sfa
from .hierarchy_config import HierarchyConfig, LayerConfig, NodeConfig
from .storage import load_arrays, save_arrays

KIND = "hierarchical slow features"
FRAMES_AT_ONCE = 256

Nodes = tuple[ExpandedFeatures, ...]
"""One for each place of a layer, row by row, or a single one for all."""


@dataclass(frozen=True, kw_only=True)
class HierarchicalFeatures:
    """A hierarchy of nodes, fitted to pictures of one size."""

    config: HierarchyConfig
    picture_shape: tuple[int, int, int]
    """Height, width and channels."""
    layers: tuple[Nodes, ...]
    top: ExpandedFeatures

    def __call__(self, clips: np.ndarray) -> np.ndarray:
        """Return slow features ``[clip, time, feature]``, the slowest first.

        Args:
            clips: ``[clip, time, height, width]`` or ``[clip, time, channel, height, width]``.
        """
        pictures = pictures_of(clips)
        if pictures.shape[2:] != self.picture_shape:
            raise ValueError(
                f"expected pictures of height, width and channels {self.picture_shape}, as fitted "
                f"to, got {pictures.shape[2:]}"
            )
        return np.stack([self._of_clip(clip) for clip in pictures])

    def _of_clip(self, pictures: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(pictures), FRAMES_AT_ONCE):
            maps = pictures[start : start + FRAMES_AT_ONCE]
            for layer, nodes in zip(self.config.layers, self.layers, strict=True):
                maps = apply_layer(maps, layer, nodes)
            parts.append(self.top(maps.reshape(len(maps), -1)))
        return np.concatenate(parts)

    @property
    def delta(self) -> np.ndarray:
        """``[feature]``: mean squared change from frame to frame at unit variance, ascending."""
        return self.top.delta

    def eta_hz(self, frame_rate_hz: float) -> np.ndarray:
        """Return the speed of every feature in Hz."""
        return self.top.eta_hz(frame_rate_hz)

    def save(self, path: Path | str) -> None:
        """Write the hierarchy to a safetensors file."""
        arrays = self.top.arrays("top.")
        for depth, nodes in enumerate(self.layers):
            for place, node in enumerate(nodes):
                arrays |= node.arrays(f"{depth}.{place}.")
        settings = {"config": asdict(self.config), "picture_shape": self.picture_shape}
        save_arrays(path, KIND, arrays, settings)

    @classmethod
    def load(cls, path: Path | str) -> "HierarchicalFeatures":
        """Return the hierarchy that ``save`` wrote.

        Raises:
            ValueError: the file holds something else.
        """
        arrays, settings = load_arrays(path, KIND)
        config = _config_of(settings["config"])
        height, width, channels = settings["picture_shape"]
        layers = []
        for depth, (layer, (rows, columns)) in enumerate(
            zip(config.layers, config.grids(height, width), strict=True)
        ):
            degree = {"degree": layer.node.degree}
            places = 1 if layer.shared else rows * columns
            layers.append(
                tuple(
                    ExpandedFeatures.of_arrays(arrays, degree, f"{depth}.{place}.")
                    for place in range(places)
                )
            )
        return cls(
            config=config,
            picture_shape=(height, width, channels),
            layers=tuple(layers),
            top=ExpandedFeatures.of_arrays(arrays, {"degree": config.top.degree}, "top."),
        )


def fit_hierarchical_sfa(
    clips: np.ndarray, config: HierarchyConfig, *, valid_pairs: Pairs = None
) -> HierarchicalFeatures:
    """Return a hierarchy of slow features, fitted layer by layer.

    What a layer makes of all clips is held in memory in float32, and one layer of it at a time.

    Args:
        clips: ``[clip, time, height, width]`` or ``[clip, time, channel, height, width]``, of any
            type of number; may be memory-mapped.
        config: the layers; see ``panorama_hierarchy`` for one.
        valid_pairs: for each clip bool ``[time - 1]``, which neighbours may be compared.
    """
    maps = pictures_of(clips)
    shape = maps.shape[2], maps.shape[3], maps.shape[4]
    config.grids(*shape[:2])
    fitted: list[Nodes] = []
    for layer in config.layers:
        nodes = fit_layer(maps, layer, config, valid_pairs)
        fitted.append(nodes)
        maps = np.stack([_applied(clip, layer, nodes) for clip in maps])
    whole = [clip.reshape(len(clip), -1) for clip in maps]
    top = fit_expanded_sfa(whole, _node(config.top, config), valid_pairs=valid_pairs)
    return HierarchicalFeatures(config=config, picture_shape=shape, layers=tuple(fitted), top=top)


def fit_layer(
    maps: np.ndarray, layer: LayerConfig, config: HierarchyConfig, valid_pairs: Pairs = None
) -> Nodes:
    """Return the nodes of a layer over maps ``[clip, time, row, column, feature]``."""
    rows, columns = layer.grid(*maps.shape[2:4])
    node = _node(layer.node, config)
    places = [(row, column) for row in range(rows) for column in range(columns)]
    if layer.shared:
        series = [Patch.at(clip, layer, place) for clip in maps for place in places]
        pairs = None if valid_pairs is None else [p for p in valid_pairs for _ in places]
        return (fit_expanded_sfa(series, node, valid_pairs=pairs),)
    return tuple(
        fit_expanded_sfa(
            [Patch.at(clip, layer, place) for clip in maps], node, valid_pairs=valid_pairs
        )
        for place in places
    )


def apply_layer(maps: np.ndarray, layer: LayerConfig, nodes: Nodes) -> np.ndarray:
    """Return a layer's features, float32 ``[time, row, column, feature]``, of the maps below it."""
    rows, columns = layer.grid(*maps.shape[1:3])
    out = np.empty((len(maps), rows, columns, len(nodes[0].delta)), dtype=np.float32)
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        patch = Patch.at(maps, layer, (row, column))[:]
        out[:, row, column] = nodes[place if len(nodes) > 1 else 0](patch)
    return out


def pictures_of(clips: np.ndarray) -> np.ndarray:
    """Return ``[clip, time, height, width, channel]`` of clips with or without channels."""
    if clips.ndim not in (4, 5):
        raise ValueError(
            "expected clips of [clip, time, height, width] or [clip, time, channel, height, width]"
            f", got {list(clips.shape)}"
        )
    return clips[..., None] if clips.ndim == 4 else np.moveaxis(clips, 2, -1)


@dataclass(frozen=True, kw_only=True)
class Patch:
    """What a node sees of a clip ``[time, row, column, feature]``, read slice by slice."""

    clip: np.ndarray
    rows: slice
    columns: slice

    @classmethod
    def at(cls, clip: np.ndarray, layer: LayerConfig, place: tuple[int, int]) -> "Patch":
        """Return the patch of the node at row and column ``place``."""
        (tall, wide), (down, along) = layer.patch_rowcol, layer.stride_rowcol
        top, left = place[0] * down, place[1] * along
        return cls(clip=clip, rows=slice(top, top + tall), columns=slice(left, left + wide))

    @property
    def shape(self) -> tuple[int, int]:
        """Frames and signals."""
        size = (self.rows.stop - self.rows.start) * (self.columns.stop - self.columns.start)
        return self.clip.shape[0], size * self.clip.shape[3]

    def __getitem__(self, frames: slice, /) -> np.ndarray:
        """Return ``[time, signal]`` of some neighbouring frames."""
        patch = self.clip[frames, self.rows, self.columns]
        return patch.reshape(len(patch), -1)


def _applied(clip: np.ndarray, layer: LayerConfig, nodes: Nodes) -> np.ndarray:
    """Return a layer's features of a clip, computed some frames at a time."""
    starts = range(0, len(clip), FRAMES_AT_ONCE)
    return np.concatenate([apply_layer(clip[i : i + FRAMES_AT_ONCE], layer, nodes) for i in starts])


def _node(node: NodeConfig, config: HierarchyConfig) -> ExpandedConfig:
    return ExpandedConfig(
        first="slow",
        covariance=config.covariance,
        rank_tolerance=config.rank_tolerance,
        **asdict(node),
    )


def _config_of(data: dict[str, Any]) -> HierarchyConfig:
    """Return the configuration that ``asdict`` made plain data of."""
    layers = [
        LayerConfig(
            patch_rowcol=_pair(each["patch_rowcol"]),
            stride_rowcol=_pair(each["stride_rowcol"]),
            node=NodeConfig(**each["node"]),
            shared=each["shared"],
        )
        for each in data["layers"]
    ]
    rest = {name: data[name] for name in ("covariance", "rank_tolerance")}
    return HierarchyConfig(layers=tuple(layers), top=NodeConfig(**data["top"]), **rest)


def _pair(values: Sequence[int]) -> tuple[int, int]:
    first, second = values
    return first, second
