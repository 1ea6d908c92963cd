"""A picture of what a PredNet saw, what it had expected, and where it was wrong."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402 - after the choice of backend
import torch
from merkwelt.video_models import PredNet
from PIL import Image
from torch import Tensor


def draw(encoder: PredNet, clip: Tensor, path: Path) -> None:
    """Write a picture of one clip ``[1, eye, time, channel, row, column]``: its left eye."""
    with torch.no_grad():
        predictions = encoder.cpu().eval()(clip).predictions[0, 0]
    frames = clip[0, 0]
    copied = torch.cat([torch.zeros_like(frames[:1]), frames[:-1]])
    rows = {
        "seen": frames,
        "predicted": predictions,
        "error, x 4": 4 * (predictions - frames).abs(),
        "error of\ncopying, x 4": 4 * (copied - frames).abs(),
    }
    count = min(10, len(frames))
    figure, axes = plt.subplots(
        len(rows), count, figsize=(1.05 * count + 0.9, 4.3), squeeze=False, layout="constrained"
    )
    for time in range(count):
        axes[0, time].set_title(f"frame {time}", fontsize=8)
    for line, (name, pictures) in zip(axes, rows.items(), strict=True):
        for axis, picture in zip(line, pictures, strict=False):
            shown = picture.permute(1, 2, 0).clamp(0, 1).numpy()
            axis.imshow(
                shown.squeeze(-1) if shown.shape[-1] == 1 else shown, cmap="gray", vmin=0, vmax=1
            )
            axis.set(xticks=[], yticks=[])
        line[0].set_ylabel(name, fontsize=8)
    figure.savefig(path, dpi=80)
    plt.close(figure)
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(128)
    few.save(path, optimize=True)
