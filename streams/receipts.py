"""Receipts: what a committed shard holds, written after the shard itself.

A shard counts as there if and only if its receipt does.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .clip_members import checksum
from .folder import receipt_path, shard_path
from .plain import from_plain, to_plain
from .plan import Plan, ShardRange
from .shard import Extent, file_sha256

RECEIPT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class StoredClip:
    """A clip in a shard."""

    clip: int
    scene: str
    frames: int
    sha256: str
    """Hash of its members' bytes, one after the other."""
    members: dict[str, Extent]


@dataclass(frozen=True, kw_only=True)
class SkippedClip:
    """A clip that could not be rendered, and why."""

    clip: int
    scene: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a committed shard holds."""

    plan: str
    """Id of the plan."""
    shard: ShardRange
    sha256: str
    bytes: int
    clips: tuple[StoredClip, ...]
    skipped: tuple[SkippedClip, ...] = ()
    seconds: float
    """Time that rendering and writing took."""
    device: str
    """What rendered it: pixels are equal bit for bit on the same device only."""
    code_version: str
    version: int = RECEIPT_VERSION

    def to_json(self) -> str:
        """Return the receipt as JSON."""
        return json.dumps(to_plain(self), indent=1, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str) -> "Receipt":
        """Return the receipt that ``to_json`` wrote.

        Raises:
            ValueError: the text is no receipt; names ``where``.
        """
        try:
            data = json.loads(text)
            for clip in data["clips"]:
                clip["members"] = {k: Extent(*v) for k, v in clip["members"].items()}
            return from_plain(cls, data, where=where)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{where} is not a receipt: {error}") from error


def read_receipt(folder: Path, shard: ShardRange) -> Receipt | None:
    """Return a shard's receipt, or None if the shard is not committed.

    Raises:
        ValueError: the file is not a receipt, or belongs elsewhere.
    """
    path = receipt_path(folder, shard)
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not a receipt: {error}") from error
    receipt = Receipt.from_json(text, where=str(path))
    if receipt.shard != shard:
        raise ValueError(f"{path} is the receipt of shard {receipt.shard.name}")
    return receipt


def damage(folder: Path, plan: Plan, shard: ShardRange, *, quick: bool = False) -> list[str]:
    """Return what is wrong with a shard and its receipt, one line each; nothing if all is well.

    ``quick`` looks at sizes only and does not read the shard. An uncommitted shard is one line.
    """
    name = f"receipts/{shard.name}.json"
    try:
        receipt = read_receipt(folder, shard)
    except ValueError as error:
        return [f"{name}: unreadable: {error}"]
    if receipt is None:
        return [f"{name}: missing: shard {shard.name} is not committed"]
    lines = []
    if receipt.plan != plan.id:
        lines.append(f"{name}: belongs to plan {receipt.plan[:12]}, expected {plan.id[:12]}")
    held = sorted(c.clip for c in (*receipt.clips, *receipt.skipped))
    if held != list(shard.clips):
        lines.append(f"{name}: lists clips {held}, expected {shard.first} to {shard.stop - 1}")
    return lines + _damaged_bytes(folder, receipt, quick=quick)


def _damaged_bytes(folder: Path, receipt: Receipt, *, quick: bool) -> list[str]:
    path = shard_path(folder, receipt.shard)
    name = f"shards/{path.name}"
    if not path.is_file():
        return [f"{name}: missing"]
    found = path.stat().st_size
    if found != receipt.bytes:
        how = "truncated" if found < receipt.bytes else "too long"
        return [f"{name}: {how}: {found} bytes, expected {receipt.bytes}"]
    if quick or file_sha256(path) == receipt.sha256:
        return []
    clips = _damaged_clips(path, receipt)
    where = f"damaged clips: {clips}" if clips else "between the clips"
    return [f"{name}: its bytes changed since it was written ({where})"]


def _damaged_clips(path: Path, receipt: Receipt) -> list[int]:
    damaged = []
    with path.open("rb") as file:
        for clip in receipt.clips:
            for offset, size, crc32 in clip.members.values():
                file.seek(offset)
                if checksum(file.read(size)) != crc32:
                    damaged.append(clip.clip)
                    break
    return damaged


def committed(folder: Path, plan: Plan) -> tuple[Receipt, ...]:
    """Return the receipts of a plan's committed shards, in order."""
    found = (read_receipt(folder, shard) for shard in plan.shards())
    return tuple(receipt for receipt in found if receipt is not None)


def sum_up(receipts: tuple[Receipt, ...]) -> dict[str, Any]:
    """Return the totals of receipts: clips, skipped clips, bytes and seconds."""
    return {
        "clips": sum(len(r.clips) for r in receipts),
        "skipped": sum(len(r.skipped) for r in receipts),
        "bytes": sum(r.bytes for r in receipts),
        "seconds": sum(r.seconds for r in receipts),
    }
