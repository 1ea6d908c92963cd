"""The small network that labelled stills are shown to, before and after training."""

from dataclasses import replace
from pathlib import Path
from typing import cast

import torch
from torch import nn

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.models.scored import ScoredModel
from ..alignment.models.scoring import recipe_for
from ..alignment.prepare import Preparation
from ..alignment.saliency.methods import Gradient
from ..alignment.saliency.recipe import SaliencyRecipe
from ..alignment.saliency.targets import ClassLogit, FeatureNorm, Target
from ..encoders import encoder_preset
from ..names import HarmonizerName
from ..objectives.harmonizer.harmonised import Harmonised, HarmonisedConfig
from ..objectives.harmonizer.presets import PRESETS
from ..training.clips import MemoryClips
from ..training.experiment import Experiment, OptimiserConfig, build
from ..training.run_folder import load_run
from ..video_models.encoder import Encoder, Features
from .settings import Learning

FRAME_RATE_HZ = 10.0
"""Of stills shown as clips, in which nothing moves: it plays no part."""


def still_experiment(
    learning: Learning,
    *,
    name: str,
    classes: int,
    seed: int,
    preset: HarmonizerName = "co3d_fel",
    map_weight: float = 0.0,
) -> Experiment:
    """Return an experiment that learns labels from stills, and human maps if they have weight.

    Experiments of one seed start from the same weights, whatever the weight of the maps.
    """
    rules = replace(PRESETS[preset](), map_weight=map_weight)
    return Experiment(
        name=name,
        objective=HarmonisedConfig(classes=classes, harmonizer=rules, still_frames=1),
        encoder=encoder_preset(learning.encoder),
        optimiser=OptimiserConfig(learning_rate=learning.learning_rate),
        steps=learning.steps,
        # The objective looks at stills alone; the loop asks for clips.
        batch_size=1,
        crop_share=1.0,
        seed=seed,
        validate_every=learning.steps,
        diagnose_every=learning.steps,
        checkpoint_every=max(1, min(100, learning.steps)),
        keep_checkpoints=1,
    )


def stills_as_clips(maps: HumanMaps, indices: list[int], size_px: int, eyes: int) -> MemoryClips:
    """Return stills as short fixated clips, for the loop's look at how features are spread."""
    from ..alignment.maps.subset import resized

    videos = []
    for index in indices:
        picture = torch.from_numpy(resized(maps.images[index], size_px)).permute(2, 0, 1)
        videos.append(picture.expand(eyes, 2, -1, -1, -1).contiguous())
    return MemoryClips(videos, frame_rate_hz=FRAME_RATE_HZ)


class ClassifyingEncoder(nn.Module):
    """An encoder whose pooled features are the logits of the classifier that was trained on it."""

    def __init__(self, encoder: nn.Module, head: nn.Module) -> None:
        """Join both."""
        super().__init__()
        self.encoder, self.head = encoder, head
        self.eyes: int = encoder.eyes  # type: ignore[assignment]
        self.causal: bool = encoder.causal  # type: ignore[assignment]

    def forward(self, clips: torch.Tensor) -> Features:
        """Return the encoder's maps, with logits ``[batch, time, class]`` as pooled features."""
        seen = self.encoder(clips)
        return replace(seen, pooled=self.head(seen.pooled))


def scored_classifier(
    run: Path, learning: Learning, classes: tuple[str, ...], *, name: str
) -> tuple[ScoredModel, SaliencyRecipe]:
    """Return a trained run to score, beside the same network untrained, and its recipe."""
    loaded = load_run(run)
    trained = loaded.encoder, cast(Harmonised, loaded.objective)
    random = build(loaded.experiment)
    untrained = random[0].eval(), cast(Harmonised, random[1].eval())
    is_classifier = learning.target != "norm"

    def seen(encoder: nn.Module, objective: Harmonised) -> Encoder:
        module = encoder
        if is_classifier:
            module = ClassifyingEncoder(encoder, objective.classifier.linear)
        return cast(Encoder, module.eval().requires_grad_(requires_grad=False))

    model = ScoredModel(
        name=name,
        encoder=seen(*trained),
        untrained=seen(*untrained),
        preparation=Preparation(size=learning.size),
        weights=f"the run {name}",
        is_classifier=is_classifier,
        clip_frames=trained[1].classifier.frames,
        classes=classes,
        parameters=sum(each.numel() for each in loaded.encoder.parameters()),
        folder=run,
    )
    recipe = recipe_for(model, Gradient(), frames="still image", target=_target(learning, classes))
    return model, recipe


def _target(learning: Learning, classes: tuple[str, ...]) -> Target:
    if learning.target == "norm":
        # Not centred: the mean vector would depend on which images are scored together.
        return FeatureNorm()
    return ClassLogit(class_names=classes) if learning.target == "true_class" else ClassLogit()
