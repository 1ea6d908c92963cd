"""Clips from wherever they are: a rendered data set, or a folder of real videos."""

from collections.abc import Sequence
from pathlib import Path

from .folder import PLAN_FILE
from .reader import ClipDataset
from .store import is_url
from .videos.clips import VideoClips
from .videos.cut import ClipCut
from .videos.find import Found, find_sources


def open_clips(
    where: Path | str, *, streams: Sequence[str] | None = None, cut: ClipCut | None = None
) -> ClipDataset | VideoClips:
    """Return the clips of a rendered data set or of a folder of videos, to read ``streams`` of.

    Args:
        where: a folder, or the URL of a data set.
        streams: what to read and decode; by default all that there is.
        cut: how clips are cut from videos. The clips of a data set are what they were rendered as.

    Raises:
        FileNotFoundError: there is no such folder, or a data set that is not finished.
        ValueError: the folder holds neither, nothing that gives a clip, or not a stream that was
            asked for; or a cut was given for a data set.
    """
    if is_url(where) or (Path(where) / PLAN_FILE).is_file():
        if cut not in (None, ClipCut()):
            raise ValueError(
                f"{where} holds rendered clips, which are what they were rendered as; a cut is for "
                "videos: leave it out"
            )
        return ClipDataset(where, streams=streams)
    folder = Path(where)
    if not folder.exists():
        raise FileNotFoundError(f"expected a data set or a folder of videos, found no {folder}")
    if not folder.is_dir():
        raise NotADirectoryError(
            f"expected a data set or a folder of videos, got the file {folder}; give the folder "
            "that it lies in"
        )
    found = find_sources(folder)
    if not found.sources and not found.skipped:
        raise ValueError(
            f"expected a data set ({PLAN_FILE}) or videos and numbered pictures in {folder}, found "
            + _kinds(found)
        )
    return VideoClips(folder, cut=cut, streams=streams)


def _kinds(found: Found) -> str:
    kinds = sorted(found.others.items(), key=lambda item: -item[1])[:5]
    return ", ".join(f"{count} of {kind}" for kind, count in kinds) or "nothing"
