"""The clips of a rendered data set with all that is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..parts import Progress
from ..streams.open_clips import open_clips
from ..streams.reader import ClipDataset
from ..streams.samples import Sample
from ..training.clips import lengths_are_metres

LEAST_CLIPS = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenClips:
    """Clips of equal shape, in the order of their ids."""

    samples: tuple[Sample, ...]
    """Without video, which is in ``video``."""
    video: Tensor
    """uint8 ``[clip, eye, time, channel, height, width]``."""
    metric: np.ndarray
    """bool ``[clip]``: whether the lengths of its scene are metres."""
    frame_rate_hz: float
    identity: str
    """Of the data set: what it was rendered from."""
    name: str
    of_all: int
    """How many clips the data set has."""

    def __len__(self) -> int:
        """Return the number of clips."""
        return len(self.samples)

    @property
    def ids(self) -> np.ndarray:
        """Clip ids, int64 ``[clip]``."""
        return np.array([sample.clip for sample in self.samples])

    @property
    def scenes(self) -> np.ndarray:
        """Name of each clip's scene."""
        return np.array([sample.scene for sample in self.samples])

    @property
    def frames(self) -> int:
        """Frames of each clip."""
        return self.video.shape[2]


def read_clips(
    folder: Path | str, *, most: int, prefer: Sequence[int] = (), progress: Progress | None = None
) -> SeenClips:
    """Return the clips of a finished data set.

    Args:
        folder: the data set.
        most: at most so many clips are read, spread evenly over their ids.
        prefer: ids that are read before others: those that were held out of training.
        progress: told the share done.

    Raises:
        FileNotFoundError: there is no data set, or it is not finished.
        ValueError: it holds videos without truth, too few clips, or clips of different lengths.
    """
    opened = open_clips(folder)
    if not isinstance(opened, ClipDataset):
        raise ValueError(
            f"expected a rendered data set to probe on, found videos in {folder}: nobody knows "
            "their depth, and where each eye was. Render one: merkwelt render --scene N --truth "
            "disparity --out DIR"
        )
    everything = [int(clip) for clip in opened.clip_ids]
    ids = _chosen(everything, prefer, most)
    if len(ids) < LEAST_CLIPS:
        raise ValueError(
            f"expected at least {LEAST_CLIPS} clips, to fit on some and test on others, got "
            f"{len(ids)} in {folder}; render more with the same merkwelt render and a larger "
            "--clips"
        )
    samples = []
    for done, clip in enumerate(ids):
        samples.append(opened.sample(clip))
        if progress is not None:
            progress((done + 1) / len(ids), f"clip {done + 1} of {len(ids)}")
    shapes = {tuple(each.video.shape) for each in samples if each.video is not None}
    if len(shapes) != 1:
        raise ValueError(f"expected clips of one shape to probe on, got {sorted(shapes)}")
    return SeenClips(
        samples=tuple(samples),
        video=torch.stack([each.video for each in samples if each.video is not None]),
        metric=np.array([lengths_are_metres(opened.plan, clip) for clip in ids]),
        frame_rate_hz=float(opened.plan.frame_rate_hz),
        identity=str(opened.plan.id),
        name=str(folder).rstrip("/").rsplit("/", 1)[-1],
        of_all=len(everything),
    )


def _chosen(ids: Sequence[int], prefer: Sequence[int], most: int) -> list[int]:
    """Return at most ``most`` ids, spread evenly over preferred ones and then over the others."""
    first = [clip for clip in ids if clip in set(prefer)]
    kept = _spread(first, most // 2 if len(ids) > most else len(first))
    others = [clip for clip in ids if clip not in set(first)]
    return sorted([*kept, *_spread(others, most - len(kept))])


def _spread(ids: Sequence[int], most: int) -> list[int]:
    if len(ids) <= most:
        return list(ids)
    return [ids[place] for place in np.linspace(0, len(ids) - 1, most).round().astype(int)]
