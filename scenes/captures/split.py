"""Which photographs are kept out of training."""

from .capture import Capture, Split

HELD_OUT_INTERVAL = 8


def choose_split(capture: Capture, *, every: int = HELD_OUT_INTERVAL) -> Split:
    """Return the capture's own split, or hold out every ``every``-th photograph by name.

    The first photograph is held out, then every ``every``-th after it, as nerfstudio's ``interval``
    mode does. A capture of one photograph has nothing to hold out.

    Raises:
        ValueError: fewer than two photographs would be left to train on.
    """
    if every < 2:
        raise ValueError(f"expected to hold out every 2nd photograph or fewer, got every {every}")
    names = [view.name for view in capture.views]
    split = capture.split
    if split is None:
        held_out = tuple(names[::every])
        split = Split(train=tuple(n for n in names if n not in held_out), held_out=held_out)
    if len(split.train) < 2:
        raise ValueError(
            f"{capture.root}: expected at least two photographs to train on, found "
            f"{len(split.train)} ({len(split.held_out)} are held out)"
        )
    return split
