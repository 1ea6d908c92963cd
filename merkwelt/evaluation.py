"""Scoring a trained run: saliency against human maps, or object evidence in a rendered scene."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from .alignment import (
    FeatureNorm,
    Gradient,
    HumanMaps,
    Results,
    SaliencyRecipe,
    ScoreSettings,
    SmoothGrad,
    read_maps,
    score,
    score_objects,
    write_results,
)
from .object_views import ObjectViewSettings, object_views
from .parts import Progress, part
from .report import evaluate_report, write_report
from .scenes.scene import Scene
from .training.experiment import build
from .training.run_folder import load_run
from .video_models.encoder import Encoder

MAP_SIZE = 112
"""Side in pixels at which maps are compared by default; the encoders are convolutional."""


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest:
    """What a run is scored on."""

    maps: Path | None = None
    """Human maps; None scores object evidence in a scene instead."""
    scene: str = "living_room"
    library: Path | None = None
    size: int | None = None
    smooth: int = 0
    """Samples of SmoothGrad; 0 is the plain gradient."""
    seed: int = 0
    objects: ObjectViewSettings = field(default_factory=ObjectViewSettings)
    """How objects are photographed without maps."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Where the scores are, and what to tell of them."""

    results: Results
    lines: tuple[str, ...]
    report: Path


def evaluate(
    run: Path, out: Path, request: EvaluateRequest, *, progress: Progress | None = None
) -> Evaluated:
    """Score a run and write ``results.json`` and ``report.html`` to ``out``.

    Raises:
        FileNotFoundError: no run, no maps or no scene.
        ValueError: a file is damaged or is something else; says what was expected.
        FileExistsError: ``out`` is a file.
    """
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} is a file; name a folder for the results")
    maps = maps_of(request, part(progress, 0.0, 0.2))
    results = score_run(run, maps, request, progress=part(progress, 0.2, 1.0))
    out.mkdir(parents=True, exist_ok=True)
    write_results(results, out / "results.json")
    command = f"merkwelt evaluate {run.name} --out {out.name}"
    page = evaluate_report({run.name: results}, runs={run.name: run}, commands=(command,))
    report = write_report(page, out / "report.html")
    return Evaluated(results=results, lines=score_lines(results), report=report)


def maps_of(request: EvaluateRequest, progress: Progress | None = None) -> HumanMaps:
    """Return the human maps, or pictures of a scene's objects with their masks."""
    if request.maps is not None:
        return read_maps(request.maps)
    scene = Scene.load(request.scene, library=request.library)
    return object_views(scene, seed=request.seed, settings=request.objects, progress=progress)


def score_run(
    run: Path, maps: HumanMaps, request: EvaluateRequest, *, progress: Progress | None = None
) -> Results:
    """Return a run's scores beside its floors, among them the same network untrained."""
    loaded = load_run(run)
    recipe = SaliencyRecipe(
        target=FeatureNorm(centred=True),
        method=SmoothGrad(samples=request.smooth) if request.smooth else Gradient(),
        blur="disc blur twice",
    )
    untrained = build(loaded.experiment)[0].eval()
    settings = (
        ScoreSettings(size=request.size or MAP_SIZE, seed=request.seed)
        if maps.are_human
        else ScoreSettings(
            size=request.size or min(maps.maps.shape[1:]), crop_share=1.0, seed=request.seed
        )
    )
    take = score if maps.are_human else score_objects
    for encoder in (loaded.encoder, untrained):
        encoder.requires_grad_(requires_grad=False)
    return take(
        cast(Encoder, loaded.encoder),
        maps,
        recipe=recipe,
        settings=settings,
        random_encoder=cast(Encoder, untrained),
        progress=progress,
    )


def score_lines(results: Results) -> tuple[str, ...]:
    """Return the scores beside their floors, one line each, for a terminal."""
    lines = [results.name]
    if not results.maps.are_human:
        lines.append(f"note: {results.maps.kind}")
    for metric in results.metrics:
        mean = metric.interval
        lines.append(f"{metric.name}: {mean.mean:.3f}  [{mean.low:.3f}, {mean.high:.3f}]")
        lines += [f"    floor, {f.name}: {f.interval.mean:.3f}" for f in metric.floors]
        lines += [
            f"    over {c.name} ({c.value:.3f}): {c.over_ceiling.mean:.3f}" for c in metric.ceilings
        ]
    lines += [f"no score for {name}: {why}" for name, why in results.undefined.items()]
    return tuple(lines)
