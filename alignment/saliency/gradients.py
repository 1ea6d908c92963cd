"""Gradient saliency of video encoders over still images.

A still image is shown as a fixated clip: the same picture in every eye and at every time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ...video_models.encoder import Encoder
from ..blur import disc_blur_twice, disc_diameter_for
from .recipe import IntegratedGradients, SaliencyRecipe, SmoothGrad
from .targets import FittedTarget, Readout

Progress = Callable[[float, str], None]
ValueOfClips = Callable[[Tensor], Tensor]
"""Clips ``[batch, eye, time, channel, height, width]`` -> one value per clip."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a computation may use at once, and its seed."""

    batch: int = 8
    """Clips in memory together."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an empty batch."""
        if self.batch < 1:
            raise ValueError(f"expected a batch of at least 1 clip, got {self.batch}")


@dataclass(frozen=True, kw_only=True)
class SaliencyMaps:
    """Saliency over a set of images."""

    maps: Float[Tensor, "image height width"]
    """float32 on the CPU; NaN for images without a map."""
    undefined: dict[int, str]
    """Images, by index, that have no usable map, and why."""

    def usable(self) -> Float[Tensor, "image height width"]:
        """Return the maps, NaN wherever an image has no usable one."""
        maps = self.maps.clone()
        maps[list(self.undefined)] = torch.nan
        return maps


def saliency_maps(
    encoder: Encoder,
    images: Float[Tensor, "image 3 size size"],
    labels: tuple[str, ...],
    recipe: SaliencyRecipe,
    *,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> SaliencyMaps:
    """Return one saliency map for each image.

    The result depends on the seed and never on the batch size, as far as the encoder treats clips
    one by one. An ``nn.Module`` is put into evaluation mode meanwhile.

    Args:
        encoder: Clips in [0, 1] to features; ``encoder.eyes`` says how many eyes it expects.
        images: In [0, 1], at the encoder's input size.
        labels: Category of each image, for targets that need it.
        recipe: What is computed.
        budget: Batch size and seed.
        progress: Told the share done and a message.
    """
    budget = budget or Budget()
    maps = torch.full((len(images), *images.shape[-2:]), torch.nan)
    with _evaluating(encoder):
        fitted = recipe.target.fit(
            lambda: feature_vectors(encoder, images, recipe, batch=budget.batch), labels
        )
        defined = [index for index in range(len(images)) if index not in fitted.undefined]
        for start in range(0, len(defined), budget.batch):
            chunk = torch.tensor(defined[start : start + budget.batch])
            clips = still_clips(images[chunk], eyes=_eyes(encoder), frames=recipe.clip_frames)
            clips = clips.to(_device(encoder))
            value = _value_of(encoder, fitted, chunk.to(clips.device))
            generators = [_generator(budget.seed, index) for index in chunk.tolist()]
            maps[chunk] = clip_saliency(value, clips, recipe, generators).cpu()
            if progress is not None:
                progress((int(chunk[-1]) + 1) / len(images), f"saliency of {len(images)} images")
    return SaliencyMaps(maps=maps, undefined={**fitted.undefined, **_unusable(maps, defined)})


def _value_of(encoder: Encoder, fitted: FittedTarget, indices: Tensor) -> ValueOfClips:
    return lambda clips: fitted.function(encoder(clips), indices)


def _unusable(maps: Tensor, indices: list[int]) -> dict[int, str]:
    """Return the maps among ``indices`` that nothing can be correlated with, and why."""
    reasons = {}
    for index in indices:
        if not maps[index].isfinite().all():
            reasons[index] = "its saliency is not finite"
        elif maps[index].min() == maps[index].max():
            reasons[index] = "its saliency is constant"
    return reasons


def still_clips(
    images: Float[Tensor, "batch 3 height width"], *, eyes: int, frames: int
) -> Float[Tensor, "batch eyes frames 3 height width"]:
    """Return clips that show each image in all eyes and frames."""
    return images[:, None, None].expand(-1, eyes, frames, -1, -1, -1)


def feature_vectors(
    encoder: Encoder,
    images: Float[Tensor, "image 3 size size"],
    recipe: SaliencyRecipe,
    *,
    batch: int,
) -> Float[Tensor, "image channel"]:
    """Return the vectors that the recipe's target reads, one for each image, without gradient."""
    readout: Readout = recipe.target.readout
    vectors = []
    with torch.no_grad():
        for chunk in images.split(batch):
            clips = still_clips(chunk, eyes=_eyes(encoder), frames=recipe.clip_frames)
            vectors.append(readout.vectors(encoder(clips.to(_device(encoder)))))
    return torch.cat(vectors)


def clip_saliency(
    value: ValueOfClips,
    clips: Float[Tensor, "batch eye time channel height width"],
    recipe: SaliencyRecipe,
    generators: list[torch.Generator],
) -> Float[Tensor, "batch height width"]:
    """Return the saliency of clips, reduced over channels, eyes and time, and blurred."""
    method = recipe.method
    if isinstance(method, IntegratedGradients):
        saliency = _reduce(integrated_gradients(value, clips, method), recipe)
    elif isinstance(method, SmoothGrad):
        total = torch.zeros_like(clips[:, 0, 0, 0])
        for _ in range(method.samples):
            noise = method.noise_sd * _still_noise(clips, generators)
            total = total + _reduce(_gradient(value, clips + noise), recipe)
        saliency = total / method.samples
    else:
        saliency = _reduce(_gradient(value, clips), recipe)
    if recipe.blur == "disc blur twice":
        saliency = disc_blur_twice(saliency, disc_diameter_for(min(saliency.shape[-2:])))
    return saliency


def integrated_gradients(
    value: ValueOfClips,
    clips: Float[Tensor, "batch eye time channel height width"],
    method: IntegratedGradients,
) -> Float[Tensor, "batch eye time channel height width"]:
    """Return signed attributions that sum to ``value(clips) - value(baseline)`` for many steps."""
    difference = clips - method.baseline
    total = torch.zeros_like(clips)
    for step in range(method.steps):
        share = (step + 0.5) / method.steps
        total = total + _gradient(value, method.baseline + share * difference)
    return difference * total / method.steps


def _gradient(value: ValueOfClips, clips: Tensor) -> Tensor:
    """Return the gradient of each clip's value with respect to that clip."""
    clips = clips.detach().clone().requires_grad_()
    values = value(clips).sum()
    if not values.requires_grad:
        raise RuntimeError(
            "expected a target that depends on the input clip, got one without gradient; an "
            "encoder must not detach its input or run under no_grad"
        )
    return torch.autograd.grad(values, clips)[0]


def _reduce(gradients: Tensor, recipe: SaliencyRecipe) -> Tensor:
    """Return ``[batch, height, width]`` from gradients of clips."""
    if recipe.frames == "still image":
        gradients = gradients.sum(dim=(1, 2), keepdim=True)
    if recipe.channels == "abs-max":
        reduced = gradients.abs().amax(dim=3)
    elif recipe.channels == "abs-mean":
        reduced = gradients.abs().mean(dim=3)
    else:
        reduced = gradients.mean(dim=3)
    return reduced.mean(dim=(1, 2))


def _still_noise(clips: Tensor, generators: list[torch.Generator]) -> Tensor:
    """Return standard normal noise, one picture per clip, for all its eyes and frames."""
    shape = clips.shape[3:]
    pictures = [torch.randn(shape, generator=generator) for generator in generators]
    return torch.stack(pictures)[:, None, None].to(clips)


def _generator(seed: int, index: int) -> torch.Generator:
    state = np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))


def _eyes(encoder: Encoder) -> int:
    eyes = getattr(encoder, "eyes", None)
    if not isinstance(eyes, int) or eyes not in (1, 2):
        raise TypeError(
            f"expected an encoder whose attribute 'eyes' is 1 or 2, got {eyes!r} on "
            f"{type(encoder).__name__}; wrap an image network in ImageEncoder"
        )
    return eyes


def _device(encoder: Encoder) -> torch.device:
    """Return where the encoder's weights are; the CPU for plain functions."""
    if isinstance(encoder, nn.Module):
        first = next(encoder.parameters(), None)
        if first is not None:
            return first.device
    return torch.device("cpu")


@contextmanager
def _evaluating(encoder: Encoder) -> Iterator[None]:
    """Put a module into evaluation mode, and every part of it back as it was."""
    modules = list(encoder.modules()) if isinstance(encoder, nn.Module) else []
    training = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module, was_training in zip(modules, training, strict=True):
            module.training = was_training
