"""The whole road on the bundled scene, small enough for a laptop: render, train, evaluate, report.

Everything is the real thing with small numbers: the same functions that the other commands call.
"""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import imageio.v3 as imageio

from .alignment import Results
from .evaluation import EvaluateRequest, maps_of, score_run
from .object_views import ObjectViewSettings
from .parts import Progress, part
from .recipes import recipe
from .render.clip import Clip
from .render.key import ClipKey
from .render.navigation.navigation import Navigation
from .render.observer.presets import load_observer
from .render.render_clip import ClipSettings, render_clip
from .rendering import RenderRequest, render
from .report import (
    Report,
    alignment_section,
    clip_section,
    provenance_section,
    scene_section,
    training_section,
    trajectory_section,
    truth_section,
    walkable_of,
    write_report,
)
from .scenes.scene import PREVIEW_FILE, Scene
from .score_text import score_lines
from .training.experiment import Experiment
from .training.loop import train

SHOWCASE_CLIP = 6
"""Of seed 0: from the bookcase past the table to the piano."""


@dataclass(frozen=True, kw_only=True)
class DemoSettings:
    """How much of everything; the defaults take two to four minutes on two cores."""

    scene: str = "living_room"
    showcase: ClipSettings = field(
        default_factory=lambda: ClipSettings(
            frames=16, size=192, frame_rate_hz=10.0, truth=("flow", "disparity", "masks", "ids")
        )
    )
    clip: ClipSettings = field(
        default_factory=lambda: ClipSettings(frames=16, size=48, frame_rate_hz=10.0)
    )
    clips: int = 20
    steps: int = 120
    batch: int | None = None
    """Clips per step; None leaves the recipes' own."""
    recipes: tuple[str, ...] = ("sfa", "predict")
    objects: ObjectViewSettings = field(default_factory=ObjectViewSettings)


@dataclass(frozen=True, kw_only=True)
class DemoDone:
    """Where the report is, and what to tell."""

    report: Path
    lines: tuple[str, ...]
    seconds: float


def run_demo(
    out: Path,
    *,
    seed: int = 0,
    settings: DemoSettings | None = None,
    progress: Progress | None = None,
) -> DemoDone:
    """Render a data set, train the recipes on it, score them, and write ``report.html``.

    Run again with the same folder it resumes: finished parts are kept.
    """
    settings = settings or DemoSettings()
    started_s = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    scene = Scene.load(settings.scene)
    clip, navigation = _showcase(scene, settings, seed, part(progress, 0.0, 0.17))
    request = RenderRequest(
        scenes=(settings.scene,), settings=settings.clip, clips=settings.clips, seed=seed
    )
    rendered = render(request, out / "clips", progress=part(progress, 0.17, 0.5))
    runs, results = {}, {}
    for i, name in enumerate(settings.recipes):
        runs[name] = out / "runs" / name
        training = part(progress, 0.5 + 0.2 * i, 0.7 + 0.2 * i)
        experiment = _experiment(name, settings, seed)
        train(experiment, out / "clips", runs[name], steps=settings.steps, progress=training)
    ask = EvaluateRequest(scene=settings.scene, seed=seed, objects=settings.objects)
    maps = maps_of(ask, part(progress, 0.9, 0.94))
    for i, (name, run) in enumerate(runs.items()):
        scoring = part(progress, 0.94 + 0.03 * i, 0.97 + 0.03 * i)
        results[name] = score_run(run, maps, ask, progress=scoring)
    report = _report(scene, clip, navigation, runs, results)
    path = write_report(report, out / "report.html")
    seconds = time.perf_counter() - started_s
    lines = [rendered.summary, *(line for r in results.values() for line in score_lines(r))]
    return DemoDone(report=path, lines=(*lines, f"{seconds:.0f} s in all"), seconds=seconds)


def _experiment(name: str, settings: DemoSettings, seed: int) -> Experiment:
    experiment = recipe(name)
    batch = settings.batch or experiment.batch_size
    every = max(settings.steps // 6, 1)
    return replace(experiment, batch_size=batch, validate_every=every, seed=seed)


def _showcase(
    scene: Scene, settings: DemoSettings, seed: int, progress: Progress | None
) -> tuple[Clip, Navigation]:
    """Return one larger clip to look at; its key lies outside the data set's."""
    if progress:
        progress(0.0, "finding a way through the room")
    observer = load_observer("adult")
    navigation = Navigation.of(scene, observer)
    if progress:
        progress(0.2, "a walk to look at")
    key = ClipKey(dataset_seed=seed, scene=f"{scene.card.name}/showcase", clip=SHOWCASE_CLIP)
    return render_clip(scene, observer, settings.showcase, key, navigation=navigation), navigation


def _report(
    scene: Scene,
    clip: Clip,
    navigation: Navigation,
    runs: dict[str, Path],
    results: dict[str, Results],
) -> Report:
    preview = None
    if scene.folder is not None and (scene.folder / PREVIEW_FILE).is_file():
        preview = imageio.imread(scene.folder / PREVIEW_FILE)
    walkable = walkable_of(navigation)
    return Report(
        title="The whole road",
        subtitle=(
            f"Stereo egocentric video from the neural radiance field {scene.card.name}, two "
            "networks that learned from it, and where they look."
        ),
        sections=(
            clip_section(clip, scene.card),
            truth_section(clip),
            trajectory_section(clip.trajectory, scene.card, walkable),
            scene_section(scene.card, preview, walkable=walkable),
            training_section(runs),
            alignment_section(results),
            provenance_section(
                commands=(
                    "merkwelt demo",
                    f"merkwelt render --scene {scene.card.name} --observer adult --out clips",
                    *(f"merkwelt train {n} --data clips --out runs/{n}" for n in runs),
                    *(f"merkwelt evaluate runs/{n} --out scores/{n}" for n in runs),
                ),
                facts={"Data set": {"clip key of the walk": clip.key}},
            ),
        ),
    )
