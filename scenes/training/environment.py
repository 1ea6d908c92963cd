"""What nerfstudio needs around it to run offline, quietly and beside a new torch."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import contextlib
import random
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from .torchvision_ops import import_torchvision


def import_nerfstudio() -> None:
    """Import what training uses of nerfstudio; takes about ten seconds the first time.

    Raises:
        ImportError: nerfstudio is not installed; names the extra.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import_torchvision()
            import nerfstudio.engine.trainer
            import nerfstudio.models.nerfacto  # noqa: F401
        except ModuleNotFoundError as error:
            raise ImportError(
                f"training scenes needs nerfstudio 1.1.5 ({error}); install the extra "
                "'merkwelt[nerfstudio]' or the shorter lists in requirements/"
            ) from error


@contextlib.contextmanager
def nerfstudio_mended() -> Iterator[None]:
    """Import nerfstudio and keep it quiet and offline while a block of code runs.

    Everything that is replaced is put back: nerfstudio's console, its loading bar (which would
    fight a bar that is already shown), and the perceptual metric that downloads weights.
    """
    import_nerfstudio()
    from nerfstudio.data.utils import dataloaders
    from nerfstudio.utils.rich_utils import CONSOLE
    from torchmetrics.image import lpip

    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_replaced(CONSOLE, "quiet", True))
        stack.enter_context(_replaced(dataloaders, "track", _without_bar))
        stack.enter_context(
            _replaced(lpip, "LearnedPerceptualImagePatchSimilarity", NoPerceptualMetric)
        )
        yield


class NoPerceptualMetric(nn.Module):
    """Stands in for LPIPS, which downloads AlexNet's weights when it is built.

    nerfacto builds the metric but trains without it.
    """

    def __init__(self, *_: object, **__: object) -> None:
        """Take whatever the metric takes."""
        super().__init__()

    def forward(self, *_: object) -> torch.Tensor:
        """Refuse to give a number that nobody measured."""
        raise RuntimeError("LPIPS was not loaded: it would download weights")


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators that nerfstudio draws from; restore their states afterwards."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - nerfstudio uses the global generator
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)


@contextlib.contextmanager
def _replaced(owner: Any, name: str, value: object) -> Iterator[None]:  # noqa: ANN401
    original = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _without_bar(sequence: Iterable[Any], *_: object, **__: object) -> Iterable[Any]:
    return sequence
