"""Video files: when their frames are shown, and any of the frames, by PyAV.

A file is opened for each reading and closed after it, so that movies go to other processes.
"""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import VideoFrame
    from av.sidedata.sidedata import Type

MOVIES = (".mp4", ".mkv", ".mov", ".webm", ".m4v")
# AVStereo3DType and the flag of AVStereo3D (FFmpeg, libavutil/stereo3d.h).
_PLAIN, _SIDE_BY_SIDE, _TOP_BOTTOM, _RIGHT_FIRST = 0, 1, 2, 1

Packing = Literal["side_by_side", "top_bottom"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Movie:
    """A video file as it was indexed."""

    path: Path
    stamps: np.ndarray
    """int64 ``[n]``, ascending: when each frame is shown, in the file's unit of time."""
    unit_s: Fraction
    height: int
    width: int
    turns: int
    """Quarter turns anticlockwise that make it upright."""
    pixel_aspect: float
    """Width of a pixel over its height, before turning."""
    packing: tuple[Packing, bool] | None
    """How the container says that both eyes share a picture, and whether the right one is first."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The file."""
        return (self.path,)

    @property
    def times_s(self) -> np.ndarray:
        """Seconds ``[n]`` at which frames are shown, as the file counts them."""
        return self.stamps * (self.unit_s.numerator / self.unit_s.denominator)

    def pictures(self, numbers: Sequence[int]) -> list[np.ndarray]:
        """Return frames by their ascending numbers, uint8 RGB ``[h, w, 3]``, not turned.

        Raises:
            RuntimeError: the file is damaged there, or is not the one that was indexed.
        """
        wanted = [int(self.stamps[number]) for number in numbers]
        from av.error import FFmpegError

        try:
            found = self._decoded(wanted, seek=wanted[0] > self.stamps[0])
            if len(found) < len(set(wanted)):
                # Files without an index may be entered too late; from the start all is there.
                found = self._decoded(wanted, seek=False)
        except (FFmpegError, OSError) as error:
            raise RuntimeError(f"cannot decode {self.path}: {_said(error)}; {_ADVICE}") from error
        lost = [stamp for stamp in wanted if stamp not in found]
        if lost:
            at_s = float(lost[0] * self.unit_s)
            raise RuntimeError(
                f"cannot decode {self.path}: it gives no whole frame at {at_s:.3f} s; {_ADVICE}"
            )
        return [found[stamp] for stamp in wanted]

    def _decoded(self, wanted: Sequence[int], *, seek: bool) -> dict[int, np.ndarray]:
        left, found = set(wanted), {}
        with _opened(self.path) as (container, stream):
            if seek:
                container.seek(wanted[0], stream=stream, backward=True)
            for frame in container.decode(stream):
                if frame.pts in left and not frame.is_corrupt:
                    left.discard(frame.pts)
                    found[frame.pts] = frame.to_ndarray(format="rgb24")
                if not left or (frame.pts is not None and frame.pts > wanted[-1]):
                    break
        return found


def _said(error: Exception) -> str:
    """Return what an error says, without its number and the file, which are named elsewhere."""
    return getattr(error, "strerror", None) or str(error)


_ADVICE = "repair it, or take it out of the folder"


def index_movie(path: Path) -> Movie:
    """Return a video file's index: a pass over its packets, of which the first is decoded.

    Raises:
        Unusable: it is damaged, holds no video, or says nothing of times; says what.
    """
    from av.error import FFmpegError

    try:
        with _opened(path) as (container, stream):
            first = next(iter(container.decode(stream)), None)
        with _opened(path) as (container, stream):
            stamps = [p.pts for p in container.demux(stream) if p.size and not p.is_discard]
            unit_s, aspect = stream.time_base, stream.sample_aspect_ratio
    except (FFmpegError, OSError, ValueError) as error:
        raise Unusable(f"it cannot be decoded: {_said(error)}") from error
    if first is None or not stamps:
        raise Unusable("it cannot be decoded: it holds no frame")
    if any(stamp is None for stamp in stamps):
        raise Unusable("its frames do not say when they are shown; remux it to .mkv or .mp4")
    return Movie(
        path=path,
        stamps=np.unique(np.array(stamps, np.int64)),
        unit_s=unit_s,
        height=first.height,
        width=first.width,
        turns=_turns(first),
        pixel_aspect=float(aspect) if aspect else 1.0,
        packing=_packing(first),
    )


@contextmanager
def _opened(path: Path) -> "Iterator[tuple[Any, Any]]":
    import av

    with av.open(str(path), "r") as container:
        stream: Any = container.streams.best("video")
        if stream is None:
            raise ValueError("it holds no video")
        # With several threads FFmpeg does not always say which frames are corrupt.
        stream.codec_context.thread_count = 1
        yield container, stream


def _side_data(frame: "VideoFrame", kind: "Type") -> bytes | None:
    there: Any = frame.side_data  # It gives what it holds, other than its type says.
    return next((bytes(data) for data in there if data.type == kind), None)


def _turns(frame: "VideoFrame") -> int:
    from av.sidedata.sidedata import Type

    matrix = _side_data(frame, Type.DISPLAYMATRIX)
    if matrix is not None:
        values = np.frombuffer(matrix, np.int32).astype(np.float64)
        if values[0] * values[4] - values[1] * values[3] < 0:
            raise Unusable("its container asks for a mirror image, which is not supported")
    return round(frame.rotation / 90) % 4


def _packing(frame: "VideoFrame") -> tuple[Packing, bool] | None:
    from av.sidedata.sidedata import Type

    said = _side_data(frame, Type.STEREO3D)
    if said is None:
        return None
    kind, flags = np.frombuffer(said, np.int32)[:2]
    if kind == _PLAIN:
        return None
    if kind not in (_SIDE_BY_SIDE, _TOP_BOTTOM):
        raise Unusable(
            f"its container says that it holds both eyes in a way (AVStereo3DType {kind}) that is "
            "not supported; write it side by side"
        )
    return "side_by_side" if kind == _SIDE_BY_SIDE else "top_bottom", bool(flags & _RIGHT_FIRST)
