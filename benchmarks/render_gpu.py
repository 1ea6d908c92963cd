"""How fast nerfacto renders on a GPU, beside the torch reference and nerfstudio in the same run.

    python benchmarks/render_gpu.py --json render_gpu.json
    python benchmarks/render_gpu.py --run ../shared/data/trained/fox_nerfacto  # and nerfstudio
    python benchmarks/render_gpu.py --fast scenes/living_room  # and the fast path

Whole clips (16 frames of two eyes, 128 x 128) of the bundled scene, along an adult's trajectories;
with `--run`, which needs the extra `nerfstudio`, also of that run, from its own cameras; with
`--fast` of that scene, which was optimised, in the bundled one's place. Every
renderer is timed by the device's own clock, after a call that packs and compiles. The floor is what
the look-ups, products and bytes that a ray needs would take at the device's own ceilings, measured
in the same run, if the others cost nothing; coarse levels, whose rows stay in the first cache, can
beat it. What a ray of the fast path needs is counted on the CPU. Without a CUDA device nothing is
measured, and it says so.
"""

import argparse
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gpu_floor import FAST, RayPair, needs, report_needs
from merkwelt.render.bricks.triton_path import render_bricks_triton
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.motion.plan import AttemptKey, plan_trajectory
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.nerfacto.kernel import render_nerfacto
from merkwelt.render.nerfacto.triton_launch import TritonOptions
from merkwelt.render.nerfacto.triton_path import render_nerfacto_triton
from merkwelt.render.observer.presets import adult
from merkwelt.render.rays import Rays
from merkwelt.render.volume import field_rays, render_field
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfacto import NerfactoField
from merkwelt.scenes.nerfstudio.run import find_run, import_run
from merkwelt.scenes.scene import Scene
from merkwelt.scenes.training.environment import nerfstudio_mended
from nerfstudio_peer import Renderer, nerfstudio_renderer

FRAMES, EYES, SIZE, HFOV_RAD = 16, 2, 128, np.deg2rad(65.0)
RAYS_PER_CLIP = FRAMES * EYES * SIZE * SIZE
CLIPS_PER_LAUNCH = (1, 4, 16)
RAYS_AT_ONCE = 1 << 15
"""Rays of a chunk of the torch renderers."""
COMPARED_RAYS = 1 << 15
SLOW = ("torch", "nerfstudio")
"""Measured on one clip only."""


def renderers(scene: Scene, device: torch.device) -> dict[str, Renderer]:
    """Return the renderers of a scene by name. A further one is measured when it is added here."""
    field = scene.field
    assert isinstance(field, NerfactoField)
    on_device = NerfactoField(
        field.config, {name: value.to(device) for name, value in field.weights.items()}
    )

    def reference(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        parts = zip(origins.split(RAYS_AT_ONCE), directions.split(RAYS_AT_ONCE), strict=True)
        return torch.cat([render_field(on_device, o, d) for o, d in parts])

    made: dict[str, Renderer] = {
        "torch": reference,
        "triton": lambda origins, directions: render_nerfacto_triton(field, origins, directions),
    }
    if scene.has_bricks:
        bricks = scene.bricks
        made[FAST] = lambda o, d: render_bricks_triton(bricks, o, d)
    else:
        print(f"the fast path is left out: {scene.card.name} has no fast form; see --fast")
    return made


def tuned_renderers(field: NerfactoField) -> dict[str, Renderer]:
    """Return the Triton renderer launched in other ways, to find the best one for a device.

    They are named by samples per program and per warp, and by the most registers.
    """

    def renderer(options: TritonOptions) -> Renderer:
        return lambda o, d: render_nerfacto_triton(field, o, d, options=options)

    return {
        f"triton {program}/{warp}/{most or '-'}": renderer(
            TritonOptions(samples_per_program=program, samples_per_warp=warp, most_registers=most)
        )
        for program in (64, 128, 256)
        for warp in (16, 32)
        for most in (None, 128)
    }


def captured(render: Renderer, rays: RayPair) -> Callable[[], torch.Tensor]:
    """Return a call that replays a renderer's CUDA graph for these rays."""
    render(*rays)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        seen = render(*rays)

    def replay() -> torch.Tensor:
        graph.replay()
        return seen

    return replay


def observed_poses(scene: Scene, clips: int) -> np.ndarray:
    """Return the eyes' poses ``[clips * 32, 4, 4]`` of an adult who looks around."""
    observer = adult()
    navigation = Navigation.of(scene, observer)
    poses = []
    for clip in range(clips):
        key = AttemptKey(dataset_seed=0, scene=scene.card.name, clip=clip, attempt=0)
        trajectory = plan_trajectory(
            scene, observer, key, frames=FRAMES, frame_rate_hz=10.0, navigation=navigation
        )
        poses.append(np.asarray(trajectory.world_from_eye).reshape(-1, 4, 4))
    return np.concatenate(poses)


def camera_poses(scene: Scene, clips: int) -> np.ndarray:
    """Return as many poses from the cameras that a scene was trained on, again and again."""
    cameras = np.asarray(scene.card.world_from_training_camera)
    return cameras[np.arange(clips * FRAMES * EYES) % len(cameras)]


def rays_in_field(scene: Scene, rays: Rays) -> RayPair:
    """Return origins and directions in the field's own coordinates."""
    origins, directions, _ = field_rays(scene, rays)
    return origins, directions


def rays_in_grid(scene: Scene, rays: Rays) -> RayPair:
    """Return origins and directions in the coordinates of a scene's bricks."""
    space = scene.bricks.space
    centre = torch.tensor(space.centre, device=rays.device, dtype=torch.float64)
    return ((rays.origins.double() - centre) / space.half_edge).float(), rays.directions


def psnr(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return how alike two pictures' colours are, in dB."""
    error = found[:, :3].double() - expected[:, :3].double()
    return -10 * float((error**2).mean().log10())


def measure(
    scene: Scene, poses: np.ndarray, made: dict[str, Renderer], device: torch.device, rounds: int
) -> dict[str, Any]:
    """Return the times of all renderers of a scene, what they are at best, and their fidelity."""
    rays = rays_of(PinholeCamera.from_hfov(HFOV_RAD, (SIZE, SIZE)), poses, device=device)
    pairs = {"exact": rays_in_field(scene, rays)}
    if FAST in made:
        pairs[FAST] = rays_in_grid(scene, rays)
    every = max(len(rays) // COMPARED_RAYS, 1)
    some = {k: (o[::every].contiguous(), d[::every].contiguous()) for k, (o, d) in pairs.items()}
    expected = render_nerfacto(scene.field, *(part.cpu() for part in some["exact"]))  # type: ignore[arg-type]
    # Whole rows of a picture, as a warp takes them.
    counted = tuple(part[:COMPARED_RAYS].cpu() for part in pairs[FAST]) if FAST in made else None
    found = needs(scene, counted, device)  # type: ignore[arg-type]
    table = []
    for name, render in made.items():
        kind = FAST if name == FAST else "exact"
        fidelity = psnr(render(*some[kind]).cpu(), expected)
        for row in timed(name, render, pairs[kind], rounds):
            row |= {"psnr_db": fidelity}
            row["share_of_floor"] = max(found[kind]["floor_s_per_ray"].values()) * row["rays_per_s"]
            table.append(row)
    slow = {row["renderer"]: row["rays_per_s"] for row in table if row["renderer"] in SLOW}
    for row in table:
        row |= {f"times_{peer}": row["rays_per_s"] / rate for peer, rate in slow.items()}
    return {**found, "rows": table}


def timed(name: str, render: Renderer, rays: RayPair, rounds: int) -> list[dict[str, Any]]:
    """Return a renderer's rows: how long it takes for more and more clips, also as a graph."""
    from gpu_ceilings import seconds_of

    device, table = rays[0].device, []
    for clips in CLIPS_PER_LAUNCH[: 1 if name in SLOW else None]:
        part = rays[0][: clips * RAYS_PER_CLIP], rays[1][: clips * RAYS_PER_CLIP]
        calls: dict[str, Callable[[], object]] = {name: lambda r=render, p=part: r(*p)}
        if name not in SLOW and device.type == "cuda":
            calls[f"{name}, graph"] = captured(render, part)
        for label, call in calls.items():
            seconds = seconds_of(call, device, rounds=3 if name in SLOW else rounds)
            table.append(_row(label, seconds / len(part[0]), len(part[0])))
    return table


def _row(label: str, seconds: float, rays: int) -> dict[str, Any]:
    """Return a line of the table; ``seconds`` are those of one ray."""
    return {
        "renderer": label,
        "clips": rays / RAYS_PER_CLIP,
        "rays_per_s": 1 / seconds,
        "ms_per_clip": 1000 * seconds * RAYS_PER_CLIP,
    }


def report(name: str, found: dict[str, Any]) -> None:
    """Print what was measured of a scene."""
    print(name)
    report_needs(found)
    print(
        f"{'renderer':22s}{'clips':>6s}{'M rays/s':>10s}{'ms/clip':>9s}{'PSNR dB':>9s}"
        f"{'of floor':>9s}{'x torch':>9s}{'x nerfstudio':>13s}"
    )
    for row in found["rows"]:
        times = [row.get(f"times_{peer}") for peer in SLOW]
        torch_times, peer_times = ("" if t is None else f"{t:.1f}" for t in times)
        print(
            f"{row['renderer']:22s}{row['clips']:6.0f}{row['rays_per_s'] / 1e6:10.3f}"
            f"{row['ms_per_clip']:9.2f}{row['psnr_db']:9.1f}{row['share_of_floor']:9.1%}"
            f"{torch_times:>9s}{peer_times:>13s}"
        )


def measured(arguments: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    """Return all that was measured, and print it."""
    clips = max(CLIPS_PER_LAUNCH)
    results: dict[str, Any] = {"measured": True, "scenes": {}}
    if device.type == "cuda":
        results["device"] = torch.cuda.get_device_name(device)
        print(results["device"])
    with contextlib.ExitStack() as stack:
        scene = Scene.load(arguments.fast or "living_room")
        made = renderers(scene, device)
        if arguments.tune:
            made |= tuned_renderers(scene.field)  # type: ignore[arg-type]
        walks = scene.card.is_metric and scene.card.floor_height is not None
        poses = (observed_poses if walks else camera_poses)(scene, clips)
        cases = [(scene.card.name, scene, poses, made)]
        if arguments.run:
            stack.enter_context(nerfstudio_mended())
            run = find_run(arguments.run)
            scene = import_run(run, ImportOptions(name="benchmark"))
            assert isinstance(scene.field, NerfactoField)
            peer = nerfstudio_renderer(scene.field, device, rays_at_once=RAYS_AT_ONCE)
            made = {**renderers(scene, device), "nerfstudio": peer}
            cases.append((run.name, scene, camera_poses(scene, clips), made))
        for name, scene, poses, made in cases:
            results["scenes"][name] = measure(scene, poses, made, device, arguments.rounds)
            report(name, results["scenes"][name])
    return results


def main() -> None:
    """Measure and print; write JSON if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, help="nerfstudio nerfacto run, also measured")
    parser.add_argument("--fast", type=Path, metavar="FOLDER", help="an optimised scene")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tune", action="store_true", help="try other ways to launch, too")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    if torch.cuda.is_available():
        results = measured(arguments, torch.device("cuda", torch.cuda.current_device()))
    else:
        results = {"measured": False, "reason": "no CUDA device"}
        print("not measured: no CUDA device")
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
