"""The viewer on a real viser server, without a browser."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from merkwelt.cli import main
from merkwelt.viewer.agenda import Failure
from merkwelt.viewer.settings import ViewSettings
from merkwelt.viewer.view import Viewer, ViewRequest

pytest.importorskip("viser", reason="the extra 'view' is not installed")
# viser 0.2.7 serves through a part of websockets that is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
PATIENCE_S = 300.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


@pytest.fixture
def open_viewer(settings):
    from merkwelt.viewer.backend import open_server

    opened = []

    def open_(scene, **request):
        viewer = Viewer(
            open_server("127.0.0.1", free_port()), scene, settings, ViewRequest(**request)
        )
        opened.append(viewer)
        viewer.start()
        return viewer

    yield open_
    for viewer in opened:
        viewer.close()


def _texts(viewer):
    panel = viewer._panel
    return panel._scene.content, panel._text.content


def test_a_room_is_shown_whole(room, open_viewer):
    viewer = open_viewer(room, clip=1, clips=2)
    wait_for(lambda: "all is rendered" in _texts(viewer)[0])
    parts = viewer._stage._parts
    for group in ("points", "boxes", "floor", "path", "other paths", "cameras"):
        assert parts[group], group
    assert len(parts["names"]) == len(room.card.objects)
    assert len(parts["pictures"]) == 2
    assert "walking" in _texts(viewer)[1]


def test_choices_change_what_is_shown(room, open_viewer):
    viewer = open_viewer(room, clips=0)
    wait_for(lambda: viewer.workshop.upcoming() is None)
    before = _texts(viewer)[1]
    viewer._panel.set_frame(4)
    wait_for(lambda: "t = 0.40 s" in _texts(viewer)[1])
    actions = viewer._actions()
    actions.choose_clip(7)
    wait_for(lambda: viewer.workshop.upcoming() is None)
    assert viewer._panel._frame.value == 0
    assert _texts(viewer)[1] != before
    actions.choose_observer("static")
    wait_for(lambda: "standing 0.00" in _texts(viewer)[1])
    actions.show("boxes", False)
    assert not any(handle.visible for handle in viewer._stage._parts["boxes"])
    actions.cut_at(0.3)
    shown = [handle.visible for handle in viewer._stage._parts["points"]]
    assert any(shown)
    assert not all(shown)
    actions.look_from_above(None)
    actions.look_through_eye(None)
    assert not any(handle.visible for handle in viewer._stage._parts["gaze"])
    assert all(handle.visible for handle in viewer._stage._parts["points"])


def test_playing_moves_on_until_it_is_paused(room, open_viewer):
    viewer = open_viewer(room, clips=0)
    wait_for(lambda: viewer.workshop.upcoming() is None)
    seen = set()
    viewer._actions().play(True)
    wait_for(lambda: seen.add(viewer._panel._frame.value) or len(seen) == 6)
    viewer._actions().play(False)
    time.sleep(0.3)
    still = viewer._panel._frame.value
    time.sleep(0.5)
    assert viewer._panel._frame.value == still


def test_an_object_is_shown_with_its_views(statue, open_viewer):
    viewer = open_viewer(statue, clips=1)
    wait_for(lambda: "all is rendered" in _texts(viewer)[0])
    assert "to move around" in _texts(viewer)[0]
    parts = viewer._stage._parts
    assert not parts["floor"]
    assert parts["points"]
    assert parts["cameras"]
    assert len(parts["pictures"]) == 1


def test_a_clip_that_cannot_be_is_told_in_the_panel(room, open_viewer, monkeypatch):
    from merkwelt.render.navigation import NoPath

    from merkwelt.viewer import workshop

    def refuse(*_):
        raise NoPath("no way <here>")

    monkeypatch.setattr(workshop, "plan_contents", refuse)
    viewer = open_viewer(room, clips=0)
    wait_for(lambda: viewer.workshop.upcoming() is None)
    assert "no way \\<here\\>" in _texts(viewer)[1]
    assert isinstance(viewer.workshop.get(viewer._clip_task), Failure)


def _refused(capsys, words, *expected, status):
    assert main(["scene", "view", *words]) == status
    message = " ".join(capsys.readouterr().err.split())
    assert "Traceback" not in message
    for part in expected:
        assert part in message


def test_a_taken_port_is_named(library, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        words = ["room", "--library", str(library), "--port", port]
        _refused(capsys, words, f"127.0.0.1:{port}", "--port", status=2)
    _refused(capsys, ["room", "--library", str(library), "--port", "0"], "65535", status=2)


def test_what_is_missing_is_named(library, capsys, monkeypatch):
    words = ["room", "--library", str(library)]
    _refused(capsys, ["nowhere", *words[1:]], "nowhere", status=2)
    _refused(capsys, [*words, "--observer", "owl"], "owl", "adult", status=2)
    _refused(capsys, [*words, "--clip", "-1"], "at least 0", status=2)
    _refused(capsys, [*words, "--renderer.path", "fast"], "scene optimise", status=2)
    monkeypatch.setitem(sys.modules, "viser", None)
    _refused(capsys, words, "merkwelt[view]", status=1)


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_ends_it_cleanly(library):
    port = free_port()
    words = ["scene", "view", "room", "--library", str(library), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "merkwelt", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Shells start what runs in the background with the signal ignored, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        lines = iter(process.stdout.readline, "")
        assert any(f"http://localhost:{port}" in line for line in lines if "viewer" in line)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}").read()
        assert b"<html" in page
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert process.returncode == 0, rest
    assert "Traceback" not in rest


def test_frames_of_one_cannot_be_played(room):
    from merkwelt.viewer.backend import open_server

    viewer = Viewer(
        open_server("127.0.0.1", free_port()), room, ViewSettings(frames=1, size=8), ViewRequest()
    )
    assert viewer._panel._frame.disabled
    viewer.close()
