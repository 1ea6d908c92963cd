"""What a person sees while long work runs: a bar with a rate and the time left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[float, str], None]]:
    """Yield a function that takes the share done (0 to 1) and a short message.

    On a terminal it moves a bar with the time left; elsewhere it prints a line at every tenth.
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


def _printed_progress(title: str) -> Callable[[float, str], None]:
    printed = -1

    def report(done: float, note: str) -> None:
        nonlocal printed
        tenth = int(done * 10)
        if tenth > printed:
            printed = tenth
            ERR.print(f"{title}: {100 * done:3.0f} %  {note}")

    return report
