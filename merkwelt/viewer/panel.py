"""The controls beside the view. What they do is given by functions."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..render.observer.presets import PRESETS
from ..scenes.card import SceneCard
from .agenda import Wanted
from .backend import PanelPicture, ViserObject
from .cloud import layer_tops

TILE_PX, GAP_PX = 240, 4
WAITING = 226
"""Grey level of a picture that is not there yet."""
HIDDEN_AT_FIRST = ("cameras",)
TOGGLES = {
    "points": "Points",
    "boxes": "Boxes",
    "names": "Names",
    "floor": "Walkable floor",
    "path": "Head's path",
    "other paths": "Other paths",
    "eyes": "Eyes",
    "pictures": "Pictures",
    "gaze": "Gaze",
    "cameras": "Cameras",
}
LEGEND = (
    "Left eye blue, right eye red, lines of sight gold. The floor is green where the body fits, "
    "deeper where photographs were taken near."
)


@dataclass(frozen=True, kw_only=True)
class Actions:
    """What happens when a control is used."""

    choose_clip: Callable[[int], None]
    choose_observer: Callable[[str], None]
    choose_frame: Callable[[int], None]
    play: Callable[[bool], None]
    show: Callable[[str, bool], None]
    cut_at: Callable[[float], None]
    look_through_eye: Callable[[ViserObject], None]
    look_from_above: Callable[[ViserObject], None]


def side_by_side(pictures: np.ndarray | None, eyes: int) -> np.ndarray:
    """Return what the eyes see beside each other, uint8 ``[TILE_PX, width, 3]``, left first.

    Grey where there is no picture yet.
    """
    tiles = []
    for eye in range(eyes):
        if pictures is None:
            tiles.append(np.full((TILE_PX, TILE_PX, 3), WAITING, np.uint8))
        else:
            tiles.append(cv2.resize(pictures[eye], (TILE_PX, TILE_PX)))
    gap = np.full((TILE_PX, GAP_PX, 3), 255, np.uint8)
    parts = [part for tile in tiles for part in (tile, gap)]
    return np.concatenate(parts[:-1], axis=1)


def default_cut(card: SceneCard, head_height: float) -> float:
    """Return the height to cut the points at: the first above the head, or none."""
    tops = layer_tops(card)
    if card.floor_height is None or not card.is_metric:
        return float(tops[-1])
    above = tops[tops >= card.floor_height + head_height]
    return float(above[0] if len(above) else tops[-1])


class Panel:
    """The controls."""

    def __init__(
        self, gui: ViserObject, card: SceneCard, wanted: Wanted, cut: float, do: Actions
    ) -> None:
        """Add all controls to viser's ``gui``, set to what is wanted."""
        self._scene = gui.add_markdown("")
        self._eyes = 2 if card.is_metric else 1
        self._picture = PanelPicture(gui, side_by_side(None, self._eyes))
        self._text = gui.add_markdown("")
        self._add_choice(gui, wanted, do)
        self._add_time(gui, wanted, do)
        self._add_cameras(gui, do)
        self._add_toggles(gui, card, cut, do)

    def set_scene_text(self, text: str) -> None:
        """Say what scene it is and what is being worked at."""
        if self._scene.content != text:
            self._scene.content = text

    def set_text(self, text: str) -> None:
        """Say what there is to say about the frame."""
        if self._text.content != text:
            self._text.content = text

    def set_pictures(self, pictures: np.ndarray | None) -> None:
        """Show what the eyes see, or that it is not known yet."""
        self._eyes = self._eyes if pictures is None else len(pictures)
        self._picture.show(side_by_side(pictures, self._eyes))

    def set_frame(self, frame: int) -> None:
        """Move the slider; this calls ``choose_frame``."""
        self._frame.value = frame

    def _add_choice(self, gui: ViserObject, wanted: Wanted, do: Actions) -> None:
        clip = gui.add_number("Clip", initial_value=wanted.clip, min=0, step=1)
        clip.on_update(lambda _: do.choose_clip(int(clip.value)))
        observers = tuple(dict.fromkeys([*PRESETS, wanted.observer]))
        observer = gui.add_dropdown("Observer", options=observers, initial_value=wanted.observer)
        observer.on_update(lambda _: do.choose_observer(observer.value))

    def _add_time(self, gui: ViserObject, wanted: Wanted, do: Actions) -> None:
        last = max(wanted.frames - 1, 1)
        still = wanted.frames == 1
        self._frame = gui.add_slider(
            "Frame", min=0, max=last, step=1, initial_value=wanted.frame, disabled=still
        )
        self._frame.on_update(lambda _: do.choose_frame(int(self._frame.value)))
        play = gui.add_checkbox("Play", initial_value=False, disabled=still)
        play.on_update(lambda _: do.play(bool(play.value)))

    def _add_cameras(self, gui: ViserObject, do: Actions) -> None:
        gui.add_button("Look from above").on_click(lambda event: do.look_from_above(event.client))
        eye = gui.add_button("Look through the left eye")
        eye.on_click(lambda event: do.look_through_eye(event.client))

    def _add_toggles(self, gui: ViserObject, card: SceneCard, cut: float, do: Actions) -> None:
        unit = "m" if card.is_metric else "units"
        with gui.add_folder("What is shown"):
            tops = layer_tops(card)
            height = gui.add_slider(
                f"Points up to ({unit})",
                min=round(float(tops[0]), 3),
                max=round(float(tops[-1]), 3),
                step=round(float(tops[1] - tops[0]), 3),
                initial_value=round(cut, 3),
            )
            height.on_update(lambda _: do.cut_at(float(height.value)))
            for group, label in TOGGLES.items():
                box = gui.add_checkbox(label, initial_value=group not in HIDDEN_AT_FIRST)
                box.on_update(_toggled(do.show, group, box))
            gui.add_markdown(LEGEND)


def _toggled(
    show: Callable[[str, bool], None], group: str, box: ViserObject
) -> Callable[[ViserObject], None]:
    return lambda _: show(group, bool(box.value))
