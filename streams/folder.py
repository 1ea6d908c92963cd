"""The folder of a data set: where things lie in it, and how they are written whole."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .plain import differences
from .plan import Plan, ShardRange

PLAN_FILE, INDEX_FILE, MANIFEST_FILE = "plan.json", "index.parquet", "manifest.json"
SHARDS, RECEIPTS, PARTIAL = "shards", "receipts", ".partial"
TEMPORARY = ".partial"
"""Ending of temporary files beside the file that they become."""


def shard_path(folder: Path, shard: ShardRange) -> Path:
    """Return where a shard lies."""
    return folder / SHARDS / f"{shard.name}.tar"


def receipt_path(folder: Path, shard: ShardRange) -> Path:
    """Return where a shard's receipt lies."""
    return folder / RECEIPTS / f"{shard.name}.json"


def partial_shard_path(folder: Path, shard: ShardRange) -> Path:
    """Return a new name under which a shard can be written until it is committed."""
    return folder / SHARDS / PARTIAL / f"{shard.name}.{uuid.uuid4().hex}"


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder against other writers; the system lets go when a process dies.

    A file system without locks is written without them: two writers that commit one shard in the
    same instant then may leave a shard that is not its receipt's, which resuming finds and mends.
    """
    import fcntl

    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it exists with all its bytes, or as it was before."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def read_plan(folder: Path) -> Plan:
    """Return the plan of a data set's folder.

    Raises:
        FileNotFoundError: the folder is not there, or holds no data set.
        ValueError: its plan cannot be read.
    """
    path = folder / PLAN_FILE
    if not path.is_file():
        what = "holds no data set" if folder.is_dir() else "does not exist"
        raise FileNotFoundError(f"{folder} {what}: expected {PLAN_FILE} in it")
    return Plan.from_json(path.read_text(), where=str(path))


def open_folder(plan: Plan, folder: Path) -> Plan:
    """Return the plan that a folder now follows: a new one, or the one it has with more clips.

    Raises:
        FileExistsError: the folder holds something else.
        ValueError: it holds another plan's data set; names what differs.
    """
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; choose a folder for the data set")
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        if not (folder / PLAN_FILE).exists():
            _refuse_foreign(folder)
            agreed = plan
            write_whole(folder / PLAN_FILE, agreed.to_json().encode())
        else:
            found = read_plan(folder)
            _refuse_other(found, plan, folder)
            agreed = found.grown(plan.clips)
            if agreed is not found:
                write_whole(folder / PLAN_FILE, agreed.to_json().encode())
    (folder / SHARDS / PARTIAL).mkdir(parents=True, exist_ok=True)
    (folder / RECEIPTS).mkdir(exist_ok=True)
    return agreed


def remove_leftovers(folder: Path) -> None:
    """Remove what interrupted writers left and nobody can still need; call under the lock.

    Everything beside its target is written under the lock, so what is found now belongs to the
    dead. A partial shard may have a living writer as long as its shard is not committed.
    """
    for place in (folder, folder / RECEIPTS):
        for path in place.glob(f".*{TEMPORARY}"):
            if path.is_file():
                path.unlink(missing_ok=True)
    for path in (folder / SHARDS / PARTIAL).glob("*"):
        if (folder / RECEIPTS / f"{path.name.split('.')[0]}.json").exists():
            path.unlink(missing_ok=True)


def _refuse_foreign(folder: Path) -> None:
    foreign = sorted(p.name for p in folder.iterdir() if not _is_temporary_plan(p))
    if foreign:
        listed = ", ".join(foreign[:4]) + (", ..." if len(foreign) > 4 else "")
        raise FileExistsError(
            f"{folder} holds something else ({listed}); choose a new or empty folder"
        )


def _is_temporary_plan(path: Path) -> bool:
    return path.name.startswith(f".{PLAN_FILE}.") and path.name.endswith(TEMPORARY)


def _refuse_other(found: Plan, asked: Plan, folder: Path) -> None:
    if found.id != asked.id:
        lines = "; ".join(differences(found.identity, asked.identity))
        raise ValueError(
            f"{folder} holds the data set of another plan ({lines}); ask for the same, or choose "
            "another folder"
        )
