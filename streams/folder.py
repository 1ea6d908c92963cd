"""The folder of a data set: where things lie in it, and how they are written whole."""

import errno
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .plain import differences
from .plan import Plan, ShardRange
from .store import FolderStore, Store, open_store

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
            # EBADF: NFS locks what is open for writing only, which a folder never is (flock(2)).
            if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF):
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


def read_plan(place: Path | Store) -> Plan:
    """Return the plan of a data set.

    Raises:
        FileNotFoundError: the place is not there, or holds no data set.
        ValueError: its plan cannot be read.
        RuntimeError: a remote store failed.
    """
    store = open_store(place)
    try:
        text = store.read(PLAN_FILE).decode(errors="replace")
    except (FileNotFoundError, NotADirectoryError) as error:
        missing = isinstance(store, FolderStore) and not store.folder.is_dir()
        what = "does not exist" if missing else "holds no data set"
        raise FileNotFoundError(f"{store.location} {what}: expected {PLAN_FILE} in it") from error
    return Plan.from_json(text, where=store.where(PLAN_FILE))


def open_folder(plan: Plan, folder: Path) -> Plan:
    """Return the plan that a folder now follows: a new one, or the one it has with more clips.

    Raises:
        FileExistsError: the folder holds something else.
        ValueError: it holds another plan's data set; names what differs.
    """
    _refuse_file(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder):
        found = _plan_there(folder)
        agreed = _agreed(plan, found, folder)
        if agreed is not found:
            write_whole(folder / PLAN_FILE, agreed.to_json().encode())
    (folder / SHARDS / PARTIAL).mkdir(parents=True, exist_ok=True)
    (folder / RECEIPTS).mkdir(exist_ok=True)
    return agreed


def plan_for(plan: Plan, folder: Path) -> Plan:
    """Return the plan that ``open_folder`` would return, without writing anything.

    Raises:
        FileExistsError: the folder holds something else.
        ValueError: it holds another plan's data set; names what differs.
    """
    _refuse_file(folder)
    return _agreed(plan, _plan_there(folder), folder) if folder.is_dir() else plan


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


def _refuse_file(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(f"{folder} is a file; choose a folder for the data set")


def _plan_there(folder: Path) -> Plan | None:
    return read_plan(folder) if (folder / PLAN_FILE).exists() else None


def _agreed(plan: Plan, found: Plan | None, folder: Path) -> Plan:
    if found is None:
        _refuse_foreign(folder)
        return plan
    _refuse_other(found, plan, folder)
    return found.grown(plan.clips)


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
