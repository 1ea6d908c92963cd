"""The loss of PredNet: the mean of its own error units (Lotter, Kreiman & Cox 2016, eq. 5)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ..across_ranks import mean_of_rows
from ..next_frame.errors import mean_image, mse_of_pairs, skill_of
from ..objective import (
    Batch,
    EncoderLike,
    FeatureShapes,
    Truth,
    require_causal,
    valid_pairs_of,
)
from ..spread import effective_rank, feature_std


@runtime_checkable
class PredictedFrames(Protocol):
    """Features of an encoder that has predicted every frame before it saw it."""

    @property
    def pooled(self) -> Float[Tensor, "batch time channel"]:
        """One vector for each frame."""
        ...

    @property
    def predictions(self) -> Float[Tensor, "batch eye time channel height width"]:
        """Of every frame, made before it was seen."""
        ...

    @property
    def layer_errors(self) -> Float[Tensor, "batch time layer"]:
        """Mean error of every layer at every frame, from the pixels up."""
        ...


@dataclass(frozen=True, kw_only=True)
class PredNetErrorsConfig:
    """Settings of ``PredNetErrors``; the paper's ``L_0`` by default."""

    layer_weights: tuple[float, ...] = (1.0, 0.0)
    """Of the errors at layer 0, 1, ...; the last one goes for all deeper layers. The paper's
    ``L_0`` is ``(1, 0)``, its ``L_all`` is ``(1, 0.1)``."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if not self.layer_weights or min(self.layer_weights) < 0 or max(self.layer_weights) <= 0:
            raise ValueError(
                "expected layer_weights of at least 0, one of them above 0, got "
                f"{self.layer_weights}"
            )

    def of_layers(self, layers: int) -> tuple[float, ...]:
        """Return one weight for each of so many layers."""
        given = self.layer_weights
        if len(given) > layers:
            raise ValueError(
                f"expected at most {layers} layer_weights, one for each layer of the encoder, got "
                f"{len(given)}: {given}"
            )
        return (*given, *given[-1:] * (layers - len(given)))


class PredNetErrors(nn.Module):
    """The encoder's own errors: ``sum_t w_t sum_l lambda_l mean(E_l)`` over frames and layers.

    ``w_0 = 0``, for nothing is known before the first frame, and all later frames weigh the same.
    It has no parameters of its own.

    The encoder sees all frames. Frames that a batch's ``valid_pairs`` say cannot be compared with
    the one before, for a saccade or a blink lies between, do not count: neither in the loss nor
    in any measure. Without ``valid_pairs`` all frames from the second on count, as in the paper.
    """

    def __init__(self, config: PredNetErrorsConfig, shapes: FeatureShapes) -> None:
        """Take the encoder's shapes; there is nothing to draw."""
        super().__init__()
        require_causal(shapes, "PredNet's errors")
        self.config = config

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the loss; pixel errors beside those of copying, and the errors of all layers."""
        pairs = valid_pairs_of(clips, truth)
        seen = predicted_frames(encoder(clips), clips)
        errors = mean_of_rows(seen.layer_errors[:, 1:][pairs])
        loss = (errors * errors.new_tensor(self.config.of_layers(len(errors)))).sum()
        with torch.no_grad():
            measures = _frame_errors(seen, clips, pairs)
            copied = measures["copy_last_mse"]
            # Where nothing changes at all, copying is perfect and there is no skill to speak of.
            measures["skill"] = 1 - measures["mse"] / copied.where(copied > 0, torch.nan)
            measures |= {f"error_layer{i}": each for i, each in enumerate(errors.detach())}
            pooled = seen.pooled.detach().flatten(0, 1)
            measures["effective_rank"] = effective_rank(pooled)
            measures["feature_std"] = feature_std(pooled)
        return loss, measures

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return held-out errors and skills, of all frames from the second on.

        Returns:
            ``mse`` with its floors ``copy_last_mse``, ``mean_image_mse`` (of training clips) and
            ``zeros_mse``; ``skill``: ``1 - mse / copy_last_mse``, and ``skill_over_mean_image``
            alike; ``error_layer0`` upwards, the mean of the error units; ``effective_rank`` and
            ``feature_std`` of the pooled features.
        """
        average = mean_image(training)
        sums: defaultdict[str, float] = defaultdict(float)
        pooled, total = [], 0
        for clips, truth in held_out:
            pairs = valid_pairs_of(clips, truth)
            seen = predicted_frames(encoder(clips), clips)
            pooled.append(seen.pooled.flatten(0, 1))
            target = clips[:, :, 1:]
            measures = _frame_errors(seen, clips, pairs) | {
                "mean_image_mse": mse_of_pairs(average.unsqueeze(1) - target, pairs),
                "zeros_mse": mse_of_pairs(target, pairs),
            }
            errors = mean_of_rows(seen.layer_errors[:, 1:][pairs])
            measures |= {f"error_layer{i}": each for i, each in enumerate(errors)}
            count = int(pairs.sum())
            for name, each in measures.items():
                sums[name] += float(each) * count
            total += count
        if not total:
            raise ValueError("expected at least one batch of held-out clips, got none")
        report = {name: each / total for name, each in sums.items()}
        report["skill"] = skill_of(report["mse"], report["copy_last_mse"])
        report["skill_over_mean_image"] = skill_of(report["mse"], report["mean_image_mse"])
        features = torch.cat(pooled)
        report["effective_rank"] = float(effective_rank(features))
        report["feature_std"] = float(feature_std(features))
        return report


def predicted_frames(
    features: Any,  # noqa: ANN401 - whatever an encoder gives
    clips: Float[Tensor, "batch eye time channel height width"],
) -> PredictedFrames:
    """Return the features of an encoder, if it has predicted the frames of clips.

    Raises:
        ValueError: it has not.
    """
    if not isinstance(features, PredictedFrames):
        raise ValueError(
            "expected an encoder that predicts every frame before it sees it, got one without "
            "predictions and layer_errors; use the encoder prednet (--encoder prednet, or "
            "PredNetConfig), or the recipe predict for other encoders"
        )
    if features.predictions.shape != clips.shape:
        raise ValueError(
            f"expected predictions of the clips' own frames, {list(clips.shape)}, got "
            f"{list(features.predictions.shape)}: a front end before the encoder changes what it "
            "sees and so what it predicts; leave it out"
        )
    return features


def _frame_errors(
    seen: PredictedFrames,
    clips: Float[Tensor, "batch eye time channel height width"],
    pairs: Bool[Tensor, "batch pairs"],
) -> dict[str, Tensor]:
    """Return the mean square errors at the pixels, of the encoder and of copying."""
    target = clips[:, :, 1:]
    return {
        "mse": mse_of_pairs(seen.predictions[:, :, 1:] - target, pairs),
        "copy_last_mse": mse_of_pairs(clips[:, :, :-1] - target, pairs),
    }
