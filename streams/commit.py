"""Committing a shard: whole or not at all, and the first writer wins."""

from pathlib import Path

from .folder import folder_lock, receipt_path, shard_path, sync_folder, write_whole
from .receipts import Receipt, read_receipt


def commit(folder: Path, partial: Path, receipt: Receipt) -> Receipt:
    """Move a finished shard to its place, write its receipt, and return the receipt that counts.

    If another writer has committed the shard meanwhile, ``partial`` is discarded and the other's
    receipt returned. A process that dies between the two steps leaves a shard without receipt,
    which does not count and is replaced by the next writer.
    """
    target = shard_path(folder, receipt.shard)
    with folder_lock(folder):
        winner = read_receipt(folder, receipt.shard)
        if winner is not None:
            partial.unlink(missing_ok=True)
            return winner
        try:
            partial.replace(target)
            sync_folder(target.parent)
            write_whole(receipt_path(folder, receipt.shard), receipt.to_json().encode())
        except BaseException:
            partial.unlink(missing_ok=True)
            target.unlink(missing_ok=True)
            raise
    return receipt


def withdraw(folder: Path, path: Path, found: bytes) -> None:
    """Take back the receipt at ``path``, so that its damaged shard is rendered anew.

    Nothing happens if the receipt no longer is what was ``found`` wanting: another process has
    mended the shard meanwhile.
    """
    with folder_lock(folder):
        if path.is_file() and path.read_bytes() == found:
            path.unlink()
            sync_folder(path.parent)
