"""The alignment of an encoder's saliency with human maps, beside its floors."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..video_models.encoder import Encoder
from .maps.human_maps import HumanMaps
from .maps.npz import CLICKME_2_KIND
from .prepare import CENTRE_CROP, Prepared, prepare
from .results import CeilingScores, FloorScores, MetricScores, Results
from .saliency.gradients import Budget, Progress, SaliencyMaps, saliency_maps
from .saliency.recipe import SaliencyRecipe
from .scores import floors
from .scores.bootstrap import LEVEL, RESAMPLES, Interval, bootstrap_interval, paired_difference
from .scores.metrics import SPEARMAN, Metric, own_scores, pair_scores

NO_CEILING = "no ceiling: one averaged map per image, so people cannot be compared with people"
NO_RANDOM_NETWORK = {floors.RANDOM_NETWORK: "no untrained encoder was given"}


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """Everything about a score that is not the model, the maps or the saliency recipe."""

    size: int = 224
    """Side of the model's input in pixels; maps are compared at this size."""
    crop_share: float = CENTRE_CROP
    """Share of the short side kept by the centre crop."""
    batch: int = 8
    """Clips in memory together; changes nothing in the result."""
    seed: int = 0
    resamples: int = RESAMPLES
    level: float = LEVEL
    """Level of the bootstrap intervals."""


@dataclass(frozen=True, kw_only=True)
class PublishedCeiling:
    """A constant from a publication, never measured on the maps at hand."""

    name: str
    value: float
    source: str


PUBLISHED_CEILINGS: Mapping[str, PublishedCeiling] = {
    CLICKME_2_KIND: PublishedCeiling(
        name="published CO3D ceiling",
        value=0.4422303328731989,
        source=(
            "split-half Spearman of ClickMe 2.0 on CO3D with brush 11, train.py of "
            "serre-lab/co3d-harmonization-pytorch@04b708d; another blur than these maps, so a "
            "reference and not a bound"
        ),
    )
}
"""By kind of map."""


def score(
    encoder: Encoder,
    maps: HumanMaps,
    *,
    recipe: SaliencyRecipe,
    settings: ScoreSettings | None = None,
    random_encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Results:
    """Return Spearman's rho of the encoder's saliency with each human map, beside its floors.

    Args:
        encoder: Clips in [0, 1] to features.
        maps: Images and human maps.
        recipe: How saliency is made; its name is part of the score's name.
        settings: Input size, crop, batch, seed and bootstrap.
        random_encoder: The same architecture, untrained: the floor of what training added.
        progress: Told the share done and a message.
    """
    return score_metrics(
        Task(maps=maps, metrics=(SPEARMAN,), recipe=recipe, settings=settings or ScoreSettings()),
        encoder,
        random_encoder=random_encoder,
        progress=progress,
    )


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a model is scored on and how."""

    maps: HumanMaps
    metrics: tuple[Metric, ...]
    recipe: SaliencyRecipe
    settings: ScoreSettings
    other_maps_name: str = floors.OTHER_HUMAN_MAPS
    """Name of the floor that uses the target maps of other images."""
    ceiling_note: str = NO_CEILING


def score_metrics(
    task: Task,
    encoder: Encoder,
    *,
    random_encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Results:
    """Return the scores of one encoder on a task, all metrics beside all floors."""
    if len(task.maps) == 0:
        raise ValueError("expected at least one image to score, got none")
    prepared = prepare(task.maps, task.settings.size, crop_share=task.settings.crop_share)
    half = 0.95 if random_encoder is None else 0.475
    own = _saliency(encoder, prepared, task, _part(progress, 0.0, half))
    maps_of_floors = floors.floor_maps(prepared.images)
    if random_encoder is not None:
        random = _saliency(random_encoder, prepared, task, _part(progress, half, half))
        maps_of_floors[floors.RANDOM_NETWORK] = random.usable()
    metrics = tuple(
        _metric_scores(metric, task, own.usable(), prepared.maps, maps_of_floors)
        for metric in task.metrics
    )
    if progress is not None:
        progress(1.0, "scored")
    return Results(
        recipe=task.recipe.to_dict(),
        settings=asdict(task.settings),
        maps=task.maps,
        metrics=metrics,
        undefined=_undefined(own, metrics[0], task.maps.names),
        missing_floors=NO_RANDOM_NETWORK if random_encoder is None else {},
        ceiling_note=task.ceiling_note,
        images=(prepared.images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy(),
        target_maps=prepared.maps.numpy(),
        saliency=own.maps.numpy(),
        floor_maps={name: floor.numpy() for name, floor in maps_of_floors.items()},
    )


def _saliency(
    encoder: Encoder, prepared: Prepared, task: Task, progress: Progress | None
) -> SaliencyMaps:
    budget = Budget(batch=task.settings.batch, seed=task.settings.seed)
    return saliency_maps(
        encoder,
        prepared.images,
        task.maps.labels,
        task.recipe,
        budget=budget,
        progress=progress,
    )


def _metric_scores(
    metric: Metric,
    task: Task,
    saliency: Tensor,
    targets: Tensor,
    maps_of_floors: Mapping[str, Tensor],
) -> MetricScores:
    """Return one metric of the saliency, with floors on the same images."""
    pairs = pair_scores(metric, saliency, targets)
    own = pairs.diagonal().numpy()
    floor_scores = {
        name: own_scores(metric, floor, targets).numpy() for name, floor in maps_of_floors.items()
    }
    floor_scores[task.other_maps_name] = floors.mean_over_others(
        pair_scores(metric, targets, targets)
    )
    floor_scores[floors.OTHER_SALIENCY] = floors.mean_over_others(pairs)
    scored = MetricScores(
        name=metric.name,
        meaning=metric.meaning,
        chance=metric.chance,
        per_image=own,
        interval=_interval(own, task.settings),
        floors=tuple(
            _floor(name, values, own, task.settings) for name, values in floor_scores.items()
        ),
    )
    return _with_ceilings(scored, task) if metric is SPEARMAN else scored


def _floor(name: str, values: np.ndarray, own: np.ndarray, settings: ScoreSettings) -> FloorScores:
    generator = np.random.default_rng(settings.seed)
    return FloorScores(
        name=name,
        per_image=values,
        interval=_interval(np.where(np.isnan(own), np.nan, values), settings),
        difference=paired_difference(
            own, values, generator, resamples=settings.resamples, level=settings.level
        ),
    )


def _interval(values: np.ndarray, settings: ScoreSettings) -> Interval:
    generator = np.random.default_rng(settings.seed)
    return bootstrap_interval(values, generator, resamples=settings.resamples, level=settings.level)


def _with_ceilings(scored: MetricScores, task: Task) -> MetricScores:
    ceiling = PUBLISHED_CEILINGS.get(task.maps.kind)
    if ceiling is None or not task.maps.are_human:
        return scored
    floor = scored.floor(task.other_maps_name)
    room = ceiling.value - floor.interval.mean
    corrected = (scored.interval.mean - floor.interval.mean) / room if room > 0 else float("nan")
    own = scored.interval
    entry = CeilingScores(
        name=ceiling.name,
        value=ceiling.value,
        source=ceiling.source,
        over_ceiling=Interval(
            mean=own.mean / ceiling.value,
            low=own.low / ceiling.value,
            high=own.high / ceiling.value,
            count=own.count,
            level=own.level,
        ),
        floor_name=floor.name,
        floor_corrected=corrected,
    )
    return replace(scored, ceilings=(entry,))


def _undefined(
    saliency: SaliencyMaps, scored: MetricScores, names: tuple[str, ...]
) -> dict[str, str]:
    """Return why images have no score, by name: every image whose score is NaN."""
    reason = f"its target map is constant, or shows no object, within the crop: no {scored.name}"
    return {
        names[index]: saliency.undefined.get(int(index), reason)
        for index in np.flatnonzero(np.isnan(scored.per_image))
    }


def _part(progress: Progress | None, start: float, share: float) -> Progress | None:
    if progress is None:
        return None
    return lambda done, message: progress(start + share * done, message)
