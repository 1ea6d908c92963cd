"""Published accuracy and alignment of many networks, to lay behind one's own.

Such a table is its authors' and is not part of this package; bring your own file. Its scores are
raw Spearman on ImageNet photographs, with the plain gradient of the true class: other images and
another recipe than anything measured here, so positions may be compared in kind and not in value.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

_NEEDED = ("model", "top1", "spearman_raw", "params_M", "precision")


@dataclass(frozen=True, kw_only=True)
class PublishedModel:
    """One network of a published table."""

    name: str
    top1_percent: float
    spearman: float
    """Raw: not divided by a ceiling."""
    parameters: float
    """Number of parameters; NaN where the table has none."""
    exact: bool
    """False where the value was read off a figure."""


def read_published_models(path: Path) -> tuple[PublishedModel, ...]:
    """Return the rows of a table with columns model, top1, spearman_raw, params_M and precision.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: columns are missing, or a value is no number; names the row.
    """
    if not path.is_file():
        raise FileNotFoundError(f"expected a table of published models at {path}, found none")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(
                f"expected columns {', '.join(_NEEDED)} in {path.name}, missing {missing}"
            )
        return tuple(_row(row, path, place) for place, row in enumerate(reader, start=2))


def _row(row: dict[str, str], path: Path, place: int) -> PublishedModel:
    try:
        return PublishedModel(
            name=row["model"],
            top1_percent=float(row["top1"]),
            spearman=float(row["spearman_raw"]),
            parameters=float(row["params_M"]) * 1e6 if row["params_M"] else math.nan,
            exact=row["precision"] == "exact",
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"expected numbers for top1, spearman_raw and params_M in line {place} of {path.name}: "
            f"{error}"
        ) from error
