"""PredNet: speed beside a naive one, Moving MNIST, real video and rendered clips, with floors.

    python benchmarks/prednet.py --digits --minutes 10 --json prednet.json
    python benchmarks/prednet.py --digits --mnist train-images-idx3-ubyte.gz
    python benchmarks/prednet.py --video drive --picture-rate-hz 10
    python benchmarks/prednet.py --stream clips
    python benchmarks/prednet.py --speed

Everything that is trained is measured on what was held out: other sequences of digits, the last
quarter of a video (no frame of which was trained on), other clips of a rendered data set. Training
is plain Adam down a half cosine, by the clock: `--minutes` of it.
"""

import argparse
import json
import math
import os
import platform
import statistics
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.objectives import PredNetErrors, PredNetErrorsConfig, probe_shapes
from merkwelt.streams import ClipCut, open_clips
from merkwelt.streams.videos.clips import VideoClips
from merkwelt.video_models import PredNet, PredNetConfig
from moving_digits import floors, moving, read_digits
from prednet_naive import NaivePredNet, forward, seconds, step
from prednet_picture import draw
from torch import Tensor

SEEN = 10
"""Frames of digits that are seen before as many are predicted ahead."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long and how."""

    minutes: float
    batch: int
    frames: int
    crop_px: int | None
    mirror: bool
    learning_rate: float
    device: str


def trained(encoder: PredNet, clips: Tensor, how: Training) -> int:
    """Return the number of steps made on clips ``[clip, eye, time, channel, row, column]``."""
    config = encoder.config
    shapes = probe_shapes(encoder, eyes=config.eyes, image_channels=config.image_channels)
    encoder.to(how.device).train()
    objective = PredNetErrors(PredNetErrorsConfig(), shapes)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=how.learning_rate)
    draw = torch.Generator().manual_seed(0)
    start, steps, told = time.perf_counter(), 0, 0.0
    while (done := (time.perf_counter() - start) / (60 * how.minutes)) < 1:
        rate = how.learning_rate * 0.5 * (1 + math.cos(math.pi * done)) * min(1, (steps + 1) / 20)
        for group in optimiser.param_groups:
            group["lr"] = rate
        loss, measures = objective(encoder, _batch(clips, how, draw).to(how.device), {})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimiser.step()
        steps += 1
        if done >= told:
            told = done + 0.1
            print(
                f"  {done:4.0%}  step {steps:5d}  skill {float(measures['skill']):6.2f}", flush=True
            )
    return steps


def _batch(clips: Tensor, how: Training, draw: torch.Generator) -> Tensor:
    """Return clips at random, a random stretch and cut of each, mirrored at random."""
    chosen = clips[torch.randint(len(clips), (how.batch,), generator=draw)]
    first = int(torch.randint(clips.shape[2] - how.frames + 1, (), generator=draw))
    chosen = chosen[:, :, first : first + how.frames]
    size = clips.shape[-1]
    if how.crop_px is not None and how.crop_px < size:
        top, left = torch.randint(size - how.crop_px + 1, (2,), generator=draw).tolist()
        chosen = chosen[..., top : top + how.crop_px, left : left + how.crop_px]
    # A mirrored world is seen with the eyes exchanged; a mirrored digit is none.
    mirrored = how.mirror and bool(torch.rand((), generator=draw) < 0.5)
    return chosen.flip(1, -1) if mirrored else chosen


def digits(given: argparse.Namespace) -> dict[str, Any]:
    """Return errors on moving digits, summed over a frame, beside their floors."""
    source = read_digits(given.mnist)
    half = len(source.images) // 2
    parts = [type(source)(images=source.images[k::2], name=source.name) for k in (0, 1)]
    print(f"{source.name}: {half} digits to train on, {half} others held out")
    training = moving(parts[0], given.sequences, 2 * SEEN, seed=1)
    held_out = moving(parts[1], given.held_out, 2 * SEEN, seed=2)
    encoder = _encoder(given, eyes=1, channels=1)
    # At 2e-3 and more, most seeds predict black within 60 steps and have no gradient left.
    how = _training(given, frames=SEEN, crop=False, usual_rate=1e-3)
    steps = trained(encoder, _grey(training), how)
    measured = digit_errors(encoder, held_out, given.device)
    rows = floors(training, held_out, SEEN) | measured
    print(f"squared error summed over a frame, {given.held_out} held-out sequences, {steps} steps")
    others = {"copy": "next_frame_copy", "mean image": "mean_image", "zeros": "zeros"}
    told = "  ".join(f"{name} {rows[key]:.1f}" for name, key in others.items())
    print(f"  next frame         PredNet {rows['next_frame']:6.1f}  {told}")
    print(f"  10 after 10 frames PredNet {rows['ahead']:6.1f}  copy {rows['copy_last_ahead']:.1f}")
    if given.picture:
        draw(encoder, _grey(held_out[:1]), given.picture)
    return {"digits": source.name, "steps": steps, **_described(encoder, how), **rows}


def digit_errors(encoder: PredNet, held_out: np.ndarray, device: str) -> dict[str, float]:
    """Return the errors of predicting the next frame, and ten after ten."""
    sums = {"next_frame": 0.0, "ahead": 0.0}
    encoder.eval()
    with torch.no_grad():
        for part in _grey(held_out).split(32):
            clips = part.to(device)
            seen = encoder(clips).predictions[:, :, 1:] - clips[:, :, 1:]
            ahead = encoder.extrapolate(clips[:, :, :SEEN], SEEN) - clips[:, :, SEEN:]
            sums["next_frame"] += float(seen.square().sum()) / seen.shape[2]
            sums["ahead"] += float(ahead.square().sum()) / SEEN
    return {name: each / len(held_out) for name, each in sums.items()}


def recorded(given: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Return held-out errors on a video or a rendered data set."""
    training, held_out, kind = _split(folder, given)
    encoder = _encoder(given, eyes=training.shape[1], channels=3)
    how = _training(given, frames=training.shape[2], crop=True, usual_rate=5e-3)
    print(f"{kind} {folder.name}: {len(training)} clips to train on, {len(held_out)} held out")
    steps = trained(encoder, training, how)
    shapes = probe_shapes(encoder.cpu().eval(), eyes=training.shape[1])
    report = PredNetErrors(PredNetErrorsConfig(), shapes).evaluate(
        encoder, [(training, {})], [(each, {}) for each in held_out.split(8)]
    )
    names = ("mse", "copy_last_mse", "mean_image_mse", "skill", "skill_over_mean_image")
    print(f"  {steps} steps; held out: " + "  ".join(f"{n} {report[n]:.5f}" for n in names))
    if given.picture:
        draw(encoder, held_out[:1], given.picture)
    return {"kind": kind, "steps": steps, **_described(encoder, how), **report}


def _split(folder: Path, given: argparse.Namespace) -> tuple[Tensor, Tensor, str]:
    """Return float clips to train on and held out."""
    rendered = (folder / "plan.json").is_file()
    cut = (
        None
        if rendered
        else ClipCut(
            frames=given.frames,
            size_px=given.size,
            stride_frames=1,
            frame_rate_hz=given.rate_hz,
            picture_rate_hz=given.picture_rate_hz,
        )
    )
    clips = open_clips(folder, cut=cut, streams=("video",))
    videos = [clips.sample(int(clip)).video for clip in clips.clip_ids]
    video = torch.stack([each for each in videos if each is not None]).float() / 255
    if not isinstance(clips, VideoClips):
        fourth = torch.arange(len(video)) % 4 == 3
        return video[~fourth], video[fourth], "rendered clips"
    # Clips begin one frame apart. The held-out ones share no frame with those trained on.
    last = round(0.75 * len(video))
    if last < given.frames:
        raise SystemExit(
            f"expected a video of enough frames to hold out a quarter of it, got {len(video)} "
            f"clips of {given.frames} frames in {folder}; ask for fewer --frames"
        )
    return video[: last - given.frames + 1], video[last:], "video"


def speed(given: argparse.Namespace) -> dict[str, Any]:
    """Return frames a second of this PredNet and of the naive one, taking turns."""
    eyes, shape = 2, (given.batch, 2, 10, 3, given.size, given.size)
    clips = torch.rand(shape, generator=torch.Generator().manual_seed(0)).to(given.device)
    whole = _encoder(given, eyes=eyes, channels=3).to(given.device)
    naive = NaivePredNet(whole).to(given.device)
    with torch.no_grad():
        difference = float((whole(clips).predictions - naive(clips)[0]).abs().max())
    if difference > 1e-4:
        raise RuntimeError(f"the naive PredNet predicts something else, by {difference}")
    rows = {}
    frames = shape[0] * shape[2]
    for kind, work in (("forward", forward), ("training step", step)):
        ours, theirs = [], []
        for _ in range(given.rounds):
            ours.append(seconds(partial(work, whole, clips), given.device))
            theirs.append(seconds(partial(work, naive, clips), given.device))
        ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
        rows[kind] = {
            "frames_per_s": frames / statistics.median(ours),
            "naive_frames_per_s": frames / statistics.median(theirs),
            "ratio": ratio,
        }
        print(
            f"{kind:14} {rows[kind]['frames_per_s']:8.1f} stereo frames/s, naive "
            f"{rows[kind]['naive_frames_per_s']:8.1f}, ratio {ratio:.2f}",
            flush=True,
        )
    return {"shape": list(shape), "widths": given.widths, "difference": difference, **rows}


def _encoder(given: argparse.Namespace, *, eyes: int, channels: int) -> PredNet:
    torch.manual_seed(given.seed)
    config = PredNetConfig(
        eyes=eyes,
        image_channels=channels,
        widths=tuple(given.widths),
        representation_widths=tuple(given.representation_widths or ()) or None,
    )
    return PredNet(config)


def _training(given: argparse.Namespace, *, frames: int, crop: bool, usual_rate: float) -> Training:
    return Training(
        minutes=given.minutes,
        batch=given.batch,
        frames=frames,
        crop_px=given.crop if crop else None,
        mirror=crop,
        learning_rate=given.learning_rate or usual_rate,
        device=given.device,
    )


def _described(encoder: PredNet, how: Training) -> dict[str, Any]:
    count = sum(each.numel() for each in encoder.parameters())
    return {"parameters": count, "widths": encoder.config.widths, "training": vars(how)}


def _grey(video: np.ndarray) -> Tensor:
    return torch.from_numpy(video)[:, None, :, None]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--speed", action="store_true", help="frames a second")
    parser.add_argument("--digits", action="store_true", help="train on moving digits")
    parser.add_argument("--mnist", type=Path, help="MNIST's pictures: IDX, .npz or folder of JSON")
    parser.add_argument("--video", type=Path, help="folder of one real video or picture sequence")
    parser.add_argument("--stream", type=Path, help="folder that merkwelt render has written")
    parser.add_argument("--widths", type=int, nargs="+", default=[16, 32])
    parser.add_argument("--representation-widths", type=int, nargs="+")
    parser.add_argument("--minutes", type=float, default=5.0, help="of training, each")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, help="5e-3, for digits 1e-3 by default")
    parser.add_argument("--frames", type=int, default=6, help="of clips cut from a video")
    parser.add_argument("--size", type=int, default=64, help="of their pictures, and for --speed")
    parser.add_argument("--crop", type=int, default=32, help="what training sees of them")
    parser.add_argument("--rate-hz", type=float, default=10.0)
    parser.add_argument("--picture-rate-hz", type=float, help="of numbered pictures without times")
    parser.add_argument("--sequences", type=int, default=2000, help="of digits, to train on")
    parser.add_argument("--held-out", type=int, default=500, help="sequences of digits")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--picture", type=Path, help="PNG of frames, predictions and errors")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    if not (given.speed or given.digits or given.video or given.stream):
        parser.error("say what to do: --speed, --digits, --video FOLDER or --stream FOLDER")
    return given


def main() -> None:
    """Measure, print, and write JSON if asked to."""
    given = _arguments()
    torch.set_num_threads(given.threads)
    content: dict[str, Any] = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": given.threads,
        "device": given.device,
    }
    if given.speed:
        content["speed"] = speed(given)
    if given.digits:
        content["digits"] = digits(given)
    for name, folder in (("video", given.video), ("stream", given.stream)):
        if folder is not None:
            content[name] = recorded(given, folder)
    if given.json:
        given.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
