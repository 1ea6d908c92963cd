"""The Parquet files of a LeRobotDataset: rows of many episodes in files of limited size."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .layout import BYTES_PER_MB, TASKS, LeRobotSettings, Place

if TYPE_CHECKING:
    import pyarrow
    from pyarrow.parquet import ParquetWriter

ROWS_AT_ONCE = 4096
TASK_COLUMN = "__index_level_0__"
"""pandas' name for an index without one; LeRobot looks tasks up by the index."""


class TableFiles:
    """Appends tables of one schema to Parquet files of limited size."""

    def __init__(self, root: Path, template: str, settings: LeRobotSettings) -> None:
        """Write files named by ``template`` below ``root``."""
        self._root, self._template = root, template
        self._limit = settings.data_files_size_in_mb * BYTES_PER_MB
        self._chunks_size = settings.chunks_size
        self._place: Place | None = None
        self._waiting: list[pyarrow.Table] = []
        self._writer: ParquetWriter | None = None
        self._bytes = 0

    def place_for(self, size: int) -> Place:
        """Return the file into which the next table goes, of ``size`` bytes in memory."""
        if self._place is None:
            self._place = Place()
        elif self._bytes and self._bytes + size > self._limit:
            self.close()
            self._place, self._bytes = self._place.next(self._chunks_size), 0
        return self._place

    def add(self, table: "pyarrow.Table") -> None:
        """Append a table to the file that ``place_for`` named."""
        self._bytes += table.nbytes
        self._waiting.append(table)
        if sum(map(len, self._waiting)) >= ROWS_AT_ONCE:
            self._write()

    def close(self) -> None:
        """Finish the last file."""
        self._write()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self._waiting or self._place is None:
            return
        table = pa.concat_tables(self._waiting)
        if self._writer is None:
            path = self._root / self._place.path(self._template)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = pq.ParquetWriter(path, table.schema, compression="snappy")
        self._writer.write_table(table)
        self._waiting = []


def write_tasks(root: Path, tasks: Sequence[str]) -> None:
    """Write the tasks, whose places in the list are their numbers, as a pandas data frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "task_index": pa.array(range(len(tasks)), pa.int64()),
            TASK_COLUMN: pa.array(tasks, pa.string()),
        }
    )
    described = [
        {
            "name": name,
            "field_name": field,
            "pandas_type": kind,
            "numpy_type": numpy_type,
            "metadata": None,
        }
        for name, field, kind, numpy_type in (
            ("task_index", "task_index", "int64", "int64"),
            (None, TASK_COLUMN, "unicode", "object"),
        )
    ]
    pandas = {"index_columns": [TASK_COLUMN], "column_indexes": [], "columns": described}
    said = {"pandas": json.dumps({**pandas, "pandas_version": "2.0.0"})}
    path = root / TASKS
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(said), path, compression="snappy")
