"""The page in a real browser, if there is one."""

import time

import numpy as np
import pytest

from merkwelt.viewer.settings import ViewSettings
from merkwelt.viewer.view import Viewer, ViewRequest

from .browser import find_browser, open_page
from .test_view import free_port, wait_for

pytest.importorskip("viser", reason="the extra 'view' is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(find_browser() is None, reason="no Chromium or Chrome is installed"),
]
# From the word Play upwards until there is a box beside it.
CLICK_PLAY = """(() => {
  let place = [...document.querySelectorAll("label, p, div")].findLast(e => e.innerText === "Play");
  while (!place.querySelector("input[type=checkbox]")) place = place.parentElement;
  place.querySelector("input[type=checkbox]").click();
})()"""


@pytest.fixture
def viewer(room):
    from merkwelt.viewer.backend import open_server

    settings = ViewSettings(frames=4, size=32, points=20_000)
    viewer = Viewer(open_server("127.0.0.1", free_port()), room, settings, ViewRequest(clip=1))
    viewer.start()
    yield viewer
    viewer.close()


def test_the_page_connects_and_shows_scene_and_panel(viewer, tmp_path):
    wait_for(lambda: viewer.workshop.upcoming() is None)
    with open_page(find_browser(), tmp_path / "profile") as page:
        page.open(f"http://127.0.0.1:{viewer._server.get_port()}")
        wait_for(lambda: len(viewer._server.get_clients()) == 1)
        picture = _settled(page)
        assert "to walk in" in page.run("document.body.innerText")
        page.run(CLICK_PLAY)
        wait_for(lambda: viewer._panel._frame.value != 0)
        page.run(CLICK_PLAY)
        wait_for(lambda: not viewer._playing.is_set())
        eye = "[...document.querySelectorAll('button')].find(b => b.innerText.includes('left eye'))"
        page.run(f"{eye}.click()")
        wait_for(lambda: viewer._stage._inside)
        assert not page.errors, page.errors
    scene = picture[:, : picture.shape[1] // 2]
    drawn = (scene < 235).any(axis=2)
    assert drawn.mean() > 0.1
    assert len(np.unique(scene[drawn], axis=0)) > 200


def _settled(page, *, seconds=60.0):
    """Return the page's picture once something is drawn and it no longer changes much."""
    until = time.monotonic() + seconds
    before = page.picture()
    while True:
        time.sleep(1.0)
        now = page.picture()
        steady = now.shape == before.shape and np.mean(now != before) < 0.01
        drawn = (now[:, : now.shape[1] // 2] < 235).any(axis=2).mean() > 0.1
        if (steady and drawn) or time.monotonic() > until:
            return now
        before = now
