"""Whether renderers keep up with a trainer, and what would make them."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class KeepingUp:
    """What rendering gives and training takes; rates in clips a second."""

    reuse: int
    rendered_per_s: float
    """What the renderers make if they never rest, measured while training."""
    needed_per_s: float
    """New clips that training would take if it never waited."""

    @classmethod
    def of(
        cls, *, reuse: int, batch_size: int, step_s: float, rendered_per_s: float
    ) -> "KeepingUp":
        """Return the balance of a run whose steps take ``step_s`` without waiting."""
        needed = batch_size / (step_s * reuse)
        return cls(reuse=reuse, rendered_per_s=rendered_per_s, needed_per_s=needed)

    @property
    def keeps_up(self) -> bool:
        """Whether rendering is at least as fast as training."""
        return self.rendered_per_s >= self.needed_per_s

    @property
    def reuse_that_would(self) -> int:
        """The smallest reuse factor at which rendering keeps up.

        Example:
            >>> KeepingUp(reuse=4, rendered_per_s=1.0, needed_per_s=1.6).reuse_that_would
            7
        """
        return max(1, math.ceil(self.needed_per_s * self.reuse / self.rendered_per_s))

    @property
    def text(self) -> str:
        """The same in a sentence or two."""
        rates = (
            f"{self.rendered_per_s:.3g} clips a second were rendered where training at reuse "
            f"{self.reuse} takes {self.needed_per_s:.3g}"
        )
        if self.keeps_up:
            return f"rendering kept up: {rates}"
        return (
            f"rendering could not keep up: {rates}. It would at reuse {self.reuse_that_would}, or "
            "with more renderers or smaller clips"
        )
