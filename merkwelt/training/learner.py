"""The state of a run: encoder, objective and optimiser, and one step of it."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from ..objectives.objective import Batch, FollowsEncoder
from .augment import augment
from .checkpoint import (
    Checkpoint,
    load_module,
    load_optimiser,
    module_tensors,
    optimiser_tensors,
)
from .experiment import Experiment, build


class Learner:
    """Everything that changes while training."""

    def __init__(self, experiment: Experiment, device: torch.device) -> None:
        """Build untrained modules on a device."""
        self.experiment = experiment
        self.device = device
        encoder, objective = build(experiment)
        self.encoder = encoder.to(device)
        self.objective = objective.to(device)
        self.parameters = [
            p for m in (encoder, objective) for p in m.parameters() if p.requires_grad
        ]
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
        """
        pairs = batch[1].get("valid_pairs")
        if pairs is not None and not bool(pairs.any()):
            return {"skipped": 1.0}
        self.encoder.train()
        self.objective.train()
        rate = learning_rate(self.experiment, step)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        devices = [self.device] if self.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(_mixed(self.experiment.seed, step))
            clips, truth = batch
            clips = augment(clips, crop_share=self.experiment.crop_share)
            loss, measures = self.objective(self.encoder, clips, truth)
        if not bool(loss.isfinite()):
            raise RuntimeError(
                f"the loss is {float(loss.detach())} at step {step}; lower optimiser.learning_rate"
            )
        self.optimiser.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(
            self.parameters, self.experiment.optimiser.clip_norm, error_if_nonfinite=True
        )
        self.optimiser.step()
        if isinstance(self.objective, FollowsEncoder):
            self.objective.after_step(self.encoder)
        named = {"loss": loss.detach(), **measures, "gradient_norm": norm}
        return {name: float(value) for name, value in named.items()} | {"learning_rate": rate}

    def evaluate(self, training: Sequence[Batch], held_out: Sequence[Batch]) -> dict[str, float]:
        """Return the objective's measures on held-out clips."""
        self.encoder.eval()
        self.objective.eval()
        with torch.no_grad():
            return self.objective.evaluate(self.encoder, training, held_out)  # type: ignore[operator]

    def checkpoint(self, step: int, state: dict[str, Any]) -> Checkpoint:
        """Return all of this, after ``step`` steps."""
        tensors = {
            **module_tensors("encoder", self.encoder),
            **module_tensors("objective", self.objective),
            **optimiser_tensors(self.optimiser),
        }
        return Checkpoint(step=step, tensors=tensors, state=state)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become what a checkpoint holds."""
        load_module("encoder", self.encoder, checkpoint.tensors)
        load_module("objective", self.objective, checkpoint.tensors)
        load_optimiser(self.optimiser, checkpoint.tensors)


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
