"""Latent prediction: tell the features that a slow copy of the encoder has of what is not seen.

As in V-JEPA (Bardes et al. 2024, arXiv 2404.08471; V-JEPA 2, arXiv 2506.09985): the absolute error
of predicted features against layer-normalised ones of a copy whose weights are a running mean of
the encoder's. Nothing is asked of pixels. That also means that constant features would have no
error: the slow copy makes such a collapse unlikely, not impossible, so its signs are measured.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ..across_ranks import mean_of_rows
from ..chosen_map import chosen_map
from ..mean_over_clips import mean_over_clips
from ..next_frame.errors import skill_of
from ..objective import Batch, EncoderLike, FeatureShapes, Truth, pairs_of_steps, valid_pairs_of
from ..spread import effective_rank, feature_std
from .guesses import Guesses, Seen, joined, mean_error
from .predictor import LatentPredictor, normalised
from .settings import LatentPredictionConfig
from .slow_copy import follow_slowly, lag_of, slow_copy
from .spread_terms import spread_terms
from .tubes import blank, draw_tubes


class LatentPrediction(nn.Module):
    """Prediction of the features of a slow copy: of later steps, or of hidden places.

    The copy is part of this module, so it is saved and resumed with it. It is always in evaluation
    mode, has no gradient, and sees the clip without blanks.
    """

    def __init__(self, config: LatentPredictionConfig, shapes: FeatureShapes) -> None:
        """Draw the predictor's weights from torch's random state; ``follow`` comes next."""
        super().__init__()
        if config.task == "future" and not shapes.causal:
            raise ValueError(
                "expected a causal encoder for latent prediction of the future, got one whose "
                "features depend on later frames: it would see what it is to predict; use task "
                "'masked'"
            )
        self.config = config
        self.frames_per_step = shapes.frames_per_step
        self.map_name = chosen_map(shapes, config.map_name)
        self.predictor = LatentPredictor(
            shapes.map_channels[self.map_name],
            width=config.width,
            layers=config.layers,
            questions=len(config.horizons) if config.task == "future" else 1,
        )
        self.target: nn.Module | None = None
        self.lag: Tensor
        self.register_buffer("lag", torch.zeros(()))

    def follow(self, encoder: nn.Module) -> None:
        """Take the copy that is to follow the encoder."""
        self.target = slow_copy(encoder)

    def after_step(self, encoder: nn.Module) -> None:
        """Move the copy a little towards the encoder."""
        follow_slowly(self._followed(), encoder, momentum=self.config.momentum)
        self.lag.copy_(lag_of(self._followed(), encoder))

    def train(self, mode: bool = True) -> "LatentPrediction":
        """Set the mode of the heads; the copy stays in evaluation mode."""
        super().train(mode)
        if self.target is not None:
            self.target.eval()
        return self

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the error of predicted features, and what tells learning from collapse."""
        guesses, seen = self.guesses_of(encoder, clips, truth)
        error = mean_error(guesses.predicted, guesses.target, guesses.weight)
        loss = error + self._spread_penalty(seen)
        with torch.no_grad():
            floor = mean_error(guesses.floor, guesses.target, guesses.weight)
            measures = {
                "latent_error": error.detach(),
                self._floor_name: floor,
                "latent_skill": 1 - error.detach() / floor.clamp_min(1e-12),
                "target_std": _spread_of(guesses.target),
                "prediction_std": _spread_of(guesses.predicted),
                "effective_rank": effective_rank(seen.pooled),
                "feature_std": feature_std(seen.pooled),
                "target_lag": self.lag.clone(),
            }
        return loss, measures

    def guesses_of(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
        generator: torch.Generator | None = None,
    ) -> tuple[Guesses, Seen]:
        """Return what is predicted, and what the encoder has seen to predict it from.

        Args:
            encoder: what learns.
            clips: values in [0, 1].
            truth: what is known of them.
            generator: what hidden places are drawn from; None takes torch's current state.
        """
        target = self.targets_of(clips)
        if self.config.task == "masked":
            return self._masked(encoder, clips, target, generator)
        features = encoder(clips)
        pairs = pairs_of_steps(valid_pairs_of(clips, truth), self.frames_per_step)
        seen = normalised(features.maps[self.map_name], dim=1)
        parts = [self._future(seen, target, pairs, i) for i in range(len(self.config.horizons))]
        return joined(parts), _seen_of(seen, features.pooled)

    @torch.no_grad()
    def targets_of(
        self, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> Float[Tensor, "batch feature step rows columns"]:
        """Return the features to predict: the slow copy's, normalised over channels."""
        return normalised(self._followed()(clips).maps[self.map_name], dim=1)

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return the error on held-out clips, with floors.

        Hidden places are the same at every evaluation.

        Returns:
            ``latent_error``, mean absolute, at features of unit variance over channels;
            ``no_change_error``, of predicting that features stay as they are (with ``masked``:
            ``visible_mean_error``, of the mean over the visible places of the same frame), and
            ``mean_target_error``, of the mean of training clips at each place;
            ``latent_skill``: ``1 - latent_error`` over the first floor, ``latent_skill_over_mean``
            alike; ``target_std`` and ``prediction_std``, spread over clips, steps and places;
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        mean_target = self._mean_target(training)
        generator = torch.Generator().manual_seed(0)
        sums: defaultdict[str, float] = defaultdict(float)
        pooled, total = [], 0.0
        for clips, truth in held_out:
            guesses, seen = self.guesses_of(encoder, clips, truth, generator)
            pooled.append(seen.pooled)
            count = float(guesses.weight.sum())
            for name, each in self._measured(guesses, mean_target).items():
                sums[name] += float(each) * count
            total += count
        if not total:
            raise ValueError(
                "expected at least one step of held-out clips to predict, got none; lower the "
                "horizons, or hold out more clips"
            )
        report = {name: each / total for name, each in sums.items()}
        report["latent_skill"] = skill_of(report["latent_error"], report[self._floor_name])
        report["latent_skill_over_mean"] = skill_of(
            report["latent_error"], report["mean_target_error"]
        )
        features = torch.cat(pooled)
        report["effective_rank"] = float(effective_rank(features))
        report["feature_std"] = float(feature_std(features))
        return report

    def _future(
        self,
        seen: Float[Tensor, "batch feature step rows columns"],
        target: Float[Tensor, "batch feature step rows columns"],
        pairs: Bool[Tensor, "batch pairs"],
        question: int,
    ) -> Guesses:
        """Return predictions one horizon ahead; steps with a saccade between them do not count."""
        horizon, steps = self.config.horizons[question], seen.shape[2]
        if steps <= horizon:
            raise ValueError(
                f"expected clips of more than {horizon} steps to predict so many ahead, got "
                f"{steps}; render longer clips, or lower horizons"
            )
        now, later = _frames(target[:, :, :-horizon]), _frames(target[:, :, horizon:])
        predicted = self.predictor(_frames(seen[:, :, :-horizon]), question)
        unbroken = pairs.unfold(1, horizon, 1).all(dim=-1).flatten()
        weight = unbroken.to(later.dtype).view(-1, 1, 1).expand(-1, *later.shape[2:])
        if self.config.from_no_change:
            predicted = now + predicted
        return Guesses(predicted=predicted, target=later, floor=now, weight=weight)

    def _masked(
        self,
        encoder: EncoderLike,
        clips: Tensor,
        target: Float[Tensor, "batch feature step rows columns"],
        generator: torch.Generator | None,
    ) -> tuple[Guesses, Seen]:
        """Return predictions of hidden places, and what is seen of the rest."""
        batch, _, steps, rows, columns = target.shape
        hidden = draw_tubes(
            batch,
            rows,
            columns,
            blocks=self.config.mask_blocks,
            share=self.config.mask_block_share,
            generator=generator,
        ).to(clips.device)
        features = encoder(blank(clips, hidden))
        seen = normalised(features.maps[self.map_name], dim=1)
        weight = hidden.to(target.dtype).repeat_interleave(steps, dim=0)
        truth, visible = _frames(target), 1 - weight.unsqueeze(1)
        floor = (truth * visible).sum((2, 3), keepdim=True) / visible.sum((2, 3), keepdim=True)
        predicted = self.predictor(_frames(seen), 0, weight.unsqueeze(1))
        guesses = Guesses(
            predicted=predicted, target=truth, floor=floor.expand_as(truth), weight=weight
        )
        return guesses, _seen_of(seen, features.pooled)

    def _measured(self, guesses: Guesses, mean_target: Tensor) -> dict[str, Tensor]:
        guessed = {
            "latent_error": guesses.predicted,
            self._floor_name: guesses.floor,
            "mean_target_error": mean_target,
        }
        errors = {
            name: mean_error(guess, guesses.target, guesses.weight)
            for name, guess in guessed.items()
        }
        return errors | {
            "target_std": _spread_of(guesses.target),
            "prediction_std": _spread_of(guesses.predicted),
        }

    def _mean_target(self, training: Iterable[Batch]) -> Float[Tensor, "1 feature rows columns"]:
        mean = mean_over_clips(training, lambda clips: self.targets_of(clips).mean(dim=2))
        return mean.unsqueeze(0)

    def _spread_penalty(self, seen: Seen) -> Tensor | float:
        weights = (self.config.variance_weight, self.config.covariance_weight)
        if not any(weights):
            return 0.0
        narrow, shared = spread_terms(seen.places)
        return weights[0] * narrow + weights[1] * shared

    @property
    def _floor_name(self) -> str:
        return "no_change_error" if self.config.task == "future" else "visible_mean_error"

    def _followed(self) -> Any:  # noqa: ANN401 - an encoder, which objectives do not know by type
        if self.target is None:
            raise RuntimeError("expected follow(encoder) before anything else, got no encoder yet")
        return self.target


def _seen_of(
    maps: Float[Tensor, "batch channel step rows columns"],
    pooled: Float[Tensor, "batch step pooled"],
) -> Seen:
    return Seen(places=maps.movedim(1, -1).flatten(0, -2), pooled=pooled.flatten(0, 1))


def _frames(
    maps: Float[Tensor, "batch channel step rows columns"],
) -> Float[Tensor, "frames channel rows columns"]:
    """Return maps one by one: all steps of the first clip, then those of the next."""
    return maps.transpose(1, 2).flatten(0, 1)


def _spread_of(maps: Float[Tensor, "entry channel rows columns"]) -> Float[Tensor, ""]:
    """Return how much channels vary over clips, steps and places."""
    places = maps.movedim(1, -1).flatten(0, -2)
    return mean_of_rows((places - mean_of_rows(places)).square()).sqrt().mean()
