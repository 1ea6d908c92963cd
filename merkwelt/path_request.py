"""A path from a file, in words, along which a data set's head is carried."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from .render.paths import HeadPath, PathFrame, PathGaze, load_path, place_path
from .render.paths.placement import read_alignment
from .scenes.scene import Scene


@dataclass(frozen=True, kw_only=True)
class PathRequest:
    """Which file, and where its poses lie."""

    file: Path | None = None
    """nerfstudio's camera path (JSON), or TUM's or KITTI's poses; None: the observer walks."""
    frame: PathFrame | None = None
    """What its coordinates are; the field's for nerfstudio's files, the world's for others."""
    scale: float = 1.0
    """Factor on its positions."""
    align: Path | None = None
    """Text file of 16 numbers, row by row: the similarity applied to its scaled coordinates."""
    rate_hz: float | None = None
    """Poses per second of a file without times."""
    gaze: PathGaze = "ahead"

    def __post_init__(self) -> None:
        """Refuse details of no path."""
        if self.file is None and any(getattr(self, f.name) != f.default for f in fields(self)):
            raise ValueError(
                "expected --path FILE beside --path-frame, --path-scale, --path-align, "
                "--path-rate-hz or --gaze; name the file, or leave them out"
            )

    def place(self, scenes: Sequence[Scene]) -> HeadPath | None:
        """Return the path in the world of the one scene that it lies in; None if there is no file.

        Raises:
            FileNotFoundError: the file does not exist.
            ValueError: it cannot be followed, or there is more than one scene.
        """
        if self.file is None:
            return None
        if len(scenes) != 1:
            names = [scene.card.name for scene in scenes]
            raise ValueError(f"expected one scene, in which the path lies, got {names}")
        return place_path(
            load_path(self.file, rate_hz=self.rate_hz),
            scenes[0].card,
            frame=self.frame,
            scale=self.scale,
            frame_from_file=None if self.align is None else read_alignment(self.align),
            gaze=self.gaze,
        )
