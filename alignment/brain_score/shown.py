"""Encoders as Brain-Score sees them: one tensor in, and a module for each layer to be listened to.

Brain-Score reads a layer by hooking the module of its name. An encoder's feature maps have names
but need not be the output of any module, so each of them passes through an identity of its own.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...video_models.encoder import Encoder, Features
from ..prepare import Preparation, prepare_images

POOLED = "pooled"
LAYERS = "layers"
"""Name of the module that holds those to be hooked: the layer of map ``deep`` is
``layers.deep``."""


class ShownVideo(nn.Module):
    """Videos to an encoder, both eyes alike; maps are ``CTHW``, the pooled features ``C``."""

    def __init__(self, encoder: nn.Module, names: Sequence[str]) -> None:
        """Take the encoder and the names of its maps."""
        super().__init__()
        self.encoder = encoder
        self.layers = nn.ModuleDict({key_of(name): nn.Identity() for name in (*names, POOLED)})

    def forward(self, videos: Float[Tensor, "batch time 3 height width"]) -> Tensor:
        """Return the pooled features of videos in [0, 1], averaged over time."""
        eyes = eyes_of(self.encoder)
        clips = videos[:, None].expand(-1, eyes, -1, -1, -1, -1)
        features: Features = self.encoder(clips)
        for name, values in features.maps.items():
            if key_of(name) in self.layers:
                self.layers[key_of(name)](values)
        return self.layers[POOLED](features.pooled.mean(dim=1))


class ShownStill(nn.Module):
    """Pictures to an encoder, as still clips; maps are averaged over time: ``CHW``."""

    def __init__(self, encoder: nn.Module, names: Sequence[str], frames: int) -> None:
        """Take the encoder, the names of its maps, and for how many frames a picture stands."""
        super().__init__()
        self.encoder = encoder
        self.frames = frames
        self.layers = nn.ModuleDict({key_of(name): nn.Identity() for name in (*names, POOLED)})

    def forward(self, images: Float[Tensor, "batch 3 height width"]) -> Tensor:
        """Return the pooled features of pictures in [0, 1]."""
        clips = images[:, None, None].expand(-1, eyes_of(self.encoder), self.frames, -1, -1, -1)
        features: Features = self.encoder(clips)
        for name, values in features.maps.items():
            if key_of(name) in self.layers:
                self.layers[key_of(name)](values.mean(dim=2))
        return self.layers[POOLED](features.pooled.mean(dim=1))


def key_of(name: str) -> str:
    """Return the name of a map as one module may have: without dots, which part modules."""
    return name.replace(".", "_")


def eyes_of(encoder: Encoder | nn.Module) -> int:
    """Return how many eyes an encoder expects."""
    eyes = getattr(encoder, "eyes", None)
    if not isinstance(eyes, int):
        raise TypeError(
            f"expected an encoder whose attribute 'eyes' is 1 or 2, got {eyes!r} on "
            f"{type(encoder).__name__}; wrap an image network in ImageEncoder"
        )
    return eyes


@torch.no_grad()
def map_names(encoder: nn.Module, size: int, frames: int) -> tuple[str, ...]:
    """Return the names of an encoder's maps, shallow to deep, by showing it a grey clip."""
    grey = torch.full((1, eyes_of(encoder), frames, 3, size, size), 0.5)
    return tuple(encoder(grey).maps)


def video_tensor(video: Any, size: int) -> Float[Tensor, "time 3 size size"]:  # noqa: ANN401 - Brain-Score's Video
    """Return Brain-Score's video as an encoder wants it: whole frames in [0, 1], resized.

    Args:
        video: anything whose ``to_numpy()`` is ``[time, height, width, 3]`` in 0 to 255.
        size: side of the square that frames become.
    """
    frames = np.asarray(video.to_numpy())
    if frames.ndim != 4 or frames.shape[-1] != 3:
        raise ValueError(
            f"expected a video [time, height, width, 3] in 0 to 255, got {frames.shape}"
        )
    return prepare_images(
        frames.clip(0, 255).round().astype(np.uint8),
        Preparation(size=size, whole_image=True, interpolation="bilinear"),
    )


def image_tensors(paths: Sequence[str | Path], preparation: Preparation) -> list[Tensor]:
    """Return pictures ``[3, size, size]`` in [0, 1] of files, prepared as the model wants them."""
    return [_picture(Path(path), preparation) for path in paths]


def _picture(path: Path, preparation: Preparation) -> Float[Tensor, "3 size size"]:
    import cv2

    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"expected a picture in {path}, could not read one")
    return prepare_images(pixels[None, ..., ::-1], preparation)[0]
