"""Shards rendered by Ray actors, on this machine or on the nodes of a cluster.

Actors keep their scenes loaded and call ``render_shard`` as every engine does. They write to the
data set's folder themselves, which must therefore lie on storage that every node sees; only
receipts and counts travel.
"""

import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .folder import PARTIAL, SHARDS
from .job import ClipMaker
from .plan import Plan, ShardRange
from .ray_actor import RayWorker
from .ray_start import RayPlace
from .receipts import Receipt

POLL_S = 0.2
STOP_S = 20.0
"""Time that actors get to stop at their next clip before they are killed."""
START_S = 600.0
"""Time in which one actor at least must have started."""
MOST_TRIES = 3


@dataclass(kw_only=True, eq=False)
class _Member:
    """An actor, and what it was asked for last."""

    actor: Any
    reply: Any
    """Reference to whether it is ready, or to the receipt of ``shard``; None while it idles."""
    shard: ShardRange | None = None
    clips: int = 0
    """Clips of ``shard`` that it was known to have done."""
    count: Any = None
    """Reference to the next such number."""


def render_with_ray(  # noqa: PLR0913 - what every engine is given, and the cluster
    plan: Plan,
    shards: Sequence[ShardRange],
    make_clip: ClipMaker,
    folder: Path,
    *,
    place: RayPlace,
    on_progress: Callable[[int], None],
) -> list[Receipt]:
    """Render shards in Ray actors and return their receipts, in the order of ``shards``.

    ``on_progress`` hears the number of clips done, now and then. A shard whose actor was killed is
    given to another one; the first failure of a clip stops all actors at their next clip.

    Raises:
        RuntimeError: a clip failed, or a shard's actors were killed three times.
        ValueError: a node does not see the folder, lacks a scene, or has another merkwelt.
        OSError: a shard could not be written.
    """
    workers = place.workers(plan, len(shards))
    threads = place.threads(workers)
    paths = None if place.is_remote else tuple(sys.path)
    pickled = place.ray.cloudpickle.dumps(make_clip)
    options = place.options(plan, workers)
    with _sign(folder) as sign:

        def hire() -> Any:  # noqa: ANN401 - a handle that Ray makes up
            maker = place.ray.remote(RayWorker).options(**options)
            return maker.remote(plan, pickled, folder, sign, threads, paths=paths)

        crew = _RayCrew(place.ray, hire, deque(shards))
        try:
            crew.grow(workers)
            crew.run(on_progress)
        finally:
            crew.dismiss()
    return [crew.receipts[shard] for shard in shards]


@contextmanager
def _sign(folder: Path) -> Iterator[str]:
    """Put a file into the folder that no node can know unless it sees the same folder."""
    path = folder / SHARDS / PARTIAL / f"sign.{uuid.uuid4().hex}"
    path.touch(exist_ok=False)
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


@dataclass
class _RayCrew:
    """Hands shards to actors, and replaces those that die."""

    ray: Any
    hire: Callable[[], Any]
    queue: deque[ShardRange]
    members: list[_Member] = field(default_factory=list)
    receipts: dict[ShardRange, Receipt] = field(default_factory=dict)
    tries: dict[ShardRange | None, int] = field(default_factory=dict)
    has_started: bool = False

    def grow(self, workers: int) -> None:
        """Start actors; those for whom there is no room yet join when there is."""
        for _ in range(workers):
            actor = self.hire()
            self.members.append(_Member(actor=actor, reply=actor.ready.remote()))

    def run(self, on_progress: Callable[[int], None]) -> None:
        """Return once every shard has its receipt."""
        end_s = time.monotonic() + START_S
        wanted = len(self.queue)
        while len(self.receipts) < wanted:
            waiting = {m.reply: m for m in self.members if m.reply is not None}
            done, _ = self.ray.wait(list(waiting), timeout=POLL_S)
            for reply in done:
                self._hear(waiting[reply])
            self._hand_out()
            self._ask_for_counts()
            done_clips = sum(len(shard.clips) for shard in self.receipts)
            on_progress(done_clips + sum(member.clips for member in self.members))
            if not self.has_started and time.monotonic() > end_s:
                raise RuntimeError(
                    f"no Ray worker could start in {START_S:.0f} s; the cluster has "
                    f"{self.ray.cluster_resources()}, of which "
                    f"{self.ray.available_resources()} are free"
                )

    def dismiss(self) -> None:
        """Stop all actors at their next clip, so that nothing half-written stays; then end them."""
        at_work = [m.reply for m in self.members if m.shard is not None and m.reply is not None]
        for member in self.members:
            member.actor.stop.remote()
        if at_work:
            self.ray.wait(at_work, num_returns=len(at_work), timeout=STOP_S)
        for member in self.members:
            self.ray.kill(member.actor)

    def _hear(self, member: _Member) -> None:
        errors = self.ray.exceptions
        try:
            said = self.ray.get(member.reply)
        except errors.RayTaskError as error:
            raise error.cause from error
        except (errors.RayActorError, errors.OutOfMemoryError) as error:
            self._replace(member, error)
            return
        self.has_started = True
        if member.shard is not None:
            self.receipts[member.shard] = said
        member.shard, member.reply, member.clips = None, None, 0

    def _replace(self, member: _Member, error: Exception) -> None:
        """Give a dead actor's shard to whoever is free next, unless that never helps."""
        tries = self.tries[member.shard] = self.tries.get(member.shard, 0) + 1
        if tries >= MOST_TRIES:
            what = "start" if member.shard is None else f"render shard {member.shard.name}"
            lines = str(error).strip().splitlines() or [""]
            reason = lines[-1] if member.shard is None else lines[0]
            raise RuntimeError(
                f"{tries} Ray workers died when they were to {what} (out of memory?); finished "
                "shards are kept: run the same command again to go on, with fewer workers if "
                f"memory is short. Ray says: {reason}"
            ) from error
        if member.shard is not None:
            self.queue.appendleft(member.shard)
        self.members.remove(member)
        self.ray.kill(member.actor)
        self.grow(1)

    def _hand_out(self) -> None:
        for member in self.members:
            if member.reply is None and self.queue:
                member.shard = self.queue.popleft()
                member.reply = member.actor.render.remote(member.shard)

    def _ask_for_counts(self) -> None:
        """Take the counts that have come, and ask for those that are not under way."""
        asked = {m.count: m for m in self.members if m.count is not None}
        come = self.ray.wait(list(asked), num_returns=len(asked), timeout=0)[0] if asked else []
        for count in come:
            member, asked[count].count = asked[count], None
            try:
                shard, clips = self.ray.get(count)
            except self.ray.exceptions.RayError:
                continue  # Its death is heard of in its reply.
            if shard == member.shard:
                member.clips = clips
        for member in self.members:
            if member.shard is not None and member.count is None:
                member.count = member.actor.count.remote()
