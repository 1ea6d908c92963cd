"""The people behind each image's map, and how they are split into halves.

Only the cells that someone clicked are kept, so that thousands of trials fit in memory and the mean
of any group of people is one weighted count.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..maps.making import MapRecipe, count_map
from ..maps.trials import Trial

Halves = Literal["plain", "bootstrap-filled"]


@dataclass(frozen=True, kw_only=True)
class ImageClicks:
    """Where people clicked on one image."""

    name: str
    grid_px: int
    people: int
    person: np.ndarray
    """int64 ``[entry]``: whose entry it is, from 0."""
    cell: np.ndarray
    """int64 ``[entry]``: row times the grid's side plus column."""
    count: np.ndarray
    """float64 ``[entry]``: how often that person clicked that cell."""

    def mean_counts(self, weights: np.ndarray) -> np.ndarray:
        """Return the weighted mean of people's counts, float32 ``[grid, grid]``.

        Args:
            weights: how often each person counts, ``[people]``.
        """
        cells = self.grid_px**2
        summed = np.bincount(self.cell, self.count * weights[self.person], minlength=cells)
        return (summed / weights.sum()).astype(np.float32).reshape(self.grid_px, self.grid_px)


def image_clicks(
    name: str, trials: Sequence[Trial], image_size_px: tuple[int, int], recipe: MapRecipe
) -> ImageClicks:
    """Return the clicks of all people on an image; a person's repeated trials are added up."""
    people = {subject: i for i, subject in enumerate(dict.fromkeys(t.subject for t in trials))}
    person, cell, count = [], [], []
    for trial in trials:
        counts = count_map(trial, image_size_px, recipe).ravel()
        cells = np.flatnonzero(counts)
        person.append(np.full(len(cells), people[trial.subject], dtype=np.int64))
        cell.append(cells)
        count.append(counts[cells].astype(np.float64))
    return ImageClicks(
        name=name,
        grid_px=recipe.grid_px,
        people=len(people),
        person=np.concatenate(person),
        cell=np.concatenate(cell),
        count=np.concatenate(count),
    )


def chosen_people(
    clicks: ImageClicks, subjects: int | None, generator: np.random.Generator
) -> np.ndarray:
    """Return a random order of the people, cut to the first ``subjects``."""
    return generator.permutation(clicks.people)[:subjects]


def half_weights(
    people: np.ndarray, total: int, halves: Halves, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each of ``total`` people counts in the first and in the second half.

    Plain halves are the first ``n // 2`` and the rest. ``bootstrap-filled`` (ClickMe 2.0) adds to
    each half as many people again, drawn from the same half with replacement.
    """
    cut = len(people) // 2
    weights = []
    for half in (people[:cut], people[cut:]):
        more = generator.choice(half, len(half)) if halves == "bootstrap-filled" else half[:0]
        counted = np.bincount(np.concatenate([half, more]), minlength=total)
        weights.append(counted.astype(np.float64))
    return weights[0], weights[1]


def generator_for(seed: int, name: str, draw: int) -> np.random.Generator:
    """Return a generator that depends on the seed, the image's name and the draw only."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), draw])
