"""How long a data set will take, how large it will be, and what it will cost, before it is made."""

import time
from collections.abc import Callable
from pathlib import Path

from .calibration import Effort, calibrate, sample_scenes
from .calibration_peers import PeersCalibration, calibrate_together
from .crew import Crew, helpful_workers
from .expected import Estimate, sum_up_costs
from .folder import plan_for
from .job import ClipMaker
from .plan import Plan, ShardRange
from .receipts import damage
from .scene_clips import SceneClips, SceneSource, portable_clips

Progress = Callable[[float, str], None]


def estimate(  # noqa: PLR0913 - as render_dataset, and how much to measure
    plan: Plan,
    scenes: SceneSource,
    out: Path | str,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Return what ``render_dataset`` with the same arguments will take, without writing anything.

    Some clips are made and thrown away, by as many processes as will render. What is there
    already in ``out`` is not counted.

    Args:
        plan: what will be rendered.
        scenes: the plan's scenes by name, or a function that loads one by its name.
        out: folder of the data set; it need not exist, and is not made.
        workers: processes that will render at the same time; None leaves it to the engine.
        shard: ``(i, n)``: part i of n, counted from 0.
        effort: how much to measure.
        progress: hears the share done, and a message.

    Raises:
        FileExistsError: the folder holds something else.
        ValueError: it holds another plan's data set, or a scene is not the planned one.
        RuntimeError: a clip failed; names it.
    """
    make_clip = SceneClips(scenes)
    make_clip.check(plan)
    return estimate_plan(
        plan, make_clip, out, workers=workers, shard=shard, effort=effort, progress=progress
    )


def estimate_plan(  # noqa: PLR0913 - as run_plan, and how much to measure
    plan: Plan,
    make_clip: ClipMaker,
    out: Path | str,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> Estimate:
    """Do as ``estimate`` does, with clips from any source."""
    Crew(workers=workers).require_sense()
    effort = effort or Effort()
    plan = plan_for(plan, Path(out))
    shards = missing_shards(plan, Path(out), shard)
    workers = workers or helpful_workers(plan, len(shards))
    # The engine, too, takes no more processes than there are shards.
    together = max(1, min(workers, len(shards)))
    samples = sample_scenes(plan, shards) if shards else {}
    timed = dict(list(samples.items())[: effort.most_scenes])
    reached = _Reached(progress, effort, together, len(timed))
    if not shards:
        measured = PeersCalibration(workers=(), start_s=0.0)
    elif together == 1:
        measured = PeersCalibration(
            workers=(calibrate(plan, make_clip, timed, effort, _Alone(reached)),), start_s=0.0
        )
    else:
        with portable_clips(make_clip) as make_clip:
            measured = calibrate_together(
                plan, make_clip, timed, effort, workers=together, on_clips=reached
            )
    return sum_up_costs(plan, shards, samples, measured, together)


def missing_shards(
    plan: Plan, folder: Path, shard: tuple[int, int] | None = None
) -> tuple[ShardRange, ...]:
    """Return the shards of a part of a plan that a folder lacks, by a look at names and sizes."""
    return tuple(shard for shard in plan.part(shard) if damage(folder, plan, shard, quick=True))


class _Alone:
    """Peers of one."""

    def __init__(self, reached: "_Reached") -> None:
        self._reached, self._clips, self._enough = reached, 0, False

    def start_together(self) -> None:
        pass

    def tell_clip(self) -> None:
        self._clips += 1
        self._reached(self._clips)

    def tell_enough(self) -> None:
        self._enough = True

    def goes_on(self) -> bool:
        return not self._enough


class _Reached:
    """Progress of a calibration: half for the first clips, half for the time after them."""

    def __init__(
        self, progress: Progress | None, effort: Effort, workers: int, scenes: int
    ) -> None:
        self._progress, self._effort = progress, effort
        self._first_clips = workers * scenes
        self._timing_since_s: float | None = None

    def __call__(self, clips: int) -> None:
        if self._progress is None:
            return
        if clips < self._first_clips:
            done = clips / self._first_clips / 2
            self._progress(done, f"scene {clips} of {self._first_clips} made ready")
            return
        now_s = time.monotonic()
        self._timing_since_s = self._timing_since_s or now_s
        passed = (now_s - self._timing_since_s) / max(self._effort.seconds, 1e-9)
        self._progress(0.5 + min(passed, 1) / 2, f"clip {clips - self._first_clips} timed")
