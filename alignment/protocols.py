"""Whole protocols by name: how images, saliency and scores are made, constants included.

A number can be compared with a published one only if all of these agree with it, so they are chosen
together. Each preset returns plain settings, which ``dataclasses.replace`` changes.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from .maps import making
from .maps.forms import TRIAL_FORMS, form_of
from .maps.from_trials import finished_by
from .maps.human_maps import HumanMaps
from .maps.making import MapRecipe
from .maps.read_maps import read_maps
from .saliency.recipe import SaliencyRecipe
from .saliency.targets import ClassLogit, FeatureNorm, Target
from .score import ScoreSettings
from .scores.ceilings import CeilingSettings
from .scores.human_metrics import (
    DICE,
    IOU,
    IOU_CURVE,
    RANK_COSINE,
    RANK_ORDER,
    RANK_PEARSON,
    ROC_AUC,
)
from .scores.metrics import SPEARMAN, AnyMetric, spearman_at
from .scores.published import CO3D2025_CEILING, FEL2022_CEILING, PublishedCeiling

ProtocolName = Literal["merkwelt", "fel2022", "co3d2025"]


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How models are compared with people."""

    name: ProtocolName
    source: str
    settings: ScoreSettings
    """Preparation of images and maps, intervals, and how ceilings are measured."""
    recipe: SaliencyRecipe
    metrics: tuple[AnyMetric, ...]
    """The main one first."""
    map_recipe: MapRecipe
    """How maps are made where only clicks or raw heat maps are stored."""
    prepares_images: bool = True
    """Images are prepared as the settings say; otherwise as each model wants them."""
    true_class: bool = False
    """Saliency is of the true class of each image where it is known, not of the model's answer."""
    ceiling: PublishedCeiling | None = None
    """The constant of the publication; shown beside maps of its own kind only."""

    def recipe_of(self, target: Target, *, clip_frames: int) -> SaliencyRecipe:
        """Return the saliency recipe with the target and clip that a model needs."""
        return replace(self.recipe, target=target, clip_frames=clip_frames)

    def settings_of(self, usual: ScoreSettings) -> ScoreSettings:
        """Return the usual settings of a model, with images prepared as the protocol says.

        The size stays the model's own.
        """
        if not self.prepares_images:
            return usual
        return replace(
            usual,
            crop_share=self.settings.crop_share,
            whole_image=self.settings.whole_image,
            interpolation=self.settings.interpolation,
            antialias=self.settings.antialias,
        )

    def read(self, path: Path) -> HumanMaps:
        """Return human maps: of trials by the protocol's recipe, and stored ones as it wants them.

        Stored heat maps of ClickMe 1.0 are blurred and resized by ``fel2022``; others are as their
        files tell, because they are blurred already.
        """
        if form_of(path) in TRIAL_FORMS:
            return read_maps(path, recipe=self.map_recipe)
        maps = read_maps(path)
        if self.name == "fel2022" and FEL2022_CEILING.belongs_to(maps):
            return finished_by(maps, self.map_recipe)
        return maps


def merkwelt() -> Protocol:
    """Return this project's own: centre crop, blurred saliency, plain halves, no constant."""
    return Protocol(
        name="merkwelt",
        source="this project",
        settings=ScoreSettings(),
        recipe=SaliencyRecipe(target=FeatureNorm(centred=True), blur="disc blur twice"),
        metrics=(SPEARMAN, ROC_AUC, IOU),
        map_recipe=making.co3d2025(),
        prepares_images=False,
    )


def fel2022() -> Protocol:
    """Return ClickMe 1.0 (Fel et al. 2022), as in serre-lab/Harmonization@ffe1c49.

    Whole images without a crop, resized bilinearly without antialiasing; absolute gradient of the
    true-class logit, largest over channels, not blurred; Spearman at three resolutions, Dice and
    IoU of the top tenth. The published figure seems to show raw Spearman, not over the ceiling.
    """
    return Protocol(
        name="fel2022",
        source="Fel et al. 2022; serre-lab/Harmonization@ffe1c49",
        settings=ScoreSettings(
            crop_share=1.0, whole_image=True, interpolation="bilinear", antialias=False
        ),
        recipe=SaliencyRecipe(target=ClassLogit(), clip_frames=1),
        metrics=(SPEARMAN, spearman_at(4), spearman_at(16), DICE, IOU),
        map_recipe=making.fel2022(),
        true_class=True,
        ceiling=FEL2022_CEILING,
    )


def co3d2025() -> Protocol:
    """Return ClickMe 2.0, as in serre-lab/human_clickme_data_processing@e6f9a76.

    Centre crop of 7/8 of the short side; saliency blurred by the disc twice, as the clicks are;
    ceilings from halves that are filled up by drawing their own people again. The published
    ``auc`` is also averaged over parts of the trials by time, which a model has none of; for people
    alone ``ceilings_over_time`` does so.
    """
    return Protocol(
        name="co3d2025",
        source="serre-lab/human_clickme_data_processing@e6f9a76",
        settings=ScoreSettings(ceilings=CeilingSettings(halves="bootstrap-filled", partners=1)),
        recipe=SaliencyRecipe(target=ClassLogit(), blur="disc blur twice", clip_frames=1),
        metrics=(SPEARMAN, IOU_CURVE, RANK_ORDER, RANK_PEARSON, RANK_COSINE),
        map_recipe=making.co3d2025(),
        ceiling=CO3D2025_CEILING,
    )


def protocol_named(name: ProtocolName) -> Protocol:
    """Return a protocol by the name that the command line takes."""
    return {"merkwelt": merkwelt, "fel2022": fel2022, "co3d2025": co3d2025}[name]()
