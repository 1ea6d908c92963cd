"""A ``.tflite`` file as a model to score."""

from pathlib import Path

import numpy as np
import torch

from .imagenet import words_for
from .scored import PublishedTop1, ScoredModel
from .tflite_file import QuantizedTensor, TFLiteFile, read_tflite
from .tflite_network import TFLiteNetwork

TOP1_SOURCE = "TensorFlow's table of its hosted quantised models, from memory"
PUBLISHED_TOP1 = {
    "mobilenet_v1_0.25_128_quant": 39.5,
    "mobilenet_v1_0.5_160_quant": 57.2,
    "mobilenet_v1_0.75_192_quant": 66.1,
    "mobilenet_v2_1.0_224_quant": 70.8,
    "tf2_mobilenet_v2_1.0_224_ptq": 71.0,
}
"""Percent, by the name of the file."""


def tflite_model(path: Path, *, seed: int = 0) -> ScoredModel:
    """Return a TensorFlow Lite classifier, de-quantised, as a model to score.

    Images: the centre 0.875 of the short side, bilinear; their normalisation is read off the
    quantisation of the file's input (for an input of floats, to -1..1).

    Args:
        path: A ``.tflite`` file of a square colour image to class scores.
        seed: Of the untrained twin.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: damaged, or a network that is not understood; says what was found.
    """
    file = read_tflite(path)
    network = _network(file, path)
    mean, sd = _normalisation(file.tensors[network.source])
    top1 = PUBLISHED_TOP1.get(path.stem)
    return ScoredModel.from_module(
        network,
        name=path.stem,
        size=network.size,
        mean=(mean, mean, mean),
        sd=(sd, sd, sd),
        interpolation="bilinear",
        classes=words_for(network.classes),
        seed=seed,
        weights=f"{path.name}, de-quantised",
        top1=None if top1 is None else PublishedTop1(percent=top1, source=TOP1_SOURCE),
    )


def _network(file: TFLiteFile, path: Path) -> TFLiteNetwork:
    """Return the network, tried on a grey image so that what does not fit is found right away."""
    try:
        network = TFLiteNetwork(file).eval()
        with torch.no_grad():
            logits = network(torch.zeros(1, 3, network.size, network.size))
    except (RuntimeError, ValueError, IndexError, KeyError) as error:
        raise ValueError(
            f"expected a network whose operations fit together, got {path.name}: {error}"
        ) from error
    if not logits.isfinite().all():
        raise ValueError(f"expected finite weights, got {path.name} whose outputs are not finite")
    return network


def _normalisation(image: QuantizedTensor) -> tuple[float, float]:
    """Return mean and SD such that ``(x - mean) / sd`` of x in [0, 1] is what the input means."""
    if len(image.scale) != 1 or image.dtype not in ("u1", "i1"):
        return 0.5, 0.5
    if not 0 < image.scale[0] < np.inf:
        raise ValueError(
            f"expected an input tensor '{image.name}' whose integers stand for numbers, got the "
            f"scale {image.scale[0]}; fetch the file again"
        )
    shift = 128 if image.dtype == "i1" else 0
    return float(image.zero_point[0] + shift) / 255, 1 / (255 * float(image.scale[0]))
