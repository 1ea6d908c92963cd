"""Video, depth and codes as bytes and back: Matroska files that any player opens.

Profiles of colour video:

* ``lossless``: H.264 on RGB planes with quantiser 0; every pixel comes back as it was.
* ``compact``: H.264 on full-resolution chroma (4:4:4, full-range BT.709), crf 16: an eighth of the
  bytes. Coarser quantisers move the sub-pixel disparity that stereo video is for, and the flow.
  This one moves the disparity of a 16 x 16 patch of textured plane by 0.016 px on average and by
  0.063 px at the 99th percentile (crf 20: 0.020 and 0.078, crf 23: 0.031 and 0.111), measured as in
  ``tests/streams/test_video.py``. In rendered rooms it moves disparity by 0.042 px and flow by
  0.073 px at points where a matcher errs by 0.118 and 0.289 px itself (``benchmarks/codecs.py``;
  the table is in docs/profiles.md).

Both have a key frame every four frames and no B frames, so that short windows decode fast. Colour
is converted here and not by swscale, which would start threads for every small frame.
"""

import io
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from .decoding import decoded_frames
from .depth import codes_to_depth, depth_to_codes

if TYPE_CHECKING:
    from av import VideoFrame

Profile = Literal["lossless", "compact"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
GOP_FRAMES = 4
COMPACT_CRF = 16
FULL_RANGE, BT709 = 2, 1
"""Codes of AVColorRange and AVColorSpace (ITU-T H.273)."""

_CODECS: dict[str, tuple[str, str, dict[str, str]]] = {
    # No arithmetic coding: a third larger than with it, and decoded twice as fast.
    "lossless": ("libx264rgb", "rgb24", {"qp": "0", "preset": "veryfast", "coder": "0"}),
    "compact": ("libx264", "yuv444p", {"crf": str(COMPACT_CRF), "preset": "medium"}),
    "uint16": ("ffv1", "gray16le", {"level": "3", "slicecrc": "1", "g": "1"}),
    "uint8": ("ffv1", "gray", {"level": "3", "slicecrc": "1", "g": "1"}),
}

# ITU-R BT.709-6, 3.2-3.3: luma weights and the scale of the colour differences; full range.
_RED, _BLUE = 0.2126, 0.0722
_GREEN = 1 - _RED - _BLUE
_YCC_FROM_RGB = np.array(
    [
        [_RED, _GREEN, _BLUE],
        [-_RED / (2 * (1 - _BLUE)), -_GREEN / (2 * (1 - _BLUE)), 0.5],
        [0.5, -_GREEN / (2 * (1 - _RED)), -_BLUE / (2 * (1 - _RED))],
    ]
)


def encode_video(frames: Tensor, *, frame_rate_hz: float, profile: Profile) -> bytes:
    """Return uint8 RGB frames ``[time, 3, height, width]`` as a Matroska file.

    The same frames give the same bytes.

    Raises:
        ValueError: no such profile, or frames that are no RGB video.
    """
    if profile not in PROFILES:
        raise ValueError(f"expected a profile out of {list(PROFILES)}, got {profile!r}")
    if frames.dtype != torch.uint8 or frames.ndim != 4 or frames.shape[1] != 3 or not len(frames):
        raise ValueError(
            "expected uint8 frames [time, 3, height, width], got "
            f"{frames.dtype} {tuple(frames.shape)}"
        )
    if profile == "lossless":
        return _encode(frames.permute(0, 2, 3, 1).numpy(), "lossless", frame_rate_hz)
    return _encode(_ycc_from_rgb(frames.numpy()), "compact", frame_rate_hz)


def decode_video(data: bytes, wanted: Sequence[int] | None = None) -> Tensor:
    """Return the uint8 RGB frames ``[time, 3, height, width]`` of an encoded video.

    Args:
        data: what ``encode_video`` returned.
        wanted: ascending numbers of the frames to return, and to decode as few others as possible
            for; None for all.

    Raises:
        RuntimeError: the bytes are damaged, are no video, or hold too few frames.
    """
    return decode_videos([data], wanted)[0]


def decode_videos(
    videos: Sequence[bytes], wanted: Sequence[int] | None = None, *, into: Tensor | None = None
) -> Tensor:
    """Return videos of one shape as uint8 RGB ``[video, time, 3, height, width]``.

    Args:
        videos: what ``encode_video`` returned, of each.
        wanted: as for ``decode_video``.
        into: where to write them, which saves a copy; not used if it is of another shape.

    Raises:
        RuntimeError: the bytes are damaged, are no video, hold too few frames, or the videos
            differ in shape.
    """
    target = None if into is None else into.numpy()
    shapes = []
    for place, data in enumerate(videos):
        frames = decoded_frames(data, wanted)
        shapes.append((len(frames), 3, frames[0].height, frames[0].width))
        if shapes[-1] != shapes[0]:
            raise RuntimeError(f"expected videos of one shape, found {shapes}")
        if target is None or target.shape != (len(videos), *shapes[0]):
            target = np.empty((len(videos), *shapes[0]), np.uint8)
        for frame, picture in zip(frames, target[place], strict=True):
            _write_rgb(frame, picture)
    return torch.from_numpy(target)


def encode_depth(depth: Tensor, *, frame_rate_hz: float) -> bytes:
    """Return depth ``[time, height, width]`` as a Matroska file of 16-bit log codes."""
    if depth.ndim != 3 or not len(depth):
        raise ValueError(f"expected depth [time, height, width], got {tuple(depth.shape)}")
    codes = depth_to_codes(depth).numpy().astype(np.uint16)
    return encode_codes(codes, frame_rate_hz=frame_rate_hz)


def decode_depth(data: bytes, wanted: Sequence[int] | None = None) -> Tensor:
    """Return the float32 depth ``[time, height, width]`` of an encoded depth video.

    Raises:
        RuntimeError: the bytes are damaged, are no depth video, or hold too few frames.
    """
    return codes_to_depth(torch.from_numpy(decode_codes(data, wanted).astype(np.int32)))


def encode_codes(codes: np.ndarray, *, frame_rate_hz: float) -> bytes:
    """Return uint8 or uint16 codes ``[time, height, width]`` as a Matroska file, without loss.

    Raises:
        ValueError: another type or shape, or no frames.
    """
    if codes.dtype not in (np.uint8, np.uint16) or codes.ndim != 3 or not len(codes):
        raise ValueError(
            f"expected uint8 or uint16 codes [time, height, width], got {codes.dtype} {codes.shape}"
        )
    return _encode(codes, codes.dtype.name, frame_rate_hz)


def decode_codes(data: bytes, wanted: Sequence[int] | None = None) -> np.ndarray:
    """Return the uint8 or uint16 codes ``[time, height, width]`` of an encoded video of codes.

    Raises:
        RuntimeError: the bytes are damaged, are no video, or hold too few frames.
    """
    frames = decoded_frames(data, wanted)
    name = "gray" if frames[0].format.name == "gray" else "gray16le"
    return np.stack([frame.to_ndarray(format=name) for frame in frames])


def _encode(frames: np.ndarray, codec: str, frame_rate_hz: float) -> bytes:
    import av

    name, pixel_format, options = _CODECS[codec]
    rate = Fraction(frame_rate_hz).limit_denominator(1001)
    height, width = frames.shape[2:] if codec == "compact" else frames.shape[1:3]
    gop = {} if name == "ffv1" else {"g": str(GOP_FRAMES), "bf": "0"}
    buffer = io.BytesIO()
    # bitexact keeps Matroska's random ids and the library's version out of the file.
    with av.open(buffer, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(name, rate=rate, options={**options, **gop})
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.codec_context.thread_count = 1
        if codec == "compact":
            stream.codec_context.color_range = FULL_RANGE
            stream.codec_context.colorspace = BT709
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format=pixel_format)
            if codec == "compact":
                frame.color_range, frame.colorspace = FULL_RANGE, BT709
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _write_rgb(frame: "VideoFrame", picture: np.ndarray) -> None:
    """Write one frame into a uint8 ``[3, height, width]``."""
    kind = frame.format.name
    if kind == "gbrp":
        picture[1], picture[2], picture[0] = _planes(frame)
    elif kind in ("yuv444p", "yuvj444p") and (frame.color_range, frame.colorspace) == (
        FULL_RANGE,
        BT709,
    ):
        picture[:] = _rgb_from_ycc(np.stack(_planes(frame)))
    else:
        picture[:] = frame.to_ndarray(format="rgb24").transpose(2, 0, 1)


def _planes(frame: "VideoFrame") -> list[np.ndarray]:
    rows = [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
        for plane in frame.planes
    ]
    return [plane[:, : frame.width] for plane in rows]


def _ycc_from_rgb(frames: np.ndarray) -> np.ndarray:
    """Return ``[time, 3, height, width]`` as 8-bit Y'CbCr, colour differences around 128."""
    ycc = np.einsum("cd,tdhw->tchw", _YCC_FROM_RGB, frames.astype(np.float64))
    ycc[:, 1:] += 128
    return np.clip(np.rint(ycc), 0, 255).astype(np.uint8)


def _rgb_from_ycc(planes: np.ndarray) -> np.ndarray:
    ycc = planes.astype(np.float32)
    ycc[1:] -= 128
    inverse = np.linalg.inv(_YCC_FROM_RGB).astype(np.float32)
    rgb = (inverse @ ycc.reshape(3, -1)).reshape(planes.shape)
    return np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
