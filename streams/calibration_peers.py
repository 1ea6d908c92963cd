"""Calibration by as many processes as will render, all at the same time.

Processes share memory bandwidth, caches and cores: how fast several are is measured, never divided.
"""

import ctypes
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from threading import BrokenBarrierError
from typing import Any, NamedTuple

from .calibration import Calibration, Effort, SceneSample, calibrate
from .crew import threads_of_each, wants_gpu
from .job import ClipMaker
from .plan import Plan
from .workers import POLL_S, start_worker, take_gpu, worker_context


class _Stopped(Exception):  # noqa: N818 - no error of its own
    """Another worker failed, or the caller gave up."""


class _Shared(NamedTuple):
    """What all processes have in common."""

    plan: Plan
    make_clip: ClipMaker
    samples: Mapping[str, SceneSample]
    effort: Effort
    workers: int
    barrier: Any
    started: Any
    clips: Any
    enough: Any
    stop: Any


@dataclass(frozen=True, kw_only=True)
class PeersCalibration:
    """What all workers measured."""

    workers: tuple[Calibration, ...]
    start_s: float
    """Seconds until the last process was there."""


_shared: list[_Shared] = []


def calibrate_together(
    plan: Plan,
    make_clip: ClipMaker,
    samples: Mapping[str, SceneSample],
    effort: Effort,
    *,
    workers: int,
    on_clips: Callable[[int], None],
) -> PeersCalibration:
    """Calibrate in ``workers`` processes at once; ``on_clips`` hears how many clips were made.

    Raises:
        ValueError, RuntimeError: a clip failed, or a worker was killed.
    """
    context = worker_context()
    shared = _Shared(
        plan,
        make_clip,
        samples,
        effort,
        workers,
        context.Barrier(workers),
        context.Value(ctypes.c_int64, 0),
        context.Value(ctypes.c_int64, 0),
        context.Value(ctypes.c_int64, 0),
        context.Event(),
    )
    started_s = time.monotonic()
    threads = threads_of_each(workers)
    with ProcessPoolExecutor(
        workers, context, initializer=_start, initargs=(shared, threads)
    ) as pool:
        futures = [pool.submit(_calibrate, number) for number in range(workers)]
        try:
            _watch(futures, lambda: on_clips(shared.clips.value))
        except BaseException:
            shared.stop.set()
            shared.barrier.abort()
            pool.shutdown(wait=True, cancel_futures=True)
            _raise_cause(futures)
            raise
        told = [future.result() for future in futures]
    return PeersCalibration(
        workers=tuple(calibration for calibration, _ in told),
        start_s=max(awake_s for _, awake_s in told) - started_s,
    )


def _watch(futures: "list[Future[tuple[Calibration, float]]]", on_poll: Callable[[], None]) -> None:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=POLL_S, return_when=FIRST_EXCEPTION)
        on_poll()
        for future in done:
            future.result()


def _raise_cause(futures: "list[Future[tuple[Calibration, float]]]") -> None:
    """Raise the error that stopped the workers, rather than that they were stopped."""
    errors = [f.exception() for f in futures if f.done() and not f.cancelled()]
    for error in errors:
        if isinstance(error, BrokenProcessPool):
            raise RuntimeError(
                "a worker process was killed (out of memory?); ask for fewer workers if memory is "
                "short"
            ) from error
        if error is not None and not isinstance(error, BrokenBarrierError | _Stopped):
            raise error


def _start(shared: _Shared, threads: int) -> None:
    start_worker(threads)
    if wants_gpu(shared.plan):
        take_gpu(shared.started)
    _shared[:] = [shared]


def _calibrate(number: int) -> tuple[Calibration, float]:
    # CLOCK_MONOTONIC is one clock for all processes of a machine.
    awake_s = time.monotonic()
    shared = _shared[0]
    samples = {name: _turned(s, number, shared.workers) for name, s in shared.samples.items()}
    try:
        return calibrate(
            shared.plan, shared.make_clip, samples, shared.effort, _Together(shared)
        ), awake_s
    except BaseException:
        shared.barrier.abort()
        raise


def _turned(sample: SceneSample, number: int, workers: int) -> SceneSample:
    """Return a sample that begins elsewhere for each worker."""
    first = number * len(sample.clips) // workers
    return SceneSample(clips=(*sample.clips[first:], *sample.clips[:first]), count=sample.count)


class _Together:
    """The peers as one of its processes sees it."""

    def __init__(self, shared: _Shared) -> None:
        self._shared = shared

    def start_together(self) -> None:
        self._shared.barrier.wait()

    def tell_clip(self) -> None:
        with self._shared.clips.get_lock():
            self._shared.clips.value += 1
        if self._shared.stop.is_set():
            raise _Stopped

    def tell_enough(self) -> None:
        with self._shared.enough.get_lock():
            self._shared.enough.value += 1

    def goes_on(self) -> bool:
        return self._shared.enough.value < self._shared.workers
