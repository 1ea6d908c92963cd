"""Changing single settings of an experiment by name, as ``merkwelt train --set`` does."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .config_file import from_plain, to_plain, with_overrides
from .experiment import Experiment


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Return new values by dotted name, from texts such as ``optimiser.learning_rate=3e-4``.

    Values are JSON, and what is not JSON is text. Nothing is evaluated.

    Raises:
        ValueError: a text without ``=``, or a setting that is named twice.

    Example:
        >>> parse_overrides(["encoder.eyes=1", "ema=null", "precision=bf16"])
        {'encoder.eyes': 1, 'ema': None, 'precision': 'bf16'}
    """
    overrides: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise ValueError(
                f"expected settings such as optimiser.learning_rate=3e-4, got {text!r}"
            )
        if name in overrides:
            raise ValueError(f"expected each setting once, got {name!r} twice")
        overrides[name] = _value(value)
    return overrides


def overridden(experiment: Experiment, overrides: Mapping[str, Any]) -> Experiment:
    """Return an experiment with settings replaced, named by dots.

    ``encoder.kind`` or ``objective.kind`` takes another kind with its defaults; other overrides
    then change those.

    Raises:
        ValueError: no such setting or kind, or a value that does not fit; says what there is.
    """
    plain = to_plain(experiment)
    rest = dict(overrides)
    kinds = [name for name in overrides if name.endswith(".kind")]
    for name in sorted(kinds, key=lambda name: name.count(".")):
        whole = to_plain(from_plain({"kind": rest.pop(name)}))
        plain = with_overrides(plain, {name.removesuffix(".kind"): whole})
    changed = from_plain(with_overrides(plain, rest))
    if not isinstance(changed, Experiment):
        raise ValueError(f"expected an Experiment, got {type(changed).__name__}")
    return changed


def _value(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
