"""ClickMe 1.0 in TFRecord shards: JPEG records as public today, and the raw floats of 2017-2022.

Source: serre-lab/Harmonization@ffe1c49. Their loaders read one shard too few of each split and drop
the last, smaller batch; ``compat="published"`` does the same, so that published numbers are
reproduced on the images behind them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from .clickme1_records import pair_of_record
from .example_proto import parse_example
from .pairs import Damaged, MadePairs, Pair, PairStream, whole_or_named
from .provenance import CLICKME_1
from .tfrecord import DamagedRecord, scan_records

PUBLISHED_BATCH = 128
PUBLISHED_SHARDS = {"val": 17, "train": 318}
"""The public loaders read shards 0 to one less than this, though 18 and 319 exist."""
Compat = Literal["none", "published"]
_SHARD = re.compile(r"^(?:clickme[_-])?(?P<split>train|val|test)(?:[-_](?P<number>\d+))?$")


def open_shards(
    path: Path,
    *,
    compat: Compat = "none",
    batch_size: int = PUBLISHED_BATCH,
    damaged: Damaged = "refuse",
) -> PairStream:
    """Return the pairs of a shard, or of all shards below a folder, by split and number.

    Args:
        path: a ``.tfrecords`` file or a folder of them.
        compat: published leaves out what the public loaders leave out, by name.
        batch_size: whose smaller remainder the public loaders drop, for ``published``.
        damaged: refuse raises at a damaged record; skip leaves it out by name.
    """
    if batch_size < 1:
        raise ValueError(f"expected batches of at least 1, got {batch_size}")
    shards = [path] if path.is_file() else sorted(path.rglob("*.tfrecord*"), key=_order)
    if not shards:
        raise ValueError(f"expected .tfrecords files in {path}, found none")
    left_out: dict[str, str] = {}
    pairs = _all(shards, damaged, left_out)
    if compat == "published":
        pairs = _published(shards, batch_size, damaged, left_out)
    return PairStream(
        pairs=pairs,
        provenance=CLICKME_1,
        left_out=left_out,
    )


def shard_split(path: Path) -> tuple[str | None, int | None]:
    """Return split and number of a shard by its name, None where the name does not tell."""
    match = _SHARD.match(path.name.partition(".")[0])
    if match is None:
        return None, None
    number = match["number"]
    return match["split"], None if number is None else int(number)


def _order(path: Path) -> tuple[str, int, str]:
    split, number = shard_split(path)
    return split or "", -1 if number is None else number, str(path)


def _all(shards: list[Path], damaged: Damaged, left_out: dict[str, str]) -> Iterator[Pair]:
    for shard in shards:
        yield from whole_or_named(_made(shard), damaged=damaged, left_out=left_out)


def _published(
    shards: list[Path], batch_size: int, damaged: Damaged, left_out: dict[str, str]
) -> Iterator[Pair]:
    """Yield what the public loaders yield, split by split."""
    by_split: dict[str | None, list[Path]] = {}
    for shard in shards:
        split, number = shard_split(shard)
        last = PUBLISHED_SHARDS.get(split or "")
        if last is not None and number is not None and number >= last:
            left_out[shard.name] = f"the public loader reads shards 0 to {last - 1} of {split}"
        else:
            by_split.setdefault(split, []).append(shard)
    for of_split in by_split.values():
        batch: list[Pair] = []
        for pair in _all(of_split, damaged, left_out):
            batch.append(pair)
            if len(batch) == batch_size:
                yield from batch
                batch = []
        for pair in batch:
            left_out[pair.name] = f"the public loader drops the last {len(batch)} < {batch_size}"


def _made(shard: Path) -> MadePairs:
    """Yield name and pair, or what is wrong with the record, of each record."""
    stem = shard.name.partition(".")[0]
    split, _ = shard_split(shard)
    for index, record in enumerate(scan_records(shard)):
        name = f"{stem} record {index}"
        if isinstance(record, DamagedRecord):
            yield name + (" and after" if record.ends_file else ""), _error(shard, record.reason)
            continue
        try:
            yield name, pair_of_record(parse_example(record), name=name, split=split)
        except ValueError as error:
            yield name, _error(shard, f"record {index}: {error}")


def _error(shard: Path, reason: str) -> ValueError:
    return ValueError(f"{shard}: {reason}")
