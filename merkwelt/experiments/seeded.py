"""Networks of several seeds, all scored on images that none of them was trained on."""

from collections.abc import Sequence

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.prepare import prepare
from ..alignment.scores.floors import CENTRED_GAUSSIAN, EDGES, LUMINANCE, OTHER_HUMAN_MAPS
from .outcome import Difference, Picture, Pooled, Row, mean_of_seeds
from .scored_part import PartScores

FLOORS = (CENTRED_GAUSSIAN, OTHER_HUMAN_MAPS, EDGES, LUMINANCE)
SHOWN = 8
ALL = "all images, none of which it was trained on"


def seed_row(
    name: str,
    where: str,
    per_seed: Sequence[np.ndarray],
    pooled: Pooled,
    *,
    is_floor: bool = False,
) -> Row:
    """Return the mean over seeds and images."""
    interval = pooled.interval(mean_of_seeds(per_seed))
    return Row(name=name, where=where, interval=interval, is_floor=is_floor)


def floor_rows(scored: Sequence[PartScores], where: str, pooled: Pooled) -> tuple[Row, ...]:
    """Return the floors that need no network."""
    return tuple(
        seed_row(name, where, [each.floors[name] for each in scored], pooled, is_floor=True)
        for name in FLOORS
    )


def trained_less_untrained(
    name: str, scored: Sequence[PartScores], where: str, pooled: Pooled
) -> Difference:
    """Return what training changed, paired by image."""
    return _difference(name, [each.trained - each.untrained for each in scored], where, pooled)


def over_floor(
    name: str, scored: Sequence[PartScores], floor: str, where: str, pooled: Pooled
) -> Difference:
    """Return how far trained networks lie above a floor, paired by image."""
    found = [each.trained - each.floors[floor] for each in scored]
    return _difference(f"{name} less {floor}", found, where, pooled)


def _difference(
    name: str, per_seed: Sequence[np.ndarray], where: str, pooled: Pooled
) -> Difference:
    return Difference(
        name=name,
        where=where,
        interval=pooled.interval(mean_of_seeds(per_seed)),
        per_seed=tuple(_mean(each) for each in per_seed),
    )


def _mean(values: np.ndarray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else float("nan")


def shown_images(scores: np.ndarray) -> list[int]:
    """Return images evenly spread from the best score to the worst; undefined ones last."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    places = np.linspace(0, len(order) - 1, min(SHOWN, len(order))).round().astype(int)
    return [int(order[place]) for place in places]


def seeded_pictures(
    maps: HumanMaps, size_px: int, part: PartScores, names: tuple[str, str]
) -> tuple[Picture, ...]:
    """Return images with human maps and those of one network after and before training."""
    prepared = prepare(maps, size_px)
    target = "people" if maps.are_human else "object mask"
    return tuple(
        Picture(
            title=maps.labels[image].replace("_", " "),
            image=(prepared.images[image].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8),
            maps={
                target: prepared.maps[image].numpy(),
                names[0]: part.saliency[image],
                names[1]: part.untrained_saliency[image],
            },
            values={
                names[0]: f"{part.trained[image]:.2f}",
                names[1]: f"{part.untrained[image]:.2f}",
            },
        )
        for image in shown_images(part.trained)
    )


def mean_by_name(maps: HumanMaps, per_seed: Sequence[np.ndarray]) -> dict[str, float]:
    """Return means over seeds by image name."""
    mean = mean_of_seeds(per_seed)
    return {name: float(value) for name, value in zip(maps.names, mean, strict=True)}
