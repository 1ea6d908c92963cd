"""The training loop itself."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .held_out import HeldOutRays, choose_rays, held_out_psnr_db
from .settings import TrainSettings

SECONDS_BETWEEN_REPORTS = 1.0


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained pipeline with what training it showed."""

    pipeline: Any
    optimizers: Any
    losses: tuple[float, ...]
    """Colour loss (mean squared error) of each step's batch."""
    held_out_psnr_db: float
    seconds: float


def train_pipeline(
    config: Any,  # noqa: ANN401 - nerfstudio's TrainerConfig
    settings: TrainSettings,
    progress: Callable[[float, str], None],
) -> Trained:
    """Return nerfstudio's pipeline trained for ``settings.steps`` steps.

    Raises:
        RuntimeError: the loss is no longer a number.
    """
    from nerfstudio.engine.callbacks import TrainingCallbackAttributes, TrainingCallbackLocation
    from nerfstudio.engine.optimizers import Optimizers

    pipeline = config.pipeline.setup(device=config.machine.device_type, test_mode="val")
    optimizers = Optimizers(dict(config.optimizers), pipeline.get_param_groups())
    attributes = TrainingCallbackAttributes(
        optimizers=optimizers, grad_scaler=None, pipeline=pipeline, trainer=None
    )
    callbacks = pipeline.get_training_callbacks(attributes)
    report = _Report(settings, choose_rays(pipeline.datamanager.eval_dataset, seed=settings.seed))
    pipeline.train()
    losses = []
    for step in range(settings.steps):
        for callback in callbacks:
            callback.run_callback_at_location(
                step, location=TrainingCallbackLocation.BEFORE_TRAIN_ITERATION
            )
        losses.append(_one_step(pipeline, optimizers, step))
        for callback in callbacks:
            callback.run_callback_at_location(
                step, location=TrainingCallbackLocation.AFTER_TRAIN_ITERATION
            )
        report.after(step, losses, pipeline, progress)
    return Trained(
        pipeline=pipeline,
        optimizers=optimizers,
        losses=tuple(losses),
        held_out_psnr_db=held_out_psnr_db(pipeline, report.rays),
        seconds=time.perf_counter() - report.started,
    )


def _one_step(pipeline: Any, optimizers: Any, step: int) -> float:  # noqa: ANN401
    """Take one optimiser step and return the colour loss of its batch."""
    optimizers.zero_grad_all()
    _, losses, _ = pipeline.get_train_loss_dict(step=step)
    loss = torch.stack(list(losses.values())).sum()
    if not math.isfinite(loss.item()):
        parts = ", ".join(f"{name} {value.item():.3g}" for name, value in losses.items())
        raise RuntimeError(
            f"training diverged at step {step}: the loss is not a number ({parts}); use a smaller "
            "learning rate or another seed, and check the capture's poses"
        )
    loss.backward()
    optimizers.optimizer_step_all()
    for scheduler in optimizers.schedulers.values():
        scheduler.step()
    return losses["rgb_loss"].item()


class _Report:
    """Tells how far the training is, at most once a second."""

    def __init__(self, settings: TrainSettings, rays: HeldOutRays) -> None:
        self.rays = rays
        self.started = time.perf_counter()
        self._last = self.started
        self._steps = settings.steps
        self._interval = max(100, settings.steps // max(1, settings.evaluations))
        self._psnr_db: float | None = None

    def after(
        self,
        step: int,
        losses: list[float],
        pipeline: Any,  # noqa: ANN401
        progress: Callable[[float, str], None],
    ) -> None:
        """Look at held-out photographs now and then, and report."""
        done = step + 1
        if done % self._interval == 0 and done < self._steps:
            self._psnr_db = held_out_psnr_db(pipeline, self.rays)
        now = time.perf_counter()
        if now - self._last < SECONDS_BETWEEN_REPORTS and done < self._steps:
            return
        self._last = now
        recent = losses[-50:]
        batch_db = -10 * math.log10(max(sum(recent) / len(recent), 1e-12))
        held_out = "" if self._psnr_db is None else f", held out {self._psnr_db:.1f} dB"
        progress(
            done / self._steps,
            f"step {done}/{self._steps}, {done / (now - self.started):.1f} steps/s, "
            f"training {batch_db:.1f} dB{held_out}",
        )
