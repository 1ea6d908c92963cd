"""What single people did on single images: the raw material of human maps."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One person's clicks, bubbles or fixations on one image."""

    image: str
    """Name of the image, as in ``HumanMaps.names``."""
    points_px: np.ndarray
    """float64 ``[point, 2]``: x and y in pixels of the image, from its top left corner, in the
    order in which they were made. May lie outside the image, and may be empty."""
    subject: str
    catch_score: float | None = None
    """Share of the person's catch trials that were right, if known."""
    is_mobile: bool | None = None
    timestamp: str | None = None
    """As the file tells it; sorts by time within one file."""
    duration_ms: np.ndarray | None = None
    """float64 ``[point]``: of fixations."""

    def __post_init__(self) -> None:
        """Refuse points that are none."""
        if self.points_px.ndim != 2 or self.points_px.shape[1] != 2:
            raise ValueError(
                f"expected points [point, 2] in the trial of {self.subject} on {self.image}, got "
                f"{self.points_px.shape}"
            )
        if not np.isfinite(self.points_px).all():
            raise ValueError(
                f"expected finite points in the trial of {self.subject} on {self.image}, found NaN "
                "or infinity; remove or repair them"
            )
        if self.duration_ms is not None and self.duration_ms.shape != self.points_px.shape[:1]:
            raise ValueError(
                f"expected a duration for each of {len(self.points_px)} points in the trial of "
                f"{self.subject} on {self.image}, got {self.duration_ms.shape}"
            )

    def first(self, points: int) -> "Trial":
        """Return the trial cut to its first points; itself if it has no more."""
        if len(self.points_px) <= points:
            return self
        durations = None if self.duration_ms is None else self.duration_ms[:points]
        return replace(self, points_px=self.points_px[:points], duration_ms=durations)


@dataclass(frozen=True, kw_only=True)
class Trials:
    """The trials of a study, and the sizes of its images."""

    trials: tuple[Trial, ...]
    image_sizes_px: Mapping[str, tuple[int, int]]
    """Width and height of each image."""
    kind: str = "clicks"
    """What the points are, in a word or two: clicks, fixations, mouse traces."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """What the files hold beside these and was not taken: its name, and why."""

    def __post_init__(self) -> None:
        """Refuse trials on images of unknown size."""
        unknown = sorted({trial.image for trial in self.trials} - set(self.image_sizes_px))
        if unknown:
            raise ValueError(
                f"expected the size of every image with trials, missing {unknown[:3]}"
                f"{' ...' if len(unknown) > 3 else ''} ({len(unknown)} images)"
            )
        for name, size in self.image_sizes_px.items():
            if len(size) != 2 or min(size) < 1:
                raise ValueError(f"expected width and height of {name} above 0, got {size}")

    def __len__(self) -> int:
        """Return the number of trials."""
        return len(self.trials)

    def by_image(self) -> dict[str, tuple[Trial, ...]]:
        """Return the trials of every image that has some, images in the order of their trials."""
        found: dict[str, list[Trial]] = {}
        for trial in self.trials:
            found.setdefault(trial.image, []).append(trial)
        return {name: tuple(trials) for name, trials in found.items()}
