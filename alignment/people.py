"""Ceilings of human maps as they are scored: made of the same trials, cropped and resized alike."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .maps.human_maps import HumanMaps
from .maps.making import MapRecipe, finish_maps
from .scores.ceilings import Ceilings, CeilingSettings, Finish, Progress, ceilings_of
from .scores.halves import image_clicks
from .scores.metrics import AnyMetric
from .scores.ranks import spearman

LEAST_AGREEMENT = 0.9
"""Rank correlation of the maps that are scored with the same maps made again of the trials."""


@dataclass(frozen=True, kw_only=True)
class People:
    """How far people agree with people on the images of a score."""

    ceilings: tuple[Ceilings, ...]
    """One for each metric."""
    note: str
    """What a reader must know about them; empty if nothing."""


def measure_people(
    maps: HumanMaps,
    prepare: Finish,
    targets: Tensor,
    *,
    metrics: Sequence[AnyMetric],
    settings: CeilingSettings,
    progress: Progress | None = None,
) -> People:
    """Return ceilings from the trials of human maps, by each metric.

    Args:
        maps: Human maps with trials and the recipe that made maps of them.
        prepare: Crops and resizes maps as the score does.
        targets: The prepared human maps, to check that the trials belong to them.
        metrics: The scores.
        settings: How people are compared.
        progress: Told the share done and a message.
    """
    if maps.trials is None or maps.recipe is None:
        raise ValueError("expected human maps with trials and their recipe, got maps without them")
    finish, agreement = _best_frame(maps, maps.recipe, prepare, targets)
    found = ceilings_of(
        maps.trials,
        maps.recipe,
        settings,
        names=maps.names,
        metrics=metrics,
        finish=finish,
        progress=progress,
    )
    return People(ceilings=found, note=_note(agreement, maps.recipe))


def _best_frame(
    maps: HumanMaps, recipe: MapRecipe, prepare: Finish, targets: Tensor
) -> tuple[Finish, float]:
    """Return how counts become maps as they are scored, and how far these agree with ``targets``.

    Images are either whole, whatever their size, or in the recipe's own frame, if that has their
    size; the maps that are scored tell which.
    """
    shape = maps.maps.shape[1:]

    def whole(counts: Tensor) -> Tensor:
        return prepare(_whole(counts, recipe, shape))

    def cropped(counts: Tensor) -> Tensor:
        return prepare(finish_maps(counts, recipe))

    frames = [whole]
    if finish_maps(torch.zeros(1, recipe.grid_px, recipe.grid_px), recipe).shape[1:] == shape:
        frames.append(cropped)
    agreements = [_agreement(maps, recipe, frame, targets) for frame in frames]
    best = int(np.argmax(np.nan_to_num(agreements, nan=-1.0)))
    return frames[best], agreements[best]


def _whole(counts: Tensor, recipe: MapRecipe, shape: tuple[int, ...]) -> Tensor:
    """Return finished maps of whole images, of the size of the images."""
    whole = finish_maps(counts, replace(recipe, crop_px=None, size_px=None))
    if whole.shape[1:] == shape:
        return whole
    resized = functional.interpolate(whole[:, None], size=shape, mode="bilinear", antialias=True)
    return resized[:, 0]


def _agreement(maps: HumanMaps, recipe: MapRecipe, finish: Finish, targets: Tensor) -> float:
    """Return the median rank correlation of targets with maps made again; NaN without any."""
    if maps.trials is None:
        return float("nan")
    by_image = maps.trials.by_image()
    found = []
    for place, name in enumerate(maps.names):
        if name in by_image:
            size_px = maps.trials.image_sizes_px[name]
            clicks = image_clicks(name, by_image[name], size_px, recipe)
            counts = torch.from_numpy(clicks.mean_counts(np.ones(clicks.people)))
            again = finish(counts[None]).flatten(1)
            found.append(spearman(again, targets[place].flatten()[None]).item())
    defined = [rho for rho in found if not np.isnan(rho)]
    return float(np.median(defined)) if defined else float("nan")


def _note(agreement: float, recipe: MapRecipe) -> str:
    """Return a warning if the maps are not what the trials make."""
    if agreement >= LEAST_AGREEMENT:
        return ""
    if np.isnan(agreement):
        return "no image has trials and a map, so people cannot be compared with people"
    return (
        f"the maps that are scored agree with those that the trials make by {recipe.name} only to "
        f"{agreement:.2f} (median rank correlation), so the ceilings are of other maps"
    )
