"""``merkwelt train`` and ``merkwelt evaluate``."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..console import OUT, progress_bar
from ..names import EncoderName, RecipeName
from ..stream_request import StreamRequest
from ..streams.videos.cut import ClipCut


def train(
    recipe: Positional[RecipeName],
    /,
    *,
    data: str,
    out: Path,
    steps: int | None = None,
    batch: int | None = None,
    seed: int | None = None,
    encoder: EncoderName | None = None,
    eyes: Literal[1, 2] | None = None,
    device: str = "auto",
    stream: StreamRequest = StreamRequest(),  # noqa: B008 - frozen
    cut: ClipCut = ClipCut(),  # noqa: B008 - frozen
) -> None:
    """Train a video model on a data set; the same command resumes a run that was stopped.

    With --data stream:SCENE clips are rendered while the network trains on them, and none is kept.

    Args:
        recipe: sfa (slow feature analysis) or predict (next-frame predictive coding).
        data: folder of a rendered data set or of videos; or stream:SCENE, stream:SCENE,SCENE, or
            stream:FOLDER/plan.json for the clips of an existing data set's plan without reading it.
        out: folder of the run.
        steps: optimiser steps; the recipe's own number by default.
        batch: clips per step.
        seed: seed of the initial weights and the order of clips.
        encoder: which network learns; the recipe's own by default.
        eyes: 1 to learn from the left eye alone, as of videos with one; the recipe's by default.
        device: auto, cpu or cuda.
        stream: what is rendered while training, with --data stream:SCENE.
        cut: how clips are cut from real videos, with a folder of those.
    """
    from ..encoders import encoder_preset
    from ..option_words import option_words
    from ..recipes import recipe as experiment_of
    from ..runs import train_run
    from ..stream_request import source_of
    from ..video_models.build import with_eyes

    options = [
        *option_words(stream, StreamRequest(), "stream."),
        *option_words(cut, ClipCut(), "cut."),
    ]
    experiment = experiment_of(recipe)
    if batch is not None:
        experiment = replace(experiment, batch_size=batch)
        options += ["--batch", str(batch)]
    if seed is not None:
        experiment = replace(experiment, seed=seed)
        options += ["--seed", str(seed)]
    if encoder is not None:
        experiment = replace(experiment, encoder=encoder_preset(encoder))
        options += ["--encoder", encoder]
    if eyes is not None:
        experiment = replace(experiment, encoder=with_eyes(experiment.encoder, eyes))
        options += ["--eyes", str(eyes)]
    with progress_bar(f"training {recipe}") as progress:
        done = train_run(
            experiment,
            source_of(data, stream, cut),
            out,
            steps=steps,
            device=device,
            options=options,
            progress=progress,
        )
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}")


def evaluate(
    model: Positional[Path],
    /,
    *,
    out: Path,
    maps: Path | None = None,
    scene: str = "living_room",
    library: Path | None = None,
    size: int | None = None,
    smooth: int = 0,
    seed: int = 0,
) -> None:
    """Score a run's saliency against human attention maps, beside its floors.

    Without --maps the score is object evidence in a rendered scene: is saliency on the labelled
    object or on its background? Those are not human maps, and the report says so.

    Args:
        model: folder of a training run.
        out: folder for results.json and report.html.
        maps: human maps, such as a ClickMe 2.0 .npz file.
        scene: scene whose objects are used without --maps.
        library: folder of scenes.
        size: side of the pictures in pixels; what the model was trained on by default.
        smooth: SmoothGrad samples; 0 is the plain gradient.
        seed: seed of the bootstrap and of the untrained network.
    """
    from ..evaluation import EvaluateRequest, evaluate

    request = EvaluateRequest(
        maps=maps, scene=scene, library=library, size=size, smooth=smooth, seed=seed
    )
    with progress_bar("evaluating") as progress:
        done = evaluate(model, out, request, progress=progress)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}")
