"""Is a data set whole? Every shard is read and compared with its receipt, index and plan."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .clip_members import promised_members
from .folder import (
    INDEX_FILE,
    MANIFEST_FILE,
    PARTIAL,
    PLAN_FILE,
    RECEIPTS,
    SHARDS,
    TEMPORARY,
    read_plan,
)
from .manifest import index_table, read_manifest
from .plan import Plan
from .receipts import Receipt, damage, read_receipt
from .store import local_folder


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What a check of a data set found."""

    folder: Path
    clips: int
    """Clips in the shards that are whole."""
    skipped: int
    problems: tuple[str, ...] = field(default=())
    """One line each, beginning with the file that it is about."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify_dataset(
    folder: Path | str, *, progress: Callable[[float, str], None] | None = None
) -> Verification:
    """Return what is wrong with a data set: missing, truncated, changed or foreign files.

    Nothing is changed. Rendering again with the same plan mends everything but foreign files.

    Raises:
        FileNotFoundError: there is no data set in the folder.
        ValueError: its plan cannot be read, or it is no folder on this machine.
    """
    folder = local_folder(folder, verb="verify")
    plan = read_plan(folder)
    shards = plan.shards()
    problems: list[str] = []
    whole: list[Receipt] = []
    for number, shard in enumerate(shards):
        lines = damage(folder, plan, shard)
        problems += lines
        receipt = None if lines else read_receipt(folder, shard)
        if receipt is not None:
            whole.append(receipt)
            problems += _not_kept(plan, receipt)
        if progress is not None:
            progress((number + 1) / len(shards), f"shard {number + 1} of {len(shards)}")
    problems += _foreign(folder, plan)
    problems += _wrong_manifest(folder, plan, tuple(whole)) if len(whole) == len(shards) else ()
    return Verification(
        folder=folder,
        clips=sum(len(receipt.clips) for receipt in whole),
        skipped=sum(len(receipt.skipped) for receipt in whole),
        problems=tuple(problems),
    )


def _not_kept(plan: Plan, receipt: Receipt) -> list[str]:
    """Return a line for each clip that lacks what the plan asks for."""
    promised = promised_members(plan.settings)
    lines = []
    for clip in receipt.clips:
        missing = [name for name in promised if name not in clip.members]
        if missing:
            lines.append(
                f"receipts/{receipt.shard.name}.json: clip {clip.clip} lacks {missing}, which the "
                "plan asks for"
            )
    return lines


def _foreign(folder: Path, plan: Plan) -> list[str]:
    """Return a line for each file that no writer of this plan writes, or that was left behind."""
    names = {shard.name for shard in plan.shards()}
    expected = {
        "": {PLAN_FILE, INDEX_FILE, MANIFEST_FILE, SHARDS, RECEIPTS},
        SHARDS: {PARTIAL, *(f"{name}.tar" for name in names)},
        RECEIPTS: {f"{name}.json" for name in names},
    }
    lines = []
    for place, known in expected.items():
        here = folder / place
        found = sorted(p.name for p in here.iterdir()) if here.is_dir() else []
        prefix = f"{place}/" if place else ""
        for name in found:
            if name not in known and not name.endswith(TEMPORARY):
                lines.append(f"{prefix}{name}: belongs to no shard of this data set")
    return lines + _abandoned(folder)


def _abandoned(folder: Path) -> list[str]:
    """Return a line for each half-written file of a shard that is committed."""
    here = folder / SHARDS / PARTIAL
    left = sorted(p.name for p in here.iterdir()) if here.is_dir() else []
    return [
        f"{SHARDS}/{PARTIAL}/{name}: left behind by an interrupted writer; rendering again with "
        "the same plan removes it"
        for name in left
        if (folder / RECEIPTS / f"{name.split('.')[0]}.json").exists()
    ]


def _wrong_manifest(folder: Path, plan: Plan, receipts: tuple[Receipt, ...]) -> list[str]:
    try:
        manifest = read_manifest(folder)
    except FileNotFoundError:
        return [f"{MANIFEST_FILE}: missing: the data set is not finished"]
    except ValueError as error:
        return [f"{MANIFEST_FILE}: unreadable: {error}"]
    lines = []
    listed = [(shard.name, shard.sha256) for shard in manifest.shards]
    if manifest.plan != plan.id or listed != [(r.shard.name, r.sha256) for r in receipts]:
        lines.append(f"{MANIFEST_FILE}: does not list the shards that are there")
    return lines + _wrong_index(folder, plan, receipts)


def _wrong_index(folder: Path, plan: Plan, receipts: tuple[Receipt, ...]) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetFile(folder / INDEX_FILE).read()
    except FileNotFoundError:
        return [f"{INDEX_FILE}: missing"]
    except (pa.ArrowException, OSError) as error:
        return [f"{INDEX_FILE}: unreadable: {error}"]
    expected = index_table(plan, receipts)
    if found.to_pydict() != expected.to_pydict():
        return [f"{INDEX_FILE}: is not what the receipts say"]
    return []
