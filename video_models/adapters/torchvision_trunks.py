"""The networks of ``torchvision.models.video`` without their classifiers, map by map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

TorchvisionName = Literal["r3d_18", "mc3_18", "r2plus1d_18", "s3d", "swin3d_t", "mvit_v2_s"]

KINETICS = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
GREY = (0.45, 0.45, 0.45), (0.225, 0.225, 0.225)


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """What must be known of a network to use it."""

    maps: Callable[[Any, Tensor], dict[str, Tensor]]
    """From the network and videos ``[batch, channel, time, height, width]`` to maps."""
    heads: tuple[str, ...]
    """Its classifier's parts, which are taken off."""
    frames_per_step: int
    normalisation: tuple[tuple[float, ...], tuple[float, ...]]
    """Mean and standard deviation of the channels that its published weights expect."""
    smallest_px: int = 16
    fixed_frames: int | None = None
    """The only number of frames that it takes."""
    fixed_size_px: int | None = None
    """The only height and width that it takes."""


def _resnet(net: Any, videos: Tensor) -> dict[str, Tensor]:  # noqa: ANN401 - torchvision's class
    hidden = net.stem(videos)
    maps = {"stem": hidden}
    for i in range(1, 5):
        hidden = getattr(net, f"layer{i}")(hidden)
        maps[f"layer{i}"] = hidden
    return maps


_S3D_ENDS = {3: "separable2", 6: "inception3", 12: "inception4", 15: "inception5"}
"""The last layers of S3D at each resolution."""


def _s3d(net: Any, videos: Tensor) -> dict[str, Tensor]:  # noqa: ANN401
    hidden, maps = videos, {}
    for i, layer in enumerate(net.features):
        hidden = layer(hidden)
        if i in _S3D_ENDS:
            maps[_S3D_ENDS[i]] = hidden
    return maps


def _swin(net: Any, videos: Tensor) -> dict[str, Tensor]:  # noqa: ANN401
    hidden, maps = net.pos_drop(net.patch_embed(videos)), {}
    for i, layer in enumerate(net.features):
        hidden = layer(hidden)
        if i % 2 == 0:
            last = i == len(net.features) - 1
            shown = net.norm(hidden) if last else hidden
            maps[f"stage{i // 2 + 1}"] = shown.permute(0, 4, 1, 2, 3)
    return maps


def _mvit(net: Any, videos: Tensor) -> dict[str, Tensor]:  # noqa: ANN401
    tokens = net.pos_encoding(net.conv_proj(videos).flatten(2).transpose(1, 2))
    size = (net.pos_encoding.temporal_size, *net.pos_encoding.spatial_size)
    maps: dict[str, Tensor] = {}
    for block in net.blocks:
        before, inputs = size, tokens
        tokens, size = block(inputs, before)
        if size != before:
            maps[f"stage{len(maps) + 1}"] = _without_class_token(inputs, before)
    maps[f"stage{len(maps) + 1}"] = _without_class_token(net.norm(tokens), size)
    return maps


def _without_class_token(tokens: Tensor, size: tuple[int, ...]) -> Tensor:
    return tokens[:, 1:].transpose(1, 2).unflatten(2, size)


def _video_resnet(frames_per_step: int) -> Trunk:
    return Trunk(
        maps=_resnet, heads=("fc",), frames_per_step=frames_per_step, normalisation=KINETICS
    )


TRUNKS: Mapping[TorchvisionName, Trunk] = {
    "r3d_18": _video_resnet(8),
    "mc3_18": _video_resnet(1),
    "r2plus1d_18": _video_resnet(8),
    "s3d": Trunk(
        maps=_s3d,
        heads=("classifier",),
        frames_per_step=8,
        normalisation=KINETICS,
        smallest_px=32,
    ),
    "swin3d_t": Trunk(
        maps=_swin, heads=("head",), frames_per_step=2, normalisation=IMAGENET, smallest_px=32
    ),
    "mvit_v2_s": Trunk(
        maps=_mvit,
        heads=("head",),
        frames_per_step=2,
        normalisation=GREY,
        fixed_frames=16,
        fixed_size_px=224,
    ),
}


def without_heads(net: nn.Module, heads: tuple[str, ...]) -> nn.Module:
    """Return a network whose classifier does nothing and has no weights."""
    for head in heads:
        setattr(net, head, nn.Identity())
    return net
