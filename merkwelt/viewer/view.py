"""The viewer: what the panel is set to, and what is drawn when something is chosen or done."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..render.navigation.navigation import Navigation
from ..render.observer.presets import load_observer
from ..scenes.scene import Scene
from .agenda import ClipTask, CloudTask, Failure, NavigationTask, Result, Task, Wanted
from .backend import ViserObject, open_server
from .cloud import Cloud
from .contents import ClipContents, drawing_unit, floor_bands, frame_facts, view_from_above
from .panel import HIDDEN_AT_FIRST, Actions, Panel, default_cut
from .settings import ViewSettings
from .shapes import wxyz_of
from .stage import FLOOR_M, Stage
from .text import clip_text, failure_text, scene_text, status_text
from .workshop import Workshop

USUAL_FOV_RAD = math.radians(60.0)
HEADROOM_M = 0.2
POINT_SHARE = 1 / 280
"""Size of a point, as a share of the scene's longest side."""


@dataclass(frozen=True, kw_only=True)
class ViewRequest:
    """What is looked at first."""

    observer: str = "adult"
    clip: int = 0
    clips: int = 4
    """How many clips' ways are drawn, from clip 0 on."""
    seed: int = 0


class Viewer:
    """A scene in the browser. Callbacks only note what is wanted; the workshop does the work."""

    def __init__(
        self,
        server: ViserObject,
        scene: Scene,
        settings: ViewSettings,
        request: ViewRequest,
    ) -> None:
        """Add panel and drawings to a server; ``start`` fills them."""
        self._server, self._scene, self._settings = server, scene, settings
        self._lock = threading.RLock()
        self._closing, self._playing = threading.Event(), threading.Event()
        self._about = scene_text(scene.card, walkable=None)
        self._cloud_failure = ""
        self._wanted = Wanted(
            observer=request.observer,
            clip=request.clip,
            frames=settings.frames,
            other_clips=request.clips,
        )
        observer = load_observer(request.observer)
        cut = default_cut(scene.card, observer.body.eye_height_m.value + HEADROOM_M)
        self._stage = Stage(server, scene.card, settings.camera)
        self._stage.show(dict.fromkeys(HIDDEN_AT_FIRST, False))
        self._stage.cut_at(cut)
        self._panel = Panel(server.gui, scene.card, self._wanted, cut, self._actions())
        self.workshop = Workshop(
            scene,
            settings,
            seed=request.seed,
            wanted=self._wanted,
            on_result=self._on_result,
        )
        self._player = threading.Thread(target=self._play_on, name="merkwelt-player", daemon=True)

    def start(self) -> None:
        """Begin to work and to draw."""
        self._server.on_client_connect(self._look_from_above)
        self._tell_status()
        self.workshop.start()
        self._player.start()

    def close(self) -> None:
        """End all threads, then the server."""
        self._closing.set()
        self._playing.set()
        self.workshop.close()
        self._server.stop()

    def _actions(self) -> Actions:
        return Actions(
            choose_clip=lambda clip: self._choose(clip=max(clip, 0), frame=0),
            choose_observer=lambda name: self._choose(observer=name, frame=0),
            choose_frame=lambda frame: self._choose(frame=min(frame, self._wanted.frames - 1)),
            play=self._play,
            show=self._show,
            cut_at=self._cut_at,
            look_through_eye=self._look_through_eye,
            look_from_above=self._look_from_above,
        )

    def _choose(self, **changes: int | str) -> None:
        with self._lock:
            before, self._wanted = self._wanted, replace(self._wanted, **changes)
            if self._wanted == before:
                return
            self.workshop.want(self._wanted)
            with self._server.atomic():
                self._redraw(before)
            if self._wanted.frame == 0:
                self._panel.set_frame(0)
            self._tell_status()

    def _redraw(self, before: Wanted) -> None:
        """Draw what is already known of what is wanted now and was not before."""
        now = self._wanted
        other_observer = now.observer != before.observer
        if other_observer:
            self._stage.clear_observer()
            self._draw_known(NavigationTask(now.observer))
            for clip in range(now.other_clips):
                self._draw_known(ClipTask(now.observer, clip))
        if other_observer or now.clip != before.clip:
            self._stage.clear_clip()
            self._panel.set_text("planning the clip ...")
            self._draw_known(self._clip_task)
        else:
            self._draw_frame(self.workshop.get(self._clip_task))
        self._stage.draw_pictures(None)
        if not self._draw_known(now.picture) and not self._playing.is_set():
            self._panel.set_pictures(None)

    def _draw_known(self, task: Task) -> bool:
        """Draw a task's result if there is one, and return whether there is."""
        result = self.workshop.get(task)
        if result is not None:
            self._draw(task, result)
        return result is not None

    def _on_result(self, task: Task, result: Result) -> None:
        with self._lock:
            if self._closing.is_set():
                return
            with self._server.atomic():
                self._draw(task, result)
            self._tell_status()

    def _draw(self, task: Task, result: Result) -> None:
        """Draw a result if it is wanted."""
        wanted = self._wanted
        if isinstance(result, Failure):
            self._draw_failure(task, result)
        elif isinstance(task, CloudTask):
            self._draw_cloud(result)
        elif task == NavigationTask(wanted.observer):
            self._draw_navigation(result)
        elif isinstance(task, ClipTask) and task.observer == wanted.observer:
            if task.clip < wanted.other_clips:
                self._stage.draw_other_path(task.clip, result)
            if task == self._clip_task:
                self._stage.draw_path(result)
                self._draw_frame(result)
        elif task == wanted.picture:
            self._panel.set_pictures(result)
            self._stage.draw_pictures(result)

    def _draw_failure(self, task: Task, failure: Failure) -> None:
        wanted = self._wanted
        needed = (NavigationTask(wanted.observer), self._clip_task, wanted.picture)
        if task in needed:
            self._panel.set_text(failure_text(failure.message))
        if isinstance(task, NavigationTask):
            self._draw_things(None)
        if isinstance(task, CloudTask):
            self._cloud_failure = failure_text(failure.message)

    def _draw_navigation(self, navigation: Navigation) -> None:
        card = self._scene.card
        self._draw_things(navigation)
        self._about = scene_text(card, walkable=navigation.is_walkable)
        if navigation.ground is not None:
            height = navigation.ground.floor_height_m + FLOOR_M
            self._stage.draw_floor(floor_bands(navigation.ground, height))

    def _draw_things(self, navigation: Navigation | None) -> None:
        """Draw what a scene holds, once it is known how large things are in it."""
        self._stage.set_unit(drawing_unit(self._scene.card, navigation))
        self._stage.draw_boxes()
        self._stage.draw_cameras()

    def _draw_cloud(self, cloud: Cloud) -> None:
        low, high = self._scene.card.bounds
        longest = max(b - a for a, b in zip(low, high, strict=True))
        self._stage.draw_cloud(cloud, POINT_SHARE * longest)

    def _draw_frame(self, clip: ClipContents | Failure | None) -> None:
        if not isinstance(clip, ClipContents):
            return
        card, frame = self._scene.card, self._wanted.frame
        self._stage.draw_frame(clip, frame)
        self._panel.set_text(clip_text(clip, frame_facts(card, clip, frame), card))

    def _show(self, group: str, shown: bool) -> None:
        with self._lock:
            self._stage.show({group: shown})

    def _cut_at(self, height: float) -> None:
        with self._lock, self._server.atomic():
            self._stage.cut_at(height)

    def _play(self, playing: bool) -> None:
        (self._playing.set if playing else self._playing.clear)()

    def _play_on(self) -> None:
        """Move on at the frame rate; a frame that is not rendered yet is waited for."""
        while not self._closing.wait(1 / self._settings.frame_rate_hz):
            self._playing.wait()
            with self._lock:
                if self._closing.is_set():
                    return
                if self.workshop.get(self._wanted.picture) is not None:
                    following = (self._wanted.frame + 1) % self._wanted.frames
                    self._choose(frame=following)
                    self._panel.set_frame(following)

    def _tell_status(self) -> None:
        status = status_text(self.workshop.upcoming())
        self._panel.set_scene_text("\n\n".join([self._about, self._cloud_failure or status]))

    def _look_from_above(self, client: ViserObject | None = None) -> None:
        self._go_inside(False)
        place, middle = view_from_above(self._scene.card)
        for viewer in self._viewers(client):
            with viewer.atomic():
                viewer.camera.fov = USUAL_FOV_RAD
                viewer.camera.position = place
                viewer.camera.look_at = middle
                viewer.camera.up_direction = (0.0, 0.0, 1.0)

    def _look_through_eye(self, client: ViserObject | None = None) -> None:
        clip = self.workshop.get(self._clip_task)
        if not isinstance(clip, ClipContents):
            return
        self._go_inside(True)
        pose = clip.trajectory.world_from_eye[0, self._wanted.frame]
        for viewer in self._viewers(client):
            with viewer.atomic():
                viewer.camera.fov = math.radians(self._settings.hfov_deg)
                viewer.camera.wxyz = wxyz_of(pose[:3, :3])
                viewer.camera.position = pose[:3, 3]

    def _go_inside(self, inside: bool) -> None:
        with self._lock, self._server.atomic():
            self._stage.go_inside(inside)

    def _viewers(self, client: ViserObject | None) -> list[ViserObject]:
        """Return the browser that asks, or all where it is not told."""
        return list(self._server.get_clients().values()) if client is None else [client]

    @property
    def _clip_task(self) -> ClipTask:
        return ClipTask(self._wanted.observer, self._wanted.clip)


def view_scene(
    scene: Scene,
    settings: ViewSettings,
    request: ViewRequest,
    *,
    address: tuple[str, int],
    announce: Callable[[str], None],
) -> None:
    """Show a scene in the browser until the program is interrupted.

    ``announce`` is told the page's address when it can be opened.

    Raises:
        ImportError: viser is not installed.
        ValueError: an unknown observer, or an address where nobody can listen.
        FileNotFoundError: the fast path was asked for, and the scene has none yet.
    """
    load_observer(request.observer)
    if settings.path == "fast":
        _ = scene.bricks
    host, port = address
    viewer = Viewer(open_server(host, port), scene, settings, request)
    viewer.start()
    announce(f"http://{'localhost' if host in ('127.0.0.1', '0.0.0.0') else host}:{port}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        announce("closed")
    finally:
        viewer.close()
