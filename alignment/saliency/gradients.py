"""Saliency of video encoders over still images and over clips.

A still image is shown as a fixated clip: the same picture in every eye and at every time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ...video_models.encoder import Encoder
from .attributions import gradient_maps, integrated_gradients, smooth_maps
from .blurs import blurred
from .evaluating import evaluating
from .frames import chosen_frames, reduce_gradients
from .grad_cam import grad_cam_maps
from .methods import GradCam, IntegratedGradients, SmoothGrad
from .recipe import SaliencyRecipe
from .targets import Fitted, Readout

Progress = Callable[[float, str], None]
ClipsOf = Callable[[Tensor], Tensor]
"""Positions in the scored set -> the clips there."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a computation may use at once, and its seed."""

    batch: int = 8
    """Clips in memory together, noisy copies and steps of a path among them."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse an empty batch."""
        if self.batch < 1:
            raise ValueError(f"expected a batch of at least 1 clip, got {self.batch}")


@dataclass(frozen=True, kw_only=True)
class SaliencyMaps:
    """Saliency over a set of images or clips."""

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
    eyes = _eyes(encoder)

    def clips_of(indices: Tensor) -> Tensor:
        return still_clips(images[indices], eyes=eyes, frames=recipe.clip_frames)

    work = _Work(encoder=encoder, clips_of=clips_of, recipe=recipe, budget=budget or Budget())
    maps = torch.full((len(images), *images.shape[-2:]), torch.nan)
    return work.fill(maps, labels, progress, "images")


def feature_vectors(
    encoder: Encoder,
    images: Float[Tensor, "image 3 size size"],
    recipe: SaliencyRecipe,
    *,
    budget: Budget | None = None,
) -> Float[Tensor, "image channel"]:
    """Return the vectors that the recipe's target reads, one for each image, without gradient."""
    eyes = _eyes(encoder)

    def clips_of(indices: Tensor) -> Tensor:
        return still_clips(images[indices], eyes=eyes, frames=recipe.clip_frames)

    work = _Work(encoder=encoder, clips_of=clips_of, recipe=recipe, budget=budget or Budget())
    with evaluating(encoder):
        return work.vectors(len(images))


def saliency_of_clips(
    encoder: Encoder,
    clips: Float[Tensor, "clip eye time channel height width"],
    labels: tuple[str, ...],
    recipe: SaliencyRecipe,
    *,
    budget: Budget | None = None,
    progress: Progress | None = None,
) -> SaliencyMaps:
    """Return one saliency map for each clip of a video; otherwise as ``saliency_maps``.

    Args:
        encoder: Clips in [0, 1] to features.
        clips: In [0, 1]; as many frames as ``recipe.clip_frames`` and eyes as the encoder expects.
        labels: Category of each clip, for targets that need it.
        recipe: What is computed; ``recipe.frames`` names the frames that count.
        budget: Batch size and seed.
        progress: Told the share done and a message.
    """
    expected = (_eyes(encoder), recipe.clip_frames)
    if tuple(clips.shape[1:3]) != expected:
        raise ValueError(
            f"expected clips of {expected[0]} eyes (the encoder's) and {expected[1]} frames "
            f"(recipe.clip_frames), got {clips.shape[1]} eyes and {clips.shape[2]} frames"
        )
    work = _Work(
        encoder=encoder, clips_of=clips.__getitem__, recipe=recipe, budget=budget or Budget()
    )
    maps = torch.full((len(clips), *clips.shape[-2:]), torch.nan)
    return work.fill(maps, labels, progress, "clips")


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What is needed to make maps of a set."""

    encoder: Encoder
    clips_of: ClipsOf
    recipe: SaliencyRecipe
    budget: Budget

    def fill(
        self, maps: Tensor, labels: tuple[str, ...], progress: Progress | None, things: str
    ) -> SaliencyMaps:
        """Fill in the maps that can be made, a batch at a time."""
        count = len(maps)
        if len(labels) != count:
            raise ValueError(f"expected one label for each of {count} {things}, got {len(labels)}")
        with evaluating(self.encoder):
            fitted = self.recipe.target.fit(lambda: self.vectors(count), labels)
            defined = [index for index in range(count) if index not in fitted.undefined]
            for indices in torch.tensor(defined, dtype=torch.int64).split(self.budget.batch):
                if len(indices):
                    maps[indices] = self._chunk(fitted, indices).to(maps)
                if progress is not None and len(indices):
                    progress((int(indices[-1]) + 1) / count, f"saliency of {count} {things}")
        undefined = {**fitted.undefined, **_unusable(maps, defined)}
        return SaliencyMaps(maps=maps, undefined=undefined)

    def vectors(self, count: int) -> Float[Tensor, "image channel"]:
        """Return the vectors that the target reads, one for each image, without gradient."""
        readout: Readout = self.recipe.target.readout
        with torch.no_grad():
            vectors = [
                readout.vectors(self.encoder(self._shown(indices)))
                for indices in torch.arange(count).split(self.budget.batch)
            ]
        return torch.cat(vectors)

    def _chunk(self, fitted: Fitted, indices: Tensor) -> Float[Tensor, "batch height width"]:
        keys = [(self.budget.seed, int(index)) for index in indices]
        scalar = Scalar(target=fitted, encoder=self.encoder, indices=indices)
        return clip_saliency(
            scalar, self._shown(indices), self.recipe, noise_keys=keys, batch=self.budget.batch
        )

    def _shown(self, indices: Tensor) -> Tensor:
        return self.clips_of(indices).to(_device(self.encoder))


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """A fitted target of the clips of certain images."""

    target: Fitted
    encoder: Encoder
    indices: Int[Tensor, " row"]
    """Position in the scored set of each row of the clips."""

    def __call__(self, clips: Tensor, rows: Tensor) -> Float[Tensor, " batch"]:
        """Return the value of clips made from certain rows."""
        return self.target.value(self.encoder, clips, self.indices[rows].to(clips.device))


def clip_saliency(
    scalar: Scalar,
    clips: Float[Tensor, "row eye time channel height width"],
    recipe: SaliencyRecipe,
    *,
    noise_keys: list[tuple[int, int]],
    batch: int,
) -> Float[Tensor, "row height width"]:
    """Return the saliency of clips, reduced over channels, eyes and time, and blurred.

    Args:
        scalar: What drives the gradient.
        clips: In [0, 1].
        recipe: What is computed.
        noise_keys: Seed and image of each row, which its noise depends on.
        batch: Clips in memory together.
    """
    method = recipe.method
    if isinstance(method, IntegratedGradients):
        gradients = integrated_gradients(scalar, clips, method, batch=batch)
        saliency = reduce_gradients(gradients, recipe.channels, recipe.frames)
    elif isinstance(method, SmoothGrad):
        saliency = smooth_maps(scalar, clips, recipe, method, noise_keys, batch)
    elif isinstance(method, GradCam):
        indices = scalar.indices.to(clips.device)
        cams = grad_cam_maps(scalar.target, scalar.encoder, clips, indices, method.layer)
        saliency = chosen_frames(cams[:, None], recipe.frames).mean(dim=(1, 2))
    else:
        saliency = gradient_maps(scalar, clips, recipe, batch)
    return blurred(saliency, recipe.blur)


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
