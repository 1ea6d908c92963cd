"""What the panel says, as Markdown."""

from ..scenes.card import SceneCard
from .agenda import ClipTask, CloudTask, NavigationTask, Task
from .cloud import STAGES
from .contents import ClipContents, FrameFacts


def scene_text(card: SceneCard, *, walkable: bool | None) -> str:
    """Return a scene's name and what kind of place it is, once that is known."""
    unit = "m" if card.is_metric else "units (scale unknown: one eye)"
    low, high = card.bounds
    size = " × ".join(f"{b - a:.1f}" for a, b in zip(low, high, strict=True))
    kind = {None: "", True: ", to walk in", False: ", an object to move around"}[walkable]
    return f"**{_escaped(card.name)}** · {size} {unit}{kind}"


def clip_text(clip: ClipContents, facts: FrameFacts, card: SceneCard) -> str:
    """Return a clip's caption and what is known of a frame."""
    unit = "m" if card.is_metric else "units"
    activity = facts.activity if card.is_metric else "moving"
    lines = [
        f"**{_escaped(clip.caption)}**",
        f"t = {facts.time_s:.2f} s · {activity} {facts.speed:.2f} {unit}/s",
        f"fixation {facts.fixation_id}: {_target(facts)} at {facts.target_distance:.2f} {unit}"
        + _flags(facts),
    ]
    if facts.vergence_deg is not None and facts.axes_deg is not None:
        axes = "parallel" if facts.axes_deg < 1e-3 else f"{facts.axes_deg:.2f}° apart"
        lines.append(f"vergence {facts.vergence_deg:.2f}° (the eyes' axes are {axes})")
    return "\n\n".join(lines)


def failure_text(message: str) -> str:
    """Return why something cannot be shown."""
    return f"**cannot be shown:** {_escaped(message)}"


def status_text(task: Task | None) -> str:
    """Return what is being worked at."""
    if task is None:
        return "all is rendered"
    if isinstance(task, NavigationTask):
        return f"finding out where {_escaped(task.observer)} can go ..."
    if isinstance(task, ClipTask):
        return f"planning clip {task.clip} ..."
    if isinstance(task, CloudTask):
        return f"rendering the scene's points, {task.stage + 1} of {len(STAGES)} ..."
    return f"rendering frame {task.frame} of clip {task.clip} ..."


def _target(facts: FrameFacts) -> str:
    return _escaped(facts.target_name) if facts.target_name else "a surface"


def _flags(facts: FrameFacts) -> str:
    flags = [name for name in ("saccade", "blink") if getattr(facts, name)]
    return "".join(f" · **{name}**" for name in flags)


def _escaped(text: str) -> str:
    """Return text whose characters Markdown, or the HTML and JSX in it, would not read as marks."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|$" else c for c in text)
