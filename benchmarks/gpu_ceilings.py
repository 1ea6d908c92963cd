"""What a GPU can do at most, measured: copying, half-precision products, and random look-ups."""

# triton is an optional extra, absent where types are checked; kernels have untyped arguments.
# ruff: noqa: ANN001, ANN202
# pyright: reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false

import statistics
import time
from collections.abc import Callable

import torch
import triton
import triton.language as tl

LANES = 1024
TURNS = 64


def seconds_of(call: Callable[[], object], device: torch.device, *, rounds: int = 9) -> float:
    """Return the median time that a call takes on the device, after one that is not timed."""
    call()
    times = []
    for _ in range(rounds):
        if device.type == "cuda":
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            call()
            end.record()
            end.synchronize()
            times.append(start.elapsed_time(end) / 1000)
        else:
            started = time.perf_counter()
            call()
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def bytes_per_s(device: torch.device, *, count: int = 1 << 30) -> float:
    """Return bytes read and written in a second by a copy of so many floats."""
    source = torch.randn(count, device=device)
    target = torch.empty_like(source)
    return 8 * count / seconds_of(lambda: target.copy_(source), device)


def flops_per_s(device: torch.device, *, size: int = 8192) -> float:
    """Return operations in a second of a large product of random halves."""
    a, b = (torch.randn(size, size, device=device).half() for _ in range(2))
    return 2 * size**3 / seconds_of(lambda: a @ b, device)


@triton.jit
def _gather_kernel(table, out, bits, LANES: tl.constexpr, TURNS: tl.constexpr, PAIR: tl.constexpr):
    """Add up words of random rows; neighbouring lanes take neighbouring rows if ``PAIR`` is 2."""
    lane = tl.arange(0, LANES)
    number = (tl.program_id(0) * LANES + lane).to(tl.uint32)
    found = tl.zeros((LANES,), dtype=tl.int32)
    for turn in range(TURNS):
        # The finalizer of MurmurHash3: as good as random, and cheaper than a look-up.
        mixed = (number // PAIR) * TURNS + turn
        mixed = (mixed ^ (mixed >> 16)) * 0x85EBCA6B
        mixed = (mixed ^ (mixed >> 13)) * 0xC2B2AE35
        row = ((mixed ^ (mixed >> 16)) * PAIR + number % PAIR) & bits
        found += tl.load(table + row)
    tl.store(out + number, found)


def gathers_per_s(device: torch.device, *, rows: int, pair: bool, programs: int = 1 << 14) -> float:
    """Return look-ups in a second of 32-bit words at random in a table of a power of two rows.

    In pairs, two look-ups in a row of neighbouring lanes share a sector of the cache, as the two
    corners of a cell do that differ in x.
    """
    table = torch.randint(0, 1 << 20, (rows,), dtype=torch.int32, device=device)
    out = torch.empty(programs * LANES, dtype=torch.int32, device=device)

    def gather() -> None:
        _gather_kernel[(programs,)](table, out, rows - 1, LANES, TURNS, 2 if pair else 1)

    return programs * LANES * TURNS / seconds_of(gather, device)
