"""Results as JSON can hold them."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain_data(value: Any) -> Any:  # noqa: ANN401 - of any shape
    """Return JSON data: NaN and infinity become None, tuples lists, dataclasses mappings."""
    if is_dataclass(value):
        return {each.name: plain_data(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
