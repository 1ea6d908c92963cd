"""An experiment's folder: what is in it, and whether it may be gone on with."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..alignment.maps.human_maps import HumanMaps
from ..files import write_atomically

QUESTION = "experiment.json"
REPORT = "report.html"
PARTS = "parts"


def open_folder(out: Path, asked: Mapping[str, Any]) -> Path:
    """Return the folder of an experiment's networks, after a look at whether it is this one's.

    Args:
        out: the experiment's folder.
        asked: plain data that change when the experiment does.

    Raises:
        FileExistsError: the folder holds something else, or another experiment.
    """
    here = json.loads(json.dumps(dict(asked)))
    path = out / QUESTION
    if path.is_file():
        there = json.loads(path.read_text(encoding="utf-8"))
        changed = sorted(name for name in {*there, *here} if there.get(name) != here.get(name))
        if changed:
            said = "; ".join(f"{each}: {there.get(each)} before" for each in changed)
            raise FileExistsError(
                f"{out} holds an experiment with other settings ({said}); choose another folder, "
                "or the same settings to go on with it"
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"expected {out} to be empty or to hold this experiment, found something else; choose "
            "another folder"
        )
    else:
        write_atomically(path, (json.dumps(here, indent=2) + "\n").encode())
    (out / PARTS).mkdir(exist_ok=True)
    return out / PARTS


def identity_of(maps: HumanMaps) -> str:
    """Return a short text that changes when images, maps, names or labels do."""
    digest = hashlib.sha256()
    for array in (maps.images, maps.maps):
        digest.update(str((array.shape, array.dtype)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update("\n".join((*maps.names, *maps.labels)).encode())
    return digest.hexdigest()[:16]


def identity_of_files(folder: Path) -> str:
    """Return a short text that changes when a folder's files do, told by their names and sizes.

    Raises:
        FileNotFoundError: there is no such folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"expected a folder of clips at {folder}, found none")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    listed = [f"{path.relative_to(folder).as_posix()} {path.stat().st_size}" for path in files]
    return hashlib.sha256("\n".join(listed).encode()).hexdigest()[:16]
