import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from merkwelt.video_models import PredNetConfig
from sklearn.linear_model import Ridge

from merkwelt.report.training_section import collapse_of
from merkwelt.training import MemoryClips, train
from merkwelt.training.diagnostics import (
    NO_GRADIENT,
    RIDGE,
    clip_identity,
    diagnose,
    linear_r2,
    mean_abs_correlation,
    spectrum,
)
from merkwelt.training.experiment import OptimiserConfig

from .drifting import small_experiment


def _rows(seed=0, samples=200, channels=5):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(samples, channels, generator=generator, dtype=torch.float64)
    return rows @ torch.randn(channels, channels, generator=generator, dtype=torch.float64)


def test_spectrum_is_the_shares_of_principal_components():
    rows = _rows()
    values = np.linalg.svd((rows - rows.mean(0)).numpy(), compute_uv=False) ** 2
    assert spectrum(rows) == pytest.approx(values / values.sum(), rel=1e-9)
    assert spectrum(torch.ones(4, 3, dtype=torch.float64)) == [0, 0, 0]


def test_mean_correlation_is_numpys():
    rows = _rows()
    table = np.abs(np.corrcoef(rows.numpy().T))
    off = table[~np.eye(5, dtype=bool)].mean()
    assert mean_abs_correlation(rows) == pytest.approx(off, rel=1e-9)
    assert math.isnan(mean_abs_correlation(rows[:, :1]))


def test_clip_identity_is_all_or_nothing():
    still = torch.randn(4, 1, 3).expand(4, 6, 3)
    assert clip_identity(still) == pytest.approx(1, abs=1e-6)
    moving = torch.tensor([-1.0, 1.0]).repeat(3).view(1, 6, 1).expand(4, 6, 3)
    assert clip_identity(moving) == pytest.approx(0, abs=1e-6)
    assert math.isnan(clip_identity(torch.ones(2, 2, 2)))


def test_luminance_is_told_as_well_as_scikit_learn_tells_it():
    fit, test = _rows(0), _rows(1)
    weights = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64)
    noise = torch.randn(200, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    target, test_target = fit @ weights + noise, test @ weights
    alpha = RIDGE * float(fit.var(dim=0, correction=0).mean()) * len(fit)
    ridge = Ridge(alpha=alpha).fit(fit.numpy(), target.numpy())
    expected = ridge.score(test.numpy(), test_target.numpy())
    assert linear_r2(fit, target, test, test_target) == pytest.approx(expected, rel=1e-6)
    assert math.isnan(linear_r2(fit, target, test, torch.ones(200, dtype=torch.float64)))


def _encoder(pooled_of):
    return lambda clips: SimpleNamespace(pooled=pooled_of(clips))


def _batches(frames=8):
    generator = torch.Generator().manual_seed(0)
    return [(torch.rand(6, 2, frames, 3, 4, 4, generator=generator), {})]


def test_healthy_features_are_let_be():
    def pooled_of(clips):
        return clips.permute(0, 2, 1, 3, 4, 5).flatten(2)[..., :10]

    found = diagnose(_encoder(pooled_of), _batches(), _batches())
    assert found.collapse is None
    assert found.measures["effective_rank"] > 8
    assert found.measures["dead_share"] == 0
    assert sum(found.spectrum) == pytest.approx(1)


def test_leaked_pixels_are_found():
    def pooled_of(clips):
        light = clips.mean(dim=(1, 3, 4, 5))
        return torch.stack([light, 3 * light, torch.sin(40 * light)], dim=-1)

    found = diagnose(_encoder(pooled_of), _batches(), _batches())
    assert found.measures["luminance_r2"] > 0.95


def test_constant_features_have_collapsed():
    found = diagnose(_encoder(lambda clips: torch.ones(6, 8, 4)), _batches(), _batches())
    assert found.measures["dead_share"] == 1
    assert found.measures["effective_rank"] == 0
    assert found.collapse == (
        "collapsed: 100% of the features hardly vary; the features' effective rank is 0.00"
    )


def test_features_that_say_the_same_have_collapsed():
    def pooled_of(clips):
        return clips[:, 0, :, 0, 0, :1].expand(-1, -1, 4)

    found = diagnose(_encoder(pooled_of), _batches(), _batches())
    assert "mean correlation is 1.00: they say the same" in found.collapse


def test_steps_of_several_frames_have_the_light_of_all_of_them():
    def pooled_of(clips):
        pairs = clips.mean(dim=(1, 3, 4, 5)).unflatten(1, (4, 2))
        return torch.stack([pairs.mean(dim=2), pairs[:, :, 0] ** 2], dim=-1)

    found = diagnose(_encoder(pooled_of), _batches(), _batches())
    assert found.measures["luminance_r2"] > 0.95


@pytest.mark.parametrize(("level", "died"), [(0, True), (200, False)])
def test_a_network_that_has_no_gradient_left_is_told(tmp_path, level, died):
    """Of black frames a rate that is too high leaves no unit above 0 that predicts them."""
    clips = [torch.full((2, 4, 3, 16, 16), level, dtype=torch.uint8) for _ in range(6)]
    experiment = small_experiment(
        "prednet",
        encoder=PredNetConfig(widths=(4,)),
        steps=20,
        optimiser=OptimiserConfig(learning_rate=0.05, weight_decay=0.0),
    )
    told: list[str] = []
    train(
        experiment,
        MemoryClips(clips, frame_rate_hz=10.0),
        tmp_path / "run",
        device="cpu",
        progress=lambda _, message: told.append(message),
    )
    assert any(NO_GRADIENT in each for each in told) == died
    log = (tmp_path / "run" / "metrics.jsonl").read_text()
    events = [json.loads(line) for line in log.splitlines()]
    assert any(each.get("collapse") == NO_GRADIENT for each in events) == died
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert (results["collapse"] == NO_GRADIENT) == died
    assert (collapse_of(tmp_path / "run" / "metrics.jsonl") == NO_GRADIENT) == died
