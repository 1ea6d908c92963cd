"""PredNet (Lotter, Kreiman & Cox 2016, arXiv 1605.08104)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..clip_checks import check_clips_for
from .config import PredNetConfig
from .features import PredNetFeatures
from .layer import LayerState, PredNetLayer, signed_errors

States = Sequence[LayerState]


class PredNet(nn.Module):
    """Encoder that predicts every frame before it sees it; only its errors go up.

    For each frame, from the top layer down, a convolutional LSTM makes its representation from the
    one before, the last errors and the representation above:
    ``R_l = ConvLSTM(R_l, E_l, up(R_l+1))``. Then, from the bottom up,
    ``Ahat_l = relu(conv(R_l))``, at the pixels at most ``pixel_max``;
    ``E_l = [relu(Ahat_l - A_l), relu(A_l - Ahat_l)]``; ``A_l+1 = maxpool(relu(conv(E_l)))``, where
    ``A_0`` is the frame. All states start at zero.

    The channels of both eyes are concatenated at layer 0: one network predicts both frames
    together, and disparity is for it to find.

    The representation with which frame t is predicted has not seen it. So the features at time t
    are the representations of the next pass down, after the errors at frame t: those that frame
    t + 1 is predicted from. They depend on no later frame.
    """

    causal = True

    def __init__(self, config: PredNetConfig) -> None:
        """Draw the weights from torch's current random state."""
        super().__init__()
        self.config = config
        self.eyes = config.eyes
        targets, representations = (*config.targets, 0), (*config.representations, 0)
        self.layers = nn.ModuleList(
            PredNetLayer(
                target=targets[i],
                representation=representations[i],
                above=representations[i + 1],
                next_target=targets[i + 1],
            )
            for i in range(len(config.targets))
        )

    def forward(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> PredNetFeatures:
        """Return the representations, maps ``layer0`` upwards, with predictions and errors.

        Args:
            clips: values in [0, 1]; height and width divisible by 2 for each layer above the first.
        """
        self._check(clips)
        states = self._expect(self._silent(clips))
        predictions, errors, seen = [], [], []
        for frame in clips.unbind(2):
            states, prediction = self._compare(states, frame.flatten(1, 2))
            predictions.append(prediction)
            errors.append(_mean_errors(states))
            states = self._expect(states)
            seen.append([each.representation for each in states])
        maps = {
            f"layer{i}": torch.stack(each, dim=2) for i, each in enumerate(zip(*seen, strict=True))
        }
        return PredNetFeatures(
            maps=maps,
            pooled=maps[f"layer{len(self.layers) - 1}"].mean(dim=(3, 4)).transpose(1, 2),
            predictions=self._eyes_apart(predictions),
            layer_errors=torch.stack(errors, dim=1),
        )

    def extrapolate(
        self, clips: Float[Tensor, "batch eye time channel height width"], frames: int
    ) -> Float[Tensor, "batch eye frames channel height width"]:
        """Return predictions of the frames that come after clips.

        From the end of the clip on, each prediction takes the place of the frame: its error at the
        pixels is zero.

        Args:
            clips: what is seen; as for ``forward``.
            frames: how many to predict.
        """
        self._check(clips)
        if frames < 1:
            raise ValueError(f"expected at least 1 frame to predict, got {frames}")
        states = self._silent(clips)
        for frame in clips.unbind(2):
            states, _ = self._compare(self._expect(states), frame.flatten(1, 2))
        predictions = []
        for _ in range(frames):
            states, prediction = self._compare(self._expect(states), None)
            predictions.append(prediction)
        return self._eyes_apart(predictions)

    def _silent(self, clips: Tensor) -> States:
        height, width = clips.shape[-2:]
        return [
            layer.silent(clips, height >> i, width >> i) for i, layer in enumerate(self._typed())
        ]

    def _expect(self, states: States) -> States:
        """Return states with new representations, from the top down."""
        expected: list[LayerState] = []
        above = None
        for layer, state in zip(reversed(self._typed()), reversed(states), strict=True):
            expected.append(layer.expect(state, above))
            above = expected[-1].representation
        return expected[::-1]

    def _compare(self, states: States, frame: Tensor | None) -> tuple[States, Tensor]:
        """Return states with new errors, from the bottom up, and what was predicted at the pixels.

        Without a frame, the prediction itself is taken for what is seen.
        """
        compared: list[LayerState] = []
        pixels = self._typed()[0].prediction(states[0]).clamp(max=self.config.pixel_max)
        prediction, target = pixels, pixels if frame is None else frame
        for i, (layer, state) in enumerate(zip(self._typed(), states, strict=True)):
            if i:
                prediction = layer.prediction(state)
            error = signed_errors(prediction, target)
            compared.append(state._replace(error=error))
            if layer.ascend is not None:
                target = layer.target_above(error)
        return compared, pixels

    def _eyes_apart(
        self, frames: list[Tensor]
    ) -> Float[Tensor, "batch eye time channel height width"]:
        return torch.stack(frames, dim=1).unflatten(2, (self.eyes, -1)).transpose(1, 2)

    def _typed(self) -> list[PredNetLayer]:
        return [layer for layer in self.layers if isinstance(layer, PredNetLayer)]

    def _check(self, clips: Tensor) -> None:
        check_clips_for(self.config, clips, smallest_px=1)
        height, width = clips.shape[-2:]
        divisor = self.config.size_divisor
        if height % divisor or width % divisor:
            raise ValueError(
                f"expected frames whose height and width are divisible by {divisor}, for each of "
                f"the {len(self.layers)} layers of this PredNet halves them, got {height} x "
                f"{width}; choose another size (and a crop_share that keeps it so; 1 cuts "
                "nothing), or fewer widths"
            )


def _mean_errors(states: States) -> Float[Tensor, "batch layer"]:
    """Return the mean error of every layer, in float32 at least."""
    wide = [
        each.error if each.error.dtype == torch.float64 else each.error.float() for each in states
    ]
    return torch.stack([each.mean(dim=(1, 2, 3)) for each in wide], dim=1)
