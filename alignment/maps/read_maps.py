"""One entry for every stored form of human maps."""

from pathlib import Path

from .human_maps import HumanMaps
from .npz import read_clickme2_npz


def read_maps(path: str | Path) -> HumanMaps:
    """Return the human maps stored at ``path``, whatever their form.

    ============  =====================================================================
    form          content
    ============  =====================================================================
    ``FILE.npz``  ClickMe 2.0 pairs: ``image``, ``heatmap_u8``, ``name``, ``category``
    ============  =====================================================================
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"expected human maps at {path}, but nothing is there")
    if path.is_file() and path.suffix.lower() == ".npz":
        return read_clickme2_npz(path)
    found = "a folder" if path.is_dir() else f"a file that ends in '{path.suffix}'"
    raise ValueError(
        f"expected human maps in an .npz file (members image, heatmap_u8, name, category), got "
        f"{found}: {path}"
    )
