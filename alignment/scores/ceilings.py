"""How far people agree with people, measured from the trials of single people.

A ceiling is meaningless without the number of people, the blur, and how the halves are made; all
three are part of its name. Maps are averaged before they are blurred, which is the same, because
blurring is linear, and needs two blurs for each image and draw.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..maps.making import MapRecipe, finish_maps
from ..maps.trials import Trials
from .floors import mean_of_defined, own_and_others
from .halves import (
    Halves,
    ImageClicks,
    chosen_people,
    generator_for,
    half_weights,
    image_clicks,
)
from .metrics import SPEARMAN, AnyMetric, own_scores

Finish = Callable[[Tensor], Tensor]
"""From mean counts ``[map, grid, grid]`` to maps ``[map, height, width]`` as they are scored."""
Progress = Callable[[float, str], None]
_Number = TypeVar("_Number", float, np.ndarray)
_LEAST_PEOPLE = 2
_MAPS_AT_ONCE = 32
_LEAVE_ONE_OUT_DRAW = 2**31
"""Leave-one-out draws its people from a stream of its own."""


@dataclass(frozen=True, kw_only=True)
class CeilingSettings:
    """How people are compared with people."""

    draws: int = 20
    """Random splits into halves; the mean over them is taken first, then over images."""
    halves: Halves = "plain"
    """``bootstrap-filled`` is the protocol of ClickMe 2.0, which fills each half up to the size of
    the whole with its own people drawn again."""
    subjects: int | None = None
    """People drawn for each image and draw; None takes all. Images with fewer are skipped."""
    partners: int | None = None
    """Other images that each half is compared with for the floor; None: all ordered pairs."""
    single_subjects: int | None = None
    """People left out one by one for each image; None takes all (or ``subjects``), 0 nobody."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be split."""
        if self.draws < 1 or (self.subjects is not None and self.subjects < _LEAST_PEOPLE):
            raise ValueError(
                f"expected at least 1 draw and at least {_LEAST_PEOPLE} subjects, got {self.draws} "
                f"draws and {self.subjects} subjects"
            )
        if (self.partners is not None and self.partners < 1) or (self.single_subjects or 0) < 0:
            raise ValueError(
                f"expected at least 1 partner and at least 0 single subjects, got {self.partners} "
                f"and {self.single_subjects}; None takes all"
            )

    @property
    def name(self) -> str:
        """The splits in words."""
        return f"{self.halves} halves, {self.draws} draws"


@dataclass(frozen=True, kw_only=True)
class Ceilings:
    """Agreement of people with people by one metric, image by image; NaN where undefined."""

    metric: str
    recipe: str
    """Name of the recipe of the maps."""
    settings: CeilingSettings
    names: tuple[str, ...]
    people: np.ndarray = field(repr=False)
    """int64 ``[n]``: people whose clicks were used, in each draw."""
    split_half_draws: np.ndarray = field(repr=False)
    """float64 ``[draw, n]``: half against half."""
    floor_draws: np.ndarray = field(repr=False)
    """float64 ``[draw, n]``: first halves of other images against the second half of this one."""
    leave_one_out: np.ndarray = field(repr=False)
    """float64 ``[n]``: one person against the mean of all others, mean over people."""
    skipped: dict[str, str]
    """Image -> why it has no ceiling."""

    @property
    def split_half(self) -> np.ndarray:
        """Mean over the draws that are defined, float64 ``[n]``."""
        return mean_of_defined(self.split_half_draws)

    @property
    def floor(self) -> np.ndarray:
        """The other-image floor: mean over the draws that are defined, float64 ``[n]``."""
        return mean_of_defined(self.floor_draws)

    @property
    def undefined_draws(self) -> np.ndarray:
        """How many draws of each image have no score, int64 ``[n]``."""
        return np.isnan(self.split_half_draws).sum(axis=0)

    @property
    def sd_over_draws(self) -> float:
        """Standard deviation of the mean over images from draw to draw; NaN with one draw."""
        kept = self.split_half_draws[:, self.undefined_draws == 0]
        if kept.shape[0] < 2 or kept.shape[1] == 0:
            return float("nan")
        return float(kept.mean(axis=1).std(ddof=1))

    @property
    def people_text(self) -> str:
        """The number of people per image, such as ``54-63 people``."""
        used = self.people[~np.isnan(self.split_half)]
        if len(used) == 0:
            return "nobody"
        low, high = int(used.min()), int(used.max())
        return f"{low} people" if low == high else f"{low}-{high} people"


def spearman_brown(reliability: _Number) -> _Number:
    """Return ``2 r / (1 + r)``: what halves say of the whole (Spearman 1910, Brown 1910)."""
    return 2 * reliability / (1 + reliability)


def ceilings(
    trials: Trials,
    recipe: MapRecipe,
    settings: CeilingSettings | None = None,
    *,
    metric: AnyMetric = SPEARMAN,
) -> Ceilings:
    """Return how far people agree on each image that has trials.

    Args:
        trials: What single people did.
        recipe: How maps are made of it; part of what the ceiling means.
        settings: Draws, halves, numbers of people.
        metric: The score; Spearman's rho as published.

    Example:
        >>> from merkwelt.alignment.maps.making import co3d2025
        >>> from merkwelt.alignment.maps.trials import Trial
        >>> rng = np.random.default_rng(0)
        >>> clicks = [Trial(image="a", subject=str(s), points_px=rng.normal(50, 9, (20, 2)))
        ...           for s in range(6)]
        >>> study = Trials(trials=tuple(clicks), image_sizes_px={"a": (100, 100)})
        >>> bool(ceilings(study, co3d2025(), CeilingSettings(draws=2)).split_half[0] > 0.6)
        True
    """
    names = tuple(trials.by_image())
    finish = partial(finish_maps, recipe=recipe)
    return ceilings_of(trials, recipe, settings, names=names, metrics=(metric,), finish=finish)[0]


def ceilings_of(  # noqa: PLR0913 - who, on which images, by which metrics, and how
    trials: Trials,
    recipe: MapRecipe,
    settings: CeilingSettings | None = None,
    *,
    names: Sequence[str],
    metrics: Sequence[AnyMetric],
    finish: Finish,
    progress: Progress | None = None,
) -> tuple[Ceilings, ...]:
    """Return the ceilings of several metrics over named images, from the same halves.

    Args:
        trials: What single people did; images that are not in ``names`` are left alone.
        recipe: How clicks are counted; its name is told.
        settings: Draws, halves, numbers of people.
        names: The images, in order.
        metrics: One result for each.
        finish: Brings mean counts to maps as they are scored.
        progress: Told the share done and a message.
    """
    settings = settings or CeilingSettings()
    usable, skipped = _usable(trials, recipe, settings, names)
    found = np.full((len(metrics), 2, settings.draws, len(names)), np.nan)
    places = [names.index(clicks.name) for clicks in usable]
    for draw in range(settings.draws if usable else 0):
        found[:, :, draw, places] = _one_draw(usable, draw, settings, metrics, finish)
        if progress is not None:
            progress((draw + 1) / (settings.draws + 1), "comparing people with people")
    single = np.full((len(metrics), len(names)), np.nan)
    if settings.single_subjects != 0:
        for place, clicks in zip(places, usable, strict=True):
            single[:, place] = _leave_one_out(clicks, settings, metrics, finish)
    if progress is not None:
        progress(1.0, "comparing people with people")
    people = np.zeros(len(names), dtype=np.int64)
    people[places] = [min(settings.subjects or c.people, c.people) for c in usable]
    return tuple(
        Ceilings(
            metric=metric.name,
            recipe=recipe.name,
            settings=settings,
            names=tuple(names),
            people=people,
            split_half_draws=found[i, 0],
            floor_draws=found[i, 1],
            leave_one_out=single[i],
            skipped=skipped | _without_scores(found[i, 0], names, skipped),
        )
        for i, metric in enumerate(metrics)
    )


def _usable(
    trials: Trials, recipe: MapRecipe, settings: CeilingSettings, names: Sequence[str]
) -> tuple[list[ImageClicks], dict[str, str]]:
    """Return the clicks on images with enough people, and why others are skipped."""
    by_image = trials.by_image()
    least = settings.subjects or _LEAST_PEOPLE
    usable: list[ImageClicks] = []
    skipped: dict[str, str] = {}
    for name in names:
        own = by_image.get(name, ())
        people = len({trial.subject for trial in own})
        if people < least:
            skipped[name] = f"{people} people have clicked on it, fewer than {least}"
        else:
            usable.append(image_clicks(name, own, trials.image_sizes_px[name], recipe))
    return usable, skipped


def _without_scores(
    draws: np.ndarray, names: Sequence[str], skipped: dict[str, str]
) -> dict[str, str]:
    reason = "no draw has a defined score: a half without clicks, or a constant map"
    return {
        name: reason
        for i, name in enumerate(names)
        if np.isnan(draws[:, i]).all() and name not in skipped
    }


def _one_draw(
    images: Sequence[ImageClicks],
    draw: int,
    settings: CeilingSettings,
    metrics: Sequence[AnyMetric],
    finish: Finish,
) -> Float[np.ndarray, "metric 2 image"]:
    """Return split-half scores and other-image floors of one split of all images."""
    counts = ([], [])
    for clicks in images:
        generator = generator_for(settings.seed, clicks.name, draw)
        people = chosen_people(clicks, settings.subjects, generator)
        weights = half_weights(people, clicks.people, settings.halves, generator)
        for half, own in zip(counts, weights, strict=True):
            half.append(clicks.mean_counts(own))
    first, second = (_finished(np.stack(half), finish) for half in counts)
    scores = []
    for metric in metrics:
        seed = [settings.seed, draw]
        scores.append(own_and_others(metric, first, second, partners=settings.partners, seed=seed))
    return np.array(scores)


def _leave_one_out(
    clicks: ImageClicks,
    settings: CeilingSettings,
    metrics: Sequence[AnyMetric],
    finish: Finish,
) -> list[float]:
    """Return the mean score of one person against the mean of all others."""
    generator = generator_for(settings.seed, clicks.name, _LEAVE_ONE_OUT_DRAW)
    people = chosen_people(clicks, settings.subjects, generator)
    everyone = np.bincount(people, minlength=clicks.people).astype(np.float64)
    single = np.eye(clicks.people)[people[: settings.single_subjects]]
    own = _finished(np.stack([clicks.mean_counts(w) for w in single]), finish)
    rest = _finished(np.stack([clicks.mean_counts(everyone - w) for w in single]), finish)
    scores = [own_scores(metric, own, rest).numpy() for metric in metrics]
    return [float(mean_of_defined(each[:, None])[0]) for each in scores]


def _finished(counts: np.ndarray, finish: Finish) -> Tensor:
    maps = torch.from_numpy(counts)
    return torch.cat([finish(few) for few in maps.split(_MAPS_AT_ONCE)])
