"""A random walk through the bundled living room, rendered, and what is slow in its pictures.

The walk is that of the theory (Franzius, Sprekeler & Wiskott 2007): positions and heading diffuse
independently within a rectangle that lies over walkable floor and a coffee table. Its pictures are
two data sets, of a head that is carried along the path once forwards and once with its back to the
heading: together the two fisheyes of 170 degrees see 340 degrees, about as much as a rat.
"""

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from merkwelt.objectives.slowness.egocentric import Walk, explained
from merkwelt.objectives.slowness.expanded import ExpandedConfig, fit_expanded_sfa
from merkwelt.render.paths import HeadPath
from merkwelt.render.render_clip import ClipSettings
from merkwelt.streams import ClipDataset

from merkwelt.parts import Progress
from merkwelt.path_request import PathRequest
from merkwelt.rendering import RenderRequest, render

CORNER_XY_M = (-1.5, -1.15)
"""Of the rectangle, in the living room's world."""
EYE_HEIGHT_M = 1.6
CLIP_FRAMES = 250


@dataclass(frozen=True, kw_only=True)
class RoomWalk:
    """How long, how fast, with how many pixels, and how rich the functions of them are."""

    walk: Walk = Walk(size_x=3.0, size_y=2.1, step=0.18, turn_rad=0.4)
    frames: int = 7500
    size_px: int = 16
    frame_rate_hz: float = 4.0
    hfov_deg: float = 170.0
    inputs: int = 24
    """Principal directions of the pixels, and slow features that the second stage expands."""
    workers: int = 1


def measure_room(room: RoomWalk, out: Path, progress: Progress) -> dict[str, Any]:
    """Return how well the slowest features of rendered pictures agree with the theory's modes.

    Rendering goes on where it stopped if ``out`` holds a part of it.
    """
    start_s = time.perf_counter()
    pixels = rendered_views(room, out, progress)
    rendered_s = time.perf_counter() - start_s
    features, delta = slowest(room, pixels, pixels)
    learned_s = time.perf_counter() - start_s - rendered_s
    x, y, heading = room.walk.sample(room.frames)
    modes = room.walk.modes(6)
    responses = np.stack([room.walk.response(m, x, y, heading) for m in modes], axis=1)
    fitted = room.frames * 2 // 3
    unseen, _ = slowest(room, pixels[:fitted], pixels[fitted:])
    return {
        "frames": room.frames,
        "size_px": room.size_px,
        "rendering_s": round(rendered_s, 1),
        "learning_s": round(learned_s, 1),
        "modes": [str(mode) for mode in modes],
        "correlation": agreement(features, responses),
        "correlation_held_out_third": agreement(unseen, responses[fitted:]),
        "span_r2": [round(float(r2), 4) for r2 in explained(responses, features)],
        "delta": [round(float(d), 5) for d in delta[:6]],
        "delta_theory": [round(room.walk.delta(mode), 5) for mode in modes],
    }


def rendered_views(room: RoomWalk, out: Path, progress: Progress) -> np.ndarray:
    """Return uint8 pixels ``[frame, signal]`` of both views along the walk."""
    views = []
    for name, turned_rad in (("ahead", 0.0), ("behind", math.pi)):
        request = RenderRequest(
            scenes=("living_room",),
            settings=ClipSettings(
                frames=CLIP_FRAMES,
                size=room.size_px,
                retina="fisheye",
                frame_rate_hz=room.frame_rate_hz,
                hfov_deg=room.hfov_deg,
                depth=False,
                stereo=False,
                nearest_m=0.0,
            ),
            clips=room.frames // CLIP_FRAMES,
            path=PathRequest(file=_path_file(room, out / f"{name}.tum", turned_rad)),
        )
        render(request, out / name, workers=room.workers, progress=progress)
        clips = ClipDataset(out / name, streams=("video",))
        video = [clips[i].video for i in range(len(clips))]
        frames = np.concatenate([each[0].numpy() for each in video if each is not None])
        if len(frames) != room.frames:
            raise ValueError(f"expected {room.frames} frames in {out / name}, got {len(frames)}")
        views.append(frames.reshape(len(frames), -1))
    return np.concatenate(views, axis=1)


def agreement(features: np.ndarray, responses: np.ndarray) -> list[float]:
    """Return the correlation of the first two features with the first two modes."""
    return [
        round(abs(float(np.corrcoef(features[:, i], responses[:, i])[0, 1])), 4) for i in range(2)
    ]


def slowest(
    room: RoomWalk, fitted_to: np.ndarray, pixels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return 12 slow features ``[frame, feature]`` of pixels: quadratic, twice over.

    Features and the deltas that come with them are fitted to pixels of their own.
    """
    first = ExpandedConfig(
        first="whiten",
        inputs=room.inputs,
        outputs=room.inputs,
        covariance="total",
        rank_tolerance=1e-7,
    )
    below = fit_expanded_sfa([fitted_to], first)
    second = ExpandedConfig(outputs=12, covariance="total", rank_tolerance=1e-7)
    fit = fit_expanded_sfa([below(fitted_to)], second)
    return fit(below(pixels)), fit.delta


def _path_file(room: RoomWalk, target: Path, turned_rad: float) -> Path:
    """Write the poses of the walk in TUM's format, for ``merkwelt render --path``."""
    x, y, heading = room.walk.sample(room.frames)
    heading = heading + turned_rad
    world_from_head = np.zeros((room.frames, 4, 4))
    right = np.stack([np.sin(heading), -np.cos(heading), np.zeros_like(heading)], axis=1)
    forward = np.stack([np.cos(heading), np.sin(heading), np.zeros_like(heading)], axis=1)
    world_from_head[:, :3, 0] = right
    world_from_head[:, :3, 1] = (0.0, 0.0, -1.0)
    world_from_head[:, :3, 2] = forward
    height = np.full_like(x, EYE_HEIGHT_M)
    world_from_head[:, :3, 3] = np.stack([CORNER_XY_M[0] + x, CORNER_XY_M[1] + y, height], axis=1)
    world_from_head[:, 3, 3] = 1
    path = HeadPath.of(np.arange(room.frames) / room.frame_rate_hz, world_from_head)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join(path.poses) + "\n")
    return target
