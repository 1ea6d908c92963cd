import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from merkwelt.objectives import Slowness, SlownessConfig, fit_sfa, probe_shapes
from merkwelt.objectives.objective import Finishes
from merkwelt.objectives.slowness.closed_form import measure_delta
from merkwelt.objectives.slowness.held_out import gather
from torch import nn

from ..linear_encoder import LinearEncoder, noisy_walks


def _objective(config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Slowness(config, probe_shapes(LinearEncoder(), eyes=1)).double()


def _saccades(*, clips, frames):
    """Return clips that jump in the middle, and which pairs do not: a slow ramp beside noise."""
    rng = np.random.default_rng(11)
    time = np.arange(frames)[None, :, None]
    slow = np.sin(time / frames * np.pi + rng.uniform(0, 6, (clips, 1, 1)))
    quick = rng.normal(size=(clips, frames, 15)).cumsum(axis=1) * 0.5
    # With every saccade what was slow changes sign, as where one looks does.
    slow = slow + 4 * rng.normal(size=(clips, 1, 1)) * (time >= frames // 2)
    pixels = np.concatenate([slow, quick], axis=2)
    pairs = torch.ones(clips, frames - 1, dtype=torch.bool)
    pairs[:, frames // 2 - 1] = False
    return torch.from_numpy(pixels.reshape(clips, 1, frames, 1, 4, 4)), pairs, slow[..., 0]


def test_masking_saccades_finds_what_is_slow_between_them():
    clips, pairs, slow = _saccades(clips=60, frames=16)
    found = {}
    for name, truth in (("masked", {"valid_pairs": pairs}), ("unmasked", {})):
        objective = _whole_picture_objective(outputs=1)
        optimiser = torch.optim.Adam(objective.parameters(), lr=5e-2)
        for _ in range(150):
            loss, _ = objective(WholePicture(), clips, truth)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        objective.eval().finish(WholePicture(), [(clips, truth)])
        features = objective.slow_features(WholePicture()(clips).pooled).detach().numpy()
        found[name] = abs(np.corrcoef(features.ravel(), slow.ravel())[0, 1])
        found[name, "delta"] = float(objective.delta[0])
    assert found["masked"] > 0.95
    assert found["unmasked"] < 0.6
    assert found["masked", "delta"] < 0.2 * found["unmasked", "delta"]


def _whole_picture_objective(*, outputs):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        shapes = probe_shapes(WholePicture(), eyes=1, image_channels=1, size_px=4)
        return Slowness(SlownessConfig(outputs=outputs, covariance="total"), shapes).double()


class WholePicture(nn.Module):
    """All 16 pixels, as they are."""

    def forward(self, clips):
        pooled = clips[:, 0, :, 0].flatten(2)
        return SimpleNamespace(maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled)


class PairsOfFrames(LinearEncoder):
    """The mean of every two frames: one time step stands for two."""

    def forward(self, clips):
        pooled = super().forward(clips).pooled
        pooled = pooled.unflatten(1, (-1, 2)).mean(dim=2)
        return SimpleNamespace(
            maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled, frames_per_step=2
        )


def test_finished_outputs_are_ordered_by_slowness():
    clips, encoder = noisy_walks(clips=24, frames=12).float(), LinearEncoder()
    truth = {"frame_rate_hz": torch.tensor(10.0)}
    objective = _objective(SlownessConfig(outputs=4)).float().eval()
    assert isinstance(objective, Finishes)
    with pytest.raises(RuntimeError, match="call finish"):
        objective.slow_features(encoder(clips).pooled)
    with pytest.raises(RuntimeError, match="call finish"):
        objective.eta_hz()
    objective.finish(encoder, [(clips[:10], truth), (clips[10:], truth)])
    with torch.no_grad():
        outputs = objective.outputs_of(encoder(clips).pooled).double().numpy()
        features = objective.slow_features(encoder(clips).pooled).double().numpy()
    expected = fit_sfa(outputs)
    np.testing.assert_allclose(objective.delta.numpy(), expected.delta, rtol=1e-6)
    assert np.all(np.diff(objective.delta.numpy()) >= 0)
    np.testing.assert_allclose(measure_delta(features), expected.delta, rtol=1e-3)
    within = (features - features.mean(axis=1, keepdims=True)).reshape(-1, 4)
    np.testing.assert_allclose(within.T @ within / len(within), np.eye(4), atol=1e-3)
    np.testing.assert_allclose(
        objective.eta_hz().numpy(), 10 / (2 * math.pi) * np.sqrt(expected.delta), rtol=1e-6
    )
    again = _objective(SlownessConfig(outputs=4)).float().eval()
    again.load_state_dict(objective.state_dict())
    torch.testing.assert_close(
        again.slow_features(encoder(clips).pooled), objective.slow_features(encoder(clips).pooled)
    )
    assert float(again.frame_rate_hz) == 10


def test_outputs_that_collapsed_come_last():
    clips, encoder = noisy_walks(clips=6, frames=8).float(), LinearEncoder()
    objective = _objective(SlownessConfig(outputs=3)).float().eval()
    with torch.no_grad():
        objective.project.weight[1] = 2 * objective.project.weight[0]
    objective.finish(encoder, [(clips, {})])
    features = objective.slow_features(encoder(clips).pooled).detach()
    assert objective.delta[:2].isfinite().all()
    assert objective.delta[2].isnan()
    assert float(features[..., 2].abs().max()) == 0
    assert objective.eta_hz().isnan().all()  # nobody said the frame rate


def test_steps_of_several_frames_have_their_own_pairs_and_rate():
    clips = noisy_walks(clips=10, frames=12).float()
    pairs = torch.ones(10, 11, dtype=torch.bool)
    pairs[:, 4] = False  # between frames 4 and 5, which are both in step 2
    truth = {"valid_pairs": pairs, "frame_rate_hz": torch.tensor(10.0)}
    seen = gather(PairsOfFrames(), lambda pooled: pooled[..., :2], [(clips, truth)])
    assert seen.outputs[0].shape == (6, 2)
    np.testing.assert_array_equal(seen.pairs[0], [True, False, False, True, True])
    assert seen.frame_rate_hz == 5
    assert seen.pixel_rate_hz == 10
    shapes = probe_shapes(PairsOfFrames(), eyes=1)
    objective = Slowness(SlownessConfig(outputs=2), shapes).eval()
    report = objective.evaluate(PairsOfFrames(), [(clips, truth)], [(clips, truth)])
    assert report["eta_hz"] == pytest.approx(5 / (2 * math.pi) * math.sqrt(report["delta"]))
    assert report["eta_1_hz"] == pytest.approx(5 / (2 * math.pi) * math.sqrt(report["delta_1"]))
    assert report["eta_pixels_hz"] == pytest.approx(
        10 / (2 * math.pi) * math.sqrt(report["delta_pixels"])
    )


def test_weights_of_before_outputs_were_ordered_load():
    older = {
        name: each
        for name, each in _objective(SlownessConfig(outputs=2)).state_dict().items()
        if name not in ("centre", "rotation", "delta", "frame_rate_hz", "is_finished")
    }
    objective = _objective(SlownessConfig(outputs=2))
    objective.load_state_dict(older)
    with pytest.raises(RuntimeError, match="call finish"):
        objective.slow_features(torch.zeros(1, 3, 8, dtype=torch.float64))
    # Nor are they if the module had an order: it is that of other weights.
    objective.finish(LinearEncoder().double(), [(noisy_walks(clips=4, frames=8), {})])
    objective.load_state_dict(older)
    with pytest.raises(RuntimeError, match="call finish"):
        objective.slow_features(torch.zeros(1, 3, 8, dtype=torch.float64))
    del older["project.weight"]
    with pytest.raises(RuntimeError, match="project.weight"):
        objective.load_state_dict(older)
