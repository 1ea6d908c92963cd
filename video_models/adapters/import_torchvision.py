"""torchvision, beside a torch of another build too.

Its compiled part is linked to the CUDA build of torch and cannot be loaded beside a CPU torch,
which it tolerates, except that it then states shapes for two operators that nobody defined. Stating
their schemas is enough for networks, which use no compiled operator; calling one still fails with
torchvision's own message. Known for torchvision 0.28. Training scenes has the same help of its own:
neither package may import the other.
"""

# torchvision is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import functools
import importlib
import sys
from types import ModuleType

_OPERATORS = ("nms", "qnms")


@functools.cache
def _schemas() -> object:
    """Return the library that holds the schemas; they last as long as it is referenced."""
    import torch

    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in _OPERATORS:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def torchvision_video_models() -> ModuleType:
    """Return ``torchvision.models.video``.

    Raises:
        ImportError: torchvision is not installed (names the extra), or does not fit this torch.
    """
    try:
        return importlib.import_module("torchvision.models.video")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"this encoder needs torchvision ({error}); install the extra 'merkwelt[vision]'"
        ) from error
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
        del sys.modules[name]
    _schemas()
    try:
        return importlib.import_module("torchvision.models.video")
    except RuntimeError as error:
        raise ImportError(
            f"torchvision does not fit this torch ({error}); expected torchvision 0.28.0 beside "
            "torch 2.13.0"
        ) from error
