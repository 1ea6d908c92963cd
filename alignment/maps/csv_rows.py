"""Rows of comma-separated text, with where each one is."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path


def csv_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield where each row is, in words, and its cells by column.

    Args:
        path: the file.
        columns: those that must be there.

    Raises:
        ValueError: a column is missing, or a line cannot be read; names it.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = csv.DictReader(file)
        try:
            missing = [name for name in columns if name not in (rows.fieldnames or ())]
            if missing:
                raise ValueError(
                    f"expected columns {', '.join(columns)} in {path}, missing "
                    f"{', '.join(missing)}; found {rows.fieldnames}"
                )
            for row in rows:
                yield f"{path}, line {rows.line_num}", row
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(
                f"expected lines of comma-separated text in {path}, but line {rows.line_num + 1} "
                f"or the next cannot be read ({error})"
            ) from error
