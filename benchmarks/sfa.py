r"""Slow feature analysis: speed beside sklearn-sfa, the deep form's distance from the optimum.

    pip install --no-deps --target peer sklearn-sfa==0.1.6
    PYTHONPATH=peer python benchmarks/sfa.py --json sfa.json
    python benchmarks/sfa.py --only rendered --out room_walk --workers 2

The closed form and the peer get the same 1e6 x 100 float32 in the same run, with two threads each,
and must find the same values. The peer's fit is timed as it comes (`svd_solver="full"`), and with
the solver of scikit-learn that is faster for this shape. Without the peer its rows are left out and
said to be.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from merkwelt.objectives import fit_sfa
from merkwelt.objectives.slowness.running import RunningMoments, slowness_surrogate
from room_walk import RoomWalk, measure_room
from threadpoolctl import threadpool_limits

from merkwelt.console import progress_bar

FRAMES, SIGNALS = 1_000_000, 100
THREADS = 2
BATCHES = (16, 64, 256)
SEEDS = (0, 1, 2, 3)
STEPS = 3000


def closed_form(frames: int, repeats: int, threads: int) -> dict[str, Any]:
    """Return seconds, memory and agreement of both closed forms on the same signals."""
    signals = _signals(frames)
    tracemalloc.start()
    fit_sfa([signals[: frames // 10]], covariance="total", ddof=1)
    peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    with threadpool_limits(threads):
        ours_s, delta = _fastest(lambda: _ours(signals), repeats)
        found: dict[str, Any] = {
            "frames": frames,
            "signals": SIGNALS,
            "threads": threads,
            "merkwelt_s": round(ours_s, 3),
            "extra_memory_mb": round(peak_mb, 1),
        }
        for solver in ("full", "covariance_eigh"):
            peer = _peer(solver)
            if peer is None:
                found["peer"] = "sklearn-sfa is not installed; see the top of benchmarks/sfa.py"
                break
            peer_s, peer_delta = _fastest(lambda peer=peer: peer(signals), 1)
            found[f"sklearn_sfa_{solver}_s"] = round(peer_s, 3)
            found[f"ratio_{solver}"] = round(peer_s / ours_s, 2)
            found[f"largest_difference_{solver}"] = float(np.abs(peer_delta / delta - 1).max())
    return found


def _signals(frames: int) -> np.ndarray:
    """Return mixtures of slow processes and noise, float32 ``[frame, signal]``."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((frames, SIGNALS), dtype=np.float32)
    slow = np.cumsum(rng.standard_normal((frames, SIGNALS), dtype=np.float32), axis=0) * 0.01
    return slow + noise @ rng.standard_normal((SIGNALS, SIGNALS), dtype=np.float32)


def _ours(signals: np.ndarray) -> np.ndarray:
    return fit_sfa([signals], covariance="total", ddof=1).delta


def _peer(solver: str) -> Callable[[np.ndarray], np.ndarray] | None:
    try:
        from sksfa import SFA  # type: ignore[import-not-found]
    except ImportError:
        return None
    return lambda signals: SFA(n_components=SIGNALS, svd_solver=solver).fit(signals).delta_values_


def _fastest(work: Callable[[], np.ndarray], repeats: int) -> tuple[float, np.ndarray]:
    best, result = float("inf"), np.empty(0)
    for _ in range(repeats):
        start_s = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - start_s)
    return best, result


def deep() -> dict[str, Any]:
    """Return trace over optimum of the deep form on oracle O5, for batches and seeds."""
    signals = torch.from_numpy(whitened_chaos())
    optimum = float(fit_sfa([signals.numpy()], outputs=3, covariance="total", ddof=1).delta.sum())
    found: dict[str, Any] = {"optimum": round(optimum, 7), "steps": STEPS}
    for frames in BATCHES:
        ratios = [deep_trace(signals, frames, seed) / optimum for seed in SEEDS]
        found[f"ratio_{frames}_frames"] = [round(ratio, 3) for ratio in ratios]
    return found


def deep_trace(signals: torch.Tensor, frames: int, seed: int) -> float:
    """Return ``tr(C^-1 A)`` of three linear outputs trained on batches of neighbouring pairs."""
    generator = torch.Generator().manual_seed(seed)
    shape = (signals.shape[1], 3)
    weights = (torch.randn(shape, generator=generator, dtype=torch.float64) / 8).requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=2e-2, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    moments = RunningMoments(3)
    for _ in range(STEPS):
        first = torch.randint(len(signals) - 1, (frames // 2,), generator=generator)
        before, after = signals[first] @ weights, signals[first + 1] @ weights
        values, change = torch.cat([before, after]), after - before
        moments.update(values, change)
        optimiser.zero_grad()
        slowness_surrogate(values, change, moments).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        whole = RunningMoments(3, epsilon=0.0)
        whole.update(signals @ weights, (signals[1:] - signals[:-1]) @ weights)
        return float(whole.slowness())


def whitened_chaos(samples: int = 10_000) -> np.ndarray:
    """Return whitened monomials of degree 1 and 2 of Wiskott's (2003) chaotic series."""
    t = np.linspace(0, 1, samples, endpoint=False)
    force = np.sum([np.sin(2 * np.pi * rate * t) for rate in (5, 11, 13)], axis=0)
    series = np.full(samples, 0.6)
    for i in range(1, samples):
        series[i] = (3.6 + 0.13 * force[i]) * series[i - 1] * (1 - series[i - 1])
    windows = np.lib.stride_tricks.sliding_window_view(series, 10)
    row, column = np.triu_indices(10)
    expanded = np.concatenate([windows, windows[:, row] * windows[:, column]], axis=1)
    u, s, _ = np.linalg.svd(expanded - expanded.mean(axis=0), full_matrices=False)
    return u[:, s > 1e-6 * s[0]] * np.sqrt(len(expanded) - 1)


def rendered(out: Path, room: RoomWalk) -> dict[str, Any]:
    """Return how the slow features of rendered pictures agree with the theory."""
    with progress_bar("room walk") as progress:
        return measure_room(room, out, progress)


def show(found: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table."""
    for part, figures in found.items():
        print(part)
        for name, value in figures.items():
            print(f"  {name:34s} {value}")


def main() -> None:
    """Read the command line, measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--only", choices=("closed_form", "deep", "rendered"))
    parser.add_argument("--frames", type=int, default=FRAMES, help="of the closed form")
    parser.add_argument("--repeats", type=int, default=3, help="of the closed form; fastest counts")
    parser.add_argument("--threads", type=int, default=THREADS, help="of both closed forms")
    parser.add_argument("--rendered", action="store_true", help="render the room walk as well")
    parser.add_argument("--walk-frames", type=int, default=RoomWalk.frames)
    parser.add_argument("--workers", type=int, default=1, help="that render")
    parser.add_argument("--out", type=Path, default=Path("room_walk"), help="of what is rendered")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    found: dict[str, dict[str, Any]] = {}
    if given.only in (None, "closed_form"):
        found["closed_form"] = closed_form(given.frames, given.repeats, given.threads)
    if given.only in (None, "deep"):
        torch.set_num_threads(1)
        found["deep"] = deep()
    if given.only == "rendered" or (given.rendered and given.only is None):
        room = RoomWalk(frames=given.walk_frames, workers=given.workers)
        found["rendered"] = rendered(given.out, room)
    show(found)
    if given.json:
        given.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
