"""A plan and clips for tests of streams: cheap, and some of them cannot be made."""

import time

from fake_clips import FakeClips
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.streams.plain import to_plain
from merkwelt.streams.plan import Plan, PlannedScene


def live_plan(*, seed=0, frames=3, size=8):
    return Plan(
        scenes=(PlannedScene(name="hall", sha256="none"),),
        observer=to_plain(load_observer("adult")),
        settings=to_plain(ClipSettings(frames=frames, size=size, depth=False)),
        clips=1,
        seed=seed,
        code_version="0.1.0",
    )


class Uneven(FakeClips):
    """Clips that take a time of their own each, so that they are done out of order."""

    def __call__(self, plan, clip):
        time.sleep(0.02 * (clip * 7 % 3))
        return super().__call__(plan, clip)


class Counting(FakeClips):
    """Remembers which clips it made; for renderers in a thread."""

    def __init__(self, **changes):
        super().__init__(**changes)
        self.made = []

    def __call__(self, plan, clip):
        made = super().__call__(plan, clip)
        self.made.append(clip)
        return made
