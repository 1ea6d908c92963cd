"""Rendering a data set from scenes given by name."""

from dataclasses import dataclass, field
from pathlib import Path

from .files import write_atomically
from .parts import Progress
from .path_request import PathRequest
from .render.observer.presets import load_observer
from .render.render_clip import ClipSettings
from .scenes.scene import Scene
from .streams import Plan, Storage, make_plan, render_dataset, render_one
from .streams.clip_members import clip_name, encode_clip
from .streams.video import Profile


@dataclass(frozen=True, kw_only=True)
class RenderRequest:
    """A data set in words."""

    scenes: tuple[str, ...]
    """Names in the library, or folders."""
    observer: str = "adult"
    settings: ClipSettings = field(default_factory=ClipSettings)
    clips: int = 16
    seed: int = 0
    profile: Profile = "lossless"
    shard_clips: int = 16
    library: Path | None = None
    path: PathRequest = field(default_factory=PathRequest)


@dataclass(frozen=True, kw_only=True)
class RenderSummary:
    """What a person is told after rendering."""

    summary: str
    notes: tuple[str, ...] = ()
    failed: str = ""
    """Why the data set holds nothing, if so."""


def render(
    request: RenderRequest,
    out: Path,
    *,
    workers: int = 1,
    shard: tuple[int, int] | None = None,
    clip: int | None = None,
    progress: Progress | None = None,
) -> RenderSummary:
    """Render a data set, a part of it, or one clip, and return what to tell.

    Raises:
        FileNotFoundError: a scene does not exist.
        ValueError: a request that cannot be met, such as stereo without metric scale.
        FileExistsError: ``out`` holds something else.
    """
    scenes = [Scene.load(name, library=request.library) for name in request.scenes]
    if request.settings.stereo:
        for scene in scenes:
            scene.card.require_metric("stereo")
    plan = make_plan(
        scenes,
        load_observer(request.observer),
        request.settings,
        clips=request.clips,
        seed=request.seed,
        storage=Storage(profile=request.profile, shard_clips=request.shard_clips),
        path=request.path.place(scenes),
    )
    by_name = {scene.card.name: scene for scene in scenes}
    if clip is not None:
        return _render_one(plan, by_name, clip, out)
    done = render_dataset(plan, by_name, out, workers=workers, shard=shard, progress=progress)
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


def _render_one(plan: Plan, scenes: dict[str, Scene], clip: int, out: Path) -> RenderSummary:
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; one clip goes into a folder of its own")
    rendered = render_one(plan, scenes, clip)
    for member, data in encode_clip(rendered, plan).items():
        write_atomically(out / member, data)
    return RenderSummary(summary=f"clip {clip_name(clip)} is in {out}: {rendered.caption}")
