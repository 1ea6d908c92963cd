"""People with people across views: the ceiling of any model there.

As ClickMe 2.0 measures it: clicks of half of the people on one view are thrown into the other view,
blurred there, and correlated with the clicks of half of the people who saw that other view.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from ..maps.making import MapRecipe, centre_crop, finish_maps
from ..maps.trials import Trials
from ..scores.halves import Halves, ImageClicks, generator_for, half_weights, image_clicks
from ..scores.ranks import spearman
from .carry import TOLERANCE, throw_clicks
from .view_pairs import View, ViewPair, carried_between


@dataclass(frozen=True, kw_only=True, eq=False)
class PeopleAcrossViews:
    """Split-half agreement of people, across views and within one, over the same pixels."""

    pair_names: tuple[str, ...]
    across: np.ndarray
    """float64 ``[pair]``: half of one view, carried, against half of the other; NaN where one view
    has fewer than two people or a half is constant. Mean of both ways and all draws."""
    within: np.ndarray
    """float64 ``[pair]``: half against half of the view that is carried to."""
    undefined: dict[str, str]
    """Pairs without a value, and why."""


def people_across_views(
    pairs: Sequence[ViewPair],
    trials: Trials,
    recipe: MapRecipe,
    *,
    draws: int = 20,
    halves: Halves = "plain",
    seed: int = 0,
) -> PeopleAcrossViews:
    """Return how well halves of people agree across views, and within them.

    Args:
        pairs: views, named as their images in ``trials``.
        trials: what single people clicked.
        recipe: how maps are made; one that counts, blurs and crops, without resizing.
        draws: random halvings of the people.
        halves: plain, or filled up by bootstrap as published.
        seed: of the halvings.

    Raises:
        ValueError: a recipe that resizes, no draws, or no pairs.
    """
    if recipe.blurred_at_px is not None or recipe.size_px is not None:
        raise ValueError(
            f"expected a map recipe that does not resize, as clicks are carried on its grid, got "
            f"{recipe.name}; use co3d2025 or a Gaussian"
        )
    if draws < 1 or not pairs:
        raise ValueError(
            f"expected at least one pair and one draw, got {len(pairs)} pairs and {draws} draws"
        )
    halving = _Halving(recipe=recipe, draws=draws, halves=halves, seed=seed)
    of = trials.by_image()
    size = trials.image_sizes_px
    across, within = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    undefined = {}
    for i, pair in enumerate(pairs):
        views = [_on_grid(view, recipe.grid_px) for view in (pair.first, pair.second)]
        clicks = [
            image_clicks(view.name, of[view.name], size[view.name], recipe)
            for view in views
            if view.name in of
        ]
        if len(clicks) < 2 or min(each.people for each in clicks) < 2:
            undefined[pair.name] = "a view has fewer than two people"
            continue
        both = list(zip(views, clicks, strict=True))
        found = [halving.compare(a, b) for a, b in (both, both[::-1])]
        across[i], within[i] = np.mean(found, axis=0)
        if not np.isfinite(across[i]):
            undefined[pair.name] = "a half has no clicks where both views see"
    return PeopleAcrossViews(
        pair_names=tuple(pair.name for pair in pairs),
        across=across,
        within=within,
        undefined=undefined,
    )


@dataclass(frozen=True, kw_only=True)
class _Halving:
    """How people are halved and compared."""

    recipe: MapRecipe
    draws: int
    halves: Halves
    seed: int

    def compare(
        self, source: tuple[View, ImageClicks], target: tuple[View, ImageClicks]
    ) -> tuple[float, float]:
        """Return the mean over draws of the correlation across views, and within the target."""
        here, there = source[0], target[0]
        seen = carried_between(np.zeros(here.camera.size_rowcol_px), here, there).visible
        mask = _cropped(torch.from_numpy(seen)[None], self.recipe)[0]
        if not mask.any():
            return float("nan"), float("nan")
        drawn = []
        for draw in range(self.draws):
            thrown = _thrown(self._half(source[1], draw)[0], here, there)
            counts = np.stack([thrown, *self._half(target[1], draw)]).astype(np.float32)
            drawn.append(finish_maps(torch.from_numpy(counts), self.recipe)[:, mask])
        maps = torch.stack(drawn)
        return (
            float(spearman(maps[:, 0], maps[:, 2]).mean()),
            float(spearman(maps[:, 1], maps[:, 2]).mean()),
        )

    def _half(self, clicks: ImageClicks, draw: int) -> tuple[np.ndarray, np.ndarray]:
        generator = generator_for(self.seed, clicks.name, draw)
        order = generator.permutation(clicks.people)
        weights = half_weights(order, clicks.people, self.halves, generator)
        return clicks.mean_counts(weights[0]), clicks.mean_counts(weights[1])


def _thrown(counts: np.ndarray, source: View, target: View) -> np.ndarray:
    thrown = throw_clicks(
        counts, source.depth, source.camera, target.camera, target.depth, tolerance=TOLERANCE
    )
    return thrown.carried.values


def _cropped(masks: torch.Tensor, recipe: MapRecipe) -> torch.Tensor:
    return masks if recipe.crop_px is None else centre_crop(masks, recipe.crop_px)


def _on_grid(view: View, side_px: int) -> View:
    """Return a view with a square of pixels over the whole picture, as clicks are counted."""
    camera = view.camera.resized(side_px, side_px)
    size = (side_px, side_px)
    return View(
        name=view.name,
        thing=view.thing,
        image=np.asarray(cv2.resize(view.image, size, interpolation=cv2.INTER_AREA)),
        camera=camera,
        # Depth is never averaged: between a thing and what is behind it there is nothing.
        depth=np.asarray(cv2.resize(view.depth, size, interpolation=cv2.INTER_NEAREST)),
        label=view.label,
    )
