"""Shards rendered by several processes of one machine.

The caller's process is never forked: a child would inherit the locks of threads that it does not
have. On Linux a fresh server process imports torch once and forks the workers, elsewhere they are
spawned. Nothing heavy is sent to them; they load scenes themselves.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import Any, NamedTuple

from .crew import limit_threads, threads_of_each, wants_gpu
from .job import ClipMaker, render_shard
from .plan import Plan, ShardRange
from .receipts import Receipt

POLL_S = 0.2


class _Work(NamedTuple):
    """What a worker process keeps."""

    plan: Plan
    make_clip: ClipMaker
    folder: Path
    clips_done: Any
    started: Any
    stop: Any


_work: list[_Work] = []


def render_in_processes(
    plan: Plan,
    shards: Sequence[ShardRange],
    make_clip: ClipMaker,
    folder: Path,
    *,
    workers: int,
    on_progress: Callable[[int], None],
) -> list[Receipt]:
    """Render shards in ``workers`` processes and return their receipts.

    ``on_progress`` hears the number of clips done, now and then. The first failure stops all
    workers at their next clip; what was committed stays.

    Raises:
        RuntimeError: a clip failed, or a worker was killed.
        OSError: a shard could not be written.
    """
    context = worker_context()
    done, started = context.Value(ctypes.c_int64, 0), context.Value(ctypes.c_int64, 0)
    work = _Work(plan, make_clip, folder, done, started, context.Event())
    workers = min(workers, len(shards))
    with ProcessPoolExecutor(
        workers, context, initializer=_start, initargs=(work, threads_of_each(workers))
    ) as pool:
        futures = [pool.submit(_render, shard) for shard in shards]
        try:
            _watch(futures, lambda: on_progress(work.clips_done.value))
        except BaseException:
            work.stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def worker_context() -> Any:  # noqa: ANN401 - one of two unrelated context classes
    """Return the multiprocessing context that workers are started from."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _watch(futures: "list[Future[Receipt]]", on_poll: Callable[[], None]) -> None:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_COMPLETED)
        on_poll()
        for future in done:
            try:
                future.result()
            except BrokenProcessPool as error:
                raise RuntimeError(
                    "a worker process was killed (out of memory?); finished shards are kept: run "
                    "the same command again to go on, with fewer workers if memory is short"
                ) from error


def _start(work: _Work, threads: int) -> None:
    start_worker(threads)
    if wants_gpu(work.plan):
        take_gpu(work.started)
    _work[:] = [work]


def start_worker(threads: int) -> None:
    """Make this process a worker: so many threads, deaf to interrupts, dead with its parent."""
    # An interrupt reaches the whole process group; the parent alone answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads(threads)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def take_gpu(started: Any) -> None:  # noqa: ANN401 - a number in shared memory
    """Make one of the GPUs this process's own; workers take them in turn.

    ``started`` counts the workers so far.
    """
    import torch

    with started.get_lock():
        number = started.value
        started.value += 1
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _render(shard: ShardRange) -> Receipt:
    work = _work[0]

    def on_clip(_clip: int) -> None:
        with work.clips_done.get_lock():
            work.clips_done.value += 1
        if work.stop.is_set():
            raise RuntimeError("stopped with the other workers")

    return render_shard(work.plan, shard, work.make_clip, work.folder, on_clip=on_clip)
