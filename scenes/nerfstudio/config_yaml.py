"""Reading nerfstudio's ``config.yml`` as plain data.

The file is full of ``!!python/object`` tags that a trusting loader would execute. Here every such
tag becomes a plain dict, list or string; nothing is imported and nothing is called.
"""

from pathlib import Path
from typing import Any

import yaml


class _PlainLoader(yaml.SafeLoader):
    """A safe loader that reads any python tag as the data under it."""


def _plain(loader: _PlainLoader, _suffix: str, node: yaml.Node) -> Any:  # noqa: ANN401
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_PlainLoader.add_multi_constructor("tag:yaml.org,2002:python/", _plain)


def read_nerfstudio_config(path: Path) -> dict[str, Any]:
    """Return a run's configuration as nested dicts, lists, strings and numbers.

    Raises:
        ValueError: the file is not a nerfstudio configuration; says what was found.
    """
    return read_plain_yaml(path, "a nerfstudio configuration")


def read_plain_yaml(path: Path, expected: str) -> dict[str, Any]:
    """Return a YAML file that holds a mapping, any python tag in it read as plain data.

    Raises:
        ValueError: the file is not YAML, or no mapping and so not ``expected``.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            loader = _PlainLoader(stream)
            try:
                data = loader.get_single_data()
            finally:
                loader.dispose()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a readable config.yml: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path}: expected {expected}, found {type(data).__name__}")
    return data
