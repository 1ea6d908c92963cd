"""``merkwelt train`` and ``merkwelt evaluate``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from ..console import OUT, progress_bar, silence
from ..harmonising import HarmonizerRequest
from ..names import EncoderName, FrontName, RecipeName
from ..saliency_request import SaliencyRequest
from ..stream_request import StreamRequest
from ..streams.videos.cut import ClipCut

if TYPE_CHECKING:
    from ..training.experiment import Experiment
    from ..training.metrics_log import MetricsListener


def train(
    recipe: Positional[RecipeName | None] = None,
    /,
    *,
    data: str,
    out: Path,
    like: Path | None = None,
    steps: int | None = None,
    batch: int | None = None,
    seed: int | None = None,
    encoder: EncoderName | None = None,
    front: FrontName | None = None,
    eyes: Literal[1, 2] | None = None,
    maps: Path | None = None,
    overrides: Annotated[tuple[str, ...], arg(name="set")] = (),
    tensorboard: bool = False,
    device: str = "auto",
    harmonizer: HarmonizerRequest = HarmonizerRequest(),  # noqa: B008 - frozen
    stream: StreamRequest = StreamRequest(),  # noqa: B008 - frozen
    cut: ClipCut = ClipCut(),  # noqa: B008 - frozen
) -> None:
    """Train a video model on a data set; the same command resumes a run that was stopped.

    With --data stream:SCENE clips are rendered while the network trains on them, and none is kept.
    Several processes train together with torchrun --nproc-per-node 2 -m merkwelt train ...

    Args:
        recipe: what is learned, such as sfa (slow feature analysis) or predict (the next frame);
            the documentation's page on training has a table.
        data: folder of a rendered data set or of videos; or stream:SCENE, stream:SCENE,SCENE, or
            stream:FOLDER/plan.json for the clips of an existing data set's plan without reading it.
        out: folder of the run.
        like: folder of another run, whose experiment is taken instead of the recipe's.
        steps: optimiser steps; the recipe's own number by default.
        batch: clips per step.
        seed: seed of the initial weights and the order of clips.
        encoder: which network learns; the recipe's own by default.
        front: what goes before the network: the eyes side by side (concatenate), as sum and
            difference, as disparity energy or as correlation volume, or a V1 filter bank (gabor).
        eyes: 1 to learn from the left eye alone, as of videos with one; the recipe's by default.
        maps: labelled images with human maps, such as a ClickMe 2.0 .npz file, to learn from beside
            the clips: the network's saliency is trained to agree with them (neural harmonizer).
        overrides: settings of the experiment by dotted name, as in its config.json, with values in
            JSON: optimiser.learning_rate=3e-4 precision=bf16 ema=0.999. They are set last.
        tensorboard: write measures for TensorBoard as well, into the run's folder.
        device: auto, cpu or cuda.
        harmonizer: how human maps are learned from, with --maps.
        stream: what is rendered while training, with --data stream:SCENE.
        cut: how clips are cut from real videos, with a folder of those.
    """
    from ..harmonising import open_maps, stills_of
    from ..option_words import option_words
    from ..runs import experiment_of, train_run
    from ..stream_request import source_of
    from ..training.overrides import overridden, parse_overrides
    from ..training.ranks import is_first_rank

    if not is_first_rank():
        silence()
    if maps is None and harmonizer != HarmonizerRequest():
        raise ValueError("options --harmonizer.* need human maps; name them with --maps PATH")
    options = [
        *option_words(harmonizer, HarmonizerRequest(), "harmonizer."),
        *option_words(stream, StreamRequest(), "stream."),
        *option_words(cut, ClipCut(), "cut."),
    ]
    experiment, chosen = _chosen(
        experiment_of(recipe, like),
        batch=batch,
        seed=seed,
        encoder=encoder,
        front=front,
        eyes=eyes,
    )
    options += ([] if like is None else ["--like", like.name]) + chosen
    clips, joined = source_of(data, stream, cut), None
    if maps is not None:
        joined = open_maps(maps, experiment, harmonizer)
        experiment = joined.experiment
        options += ["--maps", maps.name]
    if overrides:
        experiment = overridden(experiment, parse_overrides(overrides))
        options += ["--set", *overrides]
    with progress_bar(f"training {experiment.name}") as progress:
        done = train_run(
            experiment,
            clips,
            out,
            stills=joined and stills_of(joined.maps, harmonizer, experiment, clips),
            steps=steps,
            device=device,
            options=options,
            progress=progress,
            listeners=_listeners(tensorboard=tensorboard),
        )
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}")


def _chosen(
    experiment: "Experiment",
    *,
    batch: int | None,
    seed: int | None,
    encoder: EncoderName | None,
    front: FrontName | None,
    eyes: int | None,
) -> "tuple[Experiment, list[str]]":
    """Return an experiment with what was asked for, and the words that ask for it."""
    from ..encoders import encoder_preset, front_preset
    from ..video_models.build import with_eyes
    from ..video_models.fronts import fronted

    options: list[str] = []
    if batch is not None:
        experiment = replace(experiment, batch_size=batch)
        options += ["--batch", str(batch)]
    if seed is not None:
        experiment = replace(experiment, seed=seed)
        options += ["--seed", str(seed)]
    if encoder is not None:
        experiment = replace(experiment, encoder=encoder_preset(encoder))
        options += ["--encoder", encoder]
    if front is not None:
        experiment = replace(experiment, encoder=fronted(front_preset(front), experiment.encoder))
        options += ["--front", front]
    if eyes is not None:
        experiment = replace(experiment, encoder=with_eyes(experiment.encoder, eyes))
        options += ["--eyes", str(eyes)]
    return experiment, options


def _listeners(*, tensorboard: bool) -> "tuple[MetricsListener, ...]":
    from ..training.tensorboard import TensorBoard

    return (TensorBoard(),) if tensorboard else ()


def evaluate(
    models: Positional[tuple[str, ...]],
    /,
    *,
    out: Path,
    maps: Path | None = None,
    scene: str = "living_room",
    library: Path | None = None,
    size: int | None = None,
    smooth: int = 0,
    seed: int = 0,
    weights: Path | None = None,
    fixation: Literal["still", "moving"] = "still",
    protocol: Literal["merkwelt", "fel2022", "co3d2025"] = "merkwelt",
    saliency: SaliencyRequest = SaliencyRequest(),  # noqa: B008 - frozen
) -> None:
    """Score models' saliency against human attention maps, beside their floors.

    A model is a run's folder; efficientnet-lite0, 1 or 2 (extra efficientnet); a FILE.tflite; or
    timm:NAME or torchvision:NAME (extra vision) with @pretrained or @random behind it, or with
    --weights FILE. Several models get one report that compares them.

    Without --maps the score is object evidence in a rendered scene: is saliency on the labelled
    object or on its background? Those are not human maps, and the report says so.

    Args:
        models: what is scored, one or more.
        out: folder for results.json, models.json and report.html.
        maps: human maps, such as a ClickMe 2.0 .npz file.
        scene: scene whose objects are used without --maps.
        library: folder of scenes.
        size: side of the pictures in pixels; by default a classifier's own input size, and 112 for
            a run.
        smooth: SmoothGrad samples; 0 leaves the method to --saliency.method.
        seed: seed of the bootstrap, of random weights and of fixational eye movement.
        weights: file of weights (.safetensors or .pth) for timm:NAME or torchvision:NAME.
        fixation: how a run sees a still image: the same in every frame, or with the drift and
            microsaccades of fixating eyes.
        protocol: preparation of images, saliency, metrics and ceilings by name: our own, ClickMe
            1.0 (fel2022) or ClickMe 2.0 (co3d2025).
        saliency: how saliency is made; part of the score's name.
    """
    from ..evaluation import EvaluateRequest, evaluate

    request = EvaluateRequest(
        maps=maps,
        scene=scene,
        library=library,
        size=size,
        smooth=smooth,
        seed=seed,
        weights=weights,
        fixation=fixation,
        protocol=protocol,
        saliency=saliency,
    )
    with progress_bar("evaluating") as progress:
        done = evaluate(models, out, request, progress=progress)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}")
