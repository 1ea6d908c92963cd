"""What a person sees while long work runs: a bar with a rate and the time left."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)
SECONDS_BETWEEN_LINES = 60.0


def silence() -> None:
    """Say nothing any more, as on all but the first of several processes; errors are still told."""
    OUT.quiet = True


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float, str], None]]:
    """Yield a function that takes the share done (0 to 1) and a short message.

    On a terminal it moves a bar with the time left; elsewhere it prints a line at every
    tenth and at least every minute.
    """
    if not ERR.is_terminal:
        yield _printed_progress(title)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}", style="dim"),
    )
    with Progress(*columns, console=ERR) as bars:
        task = bars.add_task(title, total=1.0, note="")
        yield lambda done, note: bars.update(task, completed=done, note=note)


def _printed_progress(
    title: str, *, clock_s: Callable[[], float] = time.monotonic
) -> Callable[[float, str], None]:
    """Return a function that prints a line at every tenth, and every minute in between."""
    started = clock_s()
    printed, printed_s = -1, started

    def report(done: float, note: str) -> None:
        nonlocal printed, printed_s
        tenth, now = int(done * 10), clock_s()
        if tenth <= printed and now - printed_s < SECONDS_BETWEEN_LINES:
            return
        printed, printed_s = max(tenth, printed), now
        left = f"  ({_duration((now - started) * (1 - done) / done)} left)" if 0 < done < 1 else ""
        ERR.print(f"{title}: {100 * done:3.0f} %  {note}{left}")

    return report


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
