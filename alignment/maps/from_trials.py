"""From trials and pictures to images with human maps."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from .human_maps import HumanMaps
from .image_paths import category_of, split_of
from .making import MapRecipe, finish_maps, mean_map
from .pictures import find_picture, read_picture
from .subset import resized, trials_on
from .trials import Trial, Trials

NOT_STATED = "not stated"


def maps_of_trials(
    trials: Trials,
    images: Path,
    recipe: MapRecipe,
    *,
    limit: int | None = None,
    source: str = NOT_STATED,
    licence: str = NOT_STATED,
) -> HumanMaps:
    """Return one map for each image with trials, over its picture.

    Maps and pictures are of whole images, as squares of the recipe's grid (or of its finished
    size, where it crops nothing); the crop that a recipe names is made when they are scored. The
    trials are kept, so that people can be compared with people. Images whose map is constant are
    kept, and scores name them.

    Args:
        trials: what people did.
        images: folder of the pictures.
        recipe: how a map is made.
        limit: take the first so many images.
        source: where the trials come from, for reports.
        licence: of the trials.

    Raises:
        FileNotFoundError: a picture is not there.
        ValueError: no trials.
    """
    by_image = dict(list(trials.by_image().items())[:limit])
    if not by_image:
        raise ValueError("expected at least one trial to make maps of, got none")
    names = tuple(by_image)
    framed = whole_frame(recipe)
    pictures = [resized(read_picture(find_picture(images, name)), framed.side_px) for name in names]
    maps = [mean_map(own, trials.image_sizes_px[name], framed) for name, own in by_image.items()]
    splits = [split_of(name) for name in names]
    return HumanMaps(
        images=np.stack(pictures),
        maps=torch.stack(maps).numpy().clip(min=0),
        names=names,
        labels=tuple(map(category_of, names)),
        kind=f"{trials.kind} of {_people(list(by_image.values()))}, maps by {recipe.name}",
        are_human=True,
        source=source,
        licence=licence,
        trials=trials_on(trials, set(names)),
        recipe=recipe,
        splits=tuple(split or "" for split in splits) if any(splits) else None,
        left_out=dict(trials.left_out),
    )


def whole_frame(recipe: MapRecipe) -> MapRecipe:
    """Return a recipe without its crop, whose maps lie over whole images."""
    return recipe if recipe.crop_px is None else replace(recipe, crop_px=None, size_px=None)


def finished_by(maps: HumanMaps, recipe: MapRecipe) -> HumanMaps:
    """Return stored heat maps blurred and resized by a recipe, over images of that size.

    Images are resized bilinearly, with half-pixel centres and no antialiasing as in Fel et al.
    2022, and rounded to bytes; ``prepare_fel2022`` keeps them as floats.

    Raises:
        ValueError: images are not square, or the recipe crops them to another frame.
    """
    height, width = maps.maps.shape[1:]
    whole = whole_frame(recipe)
    if height != width:
        raise ValueError(
            f"expected square images for the recipe {recipe.name}, got {height} x {width}; resize "
            "them (size_px, --size)"
        )
    finished = finish_maps(torch.from_numpy(maps.maps), whole).numpy().clip(min=0)
    sides = torch.from_numpy(maps.images).permute(0, 3, 1, 2).to(torch.float32)
    size = finished.shape[1:]
    images = functional.interpolate(sides, size=size, mode="bilinear", align_corners=False)
    return replace(
        maps,
        images=images.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy(),
        maps=finished,
        kind=f"{maps.kind}, {recipe.name}",
    )


def _people(trials: Sequence[tuple[Trial, ...]]) -> str:
    counts = [len({trial.subject for trial in own}) for own in trials]
    fewest, most = min(counts), max(counts)
    if fewest == most:
        return f"{most} {'person' if most == 1 else 'people'} each"
    return f"{fewest} to {most} people each"
