"""Spearman's rho of many maps: time and memory beside a loop over scipy, values compared.

    python benchmarks/spearman.py --json spearman.json
    python benchmarks/spearman.py --maps 200 --size 448

Human maps are clicks blurred by the disc of ClickMe 2.0, mostly zeros, so ties decide; saliency is
dense, or as sparse as they. The peer is `scipy.stats.spearmanr` map by map. Both run in turns, some
maps at a time, in one process with one thread, and times are CPU times, so a busy machine changes
them little. "Kept ranks" means that human maps were ranked before, as for every model after the
first; what that costs is a row of its own. Memory is the growth of the largest resident size in a
process of its own.
"""

import argparse
import json
import multiprocessing
import multiprocessing.connection
import platform
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from merkwelt.alignment.blur import disc_blur_twice
from merkwelt.alignment.scores.ranks import spearman, spearman_with_ranked, unit_ranks
from torch import Tensor

WAYS: tuple[str, ...] = ("scipy loop", "kept ranks", "both ranked", "ranking human maps")
CLICKS = 60
TURN = 50
"""Maps scored before the other side has its turn."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table."""

    saliency: str
    way: str
    ms_per_map: float
    times_scipy: float
    largest_difference: float
    """From scipy's values."""
    memory_mib: float


def human_maps(count: int, size: int, seed: int) -> Tensor:
    """Return blurred clicks around a random centre, ``[map, pixel]``."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.zeros(count, size, size)
    centre = torch.rand(count, 1, 2, generator=generator) * size
    clicks = centre + size / 8 * torch.randn(count, CLICKS, 2, generator=generator)
    cells = clicks.clamp(0, size - 1).long()
    rows = torch.arange(count)[:, None].expand(-1, CLICKS)
    ones = torch.ones(count, CLICKS)
    maps.index_put_((rows, cells[..., 1], cells[..., 0]), ones, accumulate=True)
    return disc_blur_twice(maps, 21).flatten(1)


def saliency_maps(count: int, size: int) -> dict[str, Tensor]:
    """Return a dense and a sparse set of maps ``[map, pixel]``."""
    generator = torch.Generator().manual_seed(1)
    return {
        "dense": torch.rand(count, size * size, generator=generator),
        "sparse": human_maps(count, size, 2),
    }


def by_scipy(maps: Tensor, human: Tensor) -> Tensor:
    """Return scipy's rho of each pair of rows."""
    pairs = zip(maps.numpy(), human.numpy(), strict=True)
    return torch.tensor(
        [float(np.asarray(scipy.stats.spearmanr(*pair))[0]) for pair in pairs], dtype=torch.float64
    )


def measured(maps: Tensor, human: Tensor) -> tuple[dict[str, float], dict[str, Tensor]]:
    """Return CPU seconds and values of each way, in turns over chunks of the maps."""
    seconds: dict[str, float] = dict.fromkeys(WAYS, 0.0)
    values: dict[str, list[Tensor]] = {way: [] for way in seconds}

    def turn(way: str, work: Callable[[], Tensor]) -> Tensor:
        start = time.process_time()
        found = work()
        seconds[way] += time.process_time() - start
        values[way].append(found)
        return found

    for few, people in zip(maps.split(TURN), human.split(TURN), strict=True):
        turn("scipy loop", lambda few=few, people=people: by_scipy(few, people))
        kept = turn("ranking human maps", lambda people=people: unit_ranks(people))
        turn("kept ranks", lambda few=few, kept=kept: spearman_with_ranked(few, kept))
        turn("both ranked", lambda few=few, people=people: spearman(few, people))
    del values["ranking human maps"]
    return seconds, {way: torch.cat(found) for way, found in values.items()}


def memory_mib(work: Callable[[], Tensor]) -> float:
    """Return by how much the largest resident size grows in a process that does the work."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=_grow, args=(work, send))
    child.start()
    # Only the child may hold its end, or a child that fails would be waited for without end.
    send.close()
    grown = receive.recv()
    child.join()
    return grown


def _grow(work: Callable[[], Tensor], send: multiprocessing.connection.Connection) -> None:
    torch.set_num_threads(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    send.send((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def rows_of(name: str, maps: Tensor, human: Tensor) -> list[Row]:
    """Return the table's rows for one kind of saliency."""
    kept = unit_ranks(human)
    memory = {
        "scipy loop": memory_mib(lambda: by_scipy(maps, human)),
        "ranking human maps": memory_mib(lambda: unit_ranks(human)),
        "kept ranks": memory_mib(lambda: spearman_with_ranked(maps, kept)),
        "both ranked": memory_mib(lambda: spearman(maps, human)),
    }
    seconds, values = measured(maps, human)
    truth = values["scipy loop"]
    return [
        Row(
            saliency=name,
            way=way,
            ms_per_map=1000 * took / len(maps),
            times_scipy=seconds["scipy loop"] / took,
            largest_difference=float((values[way] - truth).abs().max()) if way in values else 0.0,
            memory_mib=memory[way],
        )
        for way, took in seconds.items()
    ]


def print_table(rows: list[Row]) -> None:
    """Print one line for each way of scoring."""
    print(f"{'saliency':9} {'way':19} {'ms/map':>7} {'x scipy':>8} {'max diff':>9} {'MiB':>6}")
    for row in rows:
        print(
            f"{row.saliency:9} {row.way:19} {row.ms_per_map:7.2f} {row.times_scipy:8.1f} "
            f"{row.largest_difference:9.1e} {row.memory_mib:6.0f}"
        )


def main() -> None:
    """Measure and print; say if the values differ or the gain is below 3."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--maps", type=int, default=1000)
    parser.add_argument("--size", type=int, default=224, help="side in pixels")
    parser.add_argument("--json", type=Path, help="file for the figures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    human = human_maps(args.maps, args.size, 0)
    rows: list[Row] = []
    for name, maps in saliency_maps(args.maps, args.size).items():
        rows += rows_of(name, maps, human)
    zeros = float((human == 0).float().mean())
    print(f"{args.maps} maps of {args.size} x {args.size}; {zeros:.0%} of human pixels are 0")
    print_table(rows)
    if args.json is not None:
        settings = {"maps": args.maps, "size_px": args.size, "share_of_zeros": zeros}
        versions = {"numpy": np.__version__, "scipy": scipy.__version__, "torch": torch.__version__}
        content = {
            "settings": settings,
            "versions": versions,
            "machine": platform.machine(),
            "rows": [asdict(row) for row in rows],
        }
        args.json.write_text(json.dumps(content, indent=1) + "\n")
    worst = max(row.largest_difference for row in rows)
    slowest = min(row.times_scipy for row in rows if row.way == "kept ranks")
    if worst > 1e-12 or slowest < 3:
        raise SystemExit(f"expected values within 1e-12 and 3 x scipy, got {worst} and {slowest}")


if __name__ == "__main__":
    main()
