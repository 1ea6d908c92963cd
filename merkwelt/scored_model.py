"""From the words on a command line to a model that can be scored."""

import os
from dataclasses import replace
from pathlib import Path
from typing import cast

from torch import nn

from .alignment.models.efficientnet_lite import EFFICIENTNET_LITES, efficientnet_lite
from .alignment.models.fixation import EyeMovement, FixatingEncoder, FixationName
from .alignment.models.libraries import LIBRARIES, library_model
from .alignment.models.scored import ScoredModel
from .alignment.models.tflite_model import tflite_model
from .alignment.prepare import Preparation
from .training.experiment import build
from .training.run_folder import load_run
from .video_models.encoder import Encoder

RUN_SIZE_PX = 112
"""Side in pixels at which a run is scored, unless its encoder takes one size only."""
CLIP_FRAMES = 8
"""Frames for which a run sees a still image."""
WHAT_THERE_IS = (
    "the folder of a training run, "
    + ", ".join(EFFICIENTNET_LITES)
    + ", a FILE.tflite, timm:NAME or torchvision:NAME (with @pretrained or @random behind it, or "
    "--weights FILE)"
)


def scored_model(words: str | Path, *, weights: Path | None = None, seed: int = 0) -> ScoredModel:
    """Return the model that is meant.

    Args:
        words: A run's folder, ``efficientnet-lite0`` (or 1, 2), a ``.tflite`` file, ``timm:NAME``
            or ``torchvision:NAME``.
        weights: A file of weights, for the last two.
        seed: Of random weights.

    Raises:
        FileNotFoundError: nothing of that name; lists what there is.
        ValueError: damaged, or not stated enough.
        ImportError: an extra is missing; names it.
    """
    name, path = str(words), Path(words)
    is_library = name.partition(":")[0] in LIBRARIES and ":" in name
    if weights is not None and not is_library:
        raise ValueError(
            f"expected --weights only beside timm:NAME or torchvision:NAME, not {name}"
        )
    if is_library:
        return library_model(name, weights=weights, seed=seed)
    if path.is_dir():
        return run_model(path)
    if path.suffix == ".tflite":
        return tflite_model(path, seed=seed)
    if name in EFFICIENTNET_LITES:
        return efficientnet_lite(name, seed=seed)
    raise FileNotFoundError(
        f"expected a model to score, found none at {name}; there is {WHAT_THERE_IS}"
    )


def run_model(run: Path) -> ScoredModel:
    """Return a trained run's encoder, with the same network untrained.

    Raises:
        FileNotFoundError: no run there.
        ValueError: damaged; says what was expected.
    """
    loaded = load_run(run)
    # Also of "." and "..", which have no name of their own.
    name = Path(os.path.abspath(run)).name  # noqa: PTH100 - a link keeps its own name
    trained, untrained = loaded.encoder, build(loaded.experiment)[0].eval()
    for encoder in (trained, untrained):
        encoder.requires_grad_(requires_grad=False)
    return ScoredModel(
        name=name,
        encoder=cast(Encoder, trained),
        untrained=cast(Encoder, untrained),
        preparation=Preparation(size=getattr(trained, "image_size_px", None) or RUN_SIZE_PX),
        weights=f"the run {name}",
        is_classifier=False,
        clip_frames=max(CLIP_FRAMES, getattr(trained, "least_frames", 1)),
        parameters=sum(each.numel() for each in trained.parameters()),
        folder=run,
    )


def fixating(model: ScoredModel, fixation: FixationName, *, seed: int = 0) -> ScoredModel:
    """Return a model before whose eyes a still image stands still, or moves as in fixation.

    Raises:
        ValueError: a model of single images, which sees no movement.
    """
    if fixation == "still":
        return model
    if model.clip_frames < 2:
        raise ValueError(
            f"expected a video model with --fixation moving; {model.name} looks at one frame, in "
            "which nothing moves"
        )

    def moving(encoder: Encoder) -> Encoder:
        wrapped = FixatingEncoder(encoder, EyeMovement(seed=seed))
        return cast(Encoder, cast(nn.Module, wrapped).eval())

    return replace(
        model,
        encoder=moving(model.encoder),
        untrained=None if model.untrained is None else moving(model.untrained),
        name=f"{model.name}, fixational eye movement",
    )
