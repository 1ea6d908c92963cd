"""Cross-eye prediction: tell what the right eye sees from what the left eye sees.

Only stereo allows this. Both eyes are shown to one and the same encoder of one eye, each by itself,
and a head moves the left eye's features to where the right eye should have them. How far depends on
how near things are, which the encoder has to make known from one eye and the past.
"""

from collections import defaultdict
from collections.abc import Iterable

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import gather_across_ranks, is_shared, mean_across_ranks
from ..chosen_map import chosen_map
from ..latent.predictor import normalised
from ..latent.spread_terms import spread_terms
from ..mean_over_clips import mean_over_clips
from ..next_frame.errors import skill_of
from ..objective import Batch, EncoderLike, FeatureShapes, Truth
from ..spread import effective_rank, feature_std
from .rows import hits, own_columns, row_scores
from .settings import CrossEyeConfig
from .shift_head import ShiftHead

EyeMaps = tuple[Tensor, Tensor]
"""Maps ``[batch, channel, step, rows, columns]`` of the left and of the right eye."""

CONTROLS = ("swapped", "shuffled", "anticorrelated")
_CONTROL_ERRORS = {f"{name}_error" for name in CONTROLS}


class CrossEye(nn.Module):
    """Prediction of the right eye's features from the left eye's, at the same instant.

    Saccades are no matter: nothing is compared over time. Eyes that converge see a point on rows
    that differ slightly; the encoder's receptive fields are far wider than that.
    """

    def __init__(self, config: CrossEyeConfig, shapes: FeatureShapes) -> None:
        """Draw the head's weights from torch's random state."""
        super().__init__()
        if shapes.eyes != 1:
            raise ValueError(
                f"expected an encoder of one eye, which sees both in turn, got one of "
                f"{shapes.eyes}; use an encoder with eyes=1 (--eyes 1)"
            )
        self.config = config
        self.map_name = chosen_map(shapes, config.map_name)
        self.column_px = shapes.map_strides[self.map_name]
        self.head = ShiftHead(
            shapes.map_channels[self.map_name],
            largest_shift=config.largest_shift,
            width=config.width,
        )

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the loss, and how well the right eye is told beside copying the left one."""
        (left, right), pooled = self.maps_of(encoder, clips)
        predicted = self.predict(left)
        if self.config.loss == "contrast":
            loss, top1 = self._contrast(predicted, right)
        else:
            loss, top1 = self._regression(predicted, left, right)
        with torch.no_grad():
            error, copy = _error(predicted, right), _error(left, right)
            measures = {
                "cross_eye_error": error,
                "copy_left_error": copy,
                "cross_eye_skill": 1 - error / copy.clamp_min(1e-12),
                **top1,
                "effective_rank": effective_rank(pooled),
                "feature_std": feature_std(pooled),
            }
        return loss, measures

    def maps_of(
        self, encoder: EncoderLike, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> tuple[EyeMaps, Float[Tensor, "samples pooled"]]:
        """Return both eyes' maps, normalised over channels, and the pooled vectors of both.

        Raises:
            ValueError: clips that do not have two eyes.
        """
        if clips.shape[1] != 2:
            raise ValueError(
                f"expected clips of 2 eyes for cross-eye prediction, got {clips.shape[1]}"
            )
        features = encoder(clips.transpose(0, 1).flatten(0, 1).unsqueeze(1))
        left, right = normalised(features.maps[self.map_name], dim=1).chunk(2)
        return (left, right), features.pooled.flatten(0, 1)

    def predict(
        self, left: Float[Tensor, "batch channel step rows columns"]
    ) -> Float[Tensor, "batch channel step rows columns"]:
        """Return the right eye's map as told from the left one's."""
        frames = self.head(left.transpose(1, 2).flatten(0, 1))
        return frames.unflatten(0, (len(left), -1)).transpose(1, 2)

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return how well the right eye is told in held-out clips, with floors and controls.

        Returns:
            ``cross_eye_error``, mean square at features of unit variance over channels, with its
            floors ``copy_left_error`` (no shift) and ``mean_right_error`` (the mean of training
            clips at each place); ``cross_eye_skill``: 1 less the share of the first floor that is
            left, ``cross_eye_skill_over_mean`` alike.
            Controls, with the same head and floor: ``swapped_skill`` (the left eye told from the
            right: what a head reaches that blurs, whichever way disparity goes),
            ``shuffled_skill`` (the right eye of another clip; NaN with one clip in every batch) and
            ``anticorrelated_skill`` (the right eye's contrast inverted).
            ``top1``: the own column found among all of its row in the batch's clips, with
            ``chance_top1`` and ``copy_left_top1``, the same without a head.
            ``shift_px``: the mean shift that the head reads out, positive for near, and
            ``shift_std_px``, how much it differs from place to place.
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        mean_right = self._mean_right(encoder, training)
        sums: defaultdict[str, float] = defaultdict(float)
        weights: defaultdict[str, int] = defaultdict(int)
        pooled = []
        for clips, _ in held_out:
            maps, vectors = self.maps_of(encoder, clips)
            pooled.append(vectors)
            measured = self._told(maps, mean_right) | self._controls(encoder, clips, maps)
            for name, each in measured.items():
                sums[name] += float(each) * len(clips)
                weights[name] += len(clips)
        if not pooled:
            raise ValueError("expected at least one batch of held-out clips, got none")
        means = {name: each / weights[name] for name, each in sums.items()}
        report = _with_skills(means)
        features = torch.cat(pooled)
        report["effective_rank"] = float(effective_rank(features))
        report["feature_std"] = float(feature_std(features))
        return report

    def _contrast(self, predicted: Tensor, right: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the cross-entropy of the own column, and what it is worth."""
        scores = row_scores(predicted, gather_across_ranks(right))
        before = dist.get_rank() * len(right) if is_shared() else 0
        answers = own_columns(len(right), right.shape[-1], first_clip=before, device=right.device)
        logits = (scores / self.config.temperature).flatten(0, 1).transpose(1, 2)
        each = F.cross_entropy(logits, answers.expand(len(logits), -1), reduction="none")
        top1 = mean_across_ranks(hits(scores.detach(), answers))
        known = {"top1": top1, "log_candidates": torch.tensor(float(scores.shape[3])).log()}
        return mean_across_ranks(each), known

    def _regression(
        self, predicted: Tensor, left: Tensor, right: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the error with terms that keep features of places and clips apart."""
        narrow, shared = spread_terms(torch.cat([left, right]).movedim(1, -1).flatten(0, -2))
        penalty = self.config.variance_weight * narrow + self.config.covariance_weight * shared
        return _error(predicted, right) + penalty, {"variance_term": narrow.detach()}

    def _told(self, maps: EyeMaps, mean_right: Tensor) -> dict[str, Tensor | float]:
        left, right = maps
        predicted = self.predict(left)
        answers = own_columns(len(right), right.shape[-1], device=right.device)
        shift_px = self._shift_px(left)
        return {
            "cross_eye_error": _error(predicted, right),
            "copy_left_error": _error(left, right),
            "mean_right_error": _error(mean_right, right),
            "top1": hits(row_scores(predicted, right), answers).mean(),
            "copy_left_top1": hits(row_scores(left, right), answers).mean(),
            "chance_top1": 1 / len(answers),
            "shift_px": shift_px.mean(),
            "shift_std_px": shift_px.std(),
        }

    def _controls(
        self, encoder: EncoderLike, clips: Tensor, maps: EyeMaps
    ) -> dict[str, Tensor | float]:
        """Return the errors of predicting what a head that knows disparity should not know."""
        left, right = maps
        inverted = torch.stack([clips[:, 0], 1 - clips[:, 1]], dim=1)
        pairs: dict[str, EyeMaps] = {
            "swapped": (right, left),
            "anticorrelated": self.maps_of(encoder, inverted)[0],
        }
        if len(clips) > 1:
            pairs["shuffled"] = (left, right.roll(1, dims=0))
        return {
            f"{name}_error": _error(self.predict(seen), told)
            for name, (seen, told) in pairs.items()
        }

    def _shift_px(self, left: Tensor) -> Float[Tensor, "frames rows columns"]:
        """Return the expected shift at each place, in pixels of the picture."""
        shares = self.head.shares_of(left.transpose(1, 2).flatten(0, 1))
        largest = self.config.largest_shift
        columns = torch.arange(-largest, largest + 1, device=left.device, dtype=shares.dtype)
        return self.column_px * torch.einsum("fsrc,s->frc", shares, columns)

    def _mean_right(
        self, encoder: EncoderLike, training: Iterable[Batch]
    ) -> Float[Tensor, "1 channel 1 rows columns"]:
        mean = mean_over_clips(
            training, lambda clips: self.maps_of(encoder, clips)[0][1].mean(dim=2)
        )
        return mean.unsqueeze(0).unsqueeze(2)


def _error(
    guess: Float[Tensor, "#batch channel #step rows columns"],
    told: Float[Tensor, "batch channel step rows columns"],
) -> Float[Tensor, ""]:
    """Return the mean squared error over everything, and over all ranks."""
    return mean_across_ranks((guess - told).square())


def _with_skills(means: dict[str, float]) -> dict[str, float]:
    """Return measures with the errors of controls told as skills."""
    copy = means["copy_left_error"]
    report = {name: each for name, each in means.items() if name not in _CONTROL_ERRORS}
    report["cross_eye_skill"] = skill_of(means["cross_eye_error"], copy)
    report["cross_eye_skill_over_mean"] = skill_of(
        means["cross_eye_error"], means["mean_right_error"]
    )
    for name in CONTROLS:
        report[f"{name}_skill"] = skill_of(means.get(f"{name}_error", float("nan")), copy)
    return report
