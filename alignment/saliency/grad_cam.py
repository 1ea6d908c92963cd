"""Grad-CAM of video encoders, on a named feature map or on a module's output."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from ...video_models.encoder import Encoder, Features
from .frames import at_frames
from .targets import Fitted

NAMES_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A layer's maps of some clips, as they are in the graph of the target."""

    maps: Tensor
    """``[clip, channel, step, height, width]``, or ``[clip and step, channel, height, width]`` of a
    module that looks at frames one by one."""
    clips: int

    def check(self, layer: str | None, frames: int) -> None:
        """Refuse what are no maps of these clips."""
        is_tensor = isinstance(self.maps, Tensor)
        shape = list(self.maps.shape) if is_tensor else [type(self.maps).__name__]
        many = (self.clips,) if len(shape) == 5 else (self.clips, self.clips * frames)
        if not is_tensor or len(shape) not in (4, 5) or shape[0] not in many:
            raise ValueError(
                f"expected layer '{layer}' to give maps [clip, channel, step, height, width], or "
                f"[clip or frame, channel, height, width], of {self.clips} clips of {frames} "
                f"frames for Grad-CAM, got {shape}; name another layer"
            )

    def cam(self, gradient: Tensor) -> Float[Tensor, "clip step height width"]:
        """Return channels weighted by their mean gradient, where that is above zero."""
        places = tuple(range(2, gradient.ndim))
        weight = gradient.mean(dim=places, keepdim=True)
        cam = functional.relu((weight * self.maps).sum(dim=1)).detach()
        return cam if cam.ndim == 4 else cam.unflatten(0, (self.clips, -1))


class Watched:
    """An encoder that remembers the feature maps of one layer whenever it is called."""

    def __init__(self, encoder: Encoder, layer: str | None) -> None:
        """Watch ``layer`` of ``encoder``, which it stands for."""
        self.encoder = encoder
        self.layer = layer
        self.eyes: int = encoder.eyes
        self.seen: list[Seen] = []
        """One for each call of the encoder."""
        self._of_module: list[Any] = []

    def __call__(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the encoder's features."""
        self._of_module.clear()
        features = self.encoder(clips)
        batch, frames = clips.shape[0], clips.shape[2]
        self.seen.append(Seen(maps=self._maps_of(features), clips=batch))
        self.seen[-1].check(self.layer, frames)
        return features

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the encoder has
        """Return what else the encoder says of itself."""
        return getattr(self.encoder, name)

    def _maps_of(self, features: Features) -> Any:  # noqa: ANN401 - a module returns anything
        layer = self.layer
        if layer is None and features.maps:
            layer = list(features.maps)[-1]
        if layer is not None and layer in features.maps:
            return features.maps[layer]
        if len(self._of_module) == 1:
            return self._of_module[0]
        if self._of_module:
            raise ValueError(
                f"expected module '{layer}' to run once in each call of the encoder, it ran "
                f"{len(self._of_module)} times; name another layer for Grad-CAM"
            )
        raise ValueError(
            f"expected one of the feature maps {list(features.maps)} or a module inside the "
            f"encoder{_last_modules(self.encoder)} for Grad-CAM, got "
            f"{'no layer' if layer is None else repr(layer)}"
        )


def _last_modules(encoder: Encoder) -> str:
    """Return the names of the last modules, as an example in an error."""
    if not isinstance(encoder, nn.Module):
        return ""
    names = [name for name, _ in encoder.named_modules() if name][-NAMES_SHOWN:]
    return f" (the last ones are {', '.join(names)})" if names else ""


@contextmanager
def watched(encoder: Encoder, layer: str | None) -> Iterator[Watched]:
    """Give an encoder that remembers a layer; it is left as it was."""
    watching = Watched(encoder, layer)
    named = dict(encoder.named_modules()) if isinstance(encoder, nn.Module) and layer else {}
    module = named.get(layer or "")
    if module is None:
        yield watching
        return
    hook = module.register_forward_hook(lambda *of_call: watching._of_module.append(of_call[2]))
    try:
        yield watching
    finally:
        hook.remove()


def grad_cam_maps(
    target: Fitted,
    encoder: Encoder,
    clips: Float[Tensor, "batch eye time channel height width"],
    indices: Int[Tensor, " batch"],
    layer: str | None,
) -> Float[Tensor, "batch frames height width"]:
    """Return Grad-CAM at every frame, enlarged bilinearly to the clips' size.

    Args:
        target: The scalar.
        encoder: Clips to features.
        clips: In [0, 1].
        indices: Positions of the clips' images in the scored set.
        layer: A feature map, or a module inside the encoder; None is the deepest map.
    """
    # Weights may be frozen: the map belongs to a graph because the input does.
    clips = clips.detach().clone().requires_grad_()
    with torch.enable_grad(), watched(encoder, layer) as watching:
        values = target.value(watching, clips, indices).sum()
    shown = sum(each.clips for each in watching.seen)
    if shown != len(clips):
        raise ValueError(
            f"expected the target to show each of {len(clips)} clips to the encoder once for "
            f"Grad-CAM, it showed {shown}; use a gradient method"
        )
    cams = torch.cat(_cams(values, watching.seen, layer))
    frames = at_frames(cams, clips.shape[2])
    size = (clips.shape[-2], clips.shape[-1])
    return functional.interpolate(frames, size=size, mode="bilinear", align_corners=False)


def _cams(values: Tensor, seen: Sequence[Seen], layer: str | None) -> list[Tensor]:
    cams = []
    for each, gradient in zip(seen, _gradients(values, seen), strict=True):
        if gradient is None:
            where = f"layer '{layer}'" if layer else "the deepest map"
            raise ValueError(
                f"expected a target that depends on {where} for Grad-CAM, got one that does not; "
                "read the target from that very map (Readout(layer=...)) or name another layer"
            )
        cams.append(each.cam(gradient))
    return cams


def _gradients(values: Tensor, seen: Sequence[Seen]) -> Sequence[Tensor | None]:
    if not values.requires_grad or not all(each.maps.requires_grad for each in seen):
        return [None] * len(seen)
    return torch.autograd.grad(values, [each.maps for each in seen], allow_unused=True)
