"""The folder that a command writes its results to, which may hold no others."""

import json
from pathlib import Path

RESULTS_FILE = "results.json"
_OWNERS = {"config.json": "a training run", "experiment.json": "an experiment"}


def free_for(out: Path, results_format: str) -> Path:
    """Return a folder that results may be written to, after a look at what would be replaced.

    Results of the same command are; nothing else is.

    Args:
        out: the folder; need not exist.
        results_format: what ``results.json`` says of itself under ``format``.

    Raises:
        FileExistsError: it is a file, belongs to a run or an experiment, or holds other results.
    """
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"{out} is a file; name a folder for the results")
    for name, owner in _OWNERS.items():
        if (out / name).exists():
            raise FileExistsError(
                f"{out} is the folder of {owner} ({name}); choose another folder for the results"
            )
    file = out / RESULTS_FILE
    if file.exists() and (found := _format_of(file)) != results_format:
        raise FileExistsError(
            f"{file} holds {found or 'something else'} and would be replaced by "
            f"{results_format}; choose another folder"
        )
    return out


def _format_of(file: Path) -> str | None:
    try:
        plain = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        return None
    found = plain.get("format") if isinstance(plain, dict) else None
    return found if isinstance(found, str) else None
