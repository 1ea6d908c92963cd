"""``merkwelt render`` and ``merkwelt verify``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from ..console import ERR, OUT, progress_bar
from ..path_request import PathRequest
from ..render.paths import PathFrame, PathGaze
from ..render.render_clip import ClipSettings
from ..render.twins import Factor, Factors, Heading


def render(
    *,
    scene: tuple[str, ...],
    out: Path,
    observer: str = "adult",
    clips: int = 16,
    settings: Annotated[ClipSettings, tyro.conf.arg(name="")] = ClipSettings(),  # noqa: B008
    seed: int = 0,
    profile: Literal["lossless", "compact"] = "lossless",
    shard_clips: int = 16,
    workers: int = 1,
    shard: str | None = None,
    clip: int | None = None,
    library: Path | None = None,
    path: Path | None = None,
    path_frame: PathFrame | None = None,
    path_scale: float = 1.0,
    path_align: Path | None = None,
    path_rate_hz: float | None = None,
    gaze: PathGaze = "ahead",
    without: tuple[Factor, ...] = (),
    interocular_times: float = 1.0,
    heading: Heading | None = None,
) -> None:
    """Render a data set of stereo clips; the same command resumes, more clips make it grow.

    Args:
        scene: one or more scenes, by name or folder.
        out: folder of the data set.
        observer: who looks: adult, toddler, crawler, mineault2021, static, or the .json file of a
            card.
        clips: how many clips the data set shall have.
        settings: what a clip looks like.
        seed: seed of the data set.
        profile: lossless keeps every pixel, compact is smaller and keeps disparity.
        shard_clips: clips stored in one shard.
        workers: processes that render at the same time.
        shard: i/N renders part i of N (from 0), for arrays of jobs.
        clip: render this one clip only, into a data set of its own at OUT.
        library: folder of scenes.
        path: file of camera poses that carry the head: nerfstudio's camera path, TUM or KITTI.
        path_frame: what its coordinates are; by default nerfstudio's are the field's, else world.
        path_scale: factor on its positions.
        path_align: text file of 4x4 numbers, applied to its scaled coordinates.
        path_rate_hz: poses per second of a file without times; KITTI's is 10.
        gaze: along a path, the eyes look ahead in the head, or around as the observer's do.
        without: factors that a counterfactual twin lacks.
        interocular_times: factor on the distance between the eyes.
        heading: spread of the gaze about the heading that replaces the card's.
    """
    from ..rendering import RenderRequest, render

    factors = Factors.without(without, interocular_times=interocular_times, heading=heading)
    request = RenderRequest(
        scenes=scene,
        observer=observer,
        settings=replace(settings, factors=factors),
        clips=clips,
        seed=seed,
        profile=profile,
        shard_clips=shard_clips,
        library=library,
        path=PathRequest(
            file=path,
            frame=path_frame,
            scale=path_scale,
            align=path_align,
            rate_hz=path_rate_hz,
            gaze=gaze,
        ),
    )
    with progress_bar("rendering") as progress:
        done = render(
            request, out, workers=workers, shard=_part(shard), clip=clip, progress=progress
        )
    for line in done.notes:
        ERR.print("note:", line, markup=False)
    OUT.print(done.summary, markup=False)
    if done.failed:
        raise RuntimeError(done.failed)


def verify(folder: Positional[Path], /) -> None:
    """Check every shard of a data set against its receipt, index and plan.

    Args:
        folder: the data set.
    """
    from ..streams import verify_dataset

    with progress_bar("verifying") as progress:
        found = verify_dataset(folder, progress=progress)
    if not found.ok:
        raise RuntimeError("\n".join([f"{folder} is damaged:", *found.problems]))
    OUT.print(f"{folder} is whole: {found.clips} clips, {found.skipped} skipped with a reason")


def _part(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, slash, second = text.partition("/")
    if not slash or not first.isdigit() or not second.isdigit():
        raise ValueError(f"expected --shard i/N such as 0/4, got {text!r}")
    return int(first), int(second)
