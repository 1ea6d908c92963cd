"""Clips that cannot be made two at a time; a module, so that worker processes find them."""

import fcntl
import time

from fake_clips import FakeClips


class OneAtATime(FakeClips):
    """Clips that want a thing of which the machine has one."""

    def __init__(self, lock, hold_s):
        super().__init__()
        self.lock, self.hold_s = lock, hold_s

    def __call__(self, plan, clip):
        with self.lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            time.sleep(self.hold_s)
        return super().__call__(plan, clip)
