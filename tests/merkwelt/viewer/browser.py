"""A headless Chromium, driven through its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--remote-debugging-port=0",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
)
START_S = 60.0


def find_browser() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """The one open page."""

    def __init__(self, connection):
        self._connection, self._last = connection, 0
        self.errors = []
        self.ask("Page.enable")
        self.ask("Runtime.enable")

    def ask(self, method, **parameters):
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        self._connection.send(json.dumps(message))
        while True:
            answer = json.loads(self._connection.recv(timeout=180))
            if answer.get("method") == "Runtime.exceptionThrown":
                self.errors.append(answer["params"]["exceptionDetails"])
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def run(self, script):
        return self.ask("Runtime.evaluate", expression=script, returnByValue=True)["result"].get(
            "value"
        )

    def picture(self):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


@contextmanager
def open_page(browser: str, folder: Path, *, size=(1280, 800)):
    """Yield a blank page of a new browser."""
    from websockets.sync.client import connect

    command = [browser, *OPTIONS, f"--window-size={size[0]},{size[1]}", f"--user-data-dir={folder}"]
    process = subprocess.Popen(
        [*command, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        port = _debugging_port(folder, process)
        listed = json.loads(urllib.request.urlopen(f"http://127.0.0.1:{port}/json").read())
        address = next(tab for tab in listed if tab["type"] == "page")["webSocketDebuggerUrl"]
        with connect(address, max_size=None) as connection:
            yield Page(connection)
    finally:
        process.terminate()
        process.wait(30)


def _debugging_port(folder: Path, process) -> int:
    until = time.monotonic() + START_S
    path = folder / "DevToolsActivePort"
    while time.monotonic() < until:
        if path.is_file() and (lines := path.read_text().split()):
            return int(lines[0])
        assert process.poll() is None, f"the browser ended with status {process.returncode}"
        time.sleep(0.1)
    raise AssertionError(f"the browser did not start in {START_S:g} s")
