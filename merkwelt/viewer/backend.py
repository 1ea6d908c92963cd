"""viser, of which releases from 0.2.7 (which nerfstudio 1.1.5 pins) to the present one are used.

What differs between them is in this module; all else keeps to calls that they share.
"""

import inspect
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..report.encode import data_uri, jpeg_bytes

ViserObject = Any
"""Something of viser's: it is optional, and its releases differ in the names of its types."""
BRAND = (33, 102, 172)
VISER_MISSING = (
    "the viewer needs viser, which is not installed; install it with "
    "`pip install 'merkwelt[view]'`, or `pip install -e '.[view]'` in a checkout"
)


def open_server(host: str, port: int) -> ViserObject:
    """Return a viser server at an address.

    Raises:
        ImportError: viser is not installed; names the extra.
        ValueError: nobody can listen at the address, or somebody does already.
    """
    try:
        import viser
    except ImportError as error:
        raise ImportError(VISER_MISSING) from error
    # viser itself would silently take the next port.
    _require_free(host, port)
    server = viser.ViserServer(host=host, port=port, label="merkwelt", verbose=False)
    has_docks = hasattr(server.gui, "main_panel")
    theme = server.gui.configure_theme
    if has_docks:
        theme(control_width="large", brand_color=BRAND, show_share_button=False)
        server.gui.main_panel.dock_right()
    else:
        # Without its share button, viser 0.2.7's page breaks.
        theme(control_width="large", brand_color=BRAND, control_layout="collapsible")
    return server


def _require_free(host: str, port: int) -> None:
    if not 1 <= port <= 65535:
        raise ValueError(f"expected a port between 1 and 65535, got {port}")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ValueError(
                f"cannot listen at {host}:{port}: {error.strerror or error}; choose another --port"
            ) from error


def possible(call: Callable[..., object], **options: object) -> dict[str, object]:
    """Return those of the options that this release's call has."""
    known = inspect.signature(call).parameters
    return {name: value for name, value in options.items() if name in known}


class PanelPicture:
    """A picture in the panel that can be exchanged.

    Releases without pictures in the panel show it in Markdown, at most 240 pixels wide.
    """

    def __init__(self, gui: ViserObject, picture: np.ndarray) -> None:
        """Add a picture to viser's ``gui``."""
        self._is_markdown = not hasattr(gui, "add_image")
        if self._is_markdown:
            # A root is asked for, though nothing is read from it.
            self._handle = gui.add_markdown(_markdown(picture), image_root=Path())
        else:
            self._handle = gui.add_image(picture, format="jpeg")

    def show(self, picture: np.ndarray) -> None:
        """Show another picture, uint8 ``[height, width, 3]``."""
        if self._is_markdown:
            self._handle.content = _markdown(picture)
        else:
            self._handle.image = picture


def _markdown(picture: np.ndarray) -> str:
    return f"![what the eyes see]({data_uri(jpeg_bytes(picture))})"
