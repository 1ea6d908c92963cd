"""Classifiers of timm and torchvision by name (extra ``vision``).

A name alone says nothing of the weights, so they must be stated: a file, ``@pretrained`` (which the
library fetches if it is not in its cache) or ``@random``. Nothing is fetched unasked.
"""

# Optional extras, absent where types are checked.
# pyright: reportMissingImports=false

import importlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from ...video_models.adapters.import_torchvision import torchvision_video_models
from ...video_models.adapters.weights import load_all_but, read_weights
from ..prepare import Interpolation
from .imagenet import words_for
from .scored import PublishedTop1, ScoredModel

LIBRARIES = ("timm", "torchvision")
STATES = ("pretrained", "random")


@dataclass(frozen=True, kw_only=True)
class LibraryName:
    """A network of a library and where its weights come from."""

    library: str
    network: str
    state: str | None
    """``pretrained``, ``random`` or None: from a file."""


def parse_library_name(words: str) -> LibraryName:
    """Return what ``timm:NAME``, ``timm:NAME@pretrained`` or ``torchvision:NAME@random`` means."""
    library, _, rest = words.partition(":")
    network, at, state = rest.partition("@")
    if library not in LIBRARIES or not network or (at and state not in STATES):
        raise ValueError(
            f"expected timm:NAME or torchvision:NAME, with @pretrained or @random behind it or a "
            f"file of weights, got '{words}'"
        )
    return LibraryName(library=library, network=network, state=state or None)


def library_model(words: str, *, weights: Path | None = None, seed: int = 0) -> ScoredModel:
    """Return a network of timm or torchvision as a model to score.

    Args:
        words: ``timm:NAME`` or ``torchvision:NAME``, with ``@pretrained`` or ``@random`` behind it
            unless ``weights`` are given.
        weights: A ``.safetensors`` or ``.pth`` file of the whole network.
        seed: Of random weights, and of the untrained twin.

    Raises:
        ValueError: no such network, or its weights are not stated, or do not fit.
        ImportError: the library is not installed; names the extra.
        FileNotFoundError: there is no file of weights.
    """
    name = parse_library_name(words)
    if (name.state is None) == (weights is None):
        raise ValueError(
            f"expected one source of weights for {name.library}:{name.network}; say "
            f"{name.library}:{name.network}@pretrained (fetched by {name.library} if it has not "
            f"been yet), {name.library}:{name.network}@random, or --weights FILE.safetensors"
        )
    library = _timm(name) if name.library == "timm" else _torchvision(name)
    with torch.random.fork_rng(devices=[]):
        # Another draw than the twin's below, so that random weights have a floor as well.
        torch.manual_seed(seed)
        network = library.build(name.state == "pretrained")
        torch.manual_seed(seed + 1)
        untrained = library.build(False)
    if weights is not None:
        load_all_but(network, read_weights(weights), (), network=words)
    how = {"pretrained": f"{name.library}'s own", "random": "random", None: ""}[name.state]
    return ScoredModel.from_module(
        network,
        name=words.replace("@pretrained", ""),
        weights=how or str(weights and weights.name),
        untrained=untrained,
        classes=library.classes,
        top1=library.top1 if name.state == "pretrained" else None,
        **library.preparation,
    )


@dataclass(frozen=True, kw_only=True)
class _Network:
    build: Callable[[bool], nn.Module]
    """Pretrained or not -> the network."""
    preparation: Mapping[str, Any]
    classes: tuple[str, ...] | None
    top1: PublishedTop1 | None = None


def _timm(name: LibraryName) -> _Network:
    timm = _imported("timm", "timm.data")
    _check_exists(name, timm.list_models(pretrained=False), exists=timm.is_model(name.network))

    def build(pretrained: bool) -> nn.Module:  # noqa: FBT001
        with _tensors_only():
            return timm.create_model(name.network, pretrained=pretrained)

    wanted = timm.data.resolve_data_config({}, model=build(False))
    return _Network(
        build=build,
        preparation={
            "size": wanted["input_size"][-1],
            "mean": tuple(wanted["mean"]),
            "sd": tuple(wanted["std"]),
            "crop_share": wanted["crop_pct"],
            "interpolation": _interpolation(wanted["interpolation"]),
        },
        classes=words_for(timm.get_pretrained_cfg(name.network).num_classes),
    )


def _torchvision(name: LibraryName) -> _Network:
    models = _imported("torchvision", "torchvision.models").models
    classifiers = models.list_models(module=models)
    _check_exists(name, classifiers, exists=name.network in classifiers)
    weights = models.get_model_weights(name.network).DEFAULT
    wanted = weights.transforms()

    def build(pretrained: bool) -> nn.Module:  # noqa: FBT001
        with _tensors_only():
            # Some draw other layers anew unless told; the others ignore what they do not know.
            return models.get_model(name.network, weights=weights if pretrained else None)

    crop, resized = wanted.crop_size[0], wanted.resize_size[0]
    return _Network(
        build=build,
        preparation={
            "size": crop,
            "mean": tuple(wanted.mean),
            "sd": tuple(wanted.std),
            "crop_share": crop / resized,
            "interpolation": _interpolation(wanted.interpolation.value),
        },
        classes=words_for(len(weights.meta["categories"])),
        top1=PublishedTop1(
            percent=weights.meta["_metrics"]["ImageNet-1K"]["acc@1"],
            source="torchvision's table of weights",
        ),
    )


def _imported(library: str, module: str) -> ModuleType:
    """Return a library, torchvision's missing operators stated first where that is needed."""
    try:
        torchvision_video_models()
        importlib.import_module(module)
        return importlib.import_module(library)
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{library} is not installed ({error}); install the extra 'merkwelt[vision]'"
        ) from error


def _check_exists(name: LibraryName, known: list[str], *, exists: bool) -> None:
    if exists:
        return
    near = get_close_matches(name.network, known, n=5, cutoff=0.5) or known[:5]
    raise ValueError(
        f"expected a classifier of {name.library}, got '{name.network}'; similar names among "
        f"{len(known)}: {', '.join(near)}"
    )


def _interpolation(named: str) -> Interpolation:
    """Return the nearest of the two that are known; both antialias."""
    return "bilinear" if named == "bilinear" else "bicubic"


@contextmanager
def _tensors_only() -> Iterator[None]:
    """Let no file of weights run code while a library reads it."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before
