"""Saliency: processor time for each map beside captum's, and the memory of 64 noisy copies.

    python benchmarks/saliency.py --json saliency.json

The network has random weights, which costs the same time as learned ones. Both sides get the same
network, images, number of copies and batch, in turns in one process on one thread; times are the
processor's, and the fastest round counts.
Memory is the largest resident set (Linux' VmHWM) of a process of its own, less what was resident
before the copies.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from merkwelt.alignment import (
    ClassLogit,
    GradCam,
    Gradient,
    ImageEncoder,
    IntegratedGradients,
    SaliencyRecipe,
    SmoothGrad,
    saliency_maps,
)
from merkwelt.alignment.saliency.gradients import Budget
from merkwelt.alignment.saliency.methods import Method
from torch import Tensor, nn

SIZE_PX = 224
SAMPLES, STEPS = 16, 16
MANY_SAMPLES = 64
NOISE_SD = 0.2
LAYER = 6
"""Position in the network of the last rectified map."""
BATCHES = (4, 64)


def network() -> nn.Sequential:
    """Return a plain image classifier: four convolutions of stride 2 with batch norm."""
    torch.manual_seed(0)
    widths = (3, 32, 64, 128, 256)
    layers: list[nn.Module] = []
    for before, after in zip(widths[:-1], widths[1:], strict=True):
        stage = (nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after))
        layers += [nn.Sequential(*stage), nn.ReLU()]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1000))
    return nn.Sequential(*layers, *head).eval()


class Logits(nn.Module):
    """An encoder as captum takes it: images to the logits of the network inside."""

    def __init__(self, encoder: ImageEncoder) -> None:
        """Wrap an encoder of one eye."""
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``[image, class]``."""
        return self.encoder(images[:, None, None]).pooled[:, -1]


def pictures(count: int) -> Tensor:
    """Return images ``[count, 3, 224, 224]`` in [0, 1]."""
    return torch.rand(count, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(1))


def ours(encoder: ImageEncoder, images: Tensor, method: Method, batch: int) -> Tensor:
    """Return our maps of the network's own class, with the mean over channels."""
    recipe = SaliencyRecipe(target=ClassLogit(), method=method, channels="abs-mean", clip_frames=1)
    labels = ("",) * len(images)
    return saliency_maps(encoder, images, labels, recipe, budget=Budget(batch=batch)).maps


def theirs(encoder: ImageEncoder, images: Tensor, method: Method, batch: int) -> Tensor:
    """Return captum's maps of the same; it takes images by the batch and copies by the batch."""
    from captum import attr

    net = Logits(encoder)
    with torch.no_grad():
        classes = torch.cat([net(few).argmax(dim=1) for few in images.split(batch)])
    if isinstance(method, SmoothGrad):
        tunnel = attr.NoiseTunnel(attr.Saliency(net))
        maps = [
            tunnel.attribute(
                image,
                nt_samples=method.samples,
                nt_samples_batch_size=batch,
                stdevs=method.noise_sd,
                target=one,
                abs=True,
            )
            for image, one in zip(images.split(1), classes.split(1), strict=True)
        ]
        return _joined(maps).mean(dim=1)
    if isinstance(method, IntegratedGradients):
        path = attr.IntegratedGradients(net).attribute(
            images,
            baselines=method.baseline,
            n_steps=method.steps,
            method="riemann_middle",
            internal_batch_size=batch,
            target=classes,
        )
        return path.abs().mean(dim=1)
    few = list(zip(images.split(batch), classes.split(batch), strict=True))
    if isinstance(method, GradCam):
        cam = attr.LayerGradCam(net, encoder.get_submodule(f"network.{LAYER}"))
        maps = [cam.attribute(one, target=of, relu_attributions=True) for one, of in few]
        size = (SIZE_PX, SIZE_PX)
        return nn.functional.interpolate(_joined(maps), size=size, mode="bilinear")[:, 0].detach()
    plain = attr.Saliency(net)
    maps = [plain.attribute(one.clone().requires_grad_(), target=of) for one, of in few]
    return _joined(maps).mean(dim=1)


def _joined(maps: Sequence[Any]) -> Tensor:
    """Return captum's maps as one tensor; by its types they might be several for each input."""
    return torch.cat([one for one in maps if isinstance(one, Tensor)])


def speed(images: int, batch: int, rounds: int) -> list[dict[str, Any]]:
    """Return seconds for each map of both sides, by recipe, and how far the maps differ."""
    encoder, given = ImageEncoder(network()).eval(), pictures(images)
    methods: dict[str, Method] = {
        "gradient": Gradient(),
        f"SmoothGrad, {SAMPLES} samples": SmoothGrad(samples=SAMPLES, noise_sd=NOISE_SD),
        f"integrated gradients, {STEPS} steps": IntegratedGradients(steps=STEPS),
        "Grad-CAM": GradCam(layer=f"network.{LAYER}"),
    }
    rows = []
    for name, method in methods.items():
        best, maps = [float("inf")] * 2, [torch.empty(0)] * 2
        for _ in range(rounds):
            for side, make in enumerate((ours, theirs)):
                seconds, maps[side] = _timed(
                    lambda make=make, m=method: make(encoder, given, m, batch)
                )
                best[side] = min(best[side], seconds / images)
        row: dict[str, Any] = {
            "recipe": name,
            "merkwelt_ms": round(1000 * best[0], 1),
            "captum_ms": round(1000 * best[1], 1),
            "captum_over_merkwelt": round(best[1] / best[0], 2),
        }
        if not isinstance(method, SmoothGrad):
            row["largest_difference"] = float((maps[0] - maps[1]).abs().max() / maps[1].abs().max())
        rows.append(row)
        print(row, flush=True)
    return rows


def _timed(work: Callable[[], Tensor]) -> tuple[float, Tensor]:
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def memory() -> list[dict[str, Any]]:
    """Return the memory of one map of 64 samples, by side and batch."""
    rows = []
    for side in ("merkwelt", "captum"):
        for batch in BATCHES:
            command = [sys.executable, __file__, "--peak", side, str(batch)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            row = {"side": side, "batch": batch, "peak_mib": round(float(done.stdout))}
            rows.append(row)
            print(row, flush=True)
    return rows


def peak_mib(side: str, batch: int) -> float:
    """Return how much memory 64 samples of one image need beyond what was there before."""
    torch.set_num_threads(1)
    encoder, image = ImageEncoder(network()).eval(), pictures(1)
    make = ours if side == "merkwelt" else theirs
    # Lazy imports and workspaces come with the first map and are no part of the copies.
    make(encoder, image, SmoothGrad(samples=1, noise_sd=NOISE_SD), 1)
    before = _resident_mib("VmRSS")
    make(encoder, image, SmoothGrad(samples=MANY_SAMPLES, noise_sd=NOISE_SD), batch)
    return _resident_mib("VmHWM") - before


def _resident_mib(kind: str) -> float:
    """Return what Linux says of this process; getrusage would remember the parent's memory too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(kind):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"expected a line {kind} in /proc/self/status, which Linux has")


def main() -> None:
    """Read the command line, measure, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--peak", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        print(peak_mib(given.peak[0], int(given.peak[1])))
        return
    torch.set_num_threads(1)
    found = {
        "image_px": SIZE_PX,
        "images": given.images,
        "batch": given.batch,
        "threads": 1,
        "speed": speed(given.images, given.batch, given.rounds),
        "memory": {"samples": MANY_SAMPLES, "rows": memory()},
    }
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
