"""Settings of cross-eye prediction."""

from dataclasses import dataclass
from typing import ClassVar, Literal

CrossEyeLoss = Literal["contrast", "regression"]


@dataclass(frozen=True, kw_only=True)
class CrossEyeConfig:
    """Settings of ``CrossEye``."""

    clip_eyes: ClassVar[int] = 2
    """Eyes that clips must have, however many the encoder takes at a time."""

    loss: CrossEyeLoss = "contrast"
    """``contrast``: tell the right eye's feature from all others of its row. ``regression``: the
    squared error, with terms that keep features spread out (VICReg)."""
    map_name: str | None = None
    """The encoder's map that is predicted; None is the deepest."""
    largest_shift: int = 4
    """In columns of the map, to either side."""
    width: int = 32
    """Channels inside the head."""
    temperature: float = 0.1
    """That cosines are divided by, with ``contrast``."""
    variance_weight: float = 1.0
    """Of the term that keeps each channel spread out, relative to the error, with ``regression``;
    VICReg has 25 to 25."""
    covariance_weight: float = 0.04
    """Of the term that keeps channels from saying the same, with ``regression``; 1 to 25."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.loss not in ("contrast", "regression"):
            raise ValueError(f"expected loss 'contrast' or 'regression', got {self.loss!r}")
        if self.largest_shift < 0 or self.width < 1:
            raise ValueError(f"expected largest_shift >= 0 and width >= 1, got {self}")
        if self.temperature <= 0:
            raise ValueError(f"expected a temperature above 0, got {self.temperature}")
        if self.variance_weight < 0 or self.covariance_weight < 0:
            raise ValueError(f"expected weights of at least 0, got {self}")
