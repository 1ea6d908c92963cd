"""Reading a capture of whichever kind it is."""

from pathlib import Path

from .capture import Capture
from .colmap import find_colmap_model, read_colmap
from .transforms import BLENDER_TRAIN_FILE, NERFSTUDIO_FILE, read_blender, read_nerfstudio


def read_capture(path: str | Path) -> Capture:
    """Return the capture in a folder, whose kind is found by looking.

    Looked for, in this order: nerfstudio's ``transforms.json``, Blender's
    ``transforms_train.json``, a COLMAP model in ``sparse/0``, ``sparse``, ``colmap/sparse/0`` or
    the folder itself. Listed photographs that do not exist are left out and named in ``missing``.

    Raises:
        FileNotFoundError: there is no such folder, or none of its photographs exists.
        ValueError: the folder holds no poses, or poses that cannot be used.
    """
    root = Path(path)
    if root.name in (NERFSTUDIO_FILE, BLENDER_TRAIN_FILE) and root.is_file():
        root = root.parent
    if not root.is_dir():
        raise FileNotFoundError(f"there is no capture folder {root}")
    if (root / NERFSTUDIO_FILE).is_file():
        return read_nerfstudio(root)
    if (root / BLENDER_TRAIN_FILE).is_file():
        return read_blender(root)
    model = find_colmap_model(root)
    if model is not None:
        return read_colmap(root, model)
    raise ValueError(
        f"{root} holds no poses: expected {NERFSTUDIO_FILE}, {BLENDER_TRAIN_FILE}, or a COLMAP "
        "model (cameras and images, .bin or .txt) in sparse/0; pose the photographs with COLMAP "
        "or ns-process-data first"
    )
