"""One network of an experiment: trained, scored and kept, so that it is not made again."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.models.scoring import score_model, settings_for
from ..alignment.results import FORMAT, Results, write_results
from ..alignment.score import ScoreSettings
from ..alignment.scores.floors import RANDOM_NETWORK
from ..files import write_atomically
from ..parts import Progress
from ..results_folder import RESULTS_FILE
from ..training.experiment import Experiment, clip_eyes_of
from ..training.loop import train
from ..training.stills import HumanMapStills
from .network import scored_classifier, stills_as_clips
from .settings import Learning

RUN = "run"
SALIENCY = "saliency.npz"
CLIPS = 8
"""Stills at most that are shown as clips."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PartScores:
    """Scores of one network on every image, beside the same network untrained."""

    metric: str
    recipe: str
    settings: Mapping[str, Any]
    trained: np.ndarray
    """float64 ``[n]``; NaN where undefined."""
    floors: Mapping[str, np.ndarray]
    """Name to float64 ``[n]``, the untrained network among them."""
    undefined: Mapping[str, str]
    """Image name to why it has no score."""
    ceilings: tuple[Mapping[str, Any], ...]
    saliency: np.ndarray
    """float32 ``[n, size, size]``."""
    untrained_saliency: np.ndarray
    measures: Mapping[str, float]
    """What the training run measured on its held-out stills, or clips."""
    parameters: int | None = None
    """Of the encoder."""

    @property
    def untrained(self) -> np.ndarray:
        """Scores of the same network untrained."""
        return self.floors[RANDOM_NETWORK]


def still_part(  # noqa: PLR0913 - what is learned from, what is scored on, and where it goes
    folder: Path,
    experiment: Experiment,
    stills: HumanMapStills,
    shown: HumanMaps,
    maps: HumanMaps,
    learning: Learning,
    *,
    with_ceilings: bool = False,
    progress: Progress | None = None,
) -> PartScores:
    """Return the scores of a network trained on stills, from its folder if they are there.

    Args:
        folder: of this network; holds its run and its scores.
        experiment: what it learns.
        stills: the labelled images that it learns from.
        shown: the same images.
        maps: what it is scored on.
        learning: how it is scored.
        with_ceilings: compare people with people too, where their trials are known.
        progress: told the share done.

    Raises:
        FileExistsError: the folder holds a run of another configuration.
    """
    kept = read_part(folder)
    if kept is not None:
        return kept
    clips = stills_as_clips(
        shown, stills.training_ids[:CLIPS], learning.size, clip_eyes_of(experiment)
    )
    train(experiment, clips, folder / RUN, stills=stills, progress=_told(progress, folder.name))
    model, recipe = scored_classifier(folder / RUN, learning, stills.classes, name=folder.name)
    base = ScoreSettings() if with_ceilings else ScoreSettings(ceilings=None)
    results = score_model(model, maps, recipe=recipe, settings=settings_for(model, maps, base=base))
    return keep_part(folder, results)


def _told(progress: Progress | None, name: str) -> Progress | None:
    """Return progress of training that says which network it is of.

    Untrained features of a few stills hardly differ: what looks like a collapse says nothing yet.
    """
    if progress is None:
        return None
    whole = progress

    def tell(done: float, note: str) -> None:
        whole(0.8 * done, name if note.startswith("step 0:") else f"{name}, {note}")

    return tell


def keep_part(folder: Path, results: Results) -> PartScores:
    """Write a network's scores to its folder, and return them."""
    # Small gradients vanish in half precision: each map is kept over its largest value.
    save = partial(
        np.savez_compressed,
        trained=_over_peak(results.saliency),
        untrained=_over_peak(results.floor_maps[RANDOM_NETWORK]),
    )
    write_atomically(folder / SALIENCY, _bytes_of(save))
    # Last: a part with scores is a finished one.
    write_results(results, folder / RESULTS_FILE)
    kept = read_part(folder)
    if kept is None:
        raise RuntimeError(f"the scores in {folder} vanished while they were written")
    return kept


def read_part(folder: Path) -> PartScores | None:
    """Return the scores of a finished network; None if it is not finished."""
    if not (folder / RESULTS_FILE).is_file() or not (folder / SALIENCY).is_file():
        return None
    plain = read_results(folder / RESULTS_FILE)
    metric = plain["metrics"][0]["name"]
    images = plain["per_image"]
    names = [floor["name"] for floor in plain["metrics"][0]["floors"]]
    with np.load(folder / SALIENCY, allow_pickle=False) as file:
        trained, untrained = (file[name].astype(np.float32) for name in ("trained", "untrained"))
    return PartScores(
        metric=metric,
        recipe=plain["recipe"]["name"],
        settings=plain["settings"],
        trained=_numbers(each["scores"][metric] for each in images),
        floors={name: _numbers(each["floors"][metric][name] for each in images) for name in names},
        undefined=plain["undefined"]["images"],
        ceilings=tuple(plain["metrics"][0]["ceilings"]),
        saliency=trained,
        untrained_saliency=untrained,
        measures=_of_run(folder).get("held_out", {}),
        parameters=_of_run(folder).get("encoder_parameters"),
    )


def read_results(path: Path) -> dict[str, Any]:
    """Return the content of a ``results.json`` of an alignment score.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is something else.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected the results of merkwelt evaluate at {path}, found none")
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    if not isinstance(plain, dict) or plain.get("format") != FORMAT:
        raise ValueError(
            f"expected {path} to be the results of merkwelt evaluate, with format {FORMAT!r}"
        )
    return plain


def _of_run(folder: Path) -> dict[str, Any]:
    """Return what a network's run came to, without measures that are undefined."""
    path = folder / RUN / RESULTS_FILE
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    held_out = {k: v for k, v in found.get("held_out", {}).items() if v is not None}
    return {**found, "held_out": held_out}


def _numbers(values: Any) -> np.ndarray:  # noqa: ANN401 - numbers or None
    return np.array([math.nan if each is None else each for each in values], dtype=np.float64)


def _over_peak(maps: np.ndarray) -> np.ndarray:
    peaks = np.abs(np.nan_to_num(maps)).max(axis=(1, 2), keepdims=True)
    return (maps / np.where(peaks > 0, peaks, 1)).astype(np.float16)


def _bytes_of(save: Any) -> bytes:  # noqa: ANN401 - takes any file
    import io

    target = io.BytesIO()
    save(target)
    return target.getvalue()
