"""Is saliency on the objects of a rendered scene, or on their background?

For scenes without human maps. Object masks are known exactly; no person made them, and results
say so.
"""

from collections.abc import Sequence

import numpy as np

from ..video_models.encoder import Encoder
from .maps.human_maps import HumanMaps
from .results import Results
from .saliency.gradients import Progress
from .saliency.recipe import SaliencyRecipe
from .score import ScoreSettings, Task, score_metrics
from .scores.metrics import AUC, ENRICHMENT, POINTING

OBJECT_MASK_KIND = "object masks of rendered objects, not human maps"
OTHER_MASKS = "other images' object masks"
NO_OBJECT_CEILING = "no ceiling: object masks are exact, and no person was asked"


def object_maps(
    images: np.ndarray,
    masks: np.ndarray,
    labels: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    source: str,
    licence: str,
) -> HumanMaps:
    """Return rendered images with object masks in the place of human maps.

    Args:
        images: uint8 ``[n, height, width, 3]``.
        masks: bool ``[n, height, width]``, true on the labelled object.
        labels: Category of each object.
        names: One for each image; by default the label and the position.
        source: Where the images come from, such as the scene's name.
        licence: Licence of the images.
    """
    if masks.dtype != np.bool_:
        raise TypeError(f"expected object masks of bool, got {masks.dtype}")
    if names is None:
        names = [f"{label} {index}" for index, label in enumerate(labels)]
    return HumanMaps(
        images=images,
        maps=masks.astype(np.float32),
        names=tuple(names),
        labels=tuple(labels),
        kind=OBJECT_MASK_KIND,
        are_human=False,
        source=source,
        licence=licence,
    )


def score_objects(
    encoder: Encoder,
    maps: HumanMaps,
    *,
    recipe: SaliencyRecipe,
    settings: ScoreSettings | None = None,
    random_encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Results:
    """Return how far saliency is on the objects: enrichment, pointing game and AUC, with floors.

    Args:
        encoder: Clips in [0, 1] to features.
        maps: From `object_maps`.
        recipe: How saliency is made.
        settings: By default the whole image at its own size, without a crop.
        random_encoder: The same architecture, untrained.
        progress: Told the share done and a message.
    """
    if maps.are_human:
        raise ValueError(
            f"expected object masks, got human maps ('{maps.kind}'); score those with `score`"
        )
    if recipe.channels == "signed-mean":
        raise ValueError(
            "expected a recipe with channels 'abs-max' or 'abs-mean' for object evidence, got "
            "'signed-mean': shares of saliency need values of at least 0"
        )
    settings = settings or ScoreSettings(size=min(maps.maps.shape[1:]), crop_share=1.0)
    task = Task(
        maps=maps,
        metrics=(ENRICHMENT, POINTING, AUC),
        recipe=recipe,
        settings=settings,
        other_maps_name=OTHER_MASKS,
        ceiling_note=NO_OBJECT_CEILING,
    )
    return score_metrics(task, encoder, random_encoder=random_encoder, progress=progress)
