"""The one function that every engine calls: render a shard and commit it."""

import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from ..render.clip import Clip
from .clip_members import encode_clip
from .commit import commit
from .folder import partial_shard_path
from .plan import Plan, ShardRange
from .receipts import Receipt, SkippedClip, StoredClip
from .shard import ShardWriter

Members = dict[str, bytes]


class ClipMaker(Protocol):
    """Anything that makes the clips of a plan; the same plan and id must give the same clip.

    A clip that cannot be made is told by one of the errors in ``skips``; any other error ends the
    work. Several workers need it to be picklable.
    """

    skips: tuple[type[Exception], ...]
    device: str

    def __call__(self, plan: Plan, clip: int) -> Clip:
        """Return a clip of a plan."""
        ...


def render_shard(
    plan: Plan,
    shard: ShardRange,
    make_clip: ClipMaker,
    folder: Path,
    *,
    on_clip: Callable[[int], None] | None = None,
) -> Receipt:
    """Render a shard, commit it, and return its receipt (another writer's, if that was faster).

    ``on_clip`` hears of every clip that is done and may raise to stop the work. Whatever stops
    it, nothing of the shard stays behind.

    Raises:
        RuntimeError: a clip failed; names it.
        ValueError: what a clip was to be made from is wrong; names it.
        OSError: the shard could not be written, such as to a full disk.
    """
    partial = partial_shard_path(folder, shard)
    try:
        return _render_and_commit(plan, shard, make_clip, folder, partial, on_clip)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(
            error.errno,
            f"could not write shard {shard.name}: {error.strerror or error}; nothing half-written "
            "was kept; make room or mend the disk and run the same command again to go on",
            str(folder),
        ) from error


def _render_and_commit(
    plan: Plan,
    shard: ShardRange,
    make_clip: ClipMaker,
    folder: Path,
    partial: Path,
    on_clip: Callable[[int], None] | None,
) -> Receipt:
    started_s = time.perf_counter()
    stored: list[StoredClip] = []
    skipped: list[SkippedClip] = []
    with ShardWriter(partial) as writer:
        for clip in shard.clips:
            made = _make(plan, clip, make_clip)
            if isinstance(made, SkippedClip):
                skipped.append(made)
            else:
                stored.append(_store(*made, writer))
            if on_clip is not None:
                on_clip(clip)
    receipt = Receipt(
        plan=plan.id,
        shard=shard,
        sha256=writer.sha256,
        bytes=writer.bytes,
        clips=tuple(stored),
        skipped=tuple(skipped),
        seconds=round(time.perf_counter() - started_s, 3),
        device=make_clip.device,
        code_version=plan.code_version,
    )
    return commit(folder, partial, receipt)


def _make(plan: Plan, clip: int, make_clip: ClipMaker) -> tuple[Clip, Members] | SkippedClip:
    scene = plan.scene_of(clip).name
    try:
        made = make_clip(plan, clip)
        return made, encode_clip(made, plan)
    except make_clip.skips as error:
        return SkippedClip(clip=clip, scene=scene, reason=f"{type(error).__name__}: {error}")
    except ValueError as error:
        raise ValueError(f"clip {clip} of scene {scene!r}: {error}") from error
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise RuntimeError(f"clip {clip} of scene {scene!r} could not be made: {what}") from error


def _store(clip: Clip, members: Members, writer: ShardWriter) -> StoredClip:
    return StoredClip(
        clip=clip.key.clip,
        scene=clip.key.scene,
        frames=clip.video.shape[1],
        sha256=sha256(b"".join(members.values())).hexdigest(),
        members=writer.add(clip.key.clip, members),
    )
