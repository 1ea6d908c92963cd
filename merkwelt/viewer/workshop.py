"""One thread in the background that plans and renders what the panel asks for."""

import threading
from collections import OrderedDict
from collections.abc import Callable

from ..render.key import ClipKey
from ..render.navigation.navigation import Navigation
from ..render.observer.presets import load_observer
from ..render.volume import RenderOptions
from ..scenes.scene import Scene
from .agenda import (
    ClipTask,
    CloudTask,
    Failure,
    NavigationTask,
    PictureTask,
    Result,
    Task,
    Wanted,
    next_task,
)
from .cloud import STAGES, Cloud, cloud_camera, cloud_views, merged, render_cloud
from .contents import ClipContents, eye_pictures, eyes_for, plan_contents
from .settings import ViewSettings

MOST_PICTURES = 2000
PATIENCE_S = 5.0


class Workshop:
    """Results by task; everything is computed in one thread, because kernels share its cores."""

    def __init__(
        self,
        scene: Scene,
        settings: ViewSettings,
        *,
        seed: int,
        wanted: Wanted,
        on_result: Callable[[Task, Result], None],
    ) -> None:
        """Keep what is needed for the work; ``start`` begins it."""
        self.scene, self.settings = scene, settings
        self._seed, self._wanted, self._on_result = seed, wanted, on_result
        self._results: OrderedDict[Task, Result] = OrderedDict()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="merkwelt-workshop", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the task at hand."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(PATIENCE_S)

    def want(self, wanted: Wanted) -> None:
        """Change what is worked for."""
        with self._changed:
            self._wanted = wanted
            self._changed.notify_all()

    def get(self, task: Task) -> Result:
        """Return a task's result or Failure, or None if it is not done yet."""
        with self._changed:
            return self._results.get(task)

    def upcoming(self) -> Task | None:
        """Return what is worked at or will be next, or None if all is done."""
        with self._changed:
            return next_task(self._wanted, self._results)

    def compute(self, task: Task) -> Result:
        """Return the result of a task whose needs are there."""
        if isinstance(task, NavigationTask):
            observer = eyes_for(load_observer(task.observer), self.scene.card)
            return Navigation.of(self.scene, observer)
        if isinstance(task, ClipTask):
            return self._plan(task)
        if isinstance(task, PictureTask):
            return self._look(task)
        return self._cloud(task.stage)

    def _plan(self, task: ClipTask) -> ClipContents:
        scene = self.scene
        key = ClipKey(dataset_seed=self._seed, scene=scene.card.name, clip=task.clip)
        navigation = self.get(NavigationTask(task.observer))
        return plan_contents(scene, load_observer(task.observer), self.settings, key, navigation)

    def _look(self, task: PictureTask) -> Result:
        trajectory = self.get(ClipTask(task.observer, task.clip)).trajectory
        options = RenderOptions(path=self.settings.path)
        return eye_pictures(self.scene, self.settings.camera, trajectory, task.frame, options)

    def _cloud(self, stage: int) -> Cloud:
        """Return all points up to a stage."""
        scene = self.scene
        found = self.get(NavigationTask(self._wanted.observer))
        navigation = found if isinstance(found, Navigation) else None
        first = sum(STAGES[:stage])
        poses = cloud_views(scene.card, navigation)[first : first + STAGES[stage]]
        camera = cloud_camera(scene.card, navigation)
        options = RenderOptions(path="fast" if scene.has_bricks else "exact")
        parts = [render_cloud(scene, camera, poses, options)] if len(poses) else []
        before = self.get(CloudTask(stage - 1))
        parts += [before] if isinstance(before, Cloud) else []
        return merged(parts, scene.card, self.settings.points)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                result = self.compute(task)
            except Exception as error:  # The panel shows it; a thread has nobody to raise to.
                result = Failure(str(error) or type(error).__name__)
            self._keep(task, result)
            self._on_result(task, result)

    def _next(self) -> Task | None:
        with self._changed:
            while not self._closing:
                task = next_task(self._wanted, self._results)
                if task is not None:
                    return task
                self._changed.wait()
        return None

    def _keep(self, task: Task, result: object) -> None:
        """Keep a result, and no more pictures than memory has room for."""
        with self._changed:
            self._results[task] = result
            pictures = [task for task in self._results if isinstance(task, PictureTask)]
            for old in pictures[: max(0, len(pictures) - MOST_PICTURES)]:
                del self._results[old]
