"""Predictive coding: predict the next frame of both eyes from what has been seen so far.

What this is, and what it is not. An encoder that is causal in time predicts frame t + 1 at time t,
and all learning comes from the error of that prediction, at the pixels and, with a smaller weight,
at the encoder's deepest map: prediction-error minimisation. The encoder passes features upward,
not errors, and nothing feeds back within a step, so it is neither PredNet (Lotter, Kreiman & Cox
2016, arXiv 1605.08104) nor predictive coding by relaxation (Rao & Ballard 1999).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import mean_across_ranks
from ..objective import (
    Batch,
    EncoderLike,
    FeatureShapes,
    Truth,
    require_causal,
    valid_pairs_of,
)
from ..spread import effective_rank, feature_std
from .errors import mean_image, mse_of_pairs, skill_of
from .frame_decoder import FrameDecoder


@dataclass(frozen=True, kw_only=True)
class PredictionConfig:
    """Settings of ``Prediction``."""

    width: int = 32
    """Channels inside the decoder."""
    feature_weight: float = 0.05
    """Weight of the error at the deepest map; 0 leaves only the pixels."""
    least_change: float = 1e-6
    """Errors are taken relative to how much changed; changes below this mean square (about a
    quarter grey level) count as this."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if self.width < 1:
            raise ValueError(f"expected a decoder width of at least 1, got {self.width}")
        if self.feature_weight < 0 or self.least_change <= 0:
            raise ValueError(f"expected feature_weight >= 0 and least_change > 0, got {self}")


class Prediction(nn.Module):
    """Next-frame prediction in both eyes, as a change to the last frame.

    The loss is the squared error over that of copying the last frame, ``1 - skill``. The decoder's
    last layer starts at zero, so training starts exactly at the copy: loss 1, skill 0.
    """

    def __init__(self, config: PredictionConfig, shapes: FeatureShapes) -> None:
        """Draw the decoder's weights from torch's random state."""
        super().__init__()
        require_causal(shapes, "prediction of the next frame")
        self.config = config
        self.decoder = FrameDecoder(shapes, width=config.width)
        self.deepest = list(shapes.map_channels)[-1]
        channels = shapes.map_channels[self.deepest]
        self.predict_features = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        nn.init.zeros_(self.predict_features.weight)
        assert self.predict_features.bias is not None
        nn.init.zeros_(self.predict_features.bias)

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the loss, and the errors beside those of copying, over all valid pairs."""
        pairs = valid_pairs_of(clips, truth)
        features = encoder(clips)
        mse = mse_of_pairs(self.predict(features.maps, clips)[:, :, :-1] - clips[:, :, 1:], pairs)
        copy = mse_of_pairs(clips[:, :, :-1] - clips[:, :, 1:], pairs)
        least = self.config.least_change
        loss = mse / copy.clamp_min(least)
        feature_mse, persistence = self._feature_errors(features.maps[self.deepest], pairs)
        loss = loss + self.config.feature_weight * feature_mse / persistence.clamp_min(least)
        with torch.no_grad():
            pooled = features.pooled.flatten(0, 1)
            measures = {
                "mse": mse.detach(),
                "copy_last_mse": copy,
                "skill": 1 - mse.detach() / copy.clamp_min(least),
                "feature_mse": feature_mse.detach(),
                "feature_persistence_mse": persistence,
                "effective_rank": effective_rank(pooled),
                "feature_std": feature_std(pooled),
            }
        return loss, measures

    def predict(
        self,
        maps: Mapping[str, Tensor],
        clips: Float[Tensor, "batch eye time channel height width"],
    ) -> Float[Tensor, "batch eye time channel height width"]:
        """Return at every time t the prediction of frame t + 1, made from frames up to t."""
        return self.decoder(maps, clips)

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return held-out errors and skills.

        Returns:
            ``mse`` with its floors ``copy_last_mse`` and ``mean_image_mse`` (of training clips);
            ``skill``: ``1 - mse / copy_last_mse``, and ``skill_over_mean_image`` alike;
            ``feature_skill``: the same at the deepest map, against predicting no change there;
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        average = mean_image(training)
        sums: defaultdict[str, float] = defaultdict(float)
        pooled, total = [], 0
        for clips, truth in held_out:
            pairs = valid_pairs_of(clips, truth)
            features = encoder(clips)
            pooled.append(features.pooled.flatten(0, 1))
            for name, error in self._errors(features.maps, clips, pairs, average).items():
                sums[name] += float(error) * int(pairs.sum())
            total += int(pairs.sum())
        if not total:
            raise ValueError("expected at least one batch of held-out clips, got none")
        report = {name: each / total for name, each in sums.items()}
        report["skill"] = skill_of(report["mse"], report["copy_last_mse"])
        report["skill_over_mean_image"] = skill_of(report["mse"], report["mean_image_mse"])
        report["feature_skill"] = skill_of(report["feature_mse"], report["feature_persistence_mse"])
        features = torch.cat(pooled)
        report["effective_rank"] = float(effective_rank(features))
        report["feature_std"] = float(feature_std(features))
        return report

    def _errors(
        self, maps: Mapping[str, Tensor], clips: Tensor, pairs: Tensor, average: Tensor
    ) -> dict[str, Tensor]:
        """Return the mean square errors of one batch, learned and floors."""
        target = clips[:, :, 1:]
        guesses = {
            "mse": self.predict(maps, clips)[:, :, :-1],
            "copy_last_mse": clips[:, :, :-1],
            "mean_image_mse": average.unsqueeze(1),
        }
        errors = {name: mse_of_pairs(guess - target, pairs) for name, guess in guesses.items()}
        feature_mse, persistence = self._feature_errors(maps[self.deepest], pairs)
        return errors | {"feature_mse": feature_mse, "feature_persistence_mse": persistence}

    def _feature_errors(
        self, deepest: Float[Tensor, "batch channel time rows columns"], pairs: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the errors of predicting the next deepest map, and of predicting no change.

        Neither the target nor the map that the change is added to carries a gradient: features
        learn to tell what comes, not to be easy to tell.
        """
        frames = deepest.transpose(1, 2)
        change = self.predict_features(frames[:, :-1].flatten(0, 1))
        still = (frames[:, :-1] - frames[:, 1:]).detach()
        error = still + change.unflatten(0, (len(frames), -1))
        return (
            mean_across_ranks(error[pairs].square()),
            mean_across_ranks(still[pairs].square()),
        )
