"""Rendering a data set from scenes given by name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .files import write_atomically
from .parts import Progress
from .render_request import Prepared, RenderRequest, prepare
from .streams import render_dataset, render_one
from .streams.clip_members import clip_name, encode_clip
from .streams.crew import Engine


@dataclass(frozen=True, kw_only=True)
class RenderSummary:
    """What a person is told after rendering."""

    summary: str
    notes: tuple[str, ...] = ()
    failed: str = ""
    """Why the data set holds nothing, if so."""


def render(  # noqa: PLR0913 - what to render, and how
    request: RenderRequest,
    out: Path,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    clip: int | None = None,
    tell: Callable[[str], None] | None = None,
    progress: Progress | None = None,
    engine: Engine = "local",
    address: str | None = None,
) -> RenderSummary:
    """Render a data set, a part of it, or one clip, and return what to tell.

    ``tell`` hears what a person should know before rendering begins.

    Raises:
        FileNotFoundError: a scene does not exist.
        ValueError: a request that cannot be met, such as stereo without metric scale.
        FileExistsError: ``out`` holds something else.
    """
    if clip is not None and clip < 0:
        raise ValueError(f"expected a clip id of at least 0, got {clip}")
    ready = prepare(request, clip=clip)
    if tell is not None:
        for note in ready.notes:
            tell(note)
    if clip is not None:
        return _render_one(ready, clip, out)
    done = render_dataset(
        ready.plan,
        ready.scenes,
        out,
        workers=workers,
        shard=shard,
        progress=progress,
        engine=engine,
        address=address,
    )
    made = done.plan.clips - len(done.skipped)
    text = f"{out}: {made} of {done.plan.clips} clips, {done.seconds:.0f} s in this run"
    if done.waiting:
        text += f", {len(done.waiting)} shards left to other workers"
    skips = tuple(f"clip {s.clip} could not be rendered: {s.reason}" for s in done.skipped)
    nothing = done.is_complete and made == 0
    return RenderSummary(
        summary=text,
        notes=(*(f"rendered again: {line}" for line in done.mended), *skips),
        failed=f"no clip of {out} could be rendered: {done.skipped[0].reason}" if nothing else "",
    )


def _render_one(ready: Prepared, clip: int, out: Path) -> RenderSummary:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; one clip goes into a folder of its own")
    rendered = render_one(ready.plan, ready.scenes, clip)
    for member, data in encode_clip(rendered, ready.plan).items():
        write_atomically(out / member, data)
    return RenderSummary(summary=f"clip {clip_name(clip)} is in {out}: {rendered.caption}")
