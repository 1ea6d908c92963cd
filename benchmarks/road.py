"""The whole road on real input: photographs, a scene, clips, two models, a ClickMe score.

    python benchmarks/road.py --capture ../shared/data/noncommercial/fox \
        --maps ../shared/data/clickme/clickme2_co3d_29.npz --out road --json road.json

Needs the extra `nerfstudio`. Prints what each stage took and what came out of it; nothing is
compared with anything but its own floors. The fox has no metric scale; 0.3 metres per unit is an
assumption, made from the size of a fox, that only sets how far apart the two eyes are.
"""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from merkwelt.alignment import Results
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.captures import read_capture
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.training.settings import TrainSettings
from merkwelt.streams import ClipDataset, verify_dataset

from merkwelt.console import progress_bar
from merkwelt.evaluation import EvaluateRequest, evaluate
from merkwelt.parts import Progress
from merkwelt.recipes import recipe
from merkwelt.rendering import RenderRequest, render
from merkwelt.runs import train_run
from merkwelt.scene_build import Keeping, train_scene

RECIPES = ("sfa", "predict")


@dataclass(frozen=True, kw_only=True)
class Road:
    """Where the road starts and how far it goes."""

    capture: Path
    maps: Path
    out: Path
    metres_per_unit: float = 0.3
    scene_steps: int = 2000
    downscale: int = 8
    clips: int = 20
    size: int = 64
    frames: int = 16
    steps: int = 200
    smooth: int = 8


@dataclass
class Log:
    """Seconds and figures of each stage, printed as they come."""

    stages: dict[str, dict[str, Any]] = field(default_factory=dict)

    def stage(self, name: str, work: Callable[[Progress], dict[str, Any]]) -> None:
        """Run one stage under a progress bar and note what it took."""
        started_s = time.perf_counter()
        with progress_bar(name) as progress:
            figures = work(progress)
        self.stages[name] = {"seconds": round(time.perf_counter() - started_s, 1), **figures}
        shown = "  ".join(f"{key} {value}" for key, value in self.stages[name].items())
        print(f"{name:14s} {shown}")


def walk(road: Road) -> dict[str, dict[str, Any]]:
    """Walk the whole road and return what each stage took and gave."""
    log = Log()
    log.stage("photographs", lambda progress: _read(road))
    log.stage("scene", lambda progress: _scene(road, progress))
    log.stage("clips", lambda progress: _clips(road, progress))
    for name in RECIPES:
        log.stage(f"train {name}", lambda progress, name=name: _train(road, name, progress))
    for name in RECIPES:
        log.stage(f"score {name}", lambda progress, name=name: _score(road, name, progress))
    return log.stages


def _read(road: Road) -> dict[str, Any]:
    capture = read_capture(road.capture)
    return {"present": len(capture.views), "missing": len(capture.missing)}


def _scene(road: Road, progress: Progress) -> dict[str, Any]:
    scene = train_scene(
        road.capture,
        ImportOptions(name="road", metres_per_unit=road.metres_per_unit),
        TrainSettings(steps=road.scene_steps, downscale=road.downscale),
        Keeping(library=road.out / "scenes", replace=True),
        progress=progress,
    )
    return dict(scene.card.quality)


def _clips(road: Road, progress: Progress) -> dict[str, Any]:
    request = RenderRequest(
        scenes=("road",),
        settings=ClipSettings(frames=road.frames, size=road.size),
        clips=road.clips,
        library=road.out / "scenes",
    )
    render(request, road.out / "clips", progress=progress)
    found = verify_dataset(road.out / "clips")
    size = sum(f.stat().st_size for f in (road.out / "clips").rglob("*.tar"))
    return {
        "clips": len(ClipDataset(road.out / "clips")),
        "skipped": found.skipped,
        "whole": found.ok,
        "megabytes": round(size / 1e6, 1),
    }


def _train(road: Road, name: str, progress: Progress) -> dict[str, Any]:
    done = train_run(
        recipe(name),
        road.out / "clips",
        road.out / "runs" / name,
        steps=road.steps,
        progress=progress,
    )
    trained, untrained = done.summary.held_out, done.summary.untrained
    return {
        key: f"{value:.4g} (untrained {untrained[key]:.4g})"
        for key, value in trained.items()
        if key in untrained
    }


def _score(road: Road, name: str, progress: Progress) -> dict[str, Any]:
    request = EvaluateRequest(maps=road.maps, smooth=road.smooth)
    done = evaluate(
        road.out / "runs" / name, road.out / "scores" / name, request, progress=progress
    )
    return {"name": done.results.name, **_figures(done.results)}


def _figures(results: Results) -> dict[str, Any]:
    main = results.main
    floors = {f"floor {floor.name}": round(floor.interval.mean, 3) for floor in main.floors}
    return {main.name: str(main.interval), **floors}


def main() -> None:
    """Read the command line, walk, and write the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    for name in ("capture", "maps", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--scene-steps", type=int, default=Road.scene_steps)
    parser.add_argument("--clips", type=int, default=Road.clips)
    parser.add_argument("--steps", type=int, default=Road.steps)
    parser.add_argument("--json", type=Path)
    given = vars(parser.parse_args())
    target = given.pop("json")
    stages = walk(Road(**given))
    if target:
        target.write_text(json.dumps(stages, indent=1))


if __name__ == "__main__":
    main()
