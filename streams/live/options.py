"""How a trainer is fed by renderers beside it."""

import math
from dataclasses import dataclass

from ..crew import usable_cores
from .schedule import WindowSchedule

USUAL_WINDOW = 32


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """How clips are rendered while they are trained on; the first three decide what is learned."""

    reuse: int = 4
    """Times that each clip is trained on before it is gone."""
    window: int | None = None
    """Clips that are shuffled together, a multiple of ``reuse``; by default about 32, and never
    less than a batch."""
    held_out_clips: int = 16
    """Clips that are rendered at the start, never trained on, and measured on."""
    ahead: int = 16
    """Clips that renderers may be ahead of the window's next ones before they wait."""
    render_workers: int = 1
    """Processes that render; the one thread on a GPU that trains too is not among them."""
    render_threads: int | None = None
    """Threads of each of them; by default half of the cores, shared among them."""
    train_threads: int | None = None
    """Threads of the trainer; by default the cores that rendering leaves. With another number a
    run may end with other last bits."""
    render_gpu: int | None = None
    """Number of the GPU that renders clips whose ``renderer.device`` is cuda, in processes of their
    own; by default they are rendered where the trainer is, in a stream beside it."""
    max_wait_s: float = 600.0
    """The longest time without a clip that the trainer waits for."""

    def __post_init__(self) -> None:
        """Refuse counts of nothing."""
        counts = ("reuse", "held_out_clips", "render_workers")
        wrong = [name for name in counts if getattr(self, name) < 1]
        optional = ("window", "render_threads", "train_threads")
        wrong += [n for n in optional if getattr(self, n) is not None and getattr(self, n) < 1]
        if wrong:
            raise ValueError(f"expected at least 1 for {', '.join(wrong)}, got {self}")
        if self.ahead < 0 or not self.max_wait_s > 0:
            raise ValueError(
                f"expected ahead of at least 0 and max_wait_s above 0, got {self.ahead} and "
                f"{self.max_wait_s}"
            )

    def schedule(self, *, batch_size: int, seed: int) -> WindowSchedule:
        """Return which clips are in which batch."""
        usual = math.ceil(max(USUAL_WINDOW, batch_size) / self.reuse) * self.reuse
        return WindowSchedule(
            reuse=self.reuse,
            window=usual if self.window is None else self.window,
            batch_size=batch_size,
            seed=seed,
        )

    @property
    def threads_of_renderers(self) -> int:
        """Threads of each renderer."""
        return self.render_threads or max(1, usable_cores() // 2 // self.render_workers)

    @property
    def threads_of_trainer(self) -> int:
        """Threads of the trainer beside renderers on the CPU."""
        taken = self.render_workers * self.threads_of_renderers
        return self.train_threads or max(1, usable_cores() - taken)
