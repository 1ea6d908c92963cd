"""Does what a run looks at stay with the thing when it is seen from another side?

Saliency of rendered views is carried from view to view by their depth, for a trained run and for
the same network untrained. With human maps of images that have cameras, people are carried as well.
"""

import json
import math
import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .alignment.maps.read_maps import read_maps
from .alignment.maps.subset import resized_maps
from .alignment.models.scored import ScoredModel
from .alignment.plain_data import plain_data
from .alignment.saliency.gradients import saliency_maps
from .alignment.saliency.recipe import SaliencyRecipe
from .alignment.scores.bootstrap import Interval, paired_difference
from .alignment.views.co3d import co3d_pairs, read_constancy_cameras
from .alignment.views.constancy import Constancy, ConstancySettings, constancy
from .alignment.views.planes import FACING_PLANE
from .alignment.views.view_pairs import View, ViewPair, views_in
from .files import write_atomically
from .option_words import option_words
from .parts import Progress, part
from .report import write_report
from .report.constancy_section import constancy_report
from .results_folder import RESULTS_FILE, free_for
from .saliency_request import SaliencyRequest
from .scenes.scene import Scene
from .scored_model import scored_model
from .view_pairs import ViewPairSettings, object_view_pairs

FORMAT = "merkwelt constancy results"


@dataclass(frozen=True, kw_only=True)
class ConstancyRequest:
    """What constancy is measured on."""

    scene: str = "living_room"
    library: Path | None = None
    pairs: ViewPairSettings = ViewPairSettings()
    """Which views are rendered; their size is that below."""
    size: int | None = None
    """Side of the pictures in pixels; the model's own by default."""
    maps: Path | None = None
    """Human maps with cameras of CO3D's view constancy study, in place of a scene."""
    cameras: Path | None = None
    """``constancy_params.json``: further cameras, which say where each object's centre is."""
    saliency: SaliencyRequest = SaliencyRequest()
    settings: ConstancySettings = ConstancySettings()
    seed: int = 0
    """Of the viewpoints."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What constancy came to, and what to tell of it."""

    trained: Constancy
    untrained: Constancy | None
    people: tuple[Constancy, ...]
    """With human maps: people with people, people with the model, the model with people."""
    lines: tuple[str, ...]
    report: Path


def measure_constancy(
    model: str | Path, out: Path, request: ConstancyRequest, *, progress: Progress | None = None
) -> Measured:
    """Measure view constancy and write ``results.json`` and ``report.html`` to ``out``.

    Args:
        model: a run's folder, or another model that `scored_model` knows.
        out: folder of the results.
        request: scene, views, recipe.
        progress: told the share done and a message.

    Raises:
        FileNotFoundError: no such model or scene.
        ValueError: no pair of views can be rendered.
        FileExistsError: ``out`` is a file, or holds something else.
    """
    free_for(out, FORMAT)
    scored = scored_model(model)
    recipe = request.saliency.recipe_of(scored)
    pairs, human = _views(request, scored.preparation.size, part(progress, 0.0, 0.6))
    trained_maps = view_saliency(scored.encoder, pairs, recipe, part(progress, 0.6, 0.8))
    trained = constancy(pairs, trained_maps, name=scored.name, settings=request.settings)
    untrained = None
    if scored.untrained is not None:
        maps = view_saliency(scored.untrained, pairs, recipe, part(progress, 0.8, 1.0))
        untrained = constancy(pairs, maps, name="untrained twin", settings=request.settings)
    gain = gain_of(trained, untrained, request.settings.seed)
    people = () if human is None else _with_people(pairs, human, trained_maps, request.settings)
    # The record says at which size the views were, and not the one that was never used.
    shown = replace(request, pairs=replace(request.pairs, size=pairs[0].first.camera.width))
    content = _content(scored, recipe, shown, (trained, untrained, people), gain)
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(out / RESULTS_FILE, (json.dumps(content, indent=2) + "\n").encode())
    lines = constancy_lines(trained, untrained, people, gain, recipe)
    command = f"merkwelt constancy {Path(model).name} --out {out.name} {_options(request)}"
    page = constancy_report(
        pairs,
        trained_maps,
        trained,
        untrained,
        gain,
        people=people,
        recipe=recipe.name,
        tolerance=request.settings.tolerance,
        commands=(command,),
    )
    report = write_report(page, out / "report.html")
    return Measured(trained=trained, untrained=untrained, people=people, lines=lines, report=report)


def _options(request: ConstancyRequest) -> str:
    """Return the words that ask for this, for the report."""
    maps, cameras, usual = request.maps, request.cameras, ViewPairSettings()
    words = ["--scene", request.scene] if maps is None else ["--maps", maps.name]
    words += [] if cameras is None else ["--cameras", cameras.name]
    words += [] if request.size is None else ["--size", str(request.size)]
    words += [] if request.pairs.views == usual.views else ["--views", str(request.pairs.views)]
    objects = request.pairs.objects
    words += [] if objects is None else ["--objects", str(objects)]
    words += [] if request.seed == 0 else ["--seed", str(request.seed)]
    usual_settings = ConstancySettings(seed=request.settings.seed)
    words += option_words(request.settings, usual_settings, "")
    return shlex.join([*words, *option_words(request.saliency, SaliencyRequest(), "saliency.")])


def _views(
    request: ConstancyRequest, models_size: int, progress: Progress | None
) -> tuple[tuple[ViewPair, ...], dict[str, np.ndarray] | None]:
    """Return pairs of views, rendered or of images with human maps, and those maps."""
    size = request.size or models_size
    if request.maps is None:
        scene = Scene.load(request.scene, library=request.library)
        settings = replace(request.pairs, size=size)
        return object_view_pairs(
            scene, seed=request.seed, settings=settings, progress=progress
        ), None
    maps = resized_maps(read_maps(request.maps), size)
    more = None if request.cameras is None else read_constancy_cameras(request.cameras)
    return co3d_pairs(maps, more), dict(zip(maps.names, maps.maps, strict=True))


def _with_people(
    pairs: tuple[ViewPair, ...],
    human: dict[str, np.ndarray],
    model: dict[str, np.ndarray],
    settings: ConstancySettings,
) -> tuple[Constancy, ...]:
    compared = (
        ("people carried, people", human, human),
        ("people carried, model", human, model),
        ("model carried, people", model, human),
    )
    return tuple(
        constancy(pairs, carried, own, name=name, settings=settings)
        for name, carried, own in compared
    )


def view_saliency(
    encoder: Any,  # noqa: ANN401 - an Encoder, whose protocol beartype cannot check here
    pairs: tuple[ViewPair, ...],
    recipe: SaliencyRecipe,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Return the saliency of every view, by its name; NaN where it cannot be used."""
    views: tuple[View, ...] = views_in(pairs)
    images = np.stack([view.image for view in views]).transpose(0, 3, 1, 2)
    shown = torch.from_numpy(np.ascontiguousarray(images)).to(torch.float32) / 255
    labels = tuple(view.label for view in views)
    found = saliency_maps(encoder, shown, labels, recipe, progress=progress)
    usable = found.usable().numpy()
    return {view.name: values for view, values in zip(views, usable, strict=True)}


def gain_of(trained: Constancy, untrained: Constancy | None, seed: int) -> Interval | None:
    """Return trained minus untrained, pair by pair, with its interval."""
    if untrained is None:
        return None
    return paired_difference(trained.values, untrained.values, np.random.default_rng(seed))


def constancy_lines(
    trained: Constancy,
    untrained: Constancy | None,
    people: tuple[Constancy, ...],
    gain: Interval | None,
    recipe: SaliencyRecipe,
) -> tuple[str, ...]:
    """Return constancy beside its floors, one line each, for a terminal."""
    count, of = trained.interval.count, len(trained.pair_names)
    lines = [f"saliency carried between {count} of {of} pairs of views; {recipe.name}"]
    for each in (trained, untrained, *people):
        if each is not None:
            lines.append(f"{each.name}: {each.interval}")
            lines += [
                f"    floor, {floor.name}: {floor.interval.mean:.3f}; above it by "
                f"{floor.difference}"
                for floor in each.floors
                if math.isfinite(floor.interval.mean)
            ]
    if gain is not None:
        lines.append(f"trained minus untrained: {gain}")
    lines += [f"no value for {pair}: {why}" for pair, why in trained.undefined.items()]
    return tuple(lines)


def _content(
    scored: ScoredModel,
    recipe: SaliencyRecipe,
    request: ConstancyRequest,
    measured: tuple[Constancy, Constancy | None, tuple[Constancy, ...]],
    gain: Interval | None,
) -> dict[str, Any]:
    trained, untrained, people = measured
    depth = "rendered" if request.maps is None else FACING_PLANE
    return {
        "format": FORMAT,
        "version": 1,
        "model": scored.name,
        "scene": request.scene if request.maps is None else None,
        "maps": None if request.maps is None else request.maps.name,
        "depth": depth,
        "recipe": dict(recipe.to_dict()),
        "views": asdict(request.pairs),
        "settings": asdict(request.settings),
        "seed": request.seed,
        "trained": trained.to_dict(),
        "untrained": None if untrained is None else untrained.to_dict(),
        "people": [each.to_dict() for each in people],
        "trained_minus_untrained": plain_data(gain),
    }
