"""Frames out of encoded video: all of them, or a few, and then as little as they depend on."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av import VideoFrame

# To guess what our files say in their first bytes, FFmpeg would decode up to 5 MB of a file, with
# threads of its own: two fifths of the time that a clip of 16 frames takes.
_PROBE = {"probesize": "2048"}
_PROBED_STREAM: Any = {"skip_frame": "all"}  # PyAV's stubs ask for text where it takes a dict.


def decoded_frames(data: bytes, wanted: Sequence[int] | None = None) -> "list[VideoFrame]":
    """Return frames of an encoded video in order: all, or those of ascending numbers ``wanted``.

    Of a video without B frames, only what the wanted frames depend on is decoded: frames from the
    key frame before each of them on.

    Raises:
        RuntimeError: the bytes are damaged, are no video, or hold too few frames.
    """
    import av
    from av.error import FFmpegError

    try:
        file = io.BytesIO(data)
        with av.open(
            file, "r", container_options=_PROBE, stream_options=[_PROBED_STREAM]
        ) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            if wanted is None:
                frames = list(container.decode(stream))
            else:
                # The last packet is the empty one that makes the decoder give all it has.
                *packets, flush = container.demux(stream)
                needed = needed_frames([p.is_keyframe for p in packets], wanted)
                feed = [*(packets[number] for number in needed), flush]
                decoded = [frame for packet in feed for frame in packet.decode()]
                frames = _picked(decoded, needed, wanted)
    except (FFmpegError, IndexError, ValueError) as error:
        raise RuntimeError(f"cannot decode {len(data)} bytes of video: {error}") from error
    if not frames:
        raise RuntimeError(f"cannot decode {len(data)} bytes of video: it holds no frame")
    return frames


def needed_frames(is_key: Sequence[bool], wanted: Sequence[int]) -> list[int]:
    """Return the numbers of the frames that must be decoded to have ``wanted``, ascending.

    Example:
        >>> needed_frames([True, False, False, True, False, False, True], [1, 4])
        [0, 1, 3, 4]
    """
    if wanted and not 0 <= wanted[0] <= wanted[-1] < len(is_key):
        raise ValueError(f"expected frames {wanted[0]} to {wanted[-1]}, found {len(is_key)} frames")
    needed: set[int] = set()
    for number in wanted:
        key = number
        while key > 0 and not is_key[key]:
            key -= 1
        needed.update(range(key, number + 1))
    return sorted(needed)


def _picked(
    decoded: "list[VideoFrame]", needed: list[int], wanted: Sequence[int]
) -> "list[VideoFrame]":
    if len(decoded) != len(needed):
        raise ValueError(f"{len(needed)} frames gave {len(decoded)} pictures")
    found = dict(zip(needed, decoded, strict=True))
    return [found[number] for number in wanted]
