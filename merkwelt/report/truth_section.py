"""A clip's ground truth beside its picture: as a section of a report, and as one figure."""

import cv2
import numpy as np
from matplotlib.figure import Figure

from ..render.clip import Clip
from .blocks import Block, ClipPlayer, FigureBlock, Panel
from .page import Section
from .theme import themed
from .truth_pictures import flow_wheel, truth_pictures

MOST_FRAMES = 24
LARGEST_PX = 192
COLUMNS = 4
TILE_INCHES = 1.9


def truth_section(clip: Clip) -> Section:
    """Return a player of the left eye's ground truth; says so where a clip holds none."""
    count = clip.video.shape[1]
    shown = np.unique(np.linspace(0, count - 1, min(count, MOST_FRAMES)).round().astype(int))
    pictures = truth_pictures(clip, eye=0, frames=shown)
    title = "What the clip knows"
    if not pictures:
        return Section(title=title, lead="This clip carries no ground truth besides depth.")
    eye = clip.video[0].permute(0, 2, 3, 1).numpy()[shown]
    panels = [Panel(name="The picture", frames=_small(eye))]
    panels += [Panel(name=p.name, frames=_small(p.rgb), bar=p.bar) for p in pictures]
    blocks: list[Block] = [
        ClipPlayer(
            panels=tuple(panels),
            time_s=tuple(float(time) for time in clip.trajectory.time_s[shown]),
            caption=". ".join(f"{p.name}: {p.note}" for p in pictures) + ".",
        )
    ]
    if any(p.name.startswith("Flow") for p in pictures):
        caption = "Flow's colours: each lies where its flow leads from the middle."
        blocks.append(FigureBlock(figure=flow_wheel(), caption=caption))
    lead = "Told from the rendered depth and the poses of the eyes; nothing in the scene moves."
    return Section(title=title, lead=lead, blocks=tuple(blocks))


def truth_figure(clip: Clip, *, frame: int) -> Figure:
    """Return one frame's pictures and ground truth, the left eye's above the right eye's."""
    frames = np.array([frame])
    rows = []
    for eye in range(clip.video.shape[0]):
        side = ("left eye", "right eye")[eye] if clip.video.shape[0] > 1 else "the eye"
        picture = clip.video[eye, frame].permute(1, 2, 0).numpy()
        tiles = [(side, picture)]
        tiles += [(p.name, p.rgb[0]) for p in truth_pictures(clip, eye=eye, frames=frames)]
        rows += [tiles[first : first + COLUMNS] for first in range(0, len(tiles), COLUMNS)]
    if clip.truth.flow_forward is not None:
        _add_wheel(rows)
    with themed():
        figure = Figure(figsize=(COLUMNS * TILE_INCHES, len(rows) * (TILE_INCHES + 0.25)))
        figure.set_layout_engine("constrained")
        grid = figure.subplots(len(rows), COLUMNS, squeeze=False)
        for axes in grid.ravel():
            axes.set_axis_off()
        for row, tiles in enumerate(rows):
            for column, (name, rgb) in enumerate(tiles):
                grid[row, column].imshow(rgb, interpolation="nearest")
                grid[row, column].set_title(name, fontsize=8)
    return figure


def _add_wheel(rows: list[list[tuple[str, np.ndarray]]]) -> None:
    wheel = ("Flow leads outwards", flow_wheel())
    if len(rows[-1]) < COLUMNS:
        rows[-1].append(wheel)
    else:
        rows.append([wheel])


def _small(frames: np.ndarray) -> np.ndarray:
    """Return frames of at most ``LARGEST_PX`` pixels a side, with sharp edges."""
    height, width = frames.shape[1:3]
    factor = LARGEST_PX / max(height, width)
    if factor >= 1:
        return frames
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.stack([cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST) for frame in frames])
