"""Settings of latent prediction."""

from dataclasses import dataclass
from typing import Literal

LatentTask = Literal["future", "masked"]


@dataclass(frozen=True, kw_only=True)
class LatentPredictionConfig:
    """Settings of ``LatentPrediction``."""

    task: LatentTask = "future"
    """``future``: features some steps later, from those up to now; for causal encoders. ``masked``:
    features of blocks that are hidden through the clip, from the rest of it; for any encoder."""
    map_name: str | None = None
    """The encoder's map that is predicted; None is the deepest."""
    horizons: tuple[int, ...] = (1, 2, 4)
    """How many time steps ahead, with ``future``."""
    from_no_change: bool = True
    """With ``future``, predict the change from the slow copy's features of now, which start at no
    change: skill 0. False predicts the features themselves, as V-JEPA does."""
    mask_blocks: int = 4
    """Rectangles that are hidden in each clip, with ``masked``."""
    mask_block_share: float = 0.15
    """Of the image that each of them covers."""
    momentum: float = 0.99925
    """Share of the slow copy that stays at each step: V-JEPA 2's constant, which takes 1300 steps
    to forget. Runs of a few hundred steps want less, such as 0.99."""
    width: int = 64
    """Channels inside the predictor."""
    layers: int = 2
    """Convolutions inside the predictor."""
    variance_weight: float = 0.0
    """Of a term that keeps each channel of the map spread out; see ``spread_terms``."""
    covariance_weight: float = 0.0
    """Of a term that keeps these channels from saying the same."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.task not in ("future", "masked"):
            raise ValueError(f"expected task 'future' or 'masked', got {self.task!r}")
        if not self.horizons or min(self.horizons) < 1:
            raise ValueError(f"expected horizons of at least 1 step, got {self.horizons}")
        if not 0 <= self.momentum <= 1:
            raise ValueError(f"expected a momentum in [0, 1], got {self.momentum}")
        if self.mask_blocks < 1 or not 0 < self.mask_block_share < 1:
            raise ValueError(
                f"expected at least 1 mask block with a share in (0, 1), got {self.mask_blocks} "
                f"of {self.mask_block_share}"
            )
        if self.width < 1 or self.layers < 0:
            raise ValueError(f"expected width >= 1 and layers >= 0, got {self}")
        if self.variance_weight < 0 or self.covariance_weight < 0:
            raise ValueError(f"expected weights of at least 0, got {self}")
