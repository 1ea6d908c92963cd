"""Fitted maps on disk: arrays and plain settings in a safetensors file, which cannot run code."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "1"


def save_arrays(
    path: Path | str,
    kind: str,
    arrays: Mapping[str, np.ndarray],
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Write arrays, what they are, and plain settings; the file appears whole or not at all."""
    from safetensors.numpy import save_file

    target = Path(path)
    metadata = {"kind": kind, "format": FORMAT, "settings": json.dumps(dict(settings or {}))}
    whole = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        save_file(whole, partial, metadata=metadata)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def load_arrays(path: Path | str, kind: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the settings of a file of that kind.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no safetensors file, or holds something else.
    """
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"expected a file of {kind} at {path}, found none")
    try:
        with safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"expected {path} to be a safetensors file: {error}") from error
    found = metadata.get("kind", "something else")
    if found != kind or metadata.get("format") != FORMAT:
        raise ValueError(
            f"expected {path} to hold {kind} of format {FORMAT}, got {found} of format "
            f"{metadata.get('format', 'unknown')}"
        )
    return arrays, json.loads(metadata["settings"])
