"""Clips as one picture to look at: a row of frames for each eye of each clip."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .files import write_atomically
from .report.encode import png_bytes
from .report.stereo import contact_sheet
from .streams import ClipDataset, VideoClips, open_clips
from .streams.samples import Sample
from .streams.videos.cut import ClipCut

CAPTION_PX = 18
LARGEST_SIDE_PX = 160


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was drawn, and what a person should know of it."""

    out: Path
    lines: tuple[str, ...]
    """What the collection is, which recordings it has, and what was skipped."""


def look(
    where: Path | str, out: Path, *, clips: int = 6, frames: int = 8, cut: ClipCut | None = None
) -> Looked:
    """Write a contact sheet of clips of any collection, evenly spaced among its ids, as PNG.

    Args:
        where: a rendered data set, or a folder of videos.
        out: the picture's file, ending in .png.
        clips: at most so many clips.
        frames: at most so many frames of each, from its first to its last.
        cut: how clips are cut from videos.

    Raises:
        ValueError: fewer than one clip or frame, or a file of another kind.
    """
    if clips < 1 or frames < 1 or out.suffix.lower() != ".png":
        raise ValueError(
            f"expected at least 1 clip, at least 1 frame and a .png file, got {clips}, "
            f"{frames} and {out}"
        )
    collection = open_clips(where, streams=("video",), cut=cut)
    places = np.unique(np.linspace(0, len(collection) - 1, clips).round().astype(int))
    samples = [collection[int(place)] for place in places]
    write_atomically(out, png_bytes(sheet_of(samples, frames=frames)))
    return Looked(out=out, lines=tuple(described(collection)))


def sheet_of(samples: list[Sample], *, frames: int) -> np.ndarray:
    """Return clips one below the other, each under its name, uint8 ``[height, width, 3]``."""
    blocks = [block for sample in samples for block in _blocks(sample, frames)]
    width = max(block.shape[1] for block in blocks)
    padded = [
        np.pad(block, ((0, 0), (0, width - block.shape[1]), (0, 0)), constant_values=255)
        for block in blocks
    ]
    return np.concatenate(padded)


def described(collection: ClipDataset | VideoClips) -> list[str]:
    """Return in lines what a collection holds and what of it was skipped."""
    if isinstance(collection, ClipDataset):
        skipped = {f"clip {clip}": why for clip, why in collection.skipped.items()}
        return [f"rendered clips: {len(collection)}", *_skipped(skipped)]
    cut = collection.cut
    recordings = [f"  {each.name}: {each.stereo}" for each in collection.recordings]
    return [
        f"clips: {len(collection)} of {cut.frames} frames at {cut.frame_rate_hz:g} Hz; "
        f"recordings: {len(recordings)}",
        *recordings,
        *_skipped(collection.skipped),
    ]


def _skipped(skipped: dict[str, str]) -> list[str]:
    return [f"  skipped {name}: {why}" for name, why in sorted(skipped.items())]


def _blocks(sample: Sample, frames: int) -> list[np.ndarray]:
    """Return a caption, and all eyes' frames below it."""
    if sample.video is None:
        raise TypeError(f"expected a clip with video, got {sample}")
    eyes, count = sample.video.shape[:2]
    places = np.unique(np.linspace(0, count - 1, frames).round().astype(int))
    shown = sample.video[:, places].permute(0, 1, 3, 4, 2).numpy()
    sheet = contact_sheet(_small(shown.reshape(-1, *shown.shape[2:])), columns=len(places))
    names = "left above right" if eyes == 2 else "one eye"
    text = f"{sample.scene}  clip {sample.clip}  frames {places[0]} to {places[-1]}, {names}"
    return [caption(text, sheet.shape[1]), sheet]


def _small(pictures: np.ndarray) -> np.ndarray:
    height, width = pictures.shape[1:3]
    factor = LARGEST_SIDE_PX / max(height, width)
    if factor >= 1:
        return pictures
    size = (round(width * factor), round(height * factor))
    return np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in pictures])


def caption(text: str, width: int) -> np.ndarray:
    """Return a line of text, at least as wide as asked for; letters beyond ASCII become ``?``."""
    plain = text.encode("ascii", "replace").decode()
    (needed, _), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, 0.38, 1)
    line = np.full((CAPTION_PX, max(width, needed + 8), 3), 255, np.uint8)
    place, ink = (2, CAPTION_PX - 5), (40, 40, 40)
    return cv2.putText(line, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, ink, 1, cv2.LINE_AA)
