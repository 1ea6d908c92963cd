"""Windows over clips: short stretches of long clips, as clips of their own."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .collection import ClipCollection
from .samples import Sample

FRAME_BITS = 20
"""Bits of a window's id that count frames: clips of up to a million frames, 2**43 clips."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Which stretches of a clip are taken."""

    frames: int
    """Frames in a window."""
    stride: int = 1
    """Frames of the clip from the start of one window to the start of the next."""
    step: int = 1
    """Frames of the clip from one frame of a window to the next: 2 halves the frame rate."""

    def __post_init__(self) -> None:
        """Refuse windows that cannot be."""
        if min(self.frames, self.stride, self.step) < 1:
            raise ValueError(
                "expected frames, stride and step of at least 1, got "
                f"{self.frames}, {self.stride} and {self.step}"
            )

    @property
    def span(self) -> int:
        """Frames of the clip from a window's first to its last, both included."""
        return (self.frames - 1) * self.step + 1

    def at(self, first_frame: int) -> range:
        """Return the clip's frames that the window from ``first_frame`` on consists of."""
        return range(first_frame, first_frame + self.span, self.step)


def window_id(clip: int, first_frame: int) -> int:
    """Return the id of the window of a clip that starts at a frame."""
    return (clip << FRAME_BITS) + first_frame


def clip_and_frame(window: int) -> tuple[int, int]:
    """Return the clip and the first frame that ``window_id`` was given."""
    return window >> FRAME_BITS, window & ((1 << FRAME_BITS) - 1)


class Cuttable(Protocol):
    """Clips that can be read in parts, such as a ``ClipDataset``."""

    @property
    def clip_ids(self) -> np.ndarray:
        """Ids of the clips, int64, ascending."""
        ...

    @property
    def frame_counts(self) -> np.ndarray:
        """Frames of each of them, int64."""
        ...

    def require_cut(self, *, frames: int, step: int) -> None:
        """Refuse parts of ``frames`` frames, ``step`` apart, that cannot be had of any clip."""
        ...

    def cut(self, clip: int, frames: range) -> Sample:
        """Return some frames of a clip."""
        ...


class WindowedClips(ClipCollection):
    """All windows of all clips, each with an id of its own; read, shuffled and resumed like clips.

    Samples say their ``clip`` and their ``first_frame``. A window depends on nothing but these, so
    its id stays when the data set grows. Clips shorter than a window have none.

    Example::

        windows = ClipDataset("clips", streams=("video",)).windows(Windows(frames=8, stride=4))
        windows.at(clip=7, first_frame=4).video  # uint8 [eye, 8, 3, height, width]
        for batch in windows.batches(8, seed=0):
            ...
    """

    def __init__(self, clips: Cuttable, windows: Windows) -> None:
        """Lay windows over clips.

        Raises:
            ValueError: no clip is long enough, or a stream means nothing in such windows.
        """
        clips.require_cut(frames=windows.frames, step=windows.step)
        self.clips = clips
        self.windows = windows
        self._ids = _window_ids(clips.clip_ids, clips.frame_counts, windows)

    @property
    def clip_ids(self) -> np.ndarray:
        """Ids of the windows, int64, ascending; ``clip_and_frame`` says what they mean."""
        return self._ids

    def sample(self, clip: int) -> Sample:
        """Return a window by its id."""
        return self.at(*clip_and_frame(clip))

    def at(self, clip: int, first_frame: int) -> Sample:
        """Return the window of a clip that starts at a frame.

        Raises:
            KeyError: there is no such window.
        """
        window = window_id(clip, first_frame)
        place = int(np.searchsorted(self._ids, window))
        if first_frame >> FRAME_BITS or place == len(self._ids) or self._ids[place] != window:
            raise KeyError(
                f"expected one of the {len(self)} windows that are there, of {self.windows}, got "
                f"clip {clip} from frame {first_frame}"
            )
        return self.clips.cut(clip, self.windows.at(first_frame))

    def __repr__(self) -> str:
        """Say what windows there are of what."""
        return f"WindowedClips({self.clips!r}, {self.windows}, windows={len(self)})"


def _window_ids(clips: np.ndarray, frame_counts: np.ndarray, windows: Windows) -> np.ndarray:
    starts = np.maximum(0, (frame_counts - windows.span) // windows.stride + 1)
    total = int(starts.sum())
    if not total:
        raise ValueError(
            f"expected clips of at least {windows.span} frames, which a window of "
            f"{windows.frames} frames with a step of {windows.step} spans, got at most "
            f"{int(frame_counts.max())}"
        )
    if frame_counts.max() >> FRAME_BITS or clips.max() >> (63 - FRAME_BITS):
        raise ValueError(
            f"expected clips of less than {1 << FRAME_BITS} frames and ids below "
            f"2**{63 - FRAME_BITS}, got {int(frame_counts.max())} frames and {int(clips.max())}"
        )
    number = np.arange(total) - np.repeat(np.cumsum(starts) - starts, starts)
    return (np.repeat(clips, starts) << FRAME_BITS) + number * windows.stride
