"""A plug-in's folder, written whole or not at all."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from ..maps.writing import new_folder
from .plugin import Plugin
from .plugin_text import init_text, model_text, requirements_text

MODELS = "models"


def write_plugin(plugin: Plugin, out: Path, files: Mapping[str, bytes]) -> Path:
    """Write ``out/models/IDENTIFIER`` and return it.

    Args:
        plugin: what is written.
        out: a folder; a checkout of Brain-Score's ``brainscore_vision``, say.
        files: further files of the plug-in by name, such as its weights.

    Raises:
        FileExistsError: there is such a plug-in already.
    """
    folder = out / MODELS / plugin.identifier
    if folder.exists():
        raise FileExistsError(
            f"expected no {folder} yet; remove it, or export with another --identifier"
        )
    own = version("merkwelt")
    texts = {
        "__init__.py": init_text(plugin, own),
        "model.py": model_text(plugin, own),
        "requirements.txt": requirements_text(own),
    }
    with new_folder(folder) as temporary:
        for name, text in texts.items():
            (temporary / name).write_text(text, encoding="utf-8")
        for name, content in files.items():
            (temporary / name).write_bytes(content)
    return folder
