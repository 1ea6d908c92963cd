"""Ceilings over the course of people's trials, as ClickMe 2.0 takes its ``auc``.

People who agree where to look first need not agree later. The published figure is a mean over maps
that are made of the first clicks of each person only, from a twentieth of them to all.
"""

import math
from dataclasses import replace

import numpy as np

from ..maps.making import MapRecipe
from ..maps.trials import Trial, Trials
from .ceilings import Ceilings, CeilingSettings, ceilings
from .human_metrics import IOU_CURVE
from .metrics import AnyMetric

PARTS = 10
FIRST_SHARE = 0.05


def first_shares(parts: int = PARTS) -> tuple[float, ...]:
    """Return the shares of each person's clicks, from a twentieth to all in equal steps."""
    if parts < 1:
        raise ValueError(f"expected at least 1 part of the trials by time, got {parts}")
    return tuple(np.linspace(FIRST_SHARE, 1.0, parts).tolist()) if parts > 1 else (1.0,)


def first_clicks(trials: Trials, share: float, *, least: int = 1) -> Trials:
    """Return trials cut to their first clicks, in the order in which they were made.

    Args:
        trials: What single people did.
        share: Share of each trial's points that is kept, in (0, 1], rounded up.
        least: Points that are kept at least, where a trial has so many.
    """
    if not 0 < share <= 1 or least < 1:
        raise ValueError(
            f"expected a share of clicks in (0, 1] and at least 1 of them, got {share} and {least}"
        )
    return replace(trials, trials=tuple(_first(trial, share, least) for trial in trials.trials))


def ceilings_over_time(  # noqa: PLR0913 - those of ``ceilings``, and how trials are cut
    trials: Trials,
    recipe: MapRecipe,
    settings: CeilingSettings | None = None,
    *,
    metric: AnyMetric = IOU_CURVE,
    parts: int = PARTS,
    least: int = 1,
) -> Ceilings:
    """Return how far people agree, as the mean over maps of their first clicks.

    Both halves are cut to the same share, and all shares are split into the same halves. A draw
    that has no score at one share has none. A model's map cannot be cut like this, so its score is
    not to be divided by this ceiling.

    Args:
        trials: What single people did, their points in the order in which they were made.
        recipe: How maps are made.
        settings: Draws, halves, numbers of people.
        metric: The score; the area under IoU as published.
        parts: Shares that the mean is over.
        least: Clicks of a trial that are kept at least (``min_clicks`` there).

    Raises:
        ValueError: a setting is out of its range.
    """
    found = [
        ceilings(first_clicks(trials, share, least=least), recipe, settings, metric=metric)
        for share in first_shares(parts)
    ]
    return replace(
        found[-1],
        recipe=f"{recipe.name}, mean over {parts} parts of the trials by time",
        split_half_draws=np.mean([each.split_half_draws for each in found], axis=0),
        floor_draws=np.mean([each.floor_draws for each in found], axis=0),
        leave_one_out=np.mean([each.leave_one_out for each in found], axis=0),
        skipped={name: why for each in found for name, why in each.skipped.items()},
    )


def _first(trial: Trial, share: float, least: int) -> Trial:
    # 0.15 * 20 is 3.0000000000000004, and yet 3 clicks.
    return trial.first(max(least, math.ceil(share * len(trial.points_px) - 1e-9)))
