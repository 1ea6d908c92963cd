"""What is read from: an encoder's features of all clips, and the floors beside them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..alignment.probes.ridge import axes_of
from ..parts import Progress

CLIPS_AT_ONCE = 4
FRAME_PIXELS = 16
"""Side to which whole frames are shrunk before their principal components are taken."""
PIXELS = "pixel components"
LUMINANCE = "luminance"
PICTURE_PLACE = "place in the picture"
NOTHING = "always the mean"
PATCH_REACH = 1.5
"""Side of the patch of pixels at a place of a map, in steps of the map."""


class Sees(Protocol):
    """An encoder, as far as is needed here."""

    eyes: int

    def __call__(self, clips: Tensor) -> "SeenFeatures":
        """Return features of clips in [0, 1]."""
        ...


class SeenFeatures(Protocol):
    """Features of clips."""

    @property
    def maps(self) -> Mapping[str, Tensor]:
        """Named maps ``[batch, channel, time, height, width]``."""
        ...

    @property
    def pooled(self) -> Tensor:
        """Vectors ``[batch, time, channel]``."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class FeatureSet:
    """Features of all clips, float64 or float32."""

    name: str
    frame: np.ndarray
    """``[clip, step, feature]``: of whole frames."""
    sites: np.ndarray
    """``[clip, step, row, column, feature]``: at the places of a map."""
    pooled: np.ndarray
    """``[clip, step, feature]``: one short vector for each step."""
    layers: Mapping[str, np.ndarray] = field(default_factory=dict)
    """``[clip, step, channel]`` of each map, averaged over space."""
    is_floor: bool = True
    keep: tuple[int, int, int] | None = None
    """Principal components that are kept of frame, sites and pooled, fitted on training clips; None
    keeps features as they are."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where in an encoder features are read."""

    map_name: str
    rows: int
    columns: int
    channels: int
    steps: int
    """Of a clip; several frames may make one."""
    frames_per_step: int
    grid: int


@torch.no_grad()
def where_to_read(encoder: Sees, clips: Tensor, *, map_name: str | None, grid: int) -> Where:
    """Return where features are read, found by showing an encoder one clip.

    Raises:
        ValueError: there is no such map; lists those there are.
    """
    seen = encoder(clips[:1, : encoder.eyes].float() / 255)
    name = map_name or list(seen.maps)[-1]
    if name not in seen.maps:
        raise ValueError(f"expected one of the maps {list(seen.maps)}, got {name!r}")
    _, channels, steps, rows, columns = seen.maps[name].shape
    return Where(
        map_name=name,
        rows=rows,
        columns=columns,
        channels=channels,
        steps=steps,
        frames_per_step=int(getattr(seen, "frames_per_step", 1)),
        grid=grid,
    )


@torch.no_grad()
def encode(  # noqa: PLR0913 - who sees what, how changed, and where it is read
    name: str,
    encoder: Sees,
    video: Tensor,
    where: Where,
    *,
    change: Callable[[Tensor], Tensor] | None = None,
    is_floor: bool = False,
    progress: Progress | None = None,
) -> FeatureSet:
    """Return what an encoder makes of uint8 clips ``[clip, eye, time, channel, h, w]``.

    Args:
        name: what to call it.
        encoder: in evaluation mode.
        video: all clips.
        where: what to read.
        change: what is done to clips ``[batch, eye, ...]`` in [0, 1] before they are seen.
        is_floor: whether others are to be compared with it.
        progress: told the share done.
    """
    frames, sites, pooled = [], [], []
    layers: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(video), CLIPS_AT_ONCE):
        clips = video[start : start + CLIPS_AT_ONCE].float() / 255
        clips = clips if change is None else change(clips)
        seen = encoder(clips[:, : encoder.eyes])
        chosen = seen.maps[where.map_name].float()
        frames.append(_grid(chosen, where.grid, seen.pooled))
        sites.append(chosen.permute(0, 2, 3, 4, 1).cpu().numpy())
        pooled.append(seen.pooled.float().cpu().numpy())
        for layer, each in seen.maps.items():
            mean = each.float().mean(dim=(-2, -1)).transpose(1, 2)
            layers.setdefault(layer, []).append(mean.cpu().numpy())
        if progress is not None:
            progress(min(1.0, (start + CLIPS_AT_ONCE) / len(video)), name)
    return FeatureSet(
        name=name,
        frame=np.concatenate(frames),
        sites=np.concatenate(sites),
        pooled=np.concatenate(pooled),
        layers={layer: np.concatenate(parts) for layer, parts in layers.items()},
        is_floor=is_floor,
    )


def floors_of(video: Tensor, where: Where, *, eyes: int, pooled_channels: int) -> list[FeatureSet]:
    """Return what the pixels tell without any network: luminance, components of pixels, nothing.

    Components are of the last two frames of a step and of all eyes that the encoder has, as many as
    it has features. At places of a map they are those of the patch of pixels around it.
    """
    clips = video[:, :eyes].float() / 255
    last = torch.arange(where.steps) * where.frames_per_step + where.frames_per_step - 1
    both = torch.stack([clips[:, :, (last - 1).clamp_min(0)], clips[:, :, last]], dim=2)
    # Now [clip, eye, two, step, channel, height, width].
    light = both[:, :, 1].mean(dim=3)
    frame_light = light.mean(dim=(-2, -1)).permute(0, 2, 1)
    size = (where.rows, where.columns)
    site_light = F.adaptive_avg_pool2d(light.flatten(0, 1), size).unflatten(0, light.shape[:2])
    whole = _whole_frames(both)
    frame_width = where.grid**2 * where.channels if where.grid else pooled_channels
    nothing = np.zeros((len(clips), where.steps, 1))
    return [
        FeatureSet(
            name=PIXELS,
            frame=whole,
            sites=_patches(both[:, :, 1], where),
            pooled=whole,
            keep=(frame_width, where.channels, pooled_channels),
        ),
        FeatureSet(
            name=LUMINANCE,
            frame=frame_light.numpy(),
            sites=site_light.permute(0, 2, 3, 4, 1).numpy(),
            pooled=frame_light.numpy(),
        ),
        FeatureSet(
            name=PICTURE_PLACE,
            frame=nothing,
            sites=_places(where, len(clips)),
            pooled=nothing,
        ),
        FeatureSet(
            name=NOTHING,
            frame=nothing,
            sites=np.zeros((len(clips), where.steps, *size, 1)),
            pooled=nothing,
        ),
    ]


def principal_axes(rows: np.ndarray, keep: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return the projection to the first principal components of some rows."""
    mean = rows.mean(axis=0)
    _, ascending = axes_of((rows - mean).astype(np.float64))
    axes = ascending[:, ::-1][:, :keep]
    return lambda others: (others - mean) @ axes


def _grid(chosen: Tensor, grid: int, pooled: Tensor) -> np.ndarray:
    """Return ``[batch, step, feature]``: a map averaged to cells, or the pooled vector."""
    if not grid:
        return pooled.float().cpu().numpy()
    cells = F.adaptive_avg_pool2d(chosen.transpose(1, 2).flatten(0, 1), grid)
    return cells.flatten(1).unflatten(0, (len(chosen), -1)).cpu().numpy()


def _whole_frames(both: Tensor) -> np.ndarray:
    """Return ``[clip, step, pixel]`` of small frames ``[clip, eye, two, step, channel, h, w]``."""
    height, width = both.shape[-2:]
    size = (min(FRAME_PIXELS, height), min(FRAME_PIXELS, width))
    small = F.adaptive_avg_pool2d(both.flatten(0, 4), size).unflatten(0, both.shape[:5])
    return small.permute(0, 3, 1, 2, 4, 5, 6).flatten(2).numpy()


def _patches(last: Tensor, where: Where) -> np.ndarray:
    """Return ``[clip, step, row, column, pixel]``: coarse patches around the places of a map.

    Args:
        last: ``[clip, eye, step, channel, height, width]``.
        where: the map.
    """
    side = 4  # pixels of a patch, after shrinking it
    step = torch.tensor([2.0 / where.rows, 2.0 / where.columns])
    inner = ((torch.arange(side) + 0.5) / side - 0.5) * PATCH_REACH
    y = (-1 + step[0] * (torch.arange(where.rows) + 0.5))[:, None] + step[0] * inner
    x = (-1 + step[1] * (torch.arange(where.columns) + 0.5))[:, None] + step[1] * inner
    yy = y[:, None, :, None].expand(-1, where.columns, -1, side)
    xx = x[None, :, None, :].expand(where.rows, -1, side, -1)
    points = torch.stack([xx, yy], dim=-1).reshape(1, where.rows * where.columns, side**2, 2)
    pictures = last.permute(0, 2, 1, 3, 4, 5).flatten(2, 3).flatten(0, 1)
    seen = F.grid_sample(
        pictures,
        points.expand(len(pictures), -1, -1, -1),
        padding_mode="border",
        align_corners=False,
    )
    flat = seen.permute(0, 2, 1, 3).flatten(2)
    shape = (len(last), where.steps, where.rows, where.columns, flat.shape[-1])
    return flat.reshape(shape).numpy()


def _places(where: Where, clips: int) -> np.ndarray:
    """Return ``[clip, step, row, column, 5]``: x, y, their squares and product, within [-1, 1]."""
    y, x = np.meshgrid(
        np.linspace(-1, 1, where.rows), np.linspace(-1, 1, where.columns), indexing="ij"
    )
    one = np.stack([x, y, x * x, y * y, x * y], axis=-1)
    return np.broadcast_to(one, (clips, where.steps, *one.shape))
