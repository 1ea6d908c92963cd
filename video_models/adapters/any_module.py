"""Your own network as an encoder."""

from collections.abc import Callable, Mapping

from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips, check_eyes
from ..encoder import Features
from .late_fusion import channel_values, features_of, fitted, normalised

ToMap = Callable[[str, Tensor], Tensor]
"""From a layer's name and output to a map ``[batch, channel, time, height, width]``."""


class AnyModule(nn.Module):
    """Encoder around any module that takes videos ``[batch, channel, time, height, width]``.

    The outputs of named layers become the maps; what the module itself returns is not looked at.
    Two eyes pass the module one by one, and their maps become sum and difference.

    Example:
        >>> import torch
        >>> net = nn.Sequential(nn.Conv3d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv3d(8, 16, 1))
        >>> encoder = AnyModule(net, {"early": "1", "late": "2"}, eyes=2)
        >>> features = encoder(torch.rand(1, 2, 4, 3, 16, 16))
        >>> {name: tuple(each.shape) for name, each in features.maps.items()}
        {'early': (1, 16, 4, 16, 16), 'late': (1, 32, 4, 16, 16)}
    """

    def __init__(  # noqa: PLR0913 - a description, all but two of its fields have defaults
        self,
        module: nn.Module,
        layers: Mapping[str, str],
        *,
        eyes: int = 1,
        image_channels: int = 3,
        causal: bool = False,
        mean: tuple[float, ...] = (0.5,),
        std: tuple[float, ...] = (0.5,),
        least_frames: int = 1,
        image_size_px: int | None = None,
        to_map: ToMap | None = None,
    ) -> None:
        """Take a module.

        Args:
            module: any network; a layer that is named may run only once in it.
            layers: from the names that maps get, shallow to deep, to the paths of layers, as in
                ``module.named_modules()``.
            eyes: 1 or 2.
            image_channels: of a frame.
            causal: whether features at a time step depend on no later frame; that is believed.
            mean: taken off each channel of frames in [0, 1]; one number, or one for each.
            std: what channels are divided by after that.
            least_frames: the shortest clip that the module takes.
            image_size_px: the only size that it takes, if there is one.
            to_map: makes maps of layers' outputs that are none, such as tokens.

        Raises:
            ValueError: other numbers of eyes; a layer that the module does not have, or none.
        """
        super().__init__()
        check_eyes(eyes, "siamese")
        self.module = module
        self.layers = dict(layers)
        self.eyes = eyes
        self.image_channels = image_channels
        self.causal = causal
        self.least_frames = least_frames
        self.image_size_px = image_size_px
        self.to_map = to_map
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", channel_values("mean", mean, image_channels), persistent=False)
        self.register_buffer("std", channel_values("std", std, image_channels), persistent=False)
        known = dict(module.named_modules())
        missing = sorted(set(self.layers.values()) - set(known))
        if missing or not self.layers:
            some = ", ".join(name for name in known if name) or "none"
            raise ValueError(f"expected layers that the module has ({some}), got {missing}")

    def forward(self, clips: Float[Tensor, "batch eye time channel height width"]) -> Features:
        """Return the maps of the named layers, and the spatial mean of the last.

        Args:
            clips: values in [0, 1], of a size and number of frames that the module takes.
        """
        kind = type(self.module).__name__
        check_clips(
            clips,
            eyes=self.eyes,
            image_channels=self.image_channels,
            config_name="AnyModule",
            smallest_px=1,
        )
        fitted(clips, self.image_size_px, resize=None, network=kind)
        outputs = self._outputs(normalised(clips, self.mean, self.std))
        if self.to_map is not None:
            outputs = {name: self.to_map(name, each) for name, each in outputs.items()}
        return features_of(outputs, eyes=self.eyes, frames=clips.shape[2], network=kind)

    def _outputs(self, videos: Tensor) -> dict[str, Tensor]:
        """Return what the named layers answer; hooks last for one call, so copies stay whole."""
        found: dict[str, Tensor] = {}
        hooks = [
            self.module.get_submodule(path).register_forward_hook(_keeper(found, name))
            for name, path in self.layers.items()
        ]
        try:
            self.module(videos)
        finally:
            for hook in hooks:
                hook.remove()
        silent = [name for name in self.layers if name not in found]
        if silent:
            raise ValueError(f"expected layers that run, got no output of {silent}")
        return {name: found[name] for name in self.layers}


def _keeper(found: dict[str, Tensor], name: str) -> Callable[..., None]:
    def keep(_layer: nn.Module, _inputs: object, output: object) -> None:
        if not isinstance(output, Tensor):
            raise ValueError(
                f"expected the layer for {name} to return a tensor, got {type(output).__name__}; "
                "name a layer that does"
            )
        if name in found:
            raise ValueError(
                f"expected the layer for {name} to run once, got a second run; name one that does"
            )
        found[name] = output

    return keep
