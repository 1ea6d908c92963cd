"""Contrastive predictive coding: tell the features of what comes from all others.

Dense predictive coding (Han, Xie & Zisserman 2019, arXiv 1909.04656) on any encoder. A clip is cut
into blocks of frames; a recurrent unit sums up the blocks that were seen, a small network predicts
the next ones, each from the prediction before it, and every prediction must find its own block and
place among all candidates of the batch.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ..across_ranks import gather_across_ranks, is_shared
from ..chosen_map import chosen_map
from ..objective import Batch, EncoderLike, FeatureShapes, Truth
from ..spread import effective_rank, feature_std
from .candidates import (
    Kind,
    accuracy,
    accuracy_among,
    candidate_kinds,
    info_nce,
    right_answers,
    scores_of,
)
from .conv_gru import ConvGRU, start_orthogonal


@dataclass(frozen=True, kw_only=True)
class ContrastivePredictionConfig:
    """Settings of ``ContrastivePrediction``; the paper has 8 blocks of 5 frames, 3 predicted."""

    block_frames: int = 2
    """Frames of a block. What is left over at the end of a clip is not used."""
    predicted_blocks: int = 3
    """The last blocks of a clip, which are predicted from those before them."""
    encode_blocks_apart: bool = True
    """Show the encoder each block by itself, as in the paper: then no feature of one block has
    seen another, whatever the encoder. False encodes the clip as a whole, with a causal encoder
    only; the features to predict then still know the frames before their block."""
    map_name: str | None = None
    """The encoder's map that is predicted; None is the deepest."""
    largest_grid: int = 8
    """Maps with more rows or columns are averaged down to so many: candidates grow with the square
    of it, and scores with its fourth power."""
    predictor_gain: float = 0.1
    """Of the orthogonal weights that the predictor starts with. At 0.1 (MemDPC) all candidates
    begin as equally likely."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        counts = ("block_frames", "predicted_blocks", "largest_grid")
        wrong = [name for name in counts if getattr(self, name) < 1]
        if wrong:
            raise ValueError(f"expected at least 1 for {', '.join(wrong)}, got {self}")
        if self.predictor_gain <= 0:
            raise ValueError(f"expected a predictor_gain above 0, got {self.predictor_gain}")


class ContrastivePrediction(nn.Module):
    """Dense predictive coding on one map of an encoder.

    The features to predict are the encoder's own, and gradient reaches them. The paper takes them
    before the last ReLU; here they are what the encoder gives. A part that all candidates share,
    such as the mean that a ReLU leaves, adds the same to all scores of a prediction and changes
    neither the loss nor the order.

    Saccades are no matter: where the eyes jumped, the future is harder to tell, not undefined. So
    every block counts. In a data-parallel run the candidates are those of all ranks.
    """

    def __init__(self, config: ContrastivePredictionConfig, shapes: FeatureShapes) -> None:
        """Draw the heads' weights from torch's random state."""
        super().__init__()
        _check_encoder(config, shapes)
        self.config = config
        self.frames_per_step = shapes.frames_per_step
        self.map_name = chosen_map(shapes, config.map_name)
        channels = shapes.map_channels[self.map_name]
        self.aggregate = ConvGRU(channels, channels)
        first, last = (nn.Conv2d(channels, channels, kernel_size=1) for _ in range(2))
        for layer in (first, last):
            start_orthogonal(layer, config.predictor_gain**0.5)
        self.predictor = nn.Sequential(first, nn.ReLU(), last)

    def forward(
        self,
        encoder: EncoderLike,
        clips: Float[Tensor, "batch eye time channel height width"],
        truth: Truth,
    ) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """Return the cross-entropy of the true blocks and places, and how often they are found."""
        blocks, pooled = self.blocks_of(encoder, clips)
        predicted, future = _cells(self.predict(blocks)), _cells(self._future(blocks))
        scores = scores_of(predicted, gather_across_ranks(future))
        before = dist.get_rank() * len(clips) if is_shared() else 0
        answers = right_answers(*future.shape[:3], first_clip=before, device=scores.device)
        loss = info_nce(scores, answers)
        with torch.no_grad():
            measures = {
                "log_candidates": torch.tensor(float(scores.shape[1])).log(),
                "top1": accuracy(scores, answers, top=1),
                "top5": accuracy(scores, answers, top=5),
                "effective_rank": effective_rank(pooled),
                "feature_std": feature_std(pooled),
            }
        return loss, measures

    def blocks_of(
        self, encoder: EncoderLike, clips: Float[Tensor, "batch eye time channel height width"]
    ) -> tuple[Float[Tensor, "batch block feature rows columns"], Float[Tensor, "samples pooled"]]:
        """Return the features of each block, and the encoder's pooled vectors to judge it by.

        A block's features are the mean over its time steps.
        """
        blocks = self._count_blocks(clips.shape[2])
        used = clips[:, :, : blocks * self.config.block_frames]
        if self.config.encode_blocks_apart:
            used = used.unflatten(2, (blocks, -1)).transpose(1, 2).flatten(0, 1)
        features = encoder(used)
        maps = features.maps[self.map_name].transpose(1, 2)
        steps = self.config.block_frames // self.frames_per_step
        maps = maps.reshape(len(clips), blocks, steps, *maps.shape[2:]).mean(dim=2)
        rows, columns = maps.shape[-2:]
        grid = min(rows, self.config.largest_grid), min(columns, self.config.largest_grid)
        if grid != (rows, columns):
            maps = F.adaptive_avg_pool2d(maps.flatten(0, 1), grid).unflatten(0, maps.shape[:2])
        return maps, features.pooled.flatten(0, 1)

    def predict(
        self, blocks: Float[Tensor, "batch block feature rows columns"]
    ) -> Float[Tensor, "batch predicted feature rows columns"]:
        """Return the predictions of the last blocks, made from those before them.

        Each later one is made from the predictions before it, never from the blocks themselves.
        """
        seen = blocks[:, : -self.config.predicted_blocks]
        state = self.aggregate.start(seen[:, 0])
        for block in seen.unbind(dim=1):
            state = self.aggregate(F.relu(block), state)
        predictions = [self.predictor(state)]
        while len(predictions) < self.config.predicted_blocks:
            state = self.aggregate(F.relu(predictions[-1]), state)
            predictions.append(self.predictor(state))
        return torch.stack(predictions, dim=1)

    @torch.no_grad()
    def evaluate(
        self, encoder: EncoderLike, training: Iterable[Batch], held_out: Iterable[Batch]
    ) -> dict[str, float]:
        """Return how well held-out blocks are told from all others, with floors.

        Returns:
            ``contrast_loss`` with ``log_candidates``, what it is where nothing is known;
            ``information_nats``, their difference, at most ``log_candidates``;
            ``top1`` and ``top5`` with ``chance_top1`` and ``chance_top5``, and ``copy_last_top1``:
            the last block that was seen taken as the prediction, by cosine of centred features;
            ``temporal_top1`` and ``spatial_top1``: the right one told from other times at its
            place, and from other places of its clip, with their chances;
            ``effective_rank`` and ``feature_std`` of the pooled features.
        """
        sums: defaultdict[str, float] = defaultdict(float)
        pooled, total = [], 0
        for clips, _ in held_out:
            blocks, seen = self.blocks_of(encoder, clips)
            pooled.append(seen)
            for name, each in self._held_out(blocks).items():
                sums[name] += float(each) * len(clips)
            total += len(clips)
        if not total:
            raise ValueError("expected at least one batch of held-out clips, got none")
        report = {name: each / total for name, each in sums.items()}
        report["information_nats"] = report["log_candidates"] - report["contrast_loss"]
        features = torch.cat(pooled)
        report["effective_rank"] = float(effective_rank(features))
        report["feature_std"] = float(feature_std(features))
        return report

    def _held_out(self, blocks: Tensor) -> dict[str, Tensor | float]:
        predicted, future = _cells(self.predict(blocks)), _cells(self._future(blocks))
        batch, steps, cells, _ = future.shape
        count = batch * steps * cells
        scores = scores_of(predicted, future)
        answers = right_answers(batch, steps, cells, device=scores.device)
        kinds = candidate_kinds(batch, steps, cells, scores.device)
        last = _cells(blocks[:, -1 - steps : -steps]).expand_as(future)
        return {
            "contrast_loss": info_nce(scores, answers),
            "log_candidates": torch.tensor(float(count)).log(),
            "top1": accuracy(scores, answers, top=1),
            "top5": accuracy(scores, answers, top=5),
            "chance_top1": 1 / count,
            "chance_top5": min(5, count) / count,
            "copy_last_top1": accuracy(_cosines(last, future), answers, top=1),
            "temporal_top1": accuracy_among(scores, kinds, Kind.TEMPORAL),
            "chance_temporal_top1": 1 / steps,
            "spatial_top1": accuracy_among(scores, kinds, Kind.SPATIAL),
            "chance_spatial_top1": 1 / (1 + (cells - 1) * steps),
        }

    def _future(self, blocks: Tensor) -> Tensor:
        return blocks[:, -self.config.predicted_blocks :]

    def _count_blocks(self, frames: int) -> int:
        blocks, least = frames // self.config.block_frames, self.config.predicted_blocks + 1
        if blocks < least:
            raise ValueError(
                f"expected clips of at least {least * self.config.block_frames} frames for "
                f"{self.config.predicted_blocks} predicted blocks of {self.config.block_frames} "
                f"and one to predict from, got {frames}; render longer clips, or lower "
                "predicted_blocks or block_frames"
            )
        return blocks


def _check_encoder(config: ContrastivePredictionConfig, shapes: FeatureShapes) -> None:
    if not config.encode_blocks_apart and not shapes.causal:
        raise ValueError(
            "expected a causal encoder where blocks are not encoded apart, got one whose features "
            "depend on later frames: the context would have seen what is to be predicted; set "
            "encode_blocks_apart"
        )
    if config.block_frames % shapes.frames_per_step:
        raise ValueError(
            f"expected block_frames to be a multiple of the {shapes.frames_per_step} frames that a "
            f"step of the encoder's features stands for, got {config.block_frames}"
        )


def _cells(
    blocks: Float[Tensor, "batch step channel rows columns"],
) -> Float[Tensor, "batch step cell channel"]:
    """Return features by place."""
    return blocks.flatten(3).transpose(2, 3)


def _cosines(guess: Tensor, future: Tensor) -> Tensor:
    """Return the cosines of guesses with candidates, both relative to the mean candidate."""
    mean = future.mean(dim=(0, 1, 2))
    return scores_of(F.normalize(guess - mean, dim=-1), F.normalize(future - mean, dim=-1))
