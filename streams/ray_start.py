"""Ray: started quietly on this machine, or joined where it runs already."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .crew import helpful_workers, threads_of_each, usable_cores, wants_gpu
from .plan import Plan

LISTEN_S = 10.0
STORE_BYTES = 100 * 2**20
"""Memory that Ray sets aside for what travels between processes; receipts are small."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Printed where a program's own output belongs; what became of the shard is told by us.
    "RAY_DEDUP_LOGS_SKIP_REGEX": "A worker died or was killed while executing",
}


@dataclass(frozen=True, kw_only=True)
class RayPlace:
    """A Ray that runs."""

    ray: Any
    """The module."""
    is_own: bool
    """Whether it was started for this work only, on this machine."""
    is_remote: bool
    """Whether it was joined by its address: its nodes have Python paths of their own."""
    asked_workers: int | None

    def workers(self, plan: Plan, shards: int) -> int:
        """Return how many actors shall render ``shards`` shards."""
        if self.asked_workers is not None:
            return min(self.asked_workers, shards)
        if self.is_own:
            return helpful_workers(plan, shards)
        unit = "GPU" if wants_gpu(plan) else "CPU"
        return max(1, min(shards, int(self.ray.cluster_resources().get(unit, 0))))

    def threads(self, workers: int) -> int:
        """Return how many threads each of several actors may use."""
        return threads_of_each(workers) if self.is_own else 1

    def options(self, plan: Plan, workers: int) -> dict[str, Any]:
        """Return what each actor asks for.

        Raises:
            ValueError: the plan is rendered on GPUs, and there are none.
        """
        # Three calls at once: render, and count and stop beside it.
        asked: dict[str, Any] = {
            "num_cpus": 1,
            "max_concurrency": 3,
            "scheduling_strategy": "SPREAD",
        }
        if wants_gpu(plan):
            there = self.ray.cluster_resources().get("GPU", 0)
            if there < 1:
                raise ValueError("the plan is rendered on a GPU, and Ray finds none; add one")
            asked["num_gpus"] = min(1, there / workers)
        return asked


@contextmanager
def ray_at(address: str | None, workers: int | None) -> Iterator[RayPlace]:
    """Join the Ray cluster at an address (``HOST:PORT`` or ``auto``), or start Ray here.

    Ray that runs in this process already is used as it is. What was started or joined here is
    left again at the end.

    Raises:
        ImportError: Ray is not installed.
        ConnectionError: no cluster answers at the address.
    """
    with _quiet():
        ray = _imported()
        if ray.is_initialized():
            yield RayPlace(ray=ray, is_own=False, is_remote=False, asked_workers=workers)
            return
        try:
            _init(ray, address, cpus=max(usable_cores(), workers or 1))
            is_own = address is None
            yield RayPlace(ray=ray, is_own=is_own, is_remote=not is_own, asked_workers=workers)
        finally:
            ray.shutdown()


def _imported() -> Any:  # noqa: ANN401 - a module that is not always there
    try:
        import ray
    except ImportError as error:
        raise ImportError(
            "the engine 'ray' needs Ray, which is not installed: pip install 'merkwelt[cluster]', "
            "or use the engine 'local'"
        ) from error
    return ray


def _init(ray: Any, address: str | None, *, cpus: int) -> None:  # noqa: ANN401
    shared: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is None:
        ray.init(
            "local",
            num_cpus=cpus,
            include_dashboard=False,
            object_store_memory=STORE_BYTES,
            **shared,
        )
        return
    try:
        _require_listener(address)
        ray.init(address, **shared)
    except Exception as error:
        raise ConnectionError(
            f"no Ray cluster could be joined at {address}: {error}; start one with 'ray start "
            "--head' on one node and 'ray start --address=HOST:PORT' on the others, and set "
            "RAY_AUTH_MODE=token if it asks for a token"
        ) from error


def _require_listener(address: str) -> None:
    """Raise OSError if nothing listens at ``HOST:PORT``; Ray would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=LISTEN_S).close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Ray from sending statistics and from telling what a user of merkwelt cannot use."""
    logger = logging.getLogger("ray")
    level = logger.level
    before = {name: os.environ.get(name) for name in QUIET}
    os.environ.update({name: value for name, value in QUIET.items() if before[name] is None})
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
