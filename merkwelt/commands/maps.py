"""``merkwelt maps``."""

from pathlib import Path

from tyro.conf import OmitArgPrefixes, Positional

from ..console import OUT
from ..map_conversion import MapForm, MapRequest


def convert(
    source: Positional[Path],
    target: Positional[Path],
    /,
    *,
    to: MapForm | None = None,
    request: OmitArgPrefixes[MapRequest] = MapRequest(),  # noqa: B008 - frozen
) -> None:
    """Write human maps, or the clicks behind them, in another form.

    Sources: ClickMe 1.0 TFRecord shards, .npz files, folders or zips of .npz, .pth, .npy,
    processed HDF5, and clicks or fixations of single people, of which maps are made.

    Args:
        source: file or folder; its form is told by its content.
        target: file or folder to be written, which must not exist.
        to: npz keeps everything, single people among it; tfrecord and tfrecord-raw are ClickMe 1.0
            (a file, or a folder of shards); folder is one .npz for each image; hdf5 is processed
            ClickMe 2.0; csv, dump and fixations are trials. By the target's ending by default.
        request: what is read.
    """
    from ..map_conversion import convert_maps

    for line in convert_maps(source, target, request, to=to).lines:
        OUT.print(line, markup=False)


def show(
    source: Positional[Path],
    /,
    *,
    out: Path | None = None,
    shown: int = 12,
    request: OmitArgPrefixes[MapRequest] = MapRequest(),  # noqa: B008 - frozen
) -> None:
    """Tell what human maps hold, and draw some of them over their images.

    Args:
        source: what convert reads.
        out: picture to draw, ending in .png.
        shown: how many images are drawn.
        request: what is read.
    """
    from ..map_sheet import show_maps

    done = show_maps(source, request, out=out, shown=shown)
    for line in done.lines:
        OUT.print(line, markup=False)
    if done.out is not None:
        OUT.print(f"picture: {done.out}", markup=False)
