"""Dataclasses as plain data and back, and the one canonical JSON that hashes are taken of."""

import hashlib
import json
import types
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def canonical_json(data: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return JSON without spaces and with sorted keys: equal data gives equal text."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_id(data: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of canonical JSON."""
    return hashlib.sha256(canonical_json(data).encode()).hexdigest()


def to_plain(value: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    """Return a dataclass or mapping as JSON would give it back: dicts, lists, numbers, text.

    A ``to_dict`` of its own is used where there is one.
    """
    if isinstance(value, Mapping):
        data = dict(value)
    else:
        data = value.to_dict() if hasattr(value, "to_dict") else asdict(value)
    return json.loads(canonical_json(data))


def from_plain(kind: type[T], data: Mapping[str, Any], *, where: str) -> T:
    """Return the dataclass that ``to_plain`` described.

    Raises:
        ValueError: entries are missing or unknown; names them and ``where``.
    """
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - known)
    if unknown:
        raise ValueError(f"{where}: unknown entries {unknown} for {kind.__name__}")
    try:
        return kind(**{name: _restore(hints[name], value, where) for name, value in data.items()})
    except TypeError as error:
        raise ValueError(f"{where}: {error}") from error


def differences(there: Any, asked: Any, name: str = "") -> list[str]:  # noqa: ANN401 - any JSON
    """Return one line for each entry in which two plain values differ."""
    if isinstance(there, dict) and isinstance(asked, dict):
        lines = []
        for key in sorted({*there, *asked}):
            path = f"{name}.{key}" if name else key
            lines += differences(there.get(key), asked.get(key), path)
        return lines
    if there == asked:
        return []
    return [f"{name}: {_short(there)} there, {_short(asked)} asked"]


def _short(value: Any) -> str:  # noqa: ANN401 - any JSON value
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _restore(hint: Any, value: Any, where: str) -> Any:  # noqa: ANN401 - typed by the hint
    """Return a plain value in the type that a dataclass field asks for."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        chosen = [a for a in arguments if a is not type(None)]
        return None if value is None else _restore(chosen[0], value, where)
    if is_dataclass(hint) and isinstance(value, Mapping):
        return from_plain(hint, value, where=where)  # type: ignore[arg-type]
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_restore(kind, item, where) for kind, item in zip(kinds, value, strict=True))
    if origin is Literal or hint is not float:
        return value
    return float(value)
