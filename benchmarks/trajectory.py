"""How fast trajectories are made, beside rendering their frames exactly, in the same run on a CPU.

    python benchmarks/trajectory.py --scene living_room --json trajectory.json

Each clip is planned at 200 Hz or more, and some of its frames are rendered for both eyes by the
exact path; clip by clip in turns, so that a machine that is busy is so for both. The ratio is of
medians: time to render all frames of a clip over time to plan it. What is made once per scene
(navigation) is not part of it, and is printed apart. `--profile` tells where planning spends time.
"""

import argparse
import cProfile
import json
import os
import platform
import pstats
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import Motion, plan_motion
from merkwelt.render.navigation import Navigation
from merkwelt.render.observer import load_observer
from merkwelt.render.volume import RenderOptions, render_rays
from merkwelt.scenes.scene import Scene

SIZE_PX = 128
HFOV_RAD = np.radians(65)
WANTED = 20.0
"""Rendering should take at least so many times as long as planning."""


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Plans clips of one observer in one scene."""

    scene: Scene
    observer: str
    navigation: Navigation
    frames: int
    frame_rate_hz: float

    def plan(self, clip: int) -> Motion:
        """Return the motion of a clip."""
        return plan_motion(
            self.scene,
            load_observer(self.observer),
            ClipKey(dataset_seed=0, scene=self.scene.card.name, clip=clip),
            frames=self.frames,
            frame_rate_hz=self.frame_rate_hz,
            navigation=self.navigation,
        )


def measure(planner: Planner, clips: int, rendered: int) -> dict[str, Any]:
    """Return seconds of each clip for planning and for rendering all its frames.

    ``rendered`` frames of each clip are rendered and stand for the others.
    """
    camera = PinholeCamera.from_hfov(HFOV_RAD, (SIZE_PX, SIZE_PX))
    options = RenderOptions()
    first = planner.plan(0).frames().world_from_eye[:, 0]
    render_rays(planner.scene, rays_of(camera, first), options)
    planned_s, rendered_s, instants = [], [], 0
    for clip in range(1, clips + 1):
        started = time.perf_counter()
        motion = planner.plan(clip)
        planned_s.append(time.perf_counter() - started)
        trajectory, instants = motion.frames(), len(motion.course.time_s)
        chosen = np.linspace(0, trajectory.frames - 1, rendered).round().astype(int)
        started = time.perf_counter()
        for frame in chosen:
            render_rays(
                planner.scene, rays_of(camera, trajectory.world_from_eye[:, frame]), options
            )
        spent = time.perf_counter() - started
        rendered_s.append(spent * trajectory.frames / rendered)
    ratio = statistics.median(rendered_s) / statistics.median(planned_s)
    return {
        "instants": instants,
        "planned_s": planned_s,
        "rendered_s": rendered_s,
        "ratio": ratio,
        "is_enough": ratio >= WANTED,
    }


def report(results: dict[str, Any]) -> None:
    """Print what was measured."""
    print(f"{results['observer']} in {results['scene']} on {results['machine']}, ", end="")
    print(f"{results['threads']} threads, load {results['load']:.1f}")
    print(
        f"{results['frames']} frames at {results['frame_rate_hz']:g} Hz, {results['instants']} "
        f"instants, two eyes of {SIZE_PX} x {SIZE_PX} pixels"
    )
    print(f"{'':12s} {'s/clip':>8s} {'ms/frame':>9s} {'fastest':>8s} {'slowest':>8s}")
    for name in ("planned", "rendered"):
        seconds = results[f"{name}_s"]
        median = statistics.median(seconds)
        print(
            f"{name:12s} {median:8.3f} {1000 * median / results['frames']:9.2f} "
            f"{min(seconds):8.3f} {max(seconds):8.3f}"
        )
    enough = "enough" if results["is_enough"] else "too little"
    print(f"rendering takes {results['ratio']:.1f} times as long; {enough}, {WANTED:g} is wanted")
    print(f"once per scene: navigation {results['navigation_s']:.2f} s")


def profile(planner: Planner) -> None:
    """Print where the time of planning goes."""
    profiler = cProfile.Profile()
    profiler.runcall(planner.plan, 1)
    pstats.Stats(profiler).sort_stats("cumulative").print_stats("render|scenes", 16)


def main() -> None:
    """Measure and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", default="living_room", help="scene, name or folder")
    parser.add_argument("--library", type=Path, help="folder of scenes")
    parser.add_argument("--observer", default="adult")
    parser.add_argument("--clips", type=int, default=5)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--frame-rate-hz", type=float, default=30.0)
    parser.add_argument("--rendered", type=int, default=4, help="frames rendered of each clip")
    parser.add_argument("--profile", action="store_true", help="tell where planning spends time")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    scene = Scene.load(arguments.scene, library=arguments.library)
    started = time.perf_counter()
    navigation = Navigation.of(scene, load_observer(arguments.observer))
    navigation_s = time.perf_counter() - started
    planner = Planner(
        scene=scene,
        observer=arguments.observer,
        navigation=navigation,
        frames=arguments.frames,
        frame_rate_hz=arguments.frame_rate_hz,
    )
    results = {
        "scene": scene.card.name,
        "observer": arguments.observer,
        "frames": arguments.frames,
        "frame_rate_hz": arguments.frame_rate_hz,
        "size_px": SIZE_PX,
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "navigation_s": navigation_s,
        **measure(planner, arguments.clips, arguments.rendered),
    }
    report(results)
    if arguments.profile:
        profile(planner)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
