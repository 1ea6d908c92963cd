"""Render a plan's missing shards: in this process, in several, or in Ray's actors."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..render.clip import Clip
from .commit import withdraw
from .crew import Crew, Engine, helpful_workers
from .folder import open_folder, receipt_path
from .job import ClipMaker, render_shard
from .manifest import Manifest, finalize
from .plan import Plan, ShardRange
from .receipts import Receipt, SkippedClip, committed, damage
from .scene_clips import SceneClips, SceneSource, portable_clips
from .workers import render_in_processes

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What a call of ``render_dataset`` did, and how the data set stands."""

    folder: Path
    plan: Plan
    shards: tuple[str, ...]
    """Shards that this call rendered."""
    mended: tuple[str, ...]
    """What was wrong with shards that were damaged and are rendered anew."""
    skipped: tuple[SkippedClip, ...]
    """Every clip of the data set that could not be rendered so far, and why."""
    waiting: tuple[str, ...]
    """Shards that are left to other workers (``shard=(i, n)``)."""
    manifest: Manifest | None
    """The manifest, once every shard is there."""
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every planned clip is there or recorded as skipped."""
        return self.manifest is not None


def render_dataset(  # noqa: PLR0913 - what, where to, and who does it
    plan: Plan,
    scenes: SceneSource,
    out: Path | str,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    progress: Progress | None = None,
    engine: Engine = "local",
    address: str | None = None,
) -> Rendered:
    """Render what is missing of a plan's data set and return what was done.

    Calling it again on the same folder goes on where the last call ended, with more clips where
    the plan asks for more. Damaged shards are rendered anew and named in ``mended``.

    Args:
        plan: what to render (``make_plan``).
        scenes: the plan's scenes by name, or a function that loads one by its name.
        out: folder of the data set.
        workers: processes that render at the same time; each loads the scenes for itself. None
            leaves it to the engine: as many as there are cores, or GPUs, and shards. More than one
            process needs a script's own work to be under ``if __name__ == "__main__":``. Their
            number changes nothing about the clips.
        shard: ``(i, n)`` renders part i of n, counted from 0, and leaves the rest to others.
        progress: hears the share done of this call's work, and a message.
        engine: ``local`` renders in processes of this machine, ``ray`` in actors of Ray.
        address: of the Ray cluster to join, as ``HOST:PORT`` or ``auto``; without, Ray is started
            on this machine for as long as it takes. All nodes must see ``out`` and the scenes.

    Raises:
        FileExistsError: the folder holds something else.
        ValueError: it holds another plan's data set, or a scene is not the planned one.
        RuntimeError: a clip failed; names it.
        OSError: the disk is full, or cannot be written to, or no Ray answers at the address.
        ImportError: the engine is ``ray``, and Ray is not installed.
    """
    make_clip = SceneClips(scenes)
    make_clip.check(plan)
    crew = Crew(engine, workers, address)
    return _run(plan, make_clip, out, crew, shard=shard, progress=progress)


def run_plan(  # noqa: PLR0913 - as render_dataset
    plan: Plan,
    make_clip: ClipMaker,
    out: Path | str,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    progress: Progress | None = None,
    engine: Engine = "local",
    address: str | None = None,
) -> Rendered:
    """Do as ``render_dataset`` does, with clips from any source."""
    crew = Crew(engine, workers, address)
    return _run(plan, make_clip, out, crew, shard=shard, progress=progress)


def _run(
    plan: Plan,
    make_clip: ClipMaker,
    out: Path | str,
    crew: Crew,
    *,
    shard: tuple[int, int] | None,
    progress: Progress | None,
) -> Rendered:
    started_s = time.perf_counter()
    crew.require_sense()
    plan.part(shard)  # Refused before a folder is made.
    folder = Path(out)
    plan = open_folder(plan, folder)
    todo, mended = _missing(plan, folder, plan.part(shard))
    receipts = _render(plan, todo, make_clip, folder, crew, progress)
    there = committed(folder, plan)
    done = {receipt.shard for receipt in there}
    waiting = tuple(s.name for s in plan.shards() if s not in done)
    manifest = None if waiting else finalize(folder)
    return Rendered(
        folder=folder,
        plan=plan,
        shards=tuple(receipt.shard.name for receipt in receipts),
        mended=mended,
        skipped=tuple(clip for receipt in there for clip in receipt.skipped),
        waiting=waiting,
        manifest=manifest,
        seconds=time.perf_counter() - started_s,
    )


def render_one(plan: Plan, scenes: SceneSource, clip: int) -> Clip:
    """Return any clip of a plan, asked for so far or not, without writing anything."""
    if clip < 0:
        raise ValueError(f"expected a clip id of at least 0, got {clip}")
    make_clip = SceneClips(scenes)
    make_clip.check(plan)
    return make_clip(plan, clip)


def _missing(
    plan: Plan, folder: Path, shards: tuple[ShardRange, ...]
) -> tuple[list[ShardRange], tuple[str, ...]]:
    """Return the shards to render, and what is wrong with those that were there already.

    Committed shards are read whole: a flipped bit shows in the hash only.
    """
    todo, mended = [], []
    for shard in shards:
        path = receipt_path(folder, shard)
        found = path.read_bytes() if path.is_file() else None
        lines = damage(folder, plan, shard)
        if lines:
            todo.append(shard)
        if lines and found is not None:
            mended += lines
            withdraw(folder, path, found)
    return todo, tuple(mended)


def _render(
    plan: Plan,
    shards: list[ShardRange],
    make_clip: ClipMaker,
    folder: Path,
    crew: Crew,
    progress: Progress | None,
) -> list[Receipt]:
    total = sum(len(shard.clips) for shard in shards)

    def report(done: int) -> None:
        if progress is not None and total:
            progress(done / total, f"clip {done} of {total}")

    if crew.engine == "ray" and shards:
        return _render_with_ray(plan, shards, make_clip, folder, crew, report)
    workers = crew.workers or helpful_workers(plan, len(shards))
    if workers == 1 or len(shards) < 2:
        return _render_here(plan, shards, make_clip, folder, report)
    with portable_clips(make_clip) as make_clip:
        return render_in_processes(
            plan, shards, make_clip, folder, workers=workers, on_progress=report
        )


def _render_with_ray(  # noqa: PLR0913 - as _render
    plan: Plan,
    shards: list[ShardRange],
    make_clip: ClipMaker,
    folder: Path,
    crew: Crew,
    report: Callable[[int], None],
) -> list[Receipt]:
    from .ray_engine import render_with_ray
    from .ray_start import ray_at

    folder = folder.absolute()
    with ray_at(crew.address, crew.workers) as place:
        # Of a cluster's nodes only the data set's folder is known to be seen by all.
        shared = None if place.is_own else folder
        with portable_clips(make_clip, shared) as make_clip:
            return render_with_ray(plan, shards, make_clip, folder, place=place, on_progress=report)


def _render_here(
    plan: Plan,
    shards: list[ShardRange],
    make_clip: ClipMaker,
    folder: Path,
    report: Callable[[int], None],
) -> list[Receipt]:
    done = 0
    receipts = []
    for shard in shards:
        before = done

        def on_clip(clip: int, first: int = shard.first, before: int = before) -> None:
            report(before + clip - first + 1)

        receipts.append(render_shard(plan, shard, make_clip, folder, on_clip=on_clip))
        done += len(shard.clips)
    return receipts
