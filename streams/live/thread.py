"""A renderer in a thread of the trainer: for one GPU that both renders and trains."""

import queue
import threading

import torch

from ..job import ClipMaker
from ..plan import Plan
from .ring import Ring
from .task import Outcome, Task, render_into


class ThreadRenderer:
    """A thread that renders; on a GPU in a stream of its own, beside the trainer's."""

    workers = 1

    def __init__(
        self, plan: Plan, make_clip: ClipMaker, ring: Ring, *, side_stream: bool = False
    ) -> None:
        """Start the thread.

        Args:
            plan: what to render.
            make_clip: makes its clips.
            ring: where they are written.
            side_stream: whether to work in a CUDA stream of its own on the current GPU.
        """
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._work = (ring, plan, make_clip)
        self._stopped = False
        # None where there is no GPU to have streams: the context manager then does nothing.
        stream = torch.cuda.Stream() if side_stream else None
        self._thread = threading.Thread(target=self._serve, args=(stream,), daemon=True)
        self._thread.start()

    def ask(self, task: Task) -> None:
        """Take a task; does not wait."""
        self._tasks.put(task)

    def outcomes(self, timeout_s: float) -> list[Outcome]:
        """Return what is done since the last call; waits for something, no longer than asked."""
        done = []
        try:
            done.append(self._done.get(timeout=timeout_s) if timeout_s else self._done.get_nowait())
            while True:
                done.append(self._done.get_nowait())
        except queue.Empty:
            return done

    def close(self) -> None:
        """Let the clip that is being rendered come to its end, and no other."""
        self._stopped = True
        self._tasks.put(None)
        self._thread.join()

    def _serve(self, stream: "torch.cuda.Stream | None") -> None:
        first = True
        with torch.cuda.stream(stream):  # type: ignore[arg-type] - None is a stream that is no change
            while (task := self._tasks.get()) is not None and not self._stopped:
                self._done.put(render_into(*self._work, task, warm_up=first))
                first = False
