"""Scoring models: saliency against human maps, or object evidence in a rendered scene."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .alignment import (
    ClassLogit,
    HumanMaps,
    Results,
    SaliencyRecipe,
    write_results,
)
from .alignment.models.fixation import FixationName
from .alignment.models.scored import ScoredModel
from .alignment.models.scoring import score_model, settings_for
from .alignment.protocols import ProtocolName, protocol_named
from .alignment.results import FORMAT
from .files import write_atomically
from .object_views import ObjectViewSettings, object_views
from .option_words import option_words
from .parts import Progress, part
from .report import evaluate_report, write_report
from .results_folder import RESULTS_FILE, free_for
from .saliency_request import SaliencyRequest
from .scenes.scene import Scene
from .score_text import comparison_lines, score_lines
from .scored_model import fixating, run_model, scored_model

MODELS_FILE = "models.json"
IMAGENET_CLASSES = 1000


@dataclass(frozen=True, kw_only=True)
class EvaluateRequest:
    """What models are scored on."""

    maps: Path | None = None
    """Human maps; None scores object evidence in a scene instead."""
    scene: str = "living_room"
    library: Path | None = None
    size: int | None = None
    smooth: int = 0
    """Samples of SmoothGrad; 0 leaves the method to ``saliency``."""
    saliency: SaliencyRequest = SaliencyRequest()
    """How saliency is made."""
    seed: int = 0
    objects: ObjectViewSettings = field(default_factory=ObjectViewSettings)
    """How objects are photographed without maps."""
    weights: Path | None = None
    """A file of weights for ``timm:NAME`` or ``torchvision:NAME``."""
    protocol: ProtocolName = "merkwelt"
    """Preparation, saliency, metrics and ceilings, by name."""
    fixation: FixationName = "still"
    """How a video model sees a still image: repeated, or with fixational eye movement."""


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Where the scores are, and what to tell of them."""

    by_model: dict[str, Results]
    lines: tuple[str, ...]
    report: Path

    @property
    def results(self) -> Results:
        """The results of the first model."""
        return next(iter(self.by_model.values()))


def evaluate(
    models: str | Path | Sequence[str | Path],
    out: Path,
    request: EvaluateRequest,
    *,
    progress: Progress | None = None,
) -> Evaluated:
    """Score models and write ``results.json``, ``models.json`` and ``report.html`` to ``out``.

    Several models get one report with all of them, and a folder with ``results.json`` each.

    Args:
        models: What `scored_model` understands, or several of it.
        out: Folder of the results.
        request: What they are scored on.
        progress: Told the share done and a message.

    Raises:
        FileNotFoundError: no model, no maps or no scene.
        ValueError: a file is damaged or is something else; says what was expected.
        FileExistsError: ``out`` is a file, or holds something else.
        ImportError: a model needs an extra that is missing.
    """
    words = [models] if isinstance(models, str | Path) else list(models)
    free_for(out, FORMAT)
    scored = _models(words, request)
    maps = maps_of(request, part(progress, 0.0, 0.2))
    by_model: dict[str, Results] = {}
    for i, model in enumerate(scored):
        share = part(progress, 0.2 + 0.8 * i / len(scored), 0.2 + 0.8 * (i + 1) / len(scored))
        by_model[model.name] = score_scored(model, maps, request, progress=share)
    report = _write(scored, by_model, out, words, request)
    lines = (
        comparison_lines(by_model) if len(by_model) > 1 else score_lines(by_model[scored[0].name])
    )
    return Evaluated(by_model=by_model, lines=lines, report=report)


def _models(words: Sequence[str | Path], request: EvaluateRequest) -> list[ScoredModel]:
    """Return the models that are meant, all of them before the first is scored."""
    if not words:
        raise ValueError("expected at least one model to score, got none")
    models = [
        fixating(
            scored_model(each, weights=request.weights, seed=request.seed),
            request.fixation,
            seed=request.seed,
        )
        for each in words
    ]
    names = [model.name for model in models]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(
            f"expected models of different names, got {', '.join(twice)} more than once; runs are "
            "called by the last part of their folder"
        )
    return models


def maps_of(request: EvaluateRequest, progress: Progress | None = None) -> HumanMaps:
    """Return the human maps, or pictures of a scene's objects with their masks."""
    protocol = protocol_named(request.protocol)
    if request.maps is not None:
        return protocol.read(request.maps)
    if protocol.prepares_images:
        raise ValueError(
            f"the protocol {protocol.name} compares with human maps; name some (--maps), or leave "
            "the protocol out for object evidence"
        )
    scene = Scene.load(request.scene, library=request.library)
    return object_views(scene, seed=request.seed, settings=request.objects, progress=progress)


def score_run(
    run: Path, maps: HumanMaps, request: EvaluateRequest, *, progress: Progress | None = None
) -> Results:
    """Return a run's scores beside its floors, among them the same network untrained."""
    model = fixating(run_model(run), request.fixation, seed=request.seed)
    return score_scored(model, maps, request, progress=progress)


def score_scored(
    model: ScoredModel,
    maps: HumanMaps,
    request: EvaluateRequest,
    *,
    progress: Progress | None = None,
) -> Results:
    """Return a model's scores as asked for."""
    protocol = protocol_named(request.protocol)
    base = replace(protocol.settings, seed=request.seed)
    settings = protocol.settings_of(settings_for(model, maps, base=base, size=request.size))
    return score_model(
        model,
        maps,
        recipe=_of_true_classes(requested_recipe(model, request), model, maps, request),
        settings=settings,
        metrics=protocol.metrics,
        progress=progress,
    )


def requested_recipe(model: ScoredModel, request: EvaluateRequest) -> SaliencyRecipe:
    """Return the recipe that was asked for, by the protocol where nothing else was."""
    asked, usual = request.saliency, SaliencyRequest()
    by_protocol = protocol_named(request.protocol).recipe
    recipe = asked.smoothed(request.smooth).recipe_of(model)
    if asked.channels == usual.channels:
        recipe = replace(recipe, channels=by_protocol.channels)
    if asked.blur == usual.blur:
        recipe = replace(recipe, blur=by_protocol.blur)
    return recipe


def _of_true_classes(
    recipe: SaliencyRecipe, model: ScoredModel, maps: HumanMaps, request: EvaluateRequest
) -> SaliencyRecipe:
    """Return the recipe with the images' own classes, where they are wanted and known by number."""
    asked, target = request.saliency.target, recipe.target
    by_protocol = asked == "usual" and protocol_named(request.protocol).true_class
    words = model.classes or ()
    if not (asked == "true_class" or by_protocol) or len(words) != IMAGENET_CLASSES:
        return recipe
    if maps.classes is None or not isinstance(target, ClassLogit):
        return recipe
    return replace(recipe, target=replace(target, classes=maps.classes, class_names=None))


def _write(
    models: Sequence[ScoredModel],
    by_model: dict[str, Results],
    out: Path,
    words: Sequence[str | Path],
    request: EvaluateRequest,
) -> Path:
    """Write all results and return the report's path."""
    out.mkdir(parents=True, exist_ok=True)
    entries = []
    for model in models:
        folder = out if len(models) == 1 else out / _file_name(model.name)
        folder.mkdir(exist_ok=True)
        path = write_results(by_model[model.name], folder / RESULTS_FILE)
        entries.append({**model.to_dict(), "results": str(path.relative_to(out))})
    write_atomically(out / MODELS_FILE, (json.dumps(entries, indent=2) + "\n").encode())
    command = " ".join(["merkwelt evaluate", *_command_words(words, request), "--out", out.name])
    runs = {model.name: model.folder for model in models if model.folder is not None}
    page = evaluate_report(by_model, runs=runs, models=models, commands=(command,))
    return write_report(page, out / "report.html")


def _command_words(words: Sequence[str | Path], request: EvaluateRequest) -> list[str]:
    """Return models and options as they would be typed, files by their last part."""
    usual = EvaluateRequest()
    files = {
        name: Path(getattr(request, name).name)
        for name in ("maps", "library", "weights")
        if getattr(request, name) is not None
    }
    # How objects are photographed is no option of the command.
    typed = replace(request, objects=usual.objects, **files)
    return [*(Path(each).name for each in words), *option_words(typed, usual)]


def _file_name(name: str) -> str:
    return "".join(each if each.isalnum() or each in "._-" else "-" for each in name)
