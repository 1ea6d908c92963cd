"""Weights of others' networks, read from local files without running anything in them."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors`` or ``.pth`` file; nothing in it is executed.

    Raises:
        FileNotFoundError: there is no such file; nothing is ever downloaded.
        ValueError: a file of another kind or a damaged one, or more than named tensors in it.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"expected a file of weights at {path}, found none; nothing is downloaded, fetch it "
            "yourself or use weights=None for random weights"
        )
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise ValueError(f"expected weights as .safetensors, .pth or .pt, got {path.name}")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        read = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"expected nothing but tensors in {path.name}: {reason}") from error
    except (SafetensorError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path.name} is damaged or holds no weights ({error})") from error
    if not isinstance(read, dict) or not all(isinstance(each, Tensor) for each in read.values()):
        raise ValueError(f"expected named tensors in {path.name}, got something else")
    return read


def load_all_but(
    module: nn.Module, weights: Mapping[str, Tensor], heads: Iterable[str], *, network: str
) -> None:
    """Load weights into a network without its classifier, whose weights are passed over.

    Raises:
        ValueError: any other weight is missing, unexpected or of another shape.
    """
    heads = tuple(f"{head}." for head in heads)
    body = {name: each for name, each in weights.items() if not name.startswith(heads)}
    own = module.state_dict()
    wrong = {
        "missing": [name for name in own if name not in body],
        "unknown": [name for name in body if name not in own],
        "of another shape": [
            name for name in own if name in body and own[name].shape != body[name].shape
        ],
    }
    said = [
        f"{len(names)} {kind} ({', '.join(names[:2])}{', ..' * (len(names) > 2)})"
        for kind, names in wrong.items()
        if names
    ]
    if said:
        raise ValueError(f"expected the weights of {network}, got a file with {', '.join(said)}")
    module.load_state_dict(body)
