"""How many workers render at the same time, and what each of them may use."""

import os
import sys
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from .plan import Plan

Engine = Literal["local", "ray"]
GIB_EACH = 1.0
"""Memory that a worker is expected to take: torch, the kernels and one scene."""


class Crew(NamedTuple):
    """Who renders a plan's shards."""

    engine: Engine = "local"
    workers: int | None = 1
    """Workers that render at the same time; None leaves it to the engine."""
    address: str | None = None
    """Of a Ray cluster; None starts Ray on this machine."""

    def require_sense(self) -> None:
        """Raise ValueError for an engine that there is not, no workers, or an unused address."""
        if self.engine not in get_args(Engine):
            raise ValueError(f"expected an engine out of {list(get_args(Engine))}, got {self[0]!r}")
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"expected at least 1 worker, got {self.workers}")
        if self.address is not None and self.engine != "ray":
            raise ValueError(
                f"an address is that of a Ray cluster, got {self.address!r} with the engine "
                f"{self.engine!r}; ask for the engine 'ray', or leave the address out"
            )


def wants_gpu(plan: Plan) -> bool:
    """Return whether a plan's clips are rendered on a GPU."""
    return plan.settings.get("renderer", {}).get("device", "cpu") == "cuda"


def usable_cores() -> int:
    """Return the number of cores that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def helpful_workers(plan: Plan, shards: int) -> int:
    """Return how many processes of this machine render ``shards`` shards fastest.

    On the CPU one for each core, because planning and encoding a clip use one core only, as far as
    there are shards and memory for them; on GPUs one for each of them.
    """
    if wants_gpu(plan):
        import torch

        most = torch.cuda.device_count()
    else:
        most = min(usable_cores(), int(_available_gib() / GIB_EACH))
    return max(1, min(most, shards))


def threads_of_each(workers: int) -> int:
    """Return how many threads each of several workers of this machine may use.

    Their share of the cores, and no more than this process uses (``OMP_NUM_THREADS``).
    """
    import torch

    return max(1, min(torch.get_num_threads(), usable_cores() // workers))


def limit_threads(threads: int) -> None:
    """Let the kernels that this thread calls use so many threads."""
    import numba
    import torch

    # In this order: numba's call may set OpenMP's number of threads, which torch uses too.
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))  # type: ignore[attr-defined]
    torch.set_num_threads(threads)


def _available_gib() -> float:
    """Return the memory that can be had, as far as the system tells."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return float("inf")
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) / 2**20 if found else float("inf")
