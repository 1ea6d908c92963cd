"""Render while training: renderers beside a trainer feed it through a ring in shared memory."""

from .held_out import held_out_clips, is_held_out, training_clips
from .keeping_up import KeepingUp
from .options import LiveOptions
from .ring import LiveClip
from .schedule import WindowSchedule
from .stream import Anchor, LiveStream, PassedOver

__all__ = [
    "Anchor",
    "KeepingUp",
    "LiveClip",
    "LiveOptions",
    "LiveStream",
    "PassedOver",
    "WindowSchedule",
    "held_out_clips",
    "is_held_out",
    "training_clips",
]
