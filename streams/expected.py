"""From what a few clips took to what all of them will take."""

import heapq
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from tarfile import BLOCKSIZE, RECORDSIZE
from typing import Any

from .calibration import Calibration, ClipCost, SceneSample
from .calibration_peers import PeersCalibration
from .plan import Plan, ShardRange

END_OF_SHARD_BYTES = 2 * BLOCKSIZE + RECORDSIZE // 2
"""What closes a tar file: two empty blocks, and then half a record on average."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is still to be rendered of a data set, and what that will take."""

    planned_clips: int
    clips: int
    """Still missing, in the part that was asked about."""
    shards: int
    workers: int
    """Processes that will render at the same time, and that calibrated."""
    timed_clips: int
    """Clips that were made and thrown away to learn the figures below."""
    scenes: int
    timed_scenes: int
    plan_s: float
    """Planning the motion, per clip and worker."""
    render_s: float
    encode_s: float
    start_up_s: float
    """Until the first clip can be made: processes started, scenes loaded, kernels compiled."""
    seconds: float
    """In all."""
    uncertain: float
    """Two standard errors of the mean time of a clip, as a share of it."""
    skipped: float
    """Share of clips that could not be rendered; they take time and no space."""
    bytes_per_clip: float
    bytes: float
    """Of all shards."""
    rays_per_clip: float

    @property
    def clip_s(self) -> float:
        """Seconds per clip and worker."""
        return self.plan_s + self.render_s + self.encode_s

    @property
    def clips_per_s(self) -> float:
        """All workers together, once they have started."""
        return self.workers / self.clip_s if self.clip_s else 0.0

    @property
    def rays_per_s(self) -> float:
        """All workers together, once they have started."""
        return self.clips_per_s * self.rays_per_clip

    def after(self, seconds: float) -> "Estimate":
        """Return the same with so many seconds more of start-up."""
        return replace(self, start_up_s=self.start_up_s + seconds, seconds=self.seconds + seconds)

    def dollars(self, per_hour: float) -> float:
        """Return the cost at a price per hour of the machine."""
        return self.seconds / 3600 * per_hour

    def to_dict(self) -> dict[str, Any]:
        """Return all figures as plain data."""
        rates = {"clip_s": self.clip_s, "clips_per_s": self.clips_per_s}
        return asdict(self) | rates | {"rays_per_s": self.rays_per_s}


def time_of_all(shards: Sequence[ShardRange], clip_s: float, workers: int) -> float:
    """Return when the last worker is done, in seconds, if each takes shards one after another.

    Whole shards are handed out, so that workers may idle while the last ones are rendered.
    """
    busy_until_s = [0.0] * workers
    for shard in shards:
        heapq.heappush(busy_until_s, heapq.heappop(busy_until_s) + len(shard.clips) * clip_s)
    return max(busy_until_s)


def sum_up_costs(
    plan: Plan,
    shards: Sequence[ShardRange],
    samples: Mapping[str, SceneSample],
    measured: PeersCalibration,
    workers: int,
) -> Estimate:
    """Return what all clips of the shards will take.

    Args:
        plan: whose shards they are.
        shards: what is to be rendered.
        samples: which clips stand for each scene, and how many clips it has.
        measured: what such clips took.
        workers: processes that will render, as many as measured.
    """
    costs = [cost for calibration in measured.workers for cost in calibration.costs]
    mean = _Means(costs, samples)
    clip_s = mean.of(lambda cost: cost.seconds)
    clips = sum(len(shard.clips) for shard in shards)
    skipped = mean.of(lambda cost: float(cost.skipped))
    stored = mean.of(lambda cost: cost.bytes)
    pixels = mean.of(lambda cost: cost.pixels)
    start_up_s = measured.start_s + _first_clips_s(measured.workers, mean, samples)
    return Estimate(
        planned_clips=plan.clips,
        clips=clips,
        shards=len(shards),
        workers=workers,
        timed_clips=len(costs),
        scenes=len(plan.scenes),
        timed_scenes=len({cost.scene for cost in costs}),
        plan_s=mean.of(lambda cost: cost.plan_s),
        render_s=mean.of(lambda cost: cost.render_s),
        encode_s=mean.of(lambda cost: cost.encode_s),
        start_up_s=start_up_s,
        seconds=start_up_s + time_of_all(shards, clip_s, workers),
        uncertain=_two_standard_errors([cost.seconds for cost in costs]),
        skipped=skipped,
        bytes_per_clip=stored / (1 - skipped) if skipped < 1 else 0.0,
        bytes=clips * stored + len(shards) * END_OF_SHARD_BYTES,
        rays_per_clip=(pixels / (1 - skipped) if skipped < 1 else 0.0) * _rays_per_pixel(plan),
    )


class _Means:
    """Means over clips in which every scene counts as often as it has clips."""

    def __init__(self, costs: Sequence[ClipCost], samples: Mapping[str, SceneSample]) -> None:
        self._by_scene: dict[str, list[ClipCost]] = {}
        for cost in costs:
            self._by_scene.setdefault(cost.scene, []).append(cost)
        # Scenes that were not timed are taken to be like those that were.
        self._counts = {name: samples[name].count for name in self._by_scene}

    def of(self, what: Callable[[ClipCost], float]) -> float:
        total = sum(self._counts.values())
        means = {name: self.of_scene(name, what) for name in self._by_scene}
        return sum(means[n] * self._counts[n] for n in means) / total if total else 0.0

    def of_scene(self, name: str, what: Callable[[ClipCost], float]) -> float:
        return statistics.fmean(what(cost) for cost in self._by_scene[name])


def _first_clips_s(
    workers: Sequence[Calibration], mean: _Means, samples: Mapping[str, SceneSample]
) -> float:
    """Return what the first clip of every scene takes beyond later ones, of the slowest worker."""
    beyond = [
        sum(
            max(0.0, first_s - mean.of_scene(name, lambda cost: cost.seconds))
            for name, first_s in calibration.first_s.items()
        )
        * (len(samples) / len(calibration.first_s))
        for calibration in workers
    ]
    return max(beyond, default=0.0)


def _two_standard_errors(seconds: Sequence[float]) -> float:
    if len(seconds) < 2:
        return 0.0
    return 2 * statistics.stdev(seconds) / len(seconds) ** 0.5 / statistics.fmean(seconds)


def _rays_per_pixel(plan: Plan) -> int:
    """Return the rays behind each pixel: those of the frame, and of what blurs it."""
    optics = plan.settings.get("optics", {})
    return 1 + optics["sub_frames"] if optics.get("shutter", 0) > 0 else 1
