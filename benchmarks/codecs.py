"""What storing does to stereo video: bytes, speed, PSNR, and how far disparity and flow move.

    python benchmarks/codecs.py --json codecs.json [--data CLIPS]

Every codec stores the same clips: rendered ones (a data set with the lossless profile, flow,
disparity and masks; by default a few of the bundled scene are rendered) and a textured plane of
known disparity and drift. Matchers that know nothing of the renderer (OpenCV) then measure
disparity and flow on the pictures before and after: dense by semi-global matching and DIS flow, and
at points by pyramidal Lucas-Kanade with 15 x 15 windows. What is reported is by how much a measured
value moves, where the matcher was within a pixel of the truth before; of the semi-global matcher,
whose steps are 1/16 px, also the mean is of such steps. Times are ratios to the lossless profile's,
codecs in turns clip by clip in one process with one thread.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from codecs_tried import CODECS, Codec
from depth_codes import depth_rows
from matchers import disparity_sgbm_px, flow_dis_px, moved_lk_px
from merkwelt.render.observer import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.truth.quantities import Fate, Target
from merkwelt.scenes.scene import Scene
from merkwelt.streams import ClipDataset, make_plan, render_dataset

RATE_HZ = 10.0
SIZE_PX = 128
FRAMES = 16
REFERENCE = "lossless"
PLANE_DISPARITY_PX, PLANE_DRIFT_PX = 3.25, (0.83, -0.41)


@dataclass(frozen=True, kw_only=True)
class StereoClip:
    """Pictures and what is known of them."""

    video: torch.Tensor
    """uint8 ``[eye, time, 3, height, width]``."""
    disparity_px: np.ndarray
    """``[time, height, width]`` of the left eye; NaN where it is not seen by the right."""
    flow_px: np.ndarray
    """``[time - 1, height, width, xy]`` of the left eye; NaN where it is not seen next."""


def rendered(folder: Path) -> list[StereoClip]:
    """Return the clips of a data set."""
    clips = ClipDataset(folder, streams=("video", "disparity", "flow_forward", "masks"))
    if clips.manifest.profile != REFERENCE:
        raise ValueError(f"expected clips stored without loss, {folder} is not")
    return [_with_truth(clips.sample(int(clip))) for clip in clips.clip_ids]


def _with_truth(sample: Any) -> StereoClip:  # noqa: ANN401 - a Sample with truth
    masks = sample.truth.masks[0]
    seen = {target: (masks[:, target] == Fate.VISIBLE).numpy() for target in Target}
    disparity = np.where(seen[Target.OTHER_EYE], sample.truth.disparity[0].numpy(), np.nan)
    flow = sample.truth.flow_forward[0].numpy().transpose(0, 2, 3, 1)
    flow = np.where(seen[Target.NEXT][..., None], flow, np.nan)
    return StereoClip(video=sample.video, disparity_px=disparity, flow_px=flow[:-1])


def plane(seed: int = 0) -> StereoClip:
    """Return a fronto-parallel plane, textured up to a third of the sampling rate, that drifts."""
    rng, waves = np.random.default_rng(seed), 40
    frequency = np.exp(rng.uniform(np.log(0.01), np.log(0.33), waves))
    angle = rng.uniform(0, 2 * np.pi, waves)
    phase = np.exp(1j * rng.uniform(0, 2 * np.pi, waves)) * (0.01 / frequency) ** 0.5
    colour = 0.7 + 0.3 * rng.uniform(-1, 1, (3, waves))
    y, x = np.mgrid[:SIZE_PX, :SIZE_PX] + 0.5

    def picture(frame: int, eye: int) -> np.ndarray:
        right = x + PLANE_DISPARITY_PX * eye - PLANE_DRIFT_PX[0] * frame
        down = y - PLANE_DRIFT_PX[1] * frame
        along = right[..., None] * np.cos(angle) + down[..., None] * np.sin(angle)
        wave = np.exp(2j * np.pi * frequency * along) * phase
        light = 127.5 + 26 * np.moveaxis((wave @ colour.T).imag, -1, 0)
        return np.clip(np.rint(light), 0, 255).astype(np.uint8)

    video = np.array([[picture(frame, eye) for frame in range(FRAMES)] for eye in (0, 1)])
    return StereoClip(
        video=torch.from_numpy(video),
        disparity_px=np.full((FRAMES, SIZE_PX, SIZE_PX), PLANE_DISPARITY_PX),
        flow_px=np.full((FRAMES - 1, SIZE_PX, SIZE_PX, 2), PLANE_DRIFT_PX),
    )


def measured(video: torch.Tensor, clip: StereoClip) -> dict[str, np.ndarray]:
    """Return what the matchers find on pictures of a clip; errors from its truth, pixels."""
    left, right = (
        [cv2.cvtColor(f.permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY) for f in eye] for eye in video
    )
    disparity = clip.disparity_px
    across = np.stack([-disparity, np.where(np.isnan(disparity), np.nan, 0.0)], -1)
    steps = range(len(left) - 1)
    return {
        "disparity_dense": np.stack([disparity_sgbm_px(*p) for p in zip(left, right, strict=True)])
        - disparity,
        "disparity_points": np.stack(
            [moved_lk_px(left[t], right[t], across[t])[..., 0] for t in range(len(left))]
        )
        + disparity,
        "flow_dense": np.stack([flow_dis_px(left[t], left[t + 1]) for t in steps]) - clip.flow_px,
        "flow_points": np.stack([moved_lk_px(left[t], left[t + 1], clip.flow_px[t]) for t in steps])
        - clip.flow_px,
    }


def changes(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return by how many pixels each value moved, where it was within a pixel of the truth."""
    found = {}
    for name, error in before.items():
        moved = _sizes(after[name] - error, name)
        found[name] = moved[(_sizes(error, name) < 1) & np.isfinite(moved)]
    return found


def measure(codecs: Sequence[Codec], clips: Sequence[StereoClip]) -> list[dict[str, Any]]:
    """Return a row for each codec."""
    before = [measured(clip.video, clip) for clip in clips]
    runs: dict[str, list[dict[str, Any]]] = {codec.name: [] for codec in codecs}
    for clip, truth in zip(clips, before, strict=True):
        for codec in codecs:
            runs[codec.name].append(_run(codec, clip, truth))
    reference = runs[REFERENCE]
    rows = [_row(name, of_codec, reference) for name, of_codec in runs.items()]
    return [*rows, _own_errors(before, list(rows[0]))]


def _own_errors(before: Sequence[dict[str, np.ndarray]], names: Sequence[str]) -> dict[str, Any]:
    """Return by how much the matchers err on the pictures as rendered, in the form of a row."""
    row: dict[str, Any] = {name: "" for name in names}
    row["codec"] = "(the matchers' own error)"
    for quantity in before[0]:
        errors = np.concatenate([_sizes(found[quantity], quantity).ravel() for found in before])
        errors = errors[errors < 1]
        row[f"{quantity}_mean_px"] = float(errors.mean())
        row[f"{quantity}_p99_px"] = float(np.quantile(errors, 0.99))
        row[f"{quantity}_values"] = len(errors)
    return row


def _sizes(errors: np.ndarray, quantity: str) -> np.ndarray:
    """Return lengths of flow ``[..., xy]``, absolute values of disparity."""
    return np.linalg.norm(errors, axis=-1) if quantity.startswith("flow") else np.abs(errors)


def _run(codec: Codec, clip: StereoClip, before: dict[str, np.ndarray]) -> dict[str, Any]:
    started = time.perf_counter()
    stored = [codec.encode(eye) for eye in clip.video]
    encoded = time.perf_counter()
    back = torch.stack([codec.decode(data) for data in stored])
    decoded = time.perf_counter()
    squares = float(((back.double() - clip.video.double()) ** 2).mean())
    return {
        "bytes": sum(map(len, stored)),
        "encode_s": encoded - started,
        "decode_s": decoded - encoded,
        "squares": squares,
        "changes": changes(before, measured(back, clip)),
    }


def _row(
    name: str, runs: Sequence[dict[str, Any]], reference: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    def ratio(key: str) -> float:
        pairs = zip(runs, reference, strict=True)
        return statistics.median(run[key] / ref[key] for run, ref in pairs)

    squares = statistics.mean(run["squares"] for run in runs)
    row: dict[str, Any] = {
        "codec": name,
        "bytes_per_clip": statistics.mean(run["bytes"] for run in runs),
        "encode_ratio": ratio("encode_s"),
        "decode_ratio": ratio("decode_s"),
        "psnr_db": None if squares == 0 else 10 * float(np.log10(255**2 / squares)),
    }
    for quantity in runs[0]["changes"]:
        moved = np.concatenate([run["changes"][quantity] for run in runs])
        row[f"{quantity}_mean_px"] = float(moved.mean())
        row[f"{quantity}_p99_px"] = float(np.quantile(moved, 0.99))
        row[f"{quantity}_values"] = len(moved)
    return row


def render_some(out: Path, clips: int) -> Path:
    """Render clips of the bundled scene, without loss and with truth."""
    settings = ClipSettings(
        frames=FRAMES,
        size=SIZE_PX,
        frame_rate_hz=RATE_HZ,
        truth=("flow", "disparity", "masks"),
    )
    scene = Scene.load("living_room")
    plan = make_plan([scene], load_observer("adult"), settings, clips=clips, seed=7)
    scenes = {scene.card.name: scene}
    render_dataset(plan, scenes, out, progress=lambda share, note: print(f"{share:.0%} {note}"))
    return out


def print_table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Print a table whose numbers move with their magnitude; the same in Markdown."""
    print(f"\n{title}\n")
    names = list(rows[0])
    shown = [n for n in names if not n.endswith("_values")]
    print("| " + " | ".join(shown) + " |")
    print("|" + "---|" * len(shown))
    for row in rows:
        print("| " + " | ".join(_cell(row[name]) for name in shown) + " |")


def _cell(value: Any) -> str:  # noqa: ANN401 - a name or a number
    if value is None:
        return "exact"
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="data set instead of clips rendered for this")
    parser.add_argument("--clips", type=int, default=4, help="clips to render")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        data = arguments.data or render_some(Path(temporary) / "clips", arguments.clips)
        results = {
            "rendered": measure(CODECS, rendered(data)),
            "plane": measure(CODECS, [plane(seed) for seed in range(2)]),
            "depth": depth_rows(ClipDataset(data, streams=("depth",)), RATE_HZ),
        }
    for title, rows in results.items():
        print_table(title, rows)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
