"""Make the viewer's picture again, with viser and Chromium; run it with python."""

import runpy
import tempfile
import time
from pathlib import Path

import cv2
from merkwelt.scenes import Scene
from PIL import Image

from merkwelt.viewer import ViewRequest, ViewSettings
from merkwelt.viewer.backend import open_server
from merkwelt.viewer.view import Viewer

HERE = Path(__file__).parent
BROWSER = HERE.parents[1] / "tests" / "merkwelt" / "viewer" / "browser.py"
PORT, FRAME, COLOURS = 18080, 4, 256
CLOSE = "document.querySelectorAll('.mantine-Notification-closeButton').forEach(b => b.click())"
DRAWING_S = 8.0
"""A browser without a GPU needs this long to draw all that it was told."""


def main() -> None:
    """Open the viewer on the bundled room, look at it, and keep what the browser shows."""
    viewer = Viewer(
        open_server("127.0.0.1", PORT),
        Scene.load("living_room"),
        ViewSettings(),
        ViewRequest(clip=6),
    )
    viewer.start()
    while viewer.workshop.upcoming() is not None:
        time.sleep(0.5)
    viewer._panel.set_frame(FRAME)
    browser = runpy.run_path(str(BROWSER))
    with (
        tempfile.TemporaryDirectory() as profile,
        browser["open_page"](browser["find_browser"](), Path(profile), size=(1440, 940)) as page,
    ):
        page.open(f"http://127.0.0.1:{PORT}")
        while not viewer._server.get_clients():
            time.sleep(0.5)
        time.sleep(DRAWING_S)
        page.run(CLOSE)
        time.sleep(DRAWING_S)
        picture = page.picture()
    viewer.close()
    few = Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).quantize(
        COLOURS, kmeans=2, dither=0
    )
    few.save(HERE / "scene_view.png", optimize=True)


if __name__ == "__main__":
    main()
