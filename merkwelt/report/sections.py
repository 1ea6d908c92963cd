"""Ready-made sections about scenes, clips and walks."""

from collections.abc import Mapping, Sequence
from importlib import metadata
from platform import python_version

import cv2
import numpy as np
from torch import Tensor

from ..render.clip import Clip
from ..render.motion.trajectory import Trajectory
from ..scenes.card import SceneCard
from .blocks import (
    Block,
    Cell,
    ClipPlayer,
    Column,
    Details,
    FigureBlock,
    Gallery,
    Note,
    Panel,
    Table,
)
from .floor_plan import Walkable, plan_plot
from .page import Section
from .stereo import anaglyph, colour_depth
from .trajectory_plot import timeline_plot, trajectory_plot

MOST_FRAMES = 48
MOST_PIXELS = 256
PACKAGES = ("merkwelt", "torch", "numpy", "scipy", "opencv-python-headless", "matplotlib")


def scene_section(
    card: SceneCard, preview: np.ndarray | None = None, *, walkable: Walkable | None = None
) -> Section:
    """Return what a scene is: its preview, its plan from above and its named objects.

    Args:
        card: the scene's card.
        preview: a picture of it, ``[height, width, 3]``.
        walkable: where an observer can stand, see `walkable_of`.
    """
    pictures: list[FigureBlock] = []
    blocks: list[Block] = []
    if preview is not None:
        pictures.append(FigureBlock(figure=preview, caption=f"{card.name}, rendered.", wide=True))
    if card.objects or card.world_from_training_camera or walkable is not None:
        pictures.append(_plan(card, walkable))
    if len(pictures) > 1:
        blocks.append(Gallery(figures=tuple(pictures)))
    else:
        blocks += pictures
    if preview is None:
        blocks.append(Note(text="This scene has no preview picture."))
    if not card.is_metric:
        blocks.append(
            Note(
                kind="warning",
                text="This scene's scale in metres is unknown: lengths are in units of its camera "
                "poses, and stereo cannot be rendered.",
            )
        )
    if card.objects:
        blocks.append(Details(title="Objects", table=_object_table(card)))
    blocks.append(Details(title="Scene card", facts=card_facts(card)))
    return Section(title="The scene", lead=_scene_lead(card), blocks=tuple(blocks))


def _plan(card: SceneCard, walkable: Walkable | None) -> FigureBlock:
    caption = "From above."
    if walkable is not None:
        caption += " Shaded: where the observer can stand."
    if card.world_from_training_camera:
        caption += " Dots: the photographs that the scene was trained on."
    return FigureBlock(figure=plan_plot(card, walkable), caption=caption)


def _scene_lead(card: SceneCard) -> str:
    labelled = sum(item.wnid is not None for item in card.objects)
    lead = f"{card.name} is a {card.field_kind} field"
    if card.objects:
        lead += f" with {len(card.objects)} named objects, {labelled} of them ImageNet categories"
    if "held_out_psnr_db" in card.quality:
        lead += (
            f"; it reproduces photographs that it was not trained on at "
            f"{card.quality['held_out_psnr_db']:.1f} dB PSNR"
        )
    return lead + "."


def _object_table(card: SceneCard) -> Table:
    unit = "m" if card.is_metric else "units"
    rows: list[tuple[Cell, ...]] = [
        (
            item.name.replace("_", " "),
            item.label or "\N{EN DASH}",
            item.wnid or "\N{EN DASH}",
            " \N{MULTIPLICATION SIGN} ".join(f"{side:.2f}" for side in item.box.size_m),
        )
        for item in card.objects
    ]
    return Table(
        columns=(
            Column(name="object"),
            Column(name="ImageNet label"),
            Column(name="WordNet id"),
            Column(name="length, width, height", unit=unit),
        ),
        rows=tuple(rows),
        caption="Objects on the scene's card.",
    )


def card_facts(card: SceneCard) -> dict[str, str]:
    """Return a scene card's particulars as names and texts."""
    low, high = card.bounds
    facts = {
        "name": card.name,
        "licence": card.licence,
        "source": card.source,
        "field": card.field_kind,
        "metres per unit": f"{card.metres_per_unit:g}" if card.is_metric else "unknown",
        "bounds": " to ".join(f"({x:.2f}, {y:.2f}, {z:.2f})" for x, y, z in (low, high)),
        "training views": str(len(card.world_from_training_camera)),
        "checkpoint SHA-256": card.checkpoint_sha256 or "none",
    }
    return facts | {name.replace("_", " "): f"{value:g}" for name, value in card.quality.items()}


def clip_section(clip: Clip, card: SceneCard | None = None) -> Section:
    """Return a player of a clip: both eyes, their anaglyph and the left eye's depth.

    What a clip does not hold is said in a note. Long or large clips are thinned out and shrunk
    for the page, which the caption says.
    """
    count = clip.video.shape[1]
    shown = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))
    eyes = [_small(_frames(eye)[shown]) for eye in clip.video]
    panels = [Panel(name="Left eye" if len(eyes) > 1 else "The eye", frames=eyes[0])]
    notes: list[Block] = []
    if len(eyes) > 1:
        panels.append(Panel(name="Right eye", frames=eyes[1]))
        panels.append(Panel(name="Anaglyph, red left", frames=anaglyph(eyes[0], eyes[1])))
    else:
        notes.append(Note(text="This clip has one eye, so there is no anaglyph."))
    if clip.depth is None:
        notes.append(Note(text="This clip was rendered without depth."))
    else:
        unit = "metres" if card is None or card.is_metric else "scene units"
        values = clip.depth[0].numpy()[shown]
        coloured = colour_depth(values, far=_far_end(values, card))
        depth = Panel(name="Depth", frames=_small(coloured.rgb), bar=coloured.colour_bar(unit))
        panels.append(depth)
    times = clip.trajectory.time_s[shown]
    player = ClipPlayer(
        panels=tuple(panels),
        time_s=tuple(float(time) for time in times),
        caption=_clip_caption(clip, len(shown)),
        frame_notes=_frame_notes(clip.trajectory, shown),
        wiggle=(0, 1) if len(eyes) > 1 else None,
    )
    lead = clip.caption
    if len(eyes) > 1:
        lead += (
            "\n\nRed-cyan glasses bring out the depth of the anaglyph; for those without, the "
            "button shows the two eyes in turn."
        )
    return Section(title="What the observer saw", lead=lead, blocks=(player, *notes))


def _frames(video: Tensor) -> np.ndarray:
    """Return uint8 ``[time, height, width, 3]`` of ``[time, channel, height, width]``."""
    frames = video.permute(0, 2, 3, 1).cpu().numpy()
    return frames.repeat(3, axis=-1) if frames.shape[-1] == 1 else frames


def _small(frames: np.ndarray) -> np.ndarray:
    height, width = frames.shape[1:3]
    factor = MOST_PIXELS / max(height, width)
    if factor >= 1:
        return frames
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])


def _clip_caption(clip: Clip, shown: int) -> str:
    _, count, _, height, width = clip.video.shape
    times = clip.trajectory.time_s
    rate = f", {1 / float(np.median(np.diff(times))):.3g} frames a second" if count > 1 else ""
    caption = (
        f"Clip {clip.key.clip} of {clip.key.scene}, seed {clip.key.dataset_seed}: {count} frames "
        f"of {width} \N{MULTIPLICATION SIGN} {height} pixels{rate}."
    )
    if shown < count:
        caption += f" Shown here: {shown} of them."
    if max(height, width) > MOST_PIXELS:
        caption += f" Shrunk to {MOST_PIXELS} pixels."
    return caption


def _far_end(depth: np.ndarray, card: SceneCard | None) -> float | None:
    """Return where the depth's colours end: at most across the scene, where that is known.

    A field may leave a hole in a wall, through which depth is that of nothing at all.
    """
    valid = depth[np.isfinite(depth) & (depth > 0)]
    if card is None or not valid.size:
        return None
    across = float(np.linalg.norm(np.subtract(card.bounds[1], card.bounds[0])))
    return max(min(float(np.percentile(valid, 99)), across), float(np.percentile(valid, 1)))


def _frame_notes(trajectory: Trajectory, shown: np.ndarray) -> tuple[str, ...]:
    return tuple(
        "blink" if trajectory.blink[frame] else "saccade" if trajectory.saccade[frame] else ""
        for frame in shown
    )


def trajectory_section(
    trajectory: Trajectory, card: SceneCard, walkable: Walkable | None = None
) -> Section:
    """Return where the observer went and looked: from above, and over time."""
    caption = "From above. Blue: the head's path, one dot a frame. Red: what was looked at."
    if trajectory.frames > 60:
        caption = caption.replace(", one dot a frame", "")
    if walkable is not None:
        caption += " Shaded: where the observer can stand."
    above = FigureBlock(figure=trajectory_plot(trajectory, card, walkable), caption=caption)
    over_time = FigureBlock(
        figure=timeline_plot(trajectory, unit="m" if card.is_metric else "units"),
        caption="The head's height, and the direction of gaze: yaw from where it began, positive "
        "to the left, and elevation. Gold: saccades. Grey: blinks.",
    )
    head = trajectory.world_from_head[:, :3, 3]
    length = float(np.linalg.norm(np.diff(head[:, :2], axis=0), axis=1).sum())
    unit = "metres" if card.is_metric else "scene units"
    looked = len(np.unique(trajectory.fixation_id))
    lead = (
        f"{length:.2f} {unit} in {float(np.ptp(trajectory.time_s)):.1f} seconds, "
        f"with {looked} fixation{'s' if looked != 1 else ''}."
    )
    return Section(
        title="The walk from above", lead=lead, blocks=(Gallery(figures=(above, over_time)),)
    )


def provenance_section(
    *,
    commands: Sequence[str] = (),
    facts: Mapping[str, Mapping[str, object]] | None = None,
    texts: Mapping[str, str] | None = None,
) -> Section:
    """Return how to make this again: commands, versions and whatever else is given.

    Args:
        commands: command lines in the order to run them.
        facts: title to names and values, such as seeds and settings.
        texts: title to a text shown as it is, such as a configuration file.
    """
    blocks: list[Block] = []
    if commands:
        blocks.append(Details(title="Commands", text="\n".join(commands)))
    for title, entries in (facts or {}).items():
        shown = {name: str(value) for name, value in entries.items()}
        blocks.append(Details(title=title, facts=shown))
    blocks += [Details(title=title, text=text) for title, text in (texts or {}).items()]
    blocks.append(Details(title="Versions", facts=installed_versions()))
    return Section(title="How to make this again", blocks=tuple(blocks))


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    versions = {"Python": python_version()}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed as a package"
    return versions
