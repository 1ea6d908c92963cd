"""``merkwelt look``."""

from pathlib import Path

from tyro.conf import Positional

from ..console import OUT
from ..streams.videos.cut import ClipCut


def look(
    data: Positional[str],
    /,
    *,
    out: Path,
    clips: int = 6,
    frames: int = 8,
    cut: ClipCut = ClipCut(),  # noqa: B008 - frozen
) -> None:
    """Draw clips of a data set or of a folder of videos, both eyes, as one picture.

    Args:
        data: a rendered data set, or a folder of videos.
        out: the picture's file, ending in .png.
        clips: how many clips are drawn.
        frames: how many frames of each, from its first to its last.
        cut: how clips are cut from real videos, with a folder of those.
    """
    from ..clip_sheet import look

    done = look(data, out, clips=clips, frames=frames, cut=cut)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"picture: {done.out}", markup=False)
