"""torchvision beside a torch of another build.

torchvision's compiled part is linked to the CUDA build of torch; beside a CPU torch it cannot be
loaded, which torchvision tolerates, except that it then states shapes for two operators that were
never defined. Defining their schemas is enough for everything that needs no compiled operator;
calling one still fails with torchvision's own message. Known for torchvision 0.28.
"""

import functools
import importlib
import sys

_OPERATORS = ("nms", "qnms")


@functools.cache
def _schemas() -> object:
    """Return the library that holds the schemas; they last as long as it is referenced."""
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for operator in _OPERATORS:
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


def import_torchvision() -> None:
    """Import torchvision, stating the schemas of its missing operators if it asks for them.

    Raises:
        ImportError: torchvision is not installed, or is of a version that fails otherwise.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _schemas()
        try:
            importlib.import_module("torchvision")
        except RuntimeError as second:
            raise ImportError(
                f"torchvision does not fit this torch ({second}); expected torchvision 0.28.0 "
                "beside torch 2.13.0"
            ) from second
