"""An experiment as JSON, and back, with overrides."""

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

from ..objectives import build as objectives
from ..video_models import build as encoders
from .experiment import Experiment, OptimiserConfig
from .field_types import fitting

KINDS: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        Experiment,
        OptimiserConfig,
        *encoders.ENCODERS,
        *encoders.PARTS,
        *objectives.OBJECTIVES,
        *objectives.PARTS,
    )
}


def to_plain(config: Any) -> Any:  # noqa: ANN401 - any dataclass, or what its fields hold
    """Return plain data for JSON; every dataclass says its kind."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        named = {f.name: to_plain(getattr(config, f.name)) for f in dataclasses.fields(config)}
        return {"kind": type(config).__name__, **named}
    if isinstance(config, tuple):
        return [to_plain(each) for each in config]
    return config


def from_plain(plain: Any) -> Any:  # noqa: ANN401 - the inverse of to_plain
    """Return what ``to_plain`` was given; a missing field takes its default.

    Raises:
        ValueError: an unknown kind or field, as a newer version may have written, or a value that
            does not fit its field.
    """
    if isinstance(plain, list):
        return tuple(from_plain(each) for each in plain)
    if not isinstance(plain, dict):
        return plain
    kind = KINDS.get(plain.get("kind", ""))
    if kind is None:
        raise ValueError(
            f"expected a configuration of a kind out of {sorted(KINDS)}, got {plain.get('kind')!r}"
        )
    known = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(plain) - known - {"kind"})
    if unknown:
        raise ValueError(
            f"{kind.__name__} has no field {', '.join(unknown)}; it has {sorted(known)}"
        )
    missing = [name for name, needed in _needed(kind).items() if needed and name not in plain]
    if missing:
        raise ValueError(f"{kind.__name__} needs {', '.join(missing)}")
    hints = get_type_hints(kind)
    return kind(
        **{
            name: fitting(from_plain(value), hints[name], f"{kind.__name__}.{name}")
            for name, value in plain.items()
            if name != "kind"
        }
    )


def _needed(kind: type) -> dict[str, bool]:
    """Return for each field whether it has no default."""
    none = dataclasses.MISSING
    return {
        f.name: f.default is none and f.default_factory is none for f in dataclasses.fields(kind)
    }


def with_overrides(plain: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain configuration with fields replaced, named by dots.

    Example:
        >>> with_overrides({"optimiser": {"learning_rate": 1.0}}, {"optimiser.learning_rate": 2.0})
        {'optimiser': {'learning_rate': 2.0}}
    """
    changed = dict(plain)
    for name, value in overrides.items():
        changed = _with_override(changed, name.split("."), value, name)
    return changed


def _with_override(
    plain: Mapping[str, Any],
    path: list[str],
    value: Any,  # noqa: ANN401 - plain data
    name: str,
) -> dict[str, Any]:
    head, *rest = path
    if head not in plain:
        raise ValueError(f"cannot override {name!r}: there is {sorted(plain)}")
    if rest and not isinstance(plain[head], Mapping):
        raise ValueError(f"cannot override {name!r}: {head} has no fields")
    return {**plain, head: _with_override(plain[head], rest, value, name) if rest else value}


def differences(there: Any, here: Any, name: str = "") -> list[str]:  # noqa: ANN401 - plain data
    """Return one line for each field that differs between two plain configurations."""
    if isinstance(there, dict) and isinstance(here, dict):
        fields = [*there, *(key for key in here if key not in there)]
        inner = [(key, there.get(key), here.get(key)) for key in fields]
        return [
            line
            for key, old, new in inner
            for line in differences(old, new, f"{name}.{key}" if name else key)
        ]
    return [] if there == here else [f"{name}: {there!r} there, {here!r} now"]
