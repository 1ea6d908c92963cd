"""What a data set will take, for people to read before they ask for it."""

import json
import math
import time
from dataclasses import dataclass, fields
from pathlib import Path

from .files import write_atomically
from .parts import Progress
from .render_request import RenderRequest, prepare
from .streams.calibration import Effort
from .streams.estimate import estimate
from .streams.expected import Estimate


@dataclass(frozen=True, kw_only=True)
class EstimateRequest:
    """Whether to estimate instead of to render, and how."""

    estimate: bool = False
    """Say how long it will take, how large it will be and what it will cost, from a few clips that
    are rendered and thrown away; nothing is written."""
    dollars_per_hour: float | None = None
    """Price of the machine, for the estimate."""
    calibrate_s: float = 20.0
    """Seconds for which the estimate times clips, after the first ones."""
    json: Path | None = None
    """File for the estimate's figures."""

    def __post_init__(self) -> None:
        """Refuse details of no estimate."""
        if not self.estimate and any(getattr(self, f.name) != f.default for f in fields(self)):
            raise ValueError(
                "expected --estimate beside --dollars-per-hour, --calibrate-s or --json; add it, "
                "or leave them out"
            )
        price = self.dollars_per_hour
        if price is not None and not (price >= 0 and math.isfinite(price)):
            raise ValueError(f"expected a price of at least 0 dollars per hour, got {price}")
        if not self.calibrate_s >= 0:
            raise ValueError(f"expected at least 0 seconds to calibrate, got {self.calibrate_s}")


@dataclass(frozen=True, kw_only=True)
class EstimateDone:
    """The figures, and what to tell."""

    estimate: Estimate
    lines: tuple[str, ...]


def estimate_render(
    request: RenderRequest,
    out: Path,
    how: EstimateRequest,
    *,
    workers: int | None = 1,
    shard: tuple[int, int] | None = None,
    progress: Progress | None = None,
) -> EstimateDone:
    """Return what ``render`` with the same arguments will take; nothing is written to ``out``.

    Raises:
        FileNotFoundError, ValueError, FileExistsError: as ``render`` does.
    """
    started_s = time.perf_counter()
    ready = prepare(request)
    prepare_s = time.perf_counter() - started_s
    found = estimate(
        ready.plan,
        ready.scenes,
        out,
        workers=workers,
        shard=shard,
        effort=Effort(seconds=how.calibrate_s),
        progress=progress,
    ).after(prepare_s)
    if how.json is not None:
        data = {"plan": ready.plan.id, **found.to_dict()}
        if how.dollars_per_hour is not None:
            data["dollars_per_hour"] = how.dollars_per_hour
            data["dollars"] = found.dollars(how.dollars_per_hour)
        write_atomically(how.json, (json.dumps(data, indent=1) + "\n").encode())
    lines = (*ready.notes, *estimate_lines(found, out, how.dollars_per_hour))
    return EstimateDone(estimate=found, lines=lines)


def estimate_lines(
    found: Estimate, out: Path, dollars_per_hour: float | None = None
) -> tuple[str, ...]:
    """Return an estimate as lines of text, with the arithmetic behind it."""
    there = found.planned_clips - found.clips
    if not found.clips:
        return (f"{out}: nothing is missing of this part of {found.planned_clips} clips",)
    lines = [
        f"{out}: {found.clips} clips to render in {found.shards} shards, "
        f"{'none' if there == 0 else there} there already or left to others; {_workers(found)}",
        f"from {found.timed_clips} clips of {_scenes(found)}, timed and thrown away:",
        f"  one clip   {found.clip_s:.3g} s of a worker: plan {found.plan_s:.2g}, render "
        f"{found.render_s:.3g}, encode {found.encode_s:.2g}; {_bytes(found.bytes_per_clip)}, "
        f"{found.rays_per_clip:.4g} rays",
        f"  start-up   {found.start_up_s:.3g} s: scenes loaded, kernels compiled, first clips",
        f"  speed      {found.clips_per_s:.3g} clips/s, {found.rays_per_s:.3g} rays/s",
        f"  time       {_duration(found.seconds)} ({_time_arithmetic(found)})",
        f"  size       {_bytes(found.bytes)}",
        f"  cost       {_cost(found, dollars_per_hour)}",
    ]
    if found.skipped:
        lines.append(f"  skipped    {100 * found.skipped:.0f} % of the clips: no way, or too near")
    if found.uncertain > 0.3:
        lines.append(
            f"  the timed clips differ much: +-{100 * found.uncertain:.0f} %; a longer "
            "--calibrate-s says more"
        )
    return tuple(line.rstrip() for line in lines)


def _cost(found: Estimate, dollars_per_hour: float | None) -> str:
    hours = f"{found.seconds / 3600:.3g} h"
    if dollars_per_hour is None:
        return f"{hours} of the machine: ${found.dollars(1.0):.2f} if that is $1.00 per hour"
    return f"${found.dollars(dollars_per_hour):.2f} = {hours} x ${dollars_per_hour:.2f} per hour"


def _time_arithmetic(found: Estimate) -> str:
    share = "" if found.workers == 1 else f" / {found.workers} workers, whole shards each"
    spread = f", +-{100 * found.uncertain:.0f} %" if found.uncertain else ""
    return f"{found.start_up_s:.3g} s + {found.clips} clips x {found.clip_s:.3g} s{share}{spread}"


def _workers(found: Estimate) -> str:
    return "1 worker" if found.workers == 1 else f"{found.workers} workers at the same time"


def _scenes(found: Estimate) -> str:
    if found.scenes == 1:
        return "the scene"
    return f"{found.timed_scenes} of {found.scenes} scenes"


def _bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 72 else f"{hours / 24:.1f} days"
