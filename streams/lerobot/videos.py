"""The mp4 files of one camera: the packets of many episodes one after the other, not recoded.

A file has one codec header, so a video whose header differs (encoded by another version of the
encoder, say) begins the next file. Every frame lasts equally long, and frame n of a file is at
n / rate: what LeRobot's readers look frames up by.
"""

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .layout import BYTES_PER_MB, VIDEO_PATH, LeRobotSettings, Place

if TYPE_CHECKING:
    from av import Packet


@dataclass(frozen=True, kw_only=True)
class Span:
    """Where an episode lies in the videos of a camera."""

    place: Place
    from_s: float
    to_s: float


@dataclass(frozen=True, kw_only=True)
class VideoFormat:
    """What a camera's videos are, in the words of ffmpeg."""

    codec: str
    pixel_format: str
    height: int
    width: int


class VideoFiles:
    """Appends videos to files of limited size."""

    def __init__(self, root: Path, key: str, settings: LeRobotSettings, rate_hz: int) -> None:
        """Write the camera ``key`` below ``root``."""
        self._root, self._key, self._rate_hz = root, key, rate_hz
        self._limit = settings.video_files_size_in_mb * BYTES_PER_MB
        self._chunks_size = settings.chunks_size
        self._place: Place | None = None
        self._file: Any = None
        self._stream: Any = None
        self._header: bytes | None = None
        self._frames = self._bytes = 0
        self.format: VideoFormat | None = None

    def add(self, video: bytes) -> Span:
        """Append a video and return where it lies.

        Raises:
            RuntimeError: the video holds no frame, or another size or codec than those before.
        """
        import av

        with av.open(io.BytesIO(video), "r") as source:
            stream = source.streams.video[0]
            self._check_format(stream)
            packets = [packet for packet in source.demux(stream) if packet.size]
            if not packets:
                raise RuntimeError(f"{self._key}: expected a video, got one without a frame")
            size = sum(packet.size for packet in packets)
            header = stream.codec_context.extradata
            if self._file is None or header != self._header or self._bytes + size > self._limit:
                self._next_file(stream)
                self._header = header
            return self._append(packets, size)

    def close(self) -> None:
        """Finish the last file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Finish the last file."""
        self.close()

    def _check_format(self, stream: Any) -> None:  # noqa: ANN401 - PyAV's stream
        found = VideoFormat(
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=stream.codec_context.pix_fmt,
            height=stream.height,
            width=stream.width,
        )
        if self.format is None:
            self.format = found
        elif found != self.format:
            raise RuntimeError(f"{self._key}: expected {self.format}, got {found}")

    def _next_file(self, template: Any) -> None:  # noqa: ANN401 - PyAV's stream
        import av

        self.close()
        self._place = Place() if self._place is None else self._place.next(self._chunks_size)
        path = self._root / self._place.path(VIDEO_PATH, video_key=self._key)
        path.parent.mkdir(parents=True, exist_ok=True)
        options = {"fflags": "+bitexact", "movflags": "+faststart"}
        self._file = av.open(str(path), "w", format="mp4", options=options)
        self._stream = self._file.add_stream_from_template(template)
        self._stream.time_base = Fraction(1, self._rate_hz)
        self._frames = self._bytes = 0

    def _append(self, packets: "list[Packet]", size: int) -> Span:
        if self._place is None:
            raise AssertionError("packets are appended to a file")
        first = self._frames
        for packet in packets:
            packet.stream = self._stream
            packet.time_base = Fraction(1, self._rate_hz)
            packet.pts = packet.dts = self._frames
            packet.duration = 1
            self._file.mux(packet)
            self._frames += 1
        self._bytes += size
        return Span(
            place=self._place,
            from_s=first / self._rate_hz,
            to_s=self._frames / self._rate_hz,
        )
