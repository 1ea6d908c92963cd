"""What runs on a node of a Ray cluster: a worker that keeps its scenes and renders shards."""

import os
import pickle
import sys
import threading
from importlib.metadata import version as installed_version
from pathlib import Path

from .crew import limit_threads
from .folder import PARTIAL, SHARDS
from .job import ClipMaker, render_shard
from .plan import Plan, ShardRange
from .receipts import Receipt


class RayWorker:
    """Renders shards of one plan; ``count`` and ``stop`` are called beside ``render``."""

    def __init__(  # noqa: PLR0913 - all that a worker is told, once
        self,
        plan: Plan,
        make_clip: bytes,
        folder: Path,
        sign: str,
        threads: int,
        *,
        paths: tuple[str, ...] | None,
    ) -> None:
        """Remember what to render; nothing is loaded yet.

        Args:
            plan: what to render.
            make_clip: pickled, what makes its clips; kept, with the scenes it loads.
            folder: the data set's folder, on storage that this node sees.
            sign: name of a file in it that proves so.
            threads: threads of the kernels.
            paths: where Python finds modules, on the machine that asks; None on a cluster, whose
                nodes have their own, and are named in errors.
        """
        self._plan, self._pickled, self._folder = plan, make_clip, folder
        self._sign, self._threads, self._named = sign, threads, paths is None
        self._make_clip: ClipMaker | None = None
        sys.path += [path for path in paths or () if path not in sys.path]
        self._stop = threading.Event()
        self._at: tuple[ShardRange | None, int] = (None, 0)

    def ready(self) -> bool:
        """Return True if this node can render the plan.

        Raises:
            ValueError: it does not see the folder, lacks a scene, or has another merkwelt.
        """
        try:
            self._check()
        except (ValueError, OSError, ImportError, AttributeError) as error:
            raise ValueError(self._told(str(error))) from error
        return True

    def render(self, shard: ShardRange) -> Receipt:
        """Render a shard, commit it, and return its receipt, as ``render_shard`` does."""
        assert self._make_clip is not None, "ready() comes first"
        limit_threads(self._threads)
        self._at = (shard, 0)
        try:
            return render_shard(
                self._plan, shard, self._make_clip, self._folder, on_clip=self._on_clip
            )
        except OSError as error:
            what = self._told(error.strerror or str(error))
            raise OSError(error.errno, what, error.filename) from error
        except (ValueError, RuntimeError) as error:
            raise type(error)(self._told(str(error))) from error

    def count(self) -> tuple[ShardRange | None, int]:
        """Return the shard at work, and how many of its clips are done."""
        return self._at

    def stop(self) -> None:
        """Let ``render`` end at its next clip."""
        self._stop.set()

    def _on_clip(self, clip: int) -> None:
        shard = self._at[0]
        self._at = (shard, clip - shard.first + 1 if shard is not None else 0)
        if self._stop.is_set():
            raise RuntimeError("stopped with the other workers")

    def _check(self) -> None:
        here = installed_version("merkwelt")
        if here != self._plan.code_version and self._named:
            raise ValueError(
                f"the plan is rendered by merkwelt {self._plan.code_version}, found merkwelt "
                f"{here}; install the same version on all nodes"
            )
        if not (self._folder / SHARDS / PARTIAL / self._sign).is_file():
            raise ValueError(
                f"{self._folder} is not the data set's folder here; every node writes to it, so "
                "choose a folder on storage that all nodes see under the same path"
            )
        self._make_clip = pickle.loads(self._pickled)  # noqa: S301 - from whoever started this
        check_here = getattr(self._make_clip, "check_here", None)
        if check_here is not None:
            check_here(self._plan)

    def _told(self, what: str) -> str:
        return f"node {os.uname().nodename}: {what}" if self._named else what
