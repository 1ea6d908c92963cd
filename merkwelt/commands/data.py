"""``merkwelt render`` and ``merkwelt verify``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from ..console import ERR, OUT, progress_bar
from ..estimating import EstimateRequest
from ..path_request import PathRequest
from ..render.paths import PathFrame, PathGaze
from ..render.render_clip import ClipSettings
from ..render.twins import Factor, Factors, Heading
from ..split_request import SplitRequest
from ..streams.crew import Engine


def render(
    *,
    out: Path,
    scene: tuple[str, ...] = (),
    weights: tuple[float, ...] = (),
    observer: str = "adult",
    clips: int = 16,
    settings: Annotated[ClipSettings, tyro.conf.arg(name="")] = ClipSettings(),  # noqa: B008
    seed: int = 0,
    profile: Literal["lossless", "compact"] = "lossless",
    shard_clips: int = 16,
    engine: Engine = "local",
    workers: int | None = None,
    address: str | None = None,
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
    split: Annotated[SplitRequest, tyro.conf.arg(name="")] = SplitRequest(),  # noqa: B008
    plan: str | None = None,
    estimate: Annotated[EstimateRequest, tyro.conf.arg(name="")] = EstimateRequest(),  # noqa: B008
) -> None:
    """Render a data set of stereo clips; the same command resumes, more clips make it grow.

    Args:
        out: folder of the data set.
        scene: one or more scenes, by name or folder.
        weights: the scenes' shares of the clips, in their order, such as 2 1; equal by default.
        observer: who looks: adult, toddler, crawler, mineault2021, static, or the .json file of a
            card.
        clips: how many clips the data set shall have.
        settings: what a clip looks like.
        seed: seed of the data set.
        profile: lossless keeps every pixel, compact is smaller and keeps disparity.
        shard_clips: clips stored in one shard.
        engine: local renders on this machine, ray in actors of Ray, which starts by itself.
        workers: processes that render at the same time; by default as many as there are cores, or
            GPUs, and shards.
        address: of a Ray cluster to join, HOST:PORT or auto.
        shard: i/N renders part i of N (from 0), for arrays of jobs.
        clip: render this one clip only, by any id, into a folder of its own at OUT.
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
        split: which of the scenes are rendered.
        plan: folder, URL or plan.json of a data set that there is: render it again, or one --clip
            of it, as it was; scenes are found by name and checked.
        estimate: what it will take, before anything is written.
    """
    from ..estimating import estimate_render
    from ..rendering import RenderRequest, render

    factors = Factors.without(without, interocular_times=interocular_times, heading=heading)
    request = RenderRequest(
        scenes=scene,
        weights=weights,
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
        split=split,
        plan=plan,
    )
    if estimate.estimate:
        if clip is not None:
            raise ValueError("expected --estimate of a data set, got --clip too; leave one out")
        if address is not None:
            raise ValueError(
                "--estimate measures this machine and cannot tell how fast the cluster at "
                "--address is; leave it out, and give --workers as one of its nodes has them"
            )
        with progress_bar("calibrating") as progress:
            told = estimate_render(
                request, out, estimate, workers=workers, shard=_part(shard), progress=progress
            )
        OUT.print("\n".join(told.lines), markup=False)
        return
    with progress_bar("rendering") as progress:
        done = render(
            request,
            out,
            workers=workers,
            shard=_part(shard),
            clip=clip,
            engine=engine,
            address=address,
            tell=lambda line: ERR.print("note:", line, markup=False),
            progress=progress,
        )
    for line in done.notes:
        ERR.print("note:", line, markup=False)
    OUT.print(done.summary, markup=False)
    if done.failed:
        raise RuntimeError(done.failed)


def verify(folder: Positional[Path], /, *, disjoint_from: tuple[Path, ...] = ()) -> None:
    """Check every shard of a data set against its receipt, index and plan.

    Args:
        folder: the data set.
        disjoint_from: other data sets, with which it must have no scene in common.
    """
    from ..streams import require_disjoint, verify_dataset
    from ..streams.folder import read_plan

    for other in disjoint_from:
        require_disjoint(read_plan(folder), read_plan(other))
    with progress_bar("verifying") as progress:
        found = verify_dataset(folder, progress=progress)
    if not found.ok:
        raise RuntimeError("\n".join([f"{folder} is damaged:", *found.problems]))
    OUT.print(f"{folder} is whole: {found.clips} clips, {found.skipped} skipped with a reason")
    for other in disjoint_from:
        OUT.print(f"it has no scene in common with {other}")


def _part(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    first, slash, second = text.partition("/")
    if not slash or not first.isdigit() or not second.isdigit():
        raise ValueError(f"expected --shard i/N such as 0/4, got {text!r}")
    return int(first), int(second)
