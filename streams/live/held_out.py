"""Which clips of an endless stream are held out: never trained on, by construction."""

import hashlib
from collections.abc import Iterator
from itertools import count


def is_held_out(clip: int, *, share: float, seed: int) -> bool:
    """Return whether a clip is held out; it depends on these three alone.

    Example:
        >>> sum(is_held_out(clip, share=0.2, seed=0) for clip in range(1000))
        213
    """
    digest = hashlib.sha256(f"held out/{seed}/{clip}".encode()).digest()
    return int.from_bytes(digest[:8], "little") < share * 2**64


def held_out_clips(*, share: float, seed: int) -> Iterator[int]:
    """Yield the ids of the held-out clips, ascending, without end."""
    return (clip for clip in count() if is_held_out(clip, share=share, seed=seed))


def training_clips(*, share: float, seed: int, start: int = 0) -> Iterator[int]:
    """Yield the ids of all other clips from ``start`` on, ascending, without end."""
    return (clip for clip in count(start) if not is_held_out(clip, share=share, seed=seed))
