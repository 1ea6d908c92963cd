"""``merkwelt experiment``: the experiments of Linsley & Serre (2023), one command each."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional

from ..console import OUT, progress_bar
from ..experiments.settings import Harmonizing, Learning
from ..names import EncoderName, RecipeName
from ..stream_request import StreamRequest


def baseline(
    *,
    maps: Path,
    images: str,
    out: Path,
    per_object: int = 12,
    library: Path | None = None,
    learning: Annotated[Learning, OmitArgPrefixes] = Learning(),  # noqa: B008 - frozen
) -> None:
    """(a) Train a small classifier on labelled pictures and score it on human maps.

    No human map plays a part in its training; all images of the maps are held out.

    Args:
        maps: human maps, such as a ClickMe 2.0 .npz file.
        images: folder of images by class, as ImageNet's; or scene:NAME for pictures of the labelled
            objects of a scene.
        out: folder for results.json, report.html and the networks; the same command goes on.
        per_object: pictures of each object, with scene:NAME.
        library: folder of scenes.
        learning: the small network, and how it learns.
    """
    from ..experiments.baseline import baseline as run
    from ..experiments.labelled import Pictures

    pictures = Pictures(images=images, per_object=per_object, library=library)
    with progress_bar("baseline") as progress:
        done = run(maps, pictures, out, learning=learning, progress=progress)
    _tell(done.lines, done.report)


def harmonized(
    *,
    maps: Path,
    out: Path,
    learning: Annotated[Learning, OmitArgPrefixes] = Learning(),  # noqa: B008 - frozen
    harmonizing: Annotated[Harmonizing, OmitArgPrefixes] = Harmonizing(),  # noqa: B008 - frozen
) -> None:
    """(b) Train a small network with human maps and its twin without, and compare them held out.

    Both start from the same weights and see the same labelled images in the same order. Each image
    is held out once; two views of one object are held out together.

    Args:
        maps: labelled images with human maps, such as a ClickMe 2.0 .npz file.
        out: folder for results.json, report.html and the networks; the same command goes on.
        learning: the small network, and how it learns.
        harmonizing: how human maps are learned from.
    """
    from ..experiments.harmonized import harmonized as run

    with progress_bar("harmonized and twin") as progress:
        done = run(maps, out, learning=learning, harmonizing=harmonizing, progress=progress)
    _tell(done.lines, done.report)


def stream(
    *,
    maps: Path,
    out: Path,
    data: str | None = None,
    scene: str | None = None,
    recipe: RecipeName = "sfa",
    encoder: EncoderName | None = None,
    steps: int = 300,
    batch: int = 4,
    seeds: int = 2,
    size: int = 64,
    stream: StreamRequest = StreamRequest(),  # noqa: B008 - frozen
) -> None:
    """(c) Feed the small network a synthetic stream, and score it before and after.

    Args:
        maps: human maps, such as a ClickMe 2.0 .npz file.
        out: folder for results.json, report.html and the networks; the same command goes on.
        data: folder of a rendered data set or of videos, or stream:SCENE.
        scene: the same as --data stream:SCENE: clips are rendered while the network trains.
        recipe: what is learned.
        encoder: which network; the recipe's own by default.
        steps: optimiser steps.
        batch: clips per step.
        seeds: networks with different first weights; scores are means over them.
        size: side in pixels of the images that are scored.
        stream: what is rendered while training, with a scene.
    """
    from ..experiments.folder import identity_of_files
    from ..experiments.streamed import Streaming
    from ..experiments.streamed import stream as run
    from ..stream_request import PREFIX, source_of

    if (data is None) == (scene is None):
        raise ValueError("expected either --data DIR or --scene NAME, clips to learn from")
    words = data if data is not None else f"{PREFIX}{scene}"
    name = words if words.startswith(PREFIX) else Path(words).name
    described = asdict(stream)
    rendered = {each: described[each] for each in ("observer", "settings", "seed", "weights")}
    shown = rendered if words.startswith(PREFIX) else {"files": identity_of_files(Path(words))}
    streaming = Streaming(
        recipe=recipe, encoder=encoder, steps=steps, batch=batch, seeds=seeds, size=size
    )
    with progress_bar(f"{recipe} on {name}") as progress:
        done = run(
            maps,
            lambda: source_of(words, stream),
            name,
            out,
            streaming=streaming,
            shown=shown,
            progress=progress,
        )
    _tell(done.lines, done.report)


def annotations(
    *,
    maps: Path,
    out: Path,
    shares: tuple[float, ...] = (0.0, 0.125, 0.25, 0.5, 1.0),
    learning: Annotated[Learning, OmitArgPrefixes] = Learning(),  # noqa: B008 - frozen
    harmonizing: Annotated[Harmonizing, OmitArgPrefixes] = Harmonizing(),  # noqa: B008 - frozen
) -> None:
    """Train with the human maps of a growing share of the images: how many are needed?

    All images teach their labels; only maps differ.

    Args:
        maps: labelled images with human maps, such as a ClickMe 2.0 .npz file.
        out: folder for results.json, report.html and the networks; the same command goes on.
        shares: of the objects trained on whose maps are shown, ascending from 0.
        learning: the small network, and how it learns.
        harmonizing: how human maps are learned from.
    """
    from ..experiments.annotations import annotations as run

    with progress_bar("annotations") as progress:
        done = run(
            maps,
            out,
            shares=shares,
            learning=learning,
            harmonizing=harmonizing,
            progress=progress,
        )
    _tell(done.lines, done.report)


def compare(
    results: Positional[tuple[Path, ...]],
    /,
    *,
    out: Path,
    published: Path | None = None,
    accuracy: tuple[str, ...] = (),
) -> None:
    """Draw alignment against accuracy, and against model size, over results made before.

    Args:
        results: folders or results.json of merkwelt evaluate or merkwelt experiment.
        out: folder for results.json, compare.png and report.html.
        published: table of published networks to lay behind: columns model, top1, spearman_raw,
            params_M and precision.
        accuracy: NAME=PERCENT, ImageNet top-1 of networks whose results do not know it.
    """
    from ..experiments.compare import compare as run

    done = run(results, out, published=published, accuracy=_accuracies(accuracy))
    _tell(done.lines, done.report)


def _accuracies(words: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for word in words:
        name, _, percent = word.rpartition("=")
        try:
            found[name] = float(percent)
        except ValueError:
            name = ""
        if not name:
            raise ValueError(f"expected --accuracy NAME=PERCENT, such as vit=81.2, got {word!r}")
    return found


def _tell(lines: tuple[str, ...], report: Path) -> None:
    for line in lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {report}")
