"""A stand-in for the package ``brainscore_vision``, as small as the contract with it.

Written from its documented behaviour (2.3.22): models are registered as functions, layers are read
by hooking modules that are found by dotted names, and videos come as objects whose ``to_numpy()``
is ``[time, height, width, channel]`` in 0 to 255. Signatures are strict: a misspelt option fails.
"""

from pathlib import Path

FILES = {
    "__init__.py": "model_registry = {}\n",
    "model_helpers/__init__.py": "",
    "model_helpers/activations/__init__.py": "",
    "model_helpers/activations/temporal/__init__.py": "",
    "model_helpers/activations/temporal/model/__init__.py": "",
    "model_helpers/brain_transformation.py": """
class ModelCommitment:
    def __init__(self, identifier, activations_model, layers, behavioral_readout_layer=None,
                 region_layer_map=None, visual_degrees=8):
        assert region_layer_map, "would fetch public benchmarks"
        assert all(layer in layers for layer in region_layer_map.values())
        self.identifier, self.activations_model = identifier, activations_model
        self.layers, self.region_layer_map = layers, region_layer_map

    def look_at(self, stimuli, region):
        layer = self.region_layer_map[region]
        return self.activations_model(stimuli, layers=[layer])[layer]
""",
    "hooks.py": """
import torch


def read_layers(model, tensor, names):
    read, hooks = {}, []
    for name in names:
        module = model
        for part in name.split("."):
            module = module._modules[part]
        keep = lambda _m, _i, output, name=name: read.__setitem__(name, output.detach().numpy())
        hooks.append(module.register_forward_hook(keep))
    with torch.no_grad():
        model(tensor)
    for hook in hooks:
        hook.remove()
    return read
""",
    "model_helpers/activations/pytorch.py": """
import torch
from brainscore_vision.hooks import read_layers


class PytorchWrapper:
    def __init__(self, model, preprocessing, identifier=None, forward_kwargs=None, batch_size=64):
        self.identifier, self._model, self._preprocess = identifier, model, preprocessing

    def __call__(self, stimuli, layers):
        return read_layers(self._model, torch.stack(list(self._preprocess(stimuli))), layers)
""",
    "model_helpers/activations/temporal/model/pytorch.py": """
import torch
from brainscore_vision.hooks import read_layers


class PytorchWrapper:
    def __init__(self, identifier, model, preprocessing, process_output=None, *,
                 layer_activation_format, fps, num_frames, duration=None):
        for letters in layer_activation_format.values():
            assert set(letters) <= set("TCHWK")
        self.identifier, self._model, self._preprocess = identifier, model, preprocessing
        self.formats, self.fps, self.num_frames = layer_activation_format, fps, num_frames

    def __call__(self, stimuli, layers):
        tensor = torch.stack([self._preprocess(video) for video in stimuli])
        read = read_layers(self._model, tensor, layers)
        for name, activation in read.items():
            assert activation.ndim == 1 + len(self.formats[name])
        return read
""",
}


def write_stub(folder: Path) -> None:
    for name, text in FILES.items():
        path = folder / "brainscore_vision" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
