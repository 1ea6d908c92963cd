"""``merkwelt probe``."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..console import OUT, progress_bar


def probe(
    run: Positional[Path],
    /,
    *,
    out: Path,
    data: str | None = None,
    held_out_scenes: tuple[str, ...] = (),
    against: Path | None = None,
    map: str | None = None,  # noqa: A002 - the option's name
    grid: int = 3,
    clips: int = 256,
    images: Path | None = None,
    split: str | None = None,
    method: Literal["least_squares", "softmax", "sgd"] = "least_squares",
    weights: Literal["trained", "ema"] = "trained",
    seed: int = 0,
    resamples: int = 500,
    library: Path | None = None,
) -> None:
    """Measure what a run has learned, beside its floors: results.json and report.html.

    With --data, from rendered clips with truth: self-motion, depth and disparity, place and
    heading, objects, slowness, similarity, stereo controls. With --images, from labelled still
    images: their categories; the linear probe is kept as probe.safetensors.

    Args:
        run: folder of a training run; with --images any model that merkwelt evaluate takes.
        out: folder for the results.
        data: folder of a rendered data set; render it with --truth disparity, and ids where the
            scene has objects.
        held_out_scenes: scenes to test on; by default each scene in turn where there are several,
            otherwise clips.
        against: folder of another run to compare with, layer by layer and measure by measure.
        map: which of the encoder's maps is read, such as stage3; the deepest by default.
        grid: whole frames are read from the map averaged to so many rows and columns; 0 reads the
            pooled vector.
        clips: at most so many clips are read.
        images: a folder of images by class, as ImageNet's, or human maps whose images are labelled,
            such as a ClickMe 2.0 .npz file.
        split: of those maps, take this split only, such as train.
        method: how the probe of images is trained.
        weights: the run's trained weights, or their running average.
        seed: of folds and intervals.
        resamples: draws behind each interval.
        library: folder of scenes, for their floor plans.
    """
    from ..probing.request import ProbeRequest

    if (data is None) == (images is None):
        raise ValueError(
            "expected either --data DIR, a rendered data set with truth, or --images PATH, "
            "labelled still images"
        )
    if images is not None and (held_out_scenes or against is not None or weights != "trained"):
        raise ValueError(
            "expected --held-out-scenes, --against and --weights with --data alone, got them with "
            "--images"
        )
    if data is not None and (split is not None or method != "least_squares"):
        raise ValueError("expected --split and --method with --images alone, got them with --data")
    request = ProbeRequest(
        held_out_scenes=held_out_scenes,
        against=against,
        map_name=map,
        grid=grid,
        clips=clips,
        weights=weights,
        seed=seed,
        resamples=resamples,
        library=library,
    )
    with progress_bar(f"probing {run.name}") as progress:
        if data is not None:
            from ..probing.probe import probe as probe_run

            done = probe_run(run, data, out, request, progress=progress)
            lines, report = done.lines, done.report
        else:
            from ..probing.images import probe_images_of

            assert images is not None
            lines, report = probe_images_of(
                run, images, out, request, split=split, method=method, progress=progress
            )
    for line in lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {report}")
