"""Front ends: what they cost, and how well disparity can be read from them.

``python benchmarks/fronts.py [--clips DIR] [--json FILE] [--picture FILE]``

Speed: clips a second of each front end alone, and its share of a training step (slow features,
small stereo network): one minus the step on what the front end had given before, over the whole
step, both in turn. Disparity: rank correlation with the truth, share within one pixel and median
error, on Middlebury's Motorcycle (Scharstein et al. 2014, from scikit-image) and on rendered clips
with true disparity, ``merkwelt render --scene living_room --truth disparity --clips 2 --frames 4
--size 64 --out DIR``; beside them the eyes swapped and anti-correlated.
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from merkwelt.objectives import SlownessConfig
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.objective import probe_shapes
from merkwelt.streams.open_clips import open_clips
from merkwelt.video_models import StereoCNNConfig
from merkwelt.video_models.build import build_encoder
from merkwelt.video_models.fronts import (
    CorrelationVolume,
    CorrelationVolumeConfig,
    DisparityEnergy,
    DisparityEnergyConfig,
    GaborBankConfig,
    disparity_of_tuning,
    fronted,
)
from merkwelt.video_models.fronts.gabor import gabor_pairs
from scipy.stats import spearmanr
from torch import Tensor, nn

from merkwelt.encoders import FRONT_PRESETS

RANGE_PX, SHRINK = 8, 8
VISIBLE = 1
TRIED = tuple(range(-RANGE_PX, RANGE_PX + 1))
Pair = tuple[Tensor, Tensor]
"""Clips in [0, 1], and true disparity ``[time, height, width]``, NaN where there is none."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, help="rendered clips with true disparity")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--picture", type=Path, help="also draw the picture of the docs")
    parser.add_argument("--repeats", type=int, default=7)
    chosen = parser.parse_args()
    pairs: dict[str, Pair] = {"motorcycle": motorcycle()}
    if chosen.clips is not None:
        pairs["rendered"] = rendered(chosen.clips)
    speeds = [plain_row(chosen.repeats)]
    speeds += [speed_row(name, chosen.repeats) for name in FRONT_PRESETS]
    reads = [read_row(*each) for each in _readings(pairs)]
    for rows in (speeds, reads):
        _print(rows)
    if chosen.json is not None:
        chosen.json.write_text(json.dumps({"speed": speeds, "disparity": reads}, indent=2) + "\n")
    if chosen.picture is not None:
        draw(pairs[list(pairs)[-1]], chosen.picture)


def speed_row(name: str, repeats: int) -> dict[str, Any]:
    """Return how fast a front end is; 4 clips of 8 frames of 48 px."""
    config = fronted(FRONT_PRESETS[name](), StereoCNNConfig())  # type: ignore[index]
    torch.manual_seed(0)
    encoder = build_encoder(config)
    assert isinstance(encoder.front, nn.Module)
    assert isinstance(encoder.encoder, nn.Module)
    front, inner = encoder.front, encoder.encoder
    shapes = probe_shapes(encoder, eyes=config.eyes)
    objective = build_objective(SlownessConfig(), shapes, encoder)
    clips = torch.rand(4, config.eyes, 8, 3, 48, 48)
    with torch.no_grad():
        seen = front(clips)

    def step(network: nn.Module, given: Tensor) -> None:
        loss, _ = objective(network, given, {})
        loss.backward()

    def alone() -> None:
        with torch.no_grad():
            front(clips)

    def whole() -> None:
        step(encoder, clips)

    def behind() -> None:
        step(inner, seen)

    front_s, whole_s, behind_s = _medians((alone, whole, behind), repeats)
    return {
        "front": name,
        "channels": config.front.out_channels,
        "front_parameters": sum(p.numel() for p in front.parameters()),
        "clips_per_s": len(clips) / front_s,
        "step_s": whole_s,
        "share_of_step": 1 - behind_s / whole_s,
    }


def plain_row(repeats: int) -> dict[str, Any]:
    """Return how fast the same network is without a front end, fusing the eyes by itself."""
    torch.manual_seed(0)
    encoder = build_encoder(StereoCNNConfig())
    objective = build_objective(SlownessConfig(), probe_shapes(encoder, eyes=2), encoder)
    clips = torch.rand(4, 2, 8, 3, 48, 48)

    def step() -> None:
        loss, _ = objective(encoder, clips, {})
        loss.backward()

    nothing = {"channels": 3, "front_parameters": 0, "clips_per_s": None}
    return {
        "front": "none",
        **nothing,
        "step_s": _medians((step,), repeats)[0],
        "share_of_step": 0.0,
    }


def motorcycle() -> Pair:
    """Return the pair averaged over squares of 8 x 8 pixels, its disparities down to 8 px."""
    from skimage.data import stereo_motorcycle

    left, right, disparity = stereo_motorcycle()
    pictures = torch.from_numpy(np.stack([left, right])).permute(0, 3, 1, 2).float() / 255
    clips = F.avg_pool2d(pictures, SHRINK)[None, :, None]
    rows, columns = clips.shape[-2:]
    known = torch.from_numpy(np.where(np.isfinite(disparity), disparity, np.nan)).float()
    blocks = known[: rows * SHRINK, : columns * SHRINK].unfold(0, SHRINK, SHRINK)
    truth = blocks.unfold(1, SHRINK, SHRINK).flatten(2).nanmedian(dim=-1).values / SHRINK
    return clips, truth.unsqueeze(0)


def rendered(folder: Path) -> Pair:
    """Return rendered clips, end to end, with the left eye's disparity where the right eye sees."""
    videos, truths = [], []
    clips = open_clips(folder)
    for clip in clips.clip_ids:
        sample = clips.sample(int(clip))
        truth = sample.truth
        if truth is None or truth.disparity is None or truth.masks is None:
            raise ValueError(f"{folder}: expected clips with true disparity; --truth disparity")
        assert sample.video is not None
        seen = truth.masks[0, :, 0] == VISIBLE
        videos.append(sample.video.float() / 255)
        truths.append(truth.disparity[0].float().where(seen, torch.nan))
    return torch.cat(videos, dim=1).unsqueeze(0), torch.cat(truths)


def _fronts() -> Mapping[str, DisparityEnergy | CorrelationVolume]:
    torch.manual_seed(0)
    energy = DisparityEnergyConfig(disparities_px=TRIED, pool_px=1)
    volume = CorrelationVolumeConfig(farthest_px=-RANGE_PX, nearest_px=RANGE_PX, pool_px=1)
    return {
        "energy": DisparityEnergy(energy),
        "energy, 4 frequencies": DisparityEnergy(
            replace(energy, frequencies=(0.07, 0.12, 0.2, 0.33))
        ),
        "correlation": CorrelationVolume(volume),
    }


def _readings(pairs: Mapping[str, Pair]) -> list[tuple[str, str, nn.Module, Tensor, Tensor]]:
    rows = []
    for where, (clips, truth) in pairs.items():
        opposite = torch.stack([clips[:, 0], 1 - clips[:, 1]], dim=1)
        eyes = {"as they are": clips, "swapped": clips.flip(1), "anti-correlated": opposite}
        rows += [
            (f"{where}, {name}", how, front, shown, truth)
            for name, front in _fronts().items()
            for how, shown in eyes.items()
        ]
    return rows


def read_row(name: str, how: str, front: nn.Module, clips: Tensor, truth: Tensor) -> dict[str, Any]:
    """Return how well the disparity that is read agrees with the true one."""
    found = read(front, clips)
    known = truth.isfinite()
    error = (found - truth)[known].abs()
    return {
        "pictures": name,
        "eyes": how,
        "rank_correlation": _rank_correlation(found[known], truth[known]),
        "within_1_px": float((error < 1).float().mean()),
        "median_error_px": float(error.median()),
    }


def _rank_correlation(one: Tensor, other: Tensor) -> float:
    return float(np.asarray(spearmanr(one, other))[0])


@torch.no_grad()
def read(front: nn.Module, clips: Tensor) -> Tensor:
    """Return the disparity that is read from a front end, ``[time, height, width]``."""
    assert isinstance(front, DisparityEnergy | CorrelationVolume)
    return disparity_of_tuning(front.tuning(clips, window=5)[0], TRIED)


def draw(pair: Pair, path: Path) -> None:
    """Draw left picture, true disparity, both readouts and the bank's filters."""
    from matplotlib.figure import Figure

    clips, truth = pair
    fronts = _fronts()
    maps = {
        "true disparity": truth,
        "disparity energy": read(fronts["energy, 4 frequencies"], clips),
        "correlation volume": read(fronts["correlation"], clips),
    }
    frame = 5 if len(truth) > 5 else 0
    figure = Figure(figsize=(11, 4.6), layout="constrained")
    upper, lower = list(np.asarray(figure.subfigures(2, 1, height_ratios=(1.9, 1)), dtype=object))
    axes = upper.subplots(1, 4)
    axes[0].imshow(clips[0, 0, frame].permute(1, 2, 0))
    axes[0].set_title("left eye")
    top = float(np.nanpercentile(truth[frame], 99)) + 0.5
    image = None
    for axis, (title, values) in zip(axes[1:], maps.items(), strict=True):
        image = axis.imshow(values[frame], vmin=0, vmax=top, cmap="viridis")
        axis.set_title(title)
    assert image is not None
    upper.colorbar(image, ax=axes[1:], label="px, near is large", shrink=0.8)
    _draw_filters(lower.subplots(1, 12))
    for axis in [*axes, *lower.axes]:
        axis.set_xticks([])
        axis.set_yticks([])
    figure.savefig(path, dpi=90)


def _draw_filters(axes: Any) -> None:  # noqa: ANN401 - an array of axes
    config = GaborBankConfig()
    size = max(shape.size_px for shape in config.shapes())
    tiles = [
        pair[0] for shape in config.shapes() for pair in gabor_pairs(shape, config.angles_rad())
    ]
    for axis, tile in zip(axes, tiles, strict=True):
        beyond = (size - len(tile)) // 2
        most = float(tile.abs().max())
        axis.imshow(F.pad(tile, (beyond,) * 4), cmap="gray", vmin=-most, vmax=most)
    for axis, frequency in zip(axes[::4], config.peak_frequencies(), strict=True):
        axis.set_title(f"{frequency:.3f} cycles per px", loc="left", fontsize=9)


def _medians(functions: tuple[Callable[[], None], ...], repeats: int) -> list[float]:
    """Return the median seconds of each function; they take turns."""
    seconds: list[list[float]] = [[] for _ in functions]
    for turn in range(repeats + 1):
        for spent, function in zip(seconds, functions, strict=True):
            start = time.perf_counter()
            function()
            if turn:
                spent.append(time.perf_counter() - start)
    return [median(each) for each in seconds]


def _print(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    shown = [[_text(row[name]) for name in names] for row in rows]
    widths = [max(len(line[i]) for line in [names, *shown]) for i in range(len(names))]
    for line in [names, *shown]:
        print("  ".join(text.ljust(w) for text, w in zip(line, widths, strict=True)))  # noqa: T201
    print()  # noqa: T201


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
