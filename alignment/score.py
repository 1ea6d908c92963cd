"""The alignment of an encoder's saliency with human maps, beside its floors."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ..video_models.encoder import Encoder
from .maps.human_maps import HumanMaps
from .over_ceilings import Resampling, with_measured, with_published
from .people import People, measure_people
from .prepare import (
    CENTRE_CROP,
    Interpolation,
    Preparation,
    Prepared,
    prepare_by,
    prepare_maps,
)
from .results import FloorScores, MetricScores, Results
from .saliency.gradients import (
    Budget,
    Progress,
    SaliencyMaps,
    feature_vectors,
    saliency_maps,
)
from .saliency.recipe import SaliencyRecipe
from .scores import floors
from .scores.bootstrap import LEVEL, RESAMPLES, Interval, bootstrap_interval, paired_difference
from .scores.ceilings import CeilingSettings
from .scores.metrics import SPEARMAN, AnyMetric, own_scores
from .set_scores import similarities

NO_CEILING = "no ceiling: one averaged map per image, so people cannot be compared with people"
TRIALS_UNUSED = (
    "no ceiling: the maps' trials are known, but ceilings were not asked for, or the recipe that "
    "made the maps is not known"
)
_MOST_PAIRED, _PARTNERS = 300, 20
NO_RANDOM_NETWORK = {floors.RANDOM_NETWORK: "no untrained encoder was given"}


@dataclass(frozen=True, kw_only=True)
class ScoreSettings:
    """Everything about a score that is not the model, the maps or the saliency recipe."""

    size: int = 224
    """Side of the model's input in pixels; maps are compared at this size."""
    crop_share: float = CENTRE_CROP
    """Share of the short side kept by the centre crop."""
    whole_image: bool = False
    """Resize the whole image, whatever its shape, without a crop (ClickMe 1.0)."""
    interpolation: Interpolation = "bicubic"
    """Of images; maps are always resized bilinearly."""
    antialias: bool = True
    """Whether shrinking is antialiased."""
    batch: int = 8
    """Clips in memory together; changes nothing in the result."""
    seed: int = 0
    resamples: int = RESAMPLES
    level: float = LEVEL
    """Level of the bootstrap intervals."""
    partners: int | None = None
    """Other images whose maps each map is compared with for the floors. None takes all others, and
    20 drawn at random where there are more than 300 images."""
    ceilings: CeilingSettings | None = CeilingSettings()
    """How people are compared with people where their trials are known; None does not."""

    def __post_init__(self) -> None:
        """Refuse floors without other images."""
        if self.partners is not None and self.partners < 1:
            raise ValueError(f"expected at least 1 partner, got {self.partners}; None takes all")

    def partners_of(self, images: int) -> int | None:
        """Return the number of other images for the floors; None for all others."""
        return _PARTNERS if self.partners is None and images > _MOST_PAIRED else self.partners

    @property
    def preparation(self) -> Preparation:
        """How images and maps are brought to the model's size."""
        return Preparation(
            size=self.size,
            crop_share=self.crop_share,
            whole_image=self.whole_image,
            interpolation=self.interpolation,
            antialias=self.antialias,
        )

    @property
    def resampling(self) -> Resampling:
        """How intervals are drawn."""
        return Resampling(seed=self.seed, resamples=self.resamples, level=self.level)


def score(  # noqa: PLR0913 - a model, what it is scored on, and how
    encoder: Encoder,
    maps: HumanMaps,
    *,
    recipe: SaliencyRecipe,
    settings: ScoreSettings | None = None,
    metrics: Sequence[AnyMetric] = (SPEARMAN,),
    random_encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Results:
    """Return the agreement of the encoder's saliency with each human map, beside its floors.

    Where the maps carry the trials of single people, ceilings are measured on the same images at
    the same size. Published constants are shown beside maps of their kind only.

    Args:
        encoder: Clips in [0, 1] to features.
        maps: Images and human maps.
        recipe: How saliency is made; its name is part of the score's name.
        settings: Input size, crop, batch, seed, bootstrap and ceilings.
        metrics: The scores, the main one first; Spearman's rho by default.
        random_encoder: The same architecture, untrained: the floor of what training added.
        progress: Told the share done and a message.
    """
    task = Task(
        maps=maps, metrics=tuple(metrics), recipe=recipe, settings=settings or ScoreSettings()
    )
    return score_metrics(task, encoder, random_encoder=random_encoder, progress=progress)


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a model is scored on and how."""

    maps: HumanMaps
    metrics: tuple[AnyMetric, ...]
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
    if len(task.maps) == 0 or not task.metrics:
        raise ValueError(
            f"expected at least one image to score and one metric, got {len(task.maps)} images and "
            f"{len(task.metrics)} metrics"
        )
    prepared = prepare_by(task.maps, task.settings.preparation)
    people = _people(task, prepared.maps, _part(progress, 0.0, 0.2))
    start = 0.0 if people is None else 0.2
    half = (0.95 - start) * (1 if random_encoder is None else 0.5)
    own = _saliency(encoder, prepared, task, _part(progress, start, half))
    maps_of_floors = floors.floor_maps(prepared.images)
    if random_encoder is not None:
        random = _saliency(random_encoder, prepared, task, _part(progress, start + half, half))
        maps_of_floors[floors.RANDOM_NETWORK] = random.usable()
    metrics = tuple(
        _against_people(
            _metric_scores(metric, task, own, prepared.maps, maps_of_floors), place, people, task
        )
        for place, metric in enumerate(task.metrics)
    )
    features = feature_vectors(
        encoder, prepared.images, task.recipe, budget=_budget(task.settings)
    ).cpu()
    if progress is not None:
        progress(1.0, "scored")
    return Results(
        recipe=task.recipe.to_dict(),
        settings=asdict(task.settings),
        maps=task.maps,
        metrics=metrics,
        undefined=metrics[0].undefined,
        missing_floors=NO_RANDOM_NETWORK if random_encoder is None else {},
        ceiling_note=_ceiling_note(task, people),
        images=(prepared.images * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy(),
        target_maps=prepared.maps.numpy(),
        saliency=own.maps.numpy(),
        floor_maps={name: floor.numpy() for name, floor in maps_of_floors.items()},
        set_scores=similarities(own.usable(), features, prepared.maps, task.settings.resampling),
        without_ceiling={} if people is None else people.ceilings[0].skipped,
    )


def _people(task: Task, targets: Tensor, progress: Progress | None) -> People | None:
    """Return what people reach, where single people are known."""
    maps, settings = task.maps, task.settings.ceilings
    if not maps.are_human or maps.trials is None or maps.recipe is None or settings is None:
        return None
    return measure_people(
        maps,
        partial(prepare_maps, preparation=task.settings.preparation),
        targets,
        metrics=task.metrics,
        settings=settings,
        progress=progress,
    )


def _against_people(
    scored: MetricScores, place: int, people: People | None, task: Task
) -> MetricScores:
    resampling = task.settings.resampling
    if people is not None:
        found = people.ceilings[place]
        scored = with_measured(scored, found, task.other_maps_name, resampling)
    return with_published(scored, task.maps, task.other_maps_name, resampling)


def _ceiling_note(task: Task, people: People | None) -> str:
    if people is not None:
        return people.note
    if task.maps.are_human and task.maps.trials is not None:
        return TRIALS_UNUSED
    return task.ceiling_note


def _saliency(
    encoder: Encoder, prepared: Prepared, task: Task, progress: Progress | None
) -> SaliencyMaps:
    return saliency_maps(
        encoder,
        prepared.images,
        task.maps.labels,
        task.recipe,
        budget=_budget(task.settings),
        progress=progress,
    )


def _budget(settings: ScoreSettings) -> Budget:
    return Budget(batch=settings.batch, seed=settings.seed)


def _metric_scores(
    metric: AnyMetric,
    task: Task,
    saliency: SaliencyMaps,
    targets: Tensor,
    maps_of_floors: Mapping[str, Tensor],
) -> MetricScores:
    """Return one metric of the saliency, with floors on the same images."""
    partners, seed = task.settings.partners_of(len(targets)), [task.settings.seed]
    own, other_saliency = floors.own_and_others(
        metric, saliency.usable(), targets, partners=partners, seed=seed
    )
    floor_scores = {
        name: own_scores(metric, floor, targets).numpy() for name, floor in maps_of_floors.items()
    }
    _, other_maps = floors.own_and_others(metric, targets, targets, partners=partners, seed=seed)
    floor_scores[task.other_maps_name] = other_maps
    floor_scores[floors.OTHER_SALIENCY] = other_saliency
    return MetricScores(
        name=metric.name,
        meaning=metric.meaning,
        chance=metric.chance,
        per_image=own,
        interval=_interval(own, task.settings),
        floors=tuple(
            _floor(name, values, own, task.settings) for name, values in floor_scores.items()
        ),
        undefined=_undefined(saliency, own, metric.name, task.maps.names),
    )


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


def _undefined(
    saliency: SaliencyMaps, values: np.ndarray, metric: str, names: tuple[str, ...]
) -> dict[str, str]:
    """Return why images have no score, by name: every image whose score is NaN."""
    reason = f"its target map is constant, or shows no object, within the crop: no {metric}"
    return {
        names[index]: saliency.undefined.get(int(index), reason)
        for index in np.flatnonzero(np.isnan(values))
    }


def _part(progress: Progress | None, start: float, share: float) -> Progress | None:
    if progress is None:
        return None
    return lambda done, message: progress(start + share * done, message)
