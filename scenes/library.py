"""Where scenes are found by name: the user's library, and the scenes that come with the package."""

import os
from pathlib import Path

LIBRARY_VARIABLE = "MERKWELT_LIBRARY"
CARD_FILE = "scene.json"


def bundled_folder() -> Path:
    """Return the folder of the scenes that come with the package."""
    return Path(__file__).parent / "bundled"


def default_library() -> Path:
    """Return the user's library: ``$MERKWELT_LIBRARY``, or a folder under the data home."""
    if named := os.environ.get(LIBRARY_VARIABLE):
        return Path(named)
    data_home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data_home) / "merkwelt" / "scenes"


class SceneLibrary:
    """A folder of scene folders, searched before the bundled scenes."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder, or the default library."""
        self.folder = folder or default_library()

    def paths(self) -> dict[str, Path]:
        """Return every scene's folder by name; a scene of the library hides a bundled one."""
        found: dict[str, Path] = {}
        for root in (bundled_folder(), self.folder):
            if root.is_dir():
                found |= {p.parent.name: p.parent for p in sorted(root.glob(f"*/{CARD_FILE}"))}
        return dict(sorted(found.items()))

    def names(self) -> list[str]:
        """Return the names of all scenes."""
        return list(self.paths())

    def target(self, name: str) -> Path:
        """Return the folder that a new scene of this name gets."""
        return self.folder / name

    def find(self, name_or_path: str | Path) -> Path:
        """Return the folder of a scene given by name or by path.

        Raises:
            FileNotFoundError: there is none; lists the scenes there are.
        """
        scenes = self.paths()
        if str(name_or_path) in scenes:
            return scenes[str(name_or_path)]
        folder = Path(name_or_path)
        if (folder / CARD_FILE).is_file():
            return folder
        known = ", ".join(scenes) or "none"
        raise FileNotFoundError(
            f"no scene {str(name_or_path)!r}: it is neither a name in {self.folder} nor a folder "
            f"with a {CARD_FILE}; scenes there are: {known}"
        )
