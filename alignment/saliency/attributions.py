"""Gradients of a scalar with respect to clips, a bounded number of clips at a time.

Noisy copies and steps of a path are further clips; they share the batch with the images, so that
memory depends on the batch and not on how many of them there are.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from .frames import reduce_gradients
from .methods import IntegratedGradients, SmoothGrad
from .recipe import SaliencyRecipe

ValueOfClips = Callable[[Tensor, Tensor], Tensor]
"""Clips ``[batch, eye, time, channel, height, width]``, and the row of the given clips that each
stems from, int64 ``[batch]`` -> one value per clip."""


def gradient(
    value: ValueOfClips,
    clips: Float[Tensor, "batch eye time channel height width"],
    rows: Int[Tensor, " batch"],
) -> Float[Tensor, "batch eye time channel height width"]:
    """Return the gradient of each clip's value with respect to that clip."""
    clips = clips.detach().clone().requires_grad_()
    with torch.enable_grad():
        values = value(clips, rows).sum()
    if not values.requires_grad:
        raise RuntimeError(
            "expected a target that depends on the input clip, got one without gradient; an "
            "encoder must not detach its input or run under no_grad"
        )
    return torch.autograd.grad(values, clips)[0]


def gradient_maps(
    value: ValueOfClips,
    clips: Float[Tensor, "row eye time channel height width"],
    recipe: SaliencyRecipe,
    batch: int,
) -> Float[Tensor, "row height width"]:
    """Return the gradient at the clips, as maps."""
    maps = [
        reduce_gradients(gradient(value, clips[rows], rows), recipe.channels, recipe.frames)
        for rows, _ in packed(len(clips), 1, batch)
    ]
    return torch.cat(maps)


def smooth_maps(
    value: ValueOfClips,
    clips: Float[Tensor, "row eye time channel height width"],
    recipe: SaliencyRecipe,
    method: SmoothGrad,
    noise_keys: list[tuple[int, int]],
    batch: int,
) -> Float[Tensor, "row height width"]:
    """Return the mean of maps over noisy copies of each clip.

    Args:
        value: The scalar.
        clips: In [0, 1]; noise may leave it.
        recipe: How gradients become maps.
        method: How many copies and how noisy.
        noise_keys: Seed and image of each row; noise depends on them and the sample alone.
        batch: Copies in memory together.
    """
    shape = (len(clips), *clips.shape[-2:])
    total = torch.zeros(shape, dtype=torch.float64, device=clips.device)
    for rows, samples in packed(len(clips), method.samples, batch):
        pictures = [
            noise_picture((*noise_keys[row], sample), tuple(clips.shape[3:]))
            for row, sample in zip(rows.tolist(), samples.tolist(), strict=True)
        ]
        noise = method.noise_sd * torch.stack(pictures)[:, None, None].to(clips)
        gradients = gradient(value, clips[rows] + noise, rows)
        # One by one and in order, so that how samples are packed does not change the sum.
        for row, one in zip(
            rows.tolist(), reduce_gradients(gradients, recipe.channels, recipe.frames), strict=True
        ):
            total[row] += one
    return (total / method.samples).to(clips.dtype)


def integrated_gradients(
    value: ValueOfClips,
    clips: Float[Tensor, "row eye time channel height width"],
    method: IntegratedGradients,
    *,
    batch: int,
) -> Float[Tensor, "row eye time channel height width"]:
    """Return signed attributions that sum to ``value(clips) - value(baseline)`` for many steps."""
    difference = clips - method.baseline
    total = torch.zeros_like(difference)
    for rows, steps in packed(len(clips), method.steps, batch):
        share = ((steps + 0.5) / method.steps).to(clips).view(-1, 1, 1, 1, 1, 1)
        gradients = gradient(value, method.baseline + share * difference[rows], rows)
        for row, one in zip(rows.tolist(), gradients, strict=True):
            total[row] += one
    return difference * total / method.steps


def packed(rows: int, repeats: int, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield every pair of a row and the number of a repeat, row by row, ``batch`` at a time."""
    for pairs in torch.arange(rows * repeats).split(batch):
        yield pairs // repeats, pairs % repeats


def noise_picture(key: tuple[int, ...], shape: tuple[int, ...]) -> Float[Tensor, "..."]:
    """Return standard normal noise that depends on a key and nothing else.

    Args:
        key: Seed, image and sample.
        shape: Of the picture.
    """
    state = np.random.SeedSequence(key).generate_state(1, np.uint64)[0]
    generator = torch.Generator().manual_seed(int(state >> np.uint64(1)))
    return torch.randn(shape, generator=generator)
