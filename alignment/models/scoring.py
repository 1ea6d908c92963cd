"""Scoring a model as it wants its images."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from ..maps.human_maps import HumanMaps
from ..object_evidence import score_objects
from ..results import Results
from ..saliency.gradients import Progress
from ..saliency.methods import Method
from ..saliency.recipe import SaliencyRecipe
from ..saliency.targets import ClassLogit, FeatureNorm, Target
from ..score import ScoreSettings, score
from ..scores.metrics import SPEARMAN, AnyMetric
from .scored import ScoredModel


def score_model(
    model: ScoredModel,
    maps: HumanMaps,
    *,
    recipe: SaliencyRecipe,
    settings: ScoreSettings | None = None,
    metrics: Sequence[AnyMetric] = (SPEARMAN,),
    progress: Progress | None = None,
) -> Results:
    """Return a model's scores against human maps, or object masks, beside its floors.

    Args:
        model: What is scored; its untrained twin is one of the floors.
        maps: Images and what they are compared with.
        recipe: How saliency is made, see `recipe_for`.
        settings: By default `settings_for` the model.
        metrics: The scores against human maps; object masks have their own.
        progress: Told the share done and a message.
    """
    take = partial(score, metrics=metrics) if maps.are_human else score_objects
    return take(
        model.encoder,
        maps,
        recipe=recipe,
        settings=settings or settings_for(model, maps),
        random_encoder=model.untrained,
        progress=progress,
    )


def recipe_for(model: ScoredModel, method: Method, **changes: object) -> SaliencyRecipe:
    """Return the usual recipe: a classifier's own class, or else the centred feature norm; blurred.

    Args:
        model: What is scored.
        method: Gradient, SmoothGrad or another.
        **changes: Other fields of the recipe.
    """
    target: Target = ClassLogit() if model.is_classifier else FeatureNorm(centred=True)
    usual = SaliencyRecipe(
        target=target, method=method, blur="disc blur twice", clip_frames=model.clip_frames
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


def settings_for(
    model: ScoredModel,
    maps: HumanMaps,
    *,
    base: ScoreSettings | None = None,
    size: int | None = None,
) -> ScoreSettings:
    """Return settings with the model's own preparation of images.

    Object masks are compared over the whole image, without a crop, at the images' own size unless
    the model is a classifier, which has one of its own.
    """
    preparation = model.preparation
    usual, crop = preparation.size, preparation.crop_share
    if not maps.are_human:
        usual = usual if model.is_classifier else min(maps.maps.shape[1:])
        crop = 1.0
    return replace(
        base or ScoreSettings(),
        size=usual if size is None else size,
        crop_share=crop,
        whole_image=preparation.whole_image,
        interpolation=preparation.interpolation,
        antialias=preparation.antialias,
    )
