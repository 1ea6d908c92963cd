"""A part of a clip as if it were a clip of its own: what is cut from what is not decoded in parts.

Times stay those of the whole clip, so that parts of one clip and its description go together.
"""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import torch
from torch import Tensor

from ..render.body.signals import BodySignals
from ..render.motion.trajectory import Trajectory
from ..render.truth.quantities import Fate, Target, Truth

BETWEEN_FRAMES = ("flow_forward", "flow_backward")
"""Streams that speak of a frame and its neighbour, and of no other pair of frames."""


def refuse_cut(streams: Sequence[str], *, frames: int, step: int) -> None:
    """Refuse streams that mean nothing in a part of ``frames`` frames, ``step`` apart.

    Raises:
        ValueError: names them and says what to do.
    """
    between = [stream for stream in streams if stream in BETWEEN_FRAMES]
    if step > 1 and between:
        others = tuple(stream for stream in streams if stream not in between)
        raise ValueError(
            f"{between} lead from each frame to the very next one, which a step of {step} leaves "
            f"out; open the data set with streams={others}, or take a step of 1"
        )
    if frames < 2 and "signals" in streams:
        raise ValueError(
            "signals between the first and the last frame of a part need at least 2 frames, got "
            f"{frames}; open the data set without signals, or ask for more frames"
        )


def require_within(frames: range, count: int, *, clip: int) -> None:
    """Refuse frames that a clip of ``count`` frames has not.

    Raises:
        ValueError: there are none, they are not ascending, or not all in the clip.
    """
    if not frames or frames.step < 1 or frames[0] < 0 or frames[-1] >= count:
        raise ValueError(
            f"expected an ascending range within the {count} frames of clip {clip}, got {frames}"
        )


def cut_trajectory(trajectory: Trajectory, frames: range) -> Trajectory:
    """Return the trajectory at some frames."""
    part = slice(frames.start, frames[-1] + 1, frames.step)
    arrays = trajectory.to_arrays()
    eyes = arrays.pop("world_from_eye")[:, part]
    return Trajectory(world_from_eye=eyes, **{name: each[part] for name, each in arrays.items()})


def cut_signals(signals: BodySignals, *, first_s: float, last_s: float) -> BodySignals:
    """Return the signals from one frame to another, both ends included."""
    # A frame's instant is one of the signals' instants, up to rounding.
    slack_s = 0.5 / signals.rate_hz
    start, stop = np.searchsorted(signals.time_s, [first_s - slack_s, last_s + slack_s])
    arrays = {f.name: getattr(signals, f.name) for f in fields(signals)}
    axis_1 = {"eye_in_head_rad", "eye_in_head_rad_s"}
    return BodySignals(
        **{n: v[:, start:stop] if n in axis_1 else v[start:stop] for n, v in arrays.items()}
    )


def cut_truth(truth: Truth, *, step: int) -> Truth:
    """Return the ground truth of decoded frames, which are ``step`` apart, as that of a clip.

    As in every clip there is no frame after the last and none before the first: flow is NaN
    there, and the masks' next and previous frames are unknown. They are unknown everywhere with a
    step above 1, where the neighbours that the masks speak of are left out.
    """
    forward, backward, masks = truth.flow_forward, truth.flow_backward, truth.masks
    if masks is not None:
        masks = _without(masks, Target.NEXT, slice(None) if step > 1 else slice(-1, None))
        masks = _without(masks, Target.PREVIOUS, slice(None) if step > 1 else slice(0, 1))
    return replace(
        truth,
        flow_forward=None if forward is None else _nan_at(forward, -1),
        flow_backward=None if backward is None else _nan_at(backward, 0),
        masks=masks,
    )


def _without(masks: Tensor, target: Target, times: slice) -> Tensor:
    """Return masks ``[eye, time, target, h, w]`` that know nothing of a target at some times."""
    masks = masks.clone()
    masks[:, times, target] = Fate.UNKNOWN
    return masks


def _nan_at(flow: Tensor, time: int) -> Tensor:
    flow = flow.clone()
    flow[:, time] = torch.nan
    return flow
