"""Renderers in processes of their own, which end with the trainer however that ends."""

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any, NamedTuple

from ..job import ClipMaker
from ..plan import Plan
from ..workers import start_worker, worker_context
from .ring import Ring
from .task import Outcome, Task, render_into

END_S = 10.0
"""Time for a process to end that is told to: it ends when the loop that it is in gives way."""


class _Work(NamedTuple):
    """What a process renders with."""

    plan: Plan
    make_clip: ClipMaker
    ring: Ring
    threads: int
    gpu: int | None


@dataclass
class _Worker:
    process: Any
    """A process of either context."""
    talk: Connection
    """Tasks one way, outcomes the other."""
    asked: int = 0
    """Tasks that it has, with the one that it is at."""
    at: int | None = None
    """The clip that it began last."""


class ProcessRenderer:
    """Processes, each with a pipe of its own: no lock is left taken by one that is killed."""

    def __init__(
        self,
        plan: Plan,
        make_clip: ClipMaker,
        ring: Ring,
        *,
        workers: int,
        threads: int,
        gpu: int | None = None,
    ) -> None:
        """Start the processes; each loads the scenes for itself.

        Args:
            plan: what to render.
            make_clip: makes its clips; must be picklable.
            ring: where they are written.
            workers: how many processes.
            threads: threads of each.
            gpu: number of the GPU that is theirs, if they render on one.
        """
        self.workers = workers
        context = worker_context()
        work = _Work(plan, make_clip, ring, threads, gpu)
        self._workers: list[_Worker] = []
        for _ in range(workers):
            ours, theirs = context.Pipe(duplex=True)
            process = context.Process(
                target=_serve, args=(work, theirs), daemon=True, name="renderer"
            )
            process.start()
            theirs.close()
            self._workers.append(_Worker(process, ours))

    def ask(self, task: Task) -> None:
        """Hand a task to the process that has the fewest; does not wait."""
        worker = min(self._workers, key=lambda worker: worker.asked)
        worker.asked += 1
        try:
            worker.talk.send(task)
        except OSError as error:
            raise _killed(worker) from error

    def outcomes(self, timeout_s: float) -> list[Outcome]:
        """Return what is done since the last call; waits for something, no longer than asked.

        Raises:
            RuntimeError: a process was killed; names the clip that it was at.
        """
        until_s = time.monotonic() + timeout_s
        while True:
            left_s = max(0.0, until_s - time.monotonic())
            ready = wait_for([worker.talk for worker in self._workers], left_s)
            done = [
                each for worker in self._workers if worker.talk in ready for each in _heard(worker)
            ]
            if done or not ready:
                return done

    def close(self) -> None:
        """End the processes at once; what they were rendering is left."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(END_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
            worker.talk.close()
        self._workers = []

    @property
    def process_ids(self) -> Sequence[int]:
        """Ids of the processes."""
        return [worker.process.pid for worker in self._workers]


def _heard(worker: _Worker) -> list[Outcome]:
    """Return all outcomes that a process has told of."""
    done = []
    try:
        while worker.talk.poll():
            message = worker.talk.recv()
            if isinstance(message, Outcome):
                worker.asked -= 1
                done.append(message)
            else:
                worker.at = message
    except (EOFError, OSError) as error:
        raise _killed(worker) from error
    return done


def _killed(worker: _Worker) -> RuntimeError:
    at = "" if worker.at is None else f" while it rendered clip {worker.at}"
    return RuntimeError(
        f"a renderer process ended{at}: was it killed, or memory short? The same command goes on "
        "from the last checkpoint, with fewer renderers if memory is short"
    )


def _serve(work: _Work, talk: Connection) -> None:
    """Render tasks until the process is ended."""
    # An orderly end: numba's locks have names, which an abrupt one would leave behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    start_worker(work.threads)
    if work.gpu is not None:
        import torch

        torch.cuda.set_device(work.gpu)
    first = True
    while True:
        task = talk.recv()
        talk.send(task.clip)
        talk.send(render_into(work.ring, work.plan, work.make_clip, task, warm_up=first))
        first = False
