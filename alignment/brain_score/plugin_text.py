"""The files of a plug-in as text.

Only these names of Brain-Score are used, in any version that has them (seen in 2.3.22):
``brainscore_vision.model_registry``, ``ModelCommitment`` and the two ``PytorchWrapper``, all called
by keyword. They are imported when the model is built, but for the registry, which is what a plug-in
is for.
"""

from dataclasses import asdict
from pprint import pformat

from .plugin import Plugin

_INIT = '''"""{identifier}: {source}. Written by merkwelt {version}."""

from brainscore_vision import model_registry

from .model import IDENTIFIER, build_model

model_registry[IDENTIFIER] = build_model
'''

_HEAD = '''"""{source}, as a Brain-Score {kind} model. Written by merkwelt {version}."""

from pathlib import Path

HERE = Path(__file__).parent
IDENTIFIER = {identifier!r}
LAYERS = {layers}
REGION_LAYERS = {regions}
PREPARATION = {preparation}
FRAMES = {frames}
'''

_LOAD = '''

def load_encoder():
    """Return the encoder with the weights of this folder."""
    from {module} import {function}

    return {function}(HERE)

'''

_VIDEO = '''FPS = {fps}
FORMATS = {formats}
{load}
def build_model():
    """Return the model; Brain-Score shows it {frames} frames at {fps:g} a second."""
    from functools import partial

    from brainscore_vision.model_helpers.activations.temporal.model.pytorch import PytorchWrapper
    from brainscore_vision.model_helpers.brain_transformation import ModelCommitment
    from merkwelt.alignment.brain_score.shown import ShownVideo, video_tensor

    names = [layer.removeprefix("layers.") for layer in LAYERS if layer != "layers.pooled"]
    activations = PytorchWrapper(
        identifier=IDENTIFIER,
        model=ShownVideo(load_encoder(), names).eval(),
        preprocessing=partial(video_tensor, size=PREPARATION["size"]),
        layer_activation_format=FORMATS,
        fps=FPS,
        num_frames=FRAMES,
    )
    return ModelCommitment(
        identifier=IDENTIFIER,
        activations_model=activations,
        layers=LAYERS,
        region_layer_map=REGION_LAYERS,
    )
'''

_IMAGE = '''{load}
def build_model():
    """Return the model; a picture stands still for {frames} frame(s)."""
    from functools import partial

    from brainscore_vision.model_helpers.activations.pytorch import PytorchWrapper
    from brainscore_vision.model_helpers.brain_transformation import ModelCommitment
    from merkwelt.alignment.brain_score.shown import ShownStill, image_tensors
    from merkwelt.alignment.prepare import Preparation

    own = [layer.removeprefix("layers.") for layer in LAYERS if layer.startswith("layers.")]
    activations = PytorchWrapper(
        identifier=IDENTIFIER,
        model=ShownStill(load_encoder(), [name for name in own if name != "pooled"], FRAMES).eval(),
        preprocessing=partial(image_tensors, preparation=Preparation(**PREPARATION)),
    )
    activations.image_size = PREPARATION["size"]
    return ModelCommitment(
        identifier=IDENTIFIER,
        activations_model=activations,
        layers=LAYERS,
        region_layer_map=REGION_LAYERS,
    )
'''


def init_text(plugin: Plugin, version: str) -> str:
    """Return ``__init__.py``: the entry in the registry."""
    source = _plain(plugin.source)
    return _INIT.format(identifier=plugin.identifier, source=source, version=version)


def model_text(plugin: Plugin, version: str) -> str:
    """Return ``model.py``: what the model is, and how it is built."""
    module, _, function = plugin.loader.partition(":")
    head = _HEAD.format(
        source=_plain(plugin.source),
        kind=plugin.kind,
        version=version,
        identifier=plugin.identifier,
        layers=_literal(list(plugin.layers)),
        regions=_literal(dict(plugin.regions)),
        preparation=_literal(asdict(plugin.preparation)),
        frames=plugin.frames,
    )
    load = _LOAD.format(module=module, function=function)
    body = _VIDEO if plugin.kind == "video" else _IMAGE
    formats = _literal(dict(plugin.formats))
    own = body.format(load=load, fps=plugin.fps, formats=formats, frames=plugin.frames)
    return head + own


def requirements_text(version: str) -> str:
    """Return ``requirements.txt``."""
    return f"merkwelt=={version}\nsafetensors\ntorch\n"


def _plain(words: str) -> str:
    """Return words that cannot end the text they stand in."""
    return words.replace("\\", "/").replace('"', "'").replace("\n", " ")


def _literal(value: object) -> str:
    return pformat(value, width=96, sort_dicts=False)
