"""What is asked of a probe."""

from dataclasses import dataclass
from pathlib import Path

from ..alignment.probes.groups import Draws
from ..training.run_folder import Weights


@dataclass(frozen=True, kw_only=True)
class ProbeRequest:
    """How a run is probed."""

    held_out_scenes: tuple[str, ...] = ()
    """Scenes to test on; by default each scene in turn, where there are several."""
    against: Path | None = None
    """Another run to compare features with."""
    map_name: str | None = None
    """The encoder's map that is read; None takes the deepest."""
    grid: int = 3
    """What is said of a whole frame is read from the map averaged to so many rows and columns; 0
    reads the pooled vector."""
    clips: int = 256
    """At most so many clips are read, spread over the data set."""
    weights: Weights = "trained"
    seed: int = 0
    """Of the folds and of the draws behind intervals."""
    resamples: int = 500
    """Draws behind each interval."""
    library: Path | None = None
    """Folder of scenes, for their floor plans."""

    @property
    def draws(self) -> Draws:
        """How intervals are drawn."""
        return Draws(seed=self.seed, resamples=self.resamples)

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.grid < 0 or self.clips < 4 or self.seed < 0 or self.resamples < 1:
            raise ValueError(
                f"expected grid >= 0, clips >= 4, a seed >= 0 and resamples >= 1, got {self}"
            )
