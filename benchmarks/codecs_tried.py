"""The codecs that `codecs.py` compares: the profiles, and what they might have been instead."""

import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from merkwelt.streams.lerobot.coding import encode_playable
from merkwelt.streams.video import GOP_FRAMES, PROFILES, Profile, decode_video, encode_video
from merkwelt.streams.video import _ycc_from_rgb as ycc_from_rgb
from torch import Tensor

RATE_HZ = 10.0
FULL_RANGE, BT709 = 2, 1
os.environ.setdefault("SVT_LOG", "1")
"""The AV1 encoder prints its settings for every clip otherwise; 1 is errors only."""
X265 = f"log-level=none:pools=none:bframes=0:keyint={GOP_FRAMES}:min-keyint={GOP_FRAMES}"


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A way to store one eye's frames ``[time, 3, height, width]``."""

    name: str
    encode: Callable[[Tensor], bytes]
    decode: Callable[[bytes], Tensor] = decode_video


def _of_profile(profile: Profile) -> Codec:
    return Codec(
        name=profile,
        encode=lambda frames: encode_video(frames, frame_rate_hz=RATE_HZ, profile=profile),
    )


def _with(encoder: str, pixels: str, **options: str) -> Codec:
    named = {"libx264": "H.264", "libx265": "H.265", "libsvtav1": "AV1", "ffv1": "FFV1"}[encoder]
    layout = {"yuv444p": " 4:4:4", "yuv420p": " 4:2:0", "bgr0": " RGB"}[pixels]
    crf = f" crf {options['crf']}" if "crf" in options else ""
    tune = f", tuned for {options['tune'].upper()}" if "tune" in options else ""
    return Codec(
        name=f"{named}{layout}{crf}{tune}",
        encode=lambda frames: _encode(frames, encoder, pixels, options),
    )


def _encode(frames: Tensor, encoder: str, pixels: str, options: dict[str, str]) -> bytes:
    """Return frames as Matroska: a key frame every four frames, no B frames, one thread."""
    more: dict[str, str] = {"g": str(GOP_FRAMES), "bf": "0"}
    if encoder == "libx265":
        more = {"x265-params": X265}
    elif encoder == "libsvtav1":
        more = {"g": str(GOP_FRAMES), "svtav1-params": "lp=1:pred-struct=1"}
    elif encoder == "ffv1":
        more = {"level": "3", "g": "1"}
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        rate = Fraction(RATE_HZ).limit_denominator(1001)
        stream: Any = container.add_stream(encoder, rate=rate, options={**options, **more})
        stream.height, stream.width = frames.shape[2:]
        stream.pix_fmt = pixels
        stream.codec_context.thread_count = 1
        if pixels != "bgr0":
            stream.codec_context.color_range = FULL_RANGE
            stream.codec_context.colorspace = BT709
        for image in _pictures(frames, pixels):
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _pictures(frames: Tensor, pixels: str) -> "list[av.VideoFrame]":
    if pixels == "bgr0":
        images = np.ascontiguousarray(frames.permute(0, 2, 3, 1).numpy())
        return [
            av.VideoFrame.from_ndarray(i, format="rgb24").reformat(format=pixels) for i in images
        ]
    planes = ycc_from_rgb(frames.numpy())
    if pixels == "yuv444p":
        images = [av.VideoFrame.from_ndarray(image, format=pixels) for image in planes]
    else:
        images = [av.VideoFrame.from_ndarray(_halved(image), format=pixels) for image in planes]
    for image in images:
        image.color_range, image.colorspace = FULL_RANGE, BT709
    return images


def _halved(planes: np.ndarray) -> np.ndarray:
    """Return 4:2:0 of 4:4:4 planes, as PyAV has it: rows of luma, then of the chromas."""
    _, height, width = planes.shape
    chroma = planes[1:].reshape(2, height // 2, 2, width // 2, 2).astype(float).mean((2, 4))
    flat = [planes[0].ravel(), np.rint(chroma).astype(np.uint8).ravel()]
    return np.concatenate(flat).reshape(height * 3 // 2, width)


CODECS = (
    *(_of_profile(profile) for profile in PROFILES),
    _with("ffv1", "bgr0"),
    *(
        _with("libx264", "yuv444p", crf=str(crf), preset="medium")
        for crf in (12, 14, 18, 20, 23, 28)
    ),
    _with("libx264", "yuv444p", crf="16", preset="medium", tune="ssim"),
    _with("libx264", "yuv444p", crf="19", preset="medium", tune="psnr"),
    *(_with("libx264", "yuv420p", crf=str(crf), preset="medium") for crf in (12, 16, 20, 23, 28)),
    *(_with("libx265", "yuv444p", crf=str(crf), preset="medium") for crf in (12, 16, 20, 24)),
    *(_with("libsvtav1", "yuv420p", crf=str(crf), preset="8") for crf in (10, 20, 30)),
    Codec(
        name="export, playable",
        encode=lambda frames: encode_playable(frames, frame_rate_hz=int(RATE_HZ)),
    ),
)
