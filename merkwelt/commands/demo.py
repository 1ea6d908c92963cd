"""``merkwelt demo``."""

from pathlib import Path

from ..console import OUT, progress_bar


def demo(*, out: Path = Path("merkwelt-demo"), seed: int = 0) -> None:
    """Walk the whole road on the bundled scene: render, train, evaluate, report.

    Args:
        out: folder for the data set, the runs and the report.
        seed: seed of everything that is random.
    """
    from ..demo import run_demo

    with progress_bar("demo") as progress:
        done = run_demo(out, seed=seed, progress=progress)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"report: {done.report}")
