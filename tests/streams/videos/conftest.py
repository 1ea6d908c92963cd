"""Videos that tests write: each frame shows its own number, in eight squares of black or white."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

_OPTIONS = {"crf": "12", "preset": "veryfast"}
MILLISECONDS = Fraction(1, 1000)
Writer = Callable[..., Path]


def numbered_frame(number: int, height: int = 64, width: int = 64) -> np.ndarray:
    """Bit k of the number lies in row k // 4 (of two) and column k % 4 (of four)."""
    bits = np.array([(number >> k) & 1 for k in range(8)], np.uint8).reshape(2, 4) * 200 + 20
    grey = np.kron(bits, np.ones((height // 2, width // 4), np.uint8))
    return np.repeat(grey[..., None], 3, axis=2)


def number_of(picture: np.ndarray) -> int:
    """The number that a picture [3, h, w] of `numbered_frame` shows."""
    grey = picture[0].astype(float)
    height, width = grey.shape
    cells = grey.reshape(2, height // 2, 4, width // 4).mean(axis=(1, 3)).ravel()
    return sum(int(cell > 120) << k for k, cell in enumerate(cells))


def write_movie(
    path: Path,
    frames: Sequence[np.ndarray],
    stamps_ms: Sequence[int],
    *,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    stereo_mode: str | None = None,
    display_turn_deg: float | None = None,
    pixel_aspect: Fraction | None = None,
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30, options=options or _OPTIONS)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt, stream.time_base = "yuv420p", MILLISECONDS
        stream.codec_context.time_base = MILLISECONDS
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if stereo_mode is not None:
            stream.metadata["stereo_mode"] = stereo_mode
        if display_turn_deg is not None:
            stream.set_display_rotation(display_turn_deg)
        for picture, stamp in zip(frames, stamps_ms, strict=True):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = stamp, MILLISECONDS
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def movie() -> Writer:
    return write_movie


@pytest.fixture
def numbered_movie() -> Writer:
    """Writes a movie whose frame k, shown at the k-th stamp, shows k."""

    def write(path: Path, stamps_ms: Sequence[int], **how: object) -> Path:
        frames = [numbered_frame(k) for k in range(len(stamps_ms))]
        return write_movie(path, frames, stamps_ms, **how)

    return write


@pytest.fixture
def shown() -> Callable[[np.ndarray], int]:
    return number_of


@pytest.fixture(scope="session")
def kitti(shared_data: Path) -> Path:
    return shared_data / "noncommercial" / "stereo_video_kitti"


@pytest.fixture(scope="session")
def redkitchen(shared_data: Path) -> Path:
    return shared_data / "noncommercial" / "redkitchen_video"
