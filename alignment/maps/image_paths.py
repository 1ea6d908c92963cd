"""What the path of an image tells in ClickMe 2.0: its category and split."""

from pathlib import PurePosixPath

UNKNOWN = "unknown"
_SPLITS = {"CO3D_ClickMe2": "val", "CO3D_ClickMe_Training2": "train"}
_CONSTANCY = "CO3D_Constancy"


def category_of(image_path: str) -> str:
    """Return the CO3D category or ImageNet synset that a path names, or ``unknown``.

    Example:
        >>> category_of("CO3D_ClickMe2/bench/bench_1_2_3_renders_00004.png")
        'bench'
    """
    parts = PurePosixPath(image_path).parts
    if len(parts) >= 3 and parts[-3].startswith("CO3D"):
        return parts[-2]
    if len(parts) >= 3 and parts[-3:-1] == ("train", parts[-2]) and parts[-2][:1] == "n":
        return parts[-2]
    if len(parts) == 2 and parts[0].startswith("CO3D") and "_" in parts[1]:
        return parts[1].split("_")[0]
    return UNKNOWN


def split_of(image_path: str) -> str | None:
    """Return ``val``, ``train`` or ``constancy``, or None where the path does not tell."""
    for part in PurePosixPath(image_path).parts[:-1]:
        if part in _SPLITS:
            return _SPLITS[part]
        if part.startswith(_CONSTANCY):
            return "constancy"
        if part in ("train", "val", "test"):
            return part
    return None


def split_folder(split: str) -> str:
    """Return a split as the name of one folder, whatever a file says it is: never a way out."""
    return flattened(split).lstrip(".") or "all"


def flattened(name: str) -> str:
    """Return a name with ``_`` for ``/``, as processed files have it; safe as a file's name."""
    return name.strip("/").replace("\\", "_").replace("/", "_").replace(":", "_").replace("\0", "_")
