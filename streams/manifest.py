"""The manifest and the index of a finished data set; all that readers trust."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .clip_members import FORMAT_VERSION, MEMBERS, USUAL_MEMBERS
from .folder import (
    INDEX_FILE,
    MANIFEST_FILE,
    folder_lock,
    read_plan,
    remove_leftovers,
    write_whole,
)
from .plain import from_plain, to_plain
from .plan import Plan
from .receipts import Receipt, SkippedClip, StoredClip, committed, damage, sum_up
from .store import Store, open_store

if TYPE_CHECKING:
    import pyarrow

MANIFEST_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class ShardEntry:
    """A shard as the manifest lists it."""

    name: str
    sha256: str
    bytes: int
    clips: int


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a data set holds."""

    plan: str
    planned_clips: int
    complete: bool
    """Whether every planned clip is there or recorded as skipped."""
    clips: int
    skipped: int
    bytes: int
    render_seconds: float
    frame_rate_hz: float
    profile: str
    licences: dict[str, str]
    """Licence of each scene; the data set inherits the strictest."""
    shards: tuple[ShardEntry, ...]
    index: str = INDEX_FILE
    layout: int = FORMAT_VERSION
    version: int = MANIFEST_VERSION


def finalize(folder: Path, *, allow_partial: bool = False) -> Manifest:
    """Check every shard, write ``index.parquet``, then ``manifest.json``, and return the latter.

    Shards that the last manifest lists are checked by size, new ones byte by byte. With
    ``allow_partial`` a data set that is still being rendered becomes readable as far as it is.

    Raises:
        RuntimeError: shards are damaged, or missing without ``allow_partial``; names them.
    """
    with folder_lock(folder):
        plan = read_plan(folder)
        receipts = committed(folder, plan)
        _refuse_damage(folder, plan, receipts, allow_partial=allow_partial)
        manifest = _manifest(plan, receipts)
        write_whole(folder / INDEX_FILE, _as_parquet(index_table(plan, receipts)))
        text = json.dumps(to_plain(manifest), indent=1, allow_nan=False) + "\n"
        write_whole(folder / MANIFEST_FILE, text.encode())
        remove_leftovers(folder)
    return manifest


def read_manifest(place: Path | Store) -> Manifest:
    """Return the manifest of a data set.

    Raises:
        FileNotFoundError: there is none; says what to do.
        ValueError: it cannot be read.
        RuntimeError: a remote store failed.
    """
    store = open_store(place)
    where = store.where(MANIFEST_FILE)
    try:
        text = store.read(MANIFEST_FILE)
    except (FileNotFoundError, NotADirectoryError) as error:
        read_plan(store)
        raise FileNotFoundError(
            f"{store.location} is not finished: it has no {MANIFEST_FILE}; run the same "
            "'merkwelt render' again to go on, or merkwelt.streams.finalize(folder, "
            "allow_partial=True) to read what is there"
        ) from error
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{where} is not a manifest: {error}") from error
    if not isinstance(data, dict) or data.get("version") != MANIFEST_VERSION:
        found = data.get("version") if isinstance(data, dict) else "something else"
        raise ValueError(
            f"{where}: expected manifest version {MANIFEST_VERSION}, found {found}; update merkwelt"
        )
    return from_plain(Manifest, data, where=where)


def index_table(plan: Plan, receipts: tuple[Receipt, ...]) -> "pyarrow.Table":
    """Return one row for each planned clip of committed shards, rendered or skipped.

    Columns: ``clip``, ``scene``, ``shard`` (its file), ``frames``, ``frame_rate_hz``, ``sha256``
    (of the members' bytes), ``skipped`` (the reason), and for each member such as ``left.mkv``
    its ``left.mkv:offset``, ``:size`` and ``:crc32``. A member that a clip has not is of size 0.
    """
    import pyarrow as pa

    rows = [row for receipt in receipts for row in _rows(receipt)]
    columns: dict[str, Any] = {
        "clip": pa.array([clip.clip for _, clip in rows], pa.int64()),
        "scene": pa.array([clip.scene for _, clip in rows], pa.string()).dictionary_encode(),
        "shard": pa.array([shard for shard, _ in rows], pa.string()).dictionary_encode(),
        "frames": pa.array([getattr(clip, "frames", 0) for _, clip in rows], pa.int32()),
        "frame_rate_hz": pa.array([plan.frame_rate_hz] * len(rows), pa.float64()),
        "sha256": pa.array([getattr(clip, "sha256", None) for _, clip in rows], pa.string()),
        "skipped": pa.array([getattr(clip, "reason", None) for _, clip in rows], pa.string()),
    }
    held = {name for receipt in receipts for clip in receipt.clips for name in clip.members}
    # Columns for what some clip has; data sets without ground truth look as they always did.
    for name in (name for name in MEMBERS if name in USUAL_MEMBERS or name in held):
        extents = [getattr(clip, "members", {}).get(name, (0, 0, 0)) for _, clip in rows]
        columns[f"{name}:offset"] = pa.array([e[0] for e in extents], pa.int64())
        columns[f"{name}:size"] = pa.array([e[1] for e in extents], pa.int64())
        columns[f"{name}:crc32"] = pa.array([e[2] for e in extents], pa.uint32())
    return pa.table(columns)


def _rows(receipt: Receipt) -> list[tuple[str, StoredClip | SkippedClip]]:
    entries = sorted((*receipt.clips, *receipt.skipped), key=lambda entry: entry.clip)
    return [(f"{receipt.shard.name}.tar", entry) for entry in entries]


def _as_parquet(table: "pyarrow.Table") -> bytes:
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _refuse_damage(
    folder: Path, plan: Plan, receipts: tuple[Receipt, ...], *, allow_partial: bool
) -> None:
    known = _known_shards(folder)
    lines = []
    for receipt in receipts:
        quick = known.get(receipt.shard.name) == receipt.sha256
        lines += damage(folder, plan, receipt.shard, quick=quick)
    if not allow_partial:
        there = {receipt.shard for receipt in receipts}
        lines += [f"shard {s.name} is not committed" for s in plan.shards() if s not in there]
    if lines:
        listed = "; ".join(lines[:10]) + (f"; and {len(lines) - 10} more" if lines[10:] else "")
        raise RuntimeError(
            f"{folder} is not whole: {listed}; run the same 'merkwelt render' again, which renders "
            "what is missing or damaged"
        )


def _known_shards(folder: Path) -> dict[str, str]:
    try:
        return {shard.name: shard.sha256 for shard in read_manifest(folder).shards}
    except (FileNotFoundError, ValueError):
        return {}


def _manifest(plan: Plan, receipts: tuple[Receipt, ...]) -> Manifest:
    totals = sum_up(receipts)
    return Manifest(
        plan=plan.id,
        planned_clips=plan.clips,
        complete=totals["clips"] + totals["skipped"] == plan.clips,
        clips=totals["clips"],
        skipped=totals["skipped"],
        bytes=totals["bytes"],
        render_seconds=round(totals["seconds"], 3),
        frame_rate_hz=plan.frame_rate_hz,
        profile=plan.storage.profile,
        licences={scene.name: scene.licence for scene in plan.scenes},
        shards=tuple(
            ShardEntry(name=r.shard.name, sha256=r.sha256, bytes=r.bytes, clips=len(r.clips))
            for r in receipts
        ),
    )
