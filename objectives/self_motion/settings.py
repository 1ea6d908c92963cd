"""Settings of self-motion prediction, and those of the paper."""

import math
from dataclasses import dataclass
from typing import Literal

from .bins import Bins
from .quantities import HEADINGS, QUANTITIES, RATES, Quantity


@dataclass(frozen=True, kw_only=True)
class SelfMotionConfig:
    """Settings of ``SelfMotion``; ``mineault2021`` returns those of the paper."""

    quantities: tuple[Quantity, ...] = QUANTITIES
    """What is told."""
    when: Literal["all", "middle"] = "all"
    """Tell the motion between all neighbouring frames, or in the middle of a clip alone."""
    map_name: str | None = None
    """The encoder's map that it is told from; None is the deepest."""
    central_share: float = 1.0
    """Height and width of the part in the middle of the map that is read."""
    grid: int = 4
    """That part is averaged to so many rows and columns of cells."""
    hidden: int = 64
    """Channels of a layer between the cells and the classes; 0 for none."""
    classes: int = 72
    """Of each quantity. 72 classes of headings are 5 degrees wide. Chance is ``ln classes``."""
    smoothing_bins: float = 1.0
    """Spread of the targets about the true class, in classes; 0 makes one class the only target."""
    turns: Literal["signed", "circular"] = "signed"
    """Classes of turns lie between plus and minus ``fastest_turn_deg_s``. ``circular``, as in the
    paper's code, takes degrees a second for degrees on a circle: small turns to either side then
    have the first and the last class."""
    fastest_turn_deg_s: float = 120.0
    """Faster turns count as this fast; saccades are faster."""
    fastest_m_s: float = 3.0
    """Faster walks count as this fast."""
    slowest_m_s: float = 0.1
    """Below it a heading is not defined well, and left out."""
    mask_pairs: bool = False
    """Leave out pairs of frames with a saccade or a blink between them. A saccade is motion too."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        unknown = [name for name in self.quantities if name not in QUANTITIES]
        if unknown or not self.quantities or len(set(self.quantities)) < len(self.quantities):
            raise ValueError(
                f"expected quantities out of {list(QUANTITIES)}, each once, got "
                f"{list(self.quantities)}"
            )
        if self.grid < 1 or self.classes < 2 or self.hidden < 0:
            raise ValueError(f"expected grid >= 1, classes >= 2 and hidden >= 0, got {self}")
        if not 0 < self.central_share <= 1:
            raise ValueError(f"expected a central_share in (0, 1], got {self.central_share}")
        if self.smoothing_bins < 0 or self.slowest_m_s < 0:
            raise ValueError(f"expected smoothing_bins and slowest_m_s >= 0, got {self}")
        if self.fastest_turn_deg_s <= 0 or self.fastest_m_s <= 0:
            raise ValueError(f"expected fastest_turn_deg_s and fastest_m_s above 0, got {self}")

    def bins(self) -> dict[Quantity, Bins]:
        """Return the classes of each quantity that is told."""
        whole = math.radians(180.0)
        turn = whole if self.turns == "circular" else math.radians(self.fastest_turn_deg_s)
        ranges = {name: (-whole, whole, True) for name in HEADINGS}
        ranges |= {name: (-turn, turn, self.turns == "circular") for name in RATES}
        ranges["speed"] = (0.0, self.fastest_m_s, False)
        return {
            name: Bins(
                low=ranges[name][0],
                high=ranges[name][1],
                count=self.classes,
                circular=ranges[name][2],
            )
            for name in self.quantities
        }


def mineault2021() -> SelfMotionConfig:
    """Return the settings of Mineault et al. 2021: their decoder "center", and hard classes."""
    return SelfMotionConfig(
        when="middle", central_share=0.5, grid=1, hidden=0, smoothing_bins=0.0, turns="circular"
    )
