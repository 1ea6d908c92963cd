"""How clips are cut from recordings."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Layout = Literal["auto", "mono", "side_by_side", "top_bottom"]
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


@dataclass(frozen=True, kw_only=True)
class ClipCut:
    """What is cut from every recording of a folder; the same for all of them."""

    frames: int = 16
    """Frames in a clip."""
    size_px: int = 128
    """Side of the square pictures: the middle of a recording's, shrunk, never enlarged."""
    frame_rate_hz: float = 10.0
    """Frames per second of the clips; at most the recordings' own."""
    stride_frames: int | None = None
    """Frames from the start of a clip to the start of the next; by default as many as it has."""
    layout: Layout = "auto"
    """Where the eyes are. auto: in two files or folders whose names differ in the eye only, or as
    the container says that they share its pictures; all else has one eye. mono: one everywhere.
    side_by_side, top_bottom: both in every picture, the left eye left or on top."""
    right_first: bool = False
    """With side_by_side and top_bottom: the right eye is left, or on top."""
    squeezed: bool = False
    """The eyes share the width (or height) of one picture, and are stretched back to twice that."""
    eyes: Literal[1, 2] | None = None
    """1: the left eye of everything. 2: only what has two. By default all must have as many."""
    turn_deg: Literal[0, 90, 180, 270] = 0
    """Turn of every picture, clockwise, beyond the one that its own file asks for."""
    picture_rate_hz: float | None = None
    """Rate of the numbers in the names of pictures that bring no file of times."""
    depth_unit_m: float | None = None
    """Metres to a step of 16-bit depth pictures: 0.001 of most, 0.0002 of TUM's."""
    only: tuple[str, ...] = ()
    """Names of recordings to take, * for any characters; all by default."""

    def __post_init__(self) -> None:
        """Refuse what cannot be cut."""
        whole = {"frames": self.frames, "size_px": self.size_px, "stride_frames": self.stride}
        for name, number in whole.items():
            if number < 1:
                raise ValueError(f"expected {name} of at least 1, got {number}")
        rates = {
            "frame_rate_hz": self.frame_rate_hz,
            "picture_rate_hz": self.picture_rate_hz,
            "depth_unit_m": self.depth_unit_m,
        }
        for name, number in rates.items():
            if number is not None and not (number > 0 and math.isfinite(number)):
                raise ValueError(f"expected a positive {name}, got {number}")
        chosen: dict[str, tuple[object, tuple[object, ...]]] = {
            "layout": (self.layout, LAYOUTS),
            "eyes": (self.eyes, (None, 1, 2)),
            "turn_deg": (self.turn_deg, (0, 90, 180, 270)),
        }
        for name, (value, possible) in chosen.items():
            if value not in possible:
                raise ValueError(f"expected {name} out of {list(possible)}, got {value!r}")
        if (self.right_first or self.squeezed) and self.layout in ("auto", "mono"):
            raise ValueError(
                "right_first and squeezed speak of pictures that hold both eyes; expected the "
                f"layout side_by_side or top_bottom beside them, got {self.layout!r}"
            )

    @property
    def stride(self) -> int:
        """Frames from the start of a clip to the start of the next."""
        return self.frames if self.stride_frames is None else self.stride_frames
