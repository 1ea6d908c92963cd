"""Pictures and depth encoded for LeRobot's decoders, where the stored packets will not do.

Both are Matroska files in memory, without B frames, like the members of a clip, so that `videos`
treats them as it treats those.
"""

import io
from typing import Any

import numpy as np
from torch import Tensor

from ..decoding import decoded_frames
from ..video import GOP_FRAMES

PLAYABLE_CRF = 16
H264_420 = (
    "libx264",
    "yuv420p",
    {"crf": str(PLAYABLE_CRF), "preset": "medium", "bf": "0", "g": str(GOP_FRAMES)},
)
HEVC_12 = (
    "libx265",
    "gray12le",
    # Key frames only: x265's lossless pictures that lean on others differ in rare pixels of noise.
    {"preset": "fast", "x265-params": "lossless=1:keyint=1:pools=none:log-level=none"},
)
LIMITED_RANGE, BT601 = 1, 6
"""Codes of AVColorRange and AVColorSpace (ITU-T H.273).

What readers take for granted that do not look at the tags, as LeRobot's PyAV decoder.
"""


def encode_playable(frames: Tensor, *, frame_rate_hz: int) -> bytes:
    """Return uint8 RGB frames ``[time, 3, height, width]`` as H.264 in 4:2:0, limited BT.601.

    Raises:
        ValueError: the width or height is odd.
    """
    height, width = frames.shape[2:]
    if height % 2 or width % 2:
        raise ValueError(
            f"expected pictures of even width and height for 4:2:0, got {width} x {height}; "
            "export them as they are stored"
        )
    images = np.ascontiguousarray(frames.permute(0, 2, 3, 1).numpy())
    return _encode(images, "rgb24", H264_420, frame_rate_hz)


def encode_codes12(codes: np.ndarray, *, frame_rate_hz: int) -> bytes:
    """Return 12-bit codes, uint16 ``[time, height, width]``, as lossless HEVC.

    Raises:
        RuntimeError: the encoder has changed a code.
    """
    video = _encode(codes, "gray12le", HEVC_12, frame_rate_hz)
    changed = sum(
        int((frame.to_ndarray(format="gray12le") != image).sum())
        for frame, image in zip(decoded_frames(video), codes, strict=True)
    )
    if changed:
        raise RuntimeError(
            f"the HEVC encoder changed {changed} of {codes.size} codes of depth, which it was told "
            "to keep; export without depth, or with another version of PyAV"
        )
    return video


def _encode(
    images: np.ndarray,
    pixels: str,
    codec: tuple[str, str, dict[str, str]],
    frame_rate_hz: int,
) -> bytes:
    import av

    name, pixel_format, options = codec
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream: Any = container.add_stream(name, rate=frame_rate_hz, options=options)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = pixel_format
        stream.codec_context.thread_count = 1
        colour = pixels == "rgb24"
        if colour:
            stream.codec_context.color_range = LIMITED_RANGE
            stream.codec_context.colorspace = BT601
        for image in images:
            frame = av.VideoFrame.from_ndarray(image, format=pixels)
            if colour:
                frame = frame.reformat(
                    format=pixel_format, dst_colorspace=BT601, dst_color_range=LIMITED_RANGE
                )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
