"""Progress of a whole from the progress of its parts."""

from collections.abc import Callable

Progress = Callable[[float, str], None]


def part(progress: Progress | None, start: float, stop: float) -> Progress | None:
    """Return a progress function for the part of the work from ``start`` to ``stop``."""
    if progress is None:
        return None
    return lambda done, note: progress(start + (stop - start) * done, note)
