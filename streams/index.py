"""The index of a data set in memory: where each clip's members lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .clip_members import STREAMS
from .manifest import Manifest
from .shard import Extent
from .store import Store, open_store

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipIndex:
    """Where the clips of a data set lie, as columns."""

    clips: np.ndarray
    """int64 ids, ascending; row numbers count from here."""
    frames: np.ndarray
    """int64, of each clip."""
    shard_names: tuple[str, ...]
    shard_of: np.ndarray
    scene_names: tuple[str, ...]
    scene_of: np.ndarray
    members: dict[str, np.ndarray]
    """For each member offsets, sizes and CRC-32s, int64 ``[clip, 3]``."""
    skipped: dict[int, str]
    """Clips that could not be rendered, and why."""

    @classmethod
    def read(cls, place: Path | Store, manifest: Manifest) -> "ClipIndex":
        """Return the index of the shards that a manifest lists.

        An index that knows more than the manifest is one that a writer has just replaced; what it
        says of the manifest's shards is the same.

        Raises:
            RuntimeError: the index cannot be read or knows less than the manifest.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        store = open_store(place)
        where = store.where(manifest.index)
        try:
            table = pq.ParquetFile(pa.BufferReader(store.read(manifest.index))).read()
        except (pa.ArrowException, OSError) as error:
            raise RuntimeError(f"cannot read {where}: {error}; run 'merkwelt verify'") from error
        listed = {f"{shard.name}.tar" for shard in manifest.shards}
        table = table.filter(pa.array([name in listed for name in table["shard"].to_pylist()]))
        if len(table) != manifest.clips + manifest.skipped:
            raise RuntimeError(
                f"{where} lists {len(table)} clips, its manifest "
                f"{manifest.clips + manifest.skipped}; run the same 'merkwelt render' again"
            )
        return cls._of(table.sort_by("clip"))

    @classmethod
    def _of(cls, table: "pyarrow.Table") -> "ClipIndex":
        there = table.filter(table["skipped"].is_null())
        left_out = table.filter(table["skipped"].is_valid())
        shard_names, shard_of = _coded(there["shard"])
        scene_names, scene_of = _coded(there["scene"])
        members = {
            column.removesuffix(":size"): np.stack(
                [
                    there[column.replace(":size", part)].to_numpy().astype(np.int64)
                    for part in (":offset", ":size", ":crc32")
                ],
                axis=1,
            )
            for column in there.column_names
            if column.endswith(":size")
        }
        reasons = zip(left_out["clip"].to_pylist(), left_out["skipped"].to_pylist(), strict=True)
        return cls(
            clips=there["clip"].to_numpy(),
            frames=there["frames"].to_numpy().astype(np.int64),
            shard_names=shard_names,
            shard_of=shard_of,
            scene_names=scene_names,
            scene_of=scene_of,
            members=members,
            skipped=dict(reasons),
        )

    @property
    def streams(self) -> tuple[str, ...]:
        """What is stored of the clips."""
        return tuple(
            stream
            for stream, names in STREAMS.items()
            if any(name in self.members and self.members[name][:, 1].any() for name in names)
        )

    def row_of(self, clip: int) -> int:
        """Return the row of a clip.

        Raises:
            KeyError: there is no such clip; says whether it was skipped.
        """
        row = int(np.searchsorted(self.clips, clip))
        if row < len(self.clips) and self.clips[row] == clip:
            return row
        if clip in self.skipped:
            raise KeyError(f"clip {clip} was skipped: {self.skipped[clip]}")
        raise KeyError(f"expected one of the {len(self.clips)} clips that are there, got {clip}")

    def scene(self, row: int) -> str:
        """Return the name of a clip's scene."""
        return self.scene_names[self.scene_of[row]]

    def extents(self, row: int, names: Sequence[str]) -> tuple[str, dict[str, Extent]]:
        """Return a clip's shard, and where those of its members lie in it that it has."""
        found = {
            name: Extent(*self.members[name][row].tolist())
            for name in names
            if name in self.members and self.members[name][row, 1]
        }
        return self.shard_names[self.shard_of[row]], found


def _coded(column: "pyarrow.ChunkedArray") -> tuple[tuple[str, ...], np.ndarray]:
    """Return the distinct values of a column, and each row's place among them."""
    names, codes = np.unique(np.array(column.to_pylist(), dtype=str), return_inverse=True)
    return tuple(names.tolist()), codes
