"""The state of a run: encoder, objective and optimiser, and one step of it."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..objectives.across_ranks import alone
from ..objectives.objective import Batch, Finishes, FollowsEncoder
from .augment import augment
from .average import AverageWeights
from .checkpoint import (
    Checkpoint,
    load_module,
    load_optimiser,
    module_tensors,
    optimiser_tensors,
)
from .comparable import teaches
from .encoder_view import EncoderView, encoder_view
from .experiment import Experiment, build
from .ranks import Ranks

ALONE = Ranks()


class Learner:
    """Everything that changes while training."""

    def __init__(
        self, experiment: Experiment, device: torch.device, *, ranks: Ranks = ALONE
    ) -> None:
        """Build untrained modules on a device; all ranks build the same."""
        self.experiment = experiment
        self.device = device
        self.ranks = ranks
        self.reached: Callable[[str], None] = _ignore
        """Told within each step that ``forward``, ``backward`` and ``optimiser`` are done."""
        encoder, objective = build(experiment)
        self.encoder = ranks.fit(encoder.to(device))
        self.objective = ranks.fit(objective.to(device))
        self.seen = encoder_view(
            self.encoder,
            self.objective,
            precision=experiment.precision,
            compiled=experiment.compile,
        )
        self.parameters = [
            p for m in (self.encoder, self.objective) for p in m.parameters() if p.requires_grad
        ]
        self.average = (
            None
            if experiment.ema is None
            else AverageWeights(self.encoder, self.objective, experiment.ema)
        )
        decay = experiment.optimiser.weight_decay
        groups = [
            {"params": [p for p in self.parameters if p.ndim > 1], "weight_decay": decay},
            {"params": [p for p in self.parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=experiment.optimiser.learning_rate)

    def step(self, batch: Batch, step: int) -> dict[str, float]:
        """Return the measures of one step of descent; ``step`` counts from 0.

        All randomness comes from the seed and the step, so nothing of it has to be saved. A batch
        in which saccades and blinks leave no two frames to compare teaches nothing and is passed
        over, which its measure ``skipped`` says.

        Args:
            batch: this rank's share of the clips.
            step: how many steps are done.
        """
        if not self.ranks.any(teaches(batch[1], self.objective)):
            return {"skipped": 1.0}
        self.encoder.train()
        self.objective.train()
        rate = learning_rate(self.experiment, step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss, measures = self._loss(batch, step)
        self.reached("forward")
        self.optimiser.zero_grad()
        loss.backward()
        self.ranks.average_gradients(self.parameters)
        norm = torch.nn.utils.clip_grad_norm_(
            self.parameters, self.experiment.optimiser.clip_norm, error_if_nonfinite=True
        )
        self.reached("backward")
        self.optimiser.step()
        self._follow(step)
        self.reached("optimiser")
        named = {"loss": loss.detach(), **measures, "gradient_norm": norm}
        return self.ranks.average_measures(named) | {"learning_rate": rate}

    def _loss(self, batch: Batch, step: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its measures."""
        devices = [self.device] if self.device.type == "cuda" else []
        seed = _mixed(self.experiment.seed, step)
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            clips, truth = batch
            clips, truth = augment(
                clips,
                truth,
                crop_share=self.experiment.crop_share,
                part=(self.ranks.rank, self.ranks.count),
            )
            if self.ranks.rank:
                # What an objective draws for each clip differs from rank to rank.
                torch.manual_seed(_mixed(seed, self.ranks.rank))
            loss, measures = self.objective(self.seen, clips, truth)
        if self.ranks.any(not bool(loss.isfinite())):
            raise RuntimeError(
                f"the loss is {float(loss.detach())} at step {step}; lower optimiser.learning_rate"
            )
        return loss, measures

    def _follow(self, step: int) -> None:
        """Let all that follows the weights do so."""
        if isinstance(self.objective, FollowsEncoder):
            self.objective.after_step(self.encoder)
        self.ranks.copy_from_first(self._buffers())
        if self.average is not None:
            self.average.update(self.encoder, self.objective, step)

    def evaluate(
        self, training: Sequence[Batch], held_out: Sequence[Batch], *, averaged: bool = False
    ) -> dict[str, float]:
        """Return the objective's measures on held-out clips, of the trained or averaged weights.

        The first rank measures; the others return nothing.
        """
        if not self.ranks.is_first:
            return {}
        encoder, objective = self._modules(averaged=averaged)
        encoder.eval()
        objective.eval()
        with torch.no_grad(), alone():
            return objective.evaluate(encoder, training, held_out)  # type: ignore[operator]

    def finish(self, training: Sequence[Batch]) -> None:
        """Bring what was learned into order, if the objective does; the first rank for all."""
        for averaged in (False, True) if self.average is not None else (False,):
            encoder, objective = self._modules(averaged=averaged)
            if not isinstance(objective, Finishes):
                return
            if self.ranks.is_first:
                encoder.eval()
                objective.eval()  # type: ignore[attr-defined]
                with torch.no_grad(), alone():
                    objective.finish(encoder, training)
            self.ranks.copy_from_first(objective.state_dict().values())  # type: ignore[attr-defined]

    def news(self) -> list[str]:
        """Return what has happened to the encoder since this was asked last."""
        return self.seen.take_news() if isinstance(self.seen, EncoderView) else []

    def checkpoint(self, step: int, state: dict[str, Any]) -> Checkpoint:
        """Return all of this, after ``step`` steps."""
        tensors = {
            **module_tensors("encoder", self.encoder),
            **module_tensors("objective", self.objective),
            **optimiser_tensors(self.optimiser),
        }
        if self.average is not None:
            tensors |= module_tensors("ema.encoder", self.average.encoder)
            tensors |= module_tensors("ema.objective", self.average.objective)
        return Checkpoint(step=step, tensors=tensors, state=state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become what a checkpoint holds."""
        load_module("encoder", self.encoder, checkpoint.tensors)
        load_module("objective", self.objective, checkpoint.tensors)
        load_optimiser(self.optimiser, checkpoint.tensors)
        if self.average is not None:
            load_module("ema.encoder", self.average.encoder, checkpoint.tensors)
            load_module("ema.objective", self.average.objective, checkpoint.tensors)

    def _modules(self, *, averaged: bool) -> tuple[nn.Module, nn.Module]:
        if not averaged:
            return self.encoder, self.objective
        if self.average is None:
            raise ValueError("expected an experiment with ema for averaged weights, got None")
        return self.average.encoder, self.average.objective

    def _buffers(self) -> list[Tensor]:
        return [b for m in (self.encoder, self.objective) for b in m.buffers()]


def learning_rate(experiment: Experiment, step: int) -> float:
    """Return the rate of a step: linear warm-up, then half a cosine down to zero."""
    settings = experiment.optimiser
    warmup = min(settings.warmup_steps, experiment.steps - 1)
    if step < warmup:
        return settings.learning_rate * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, experiment.steps - warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _mixed(seed: int, step: int) -> int:
    """Return one seed for each pair of a run's seed and a step (SplitMix64's constant)."""
    return (seed * 0x9E3779B97F4A7C15 + step) % (1 << 63)


def _ignore(part: str) -> None:
    """Do nothing."""
