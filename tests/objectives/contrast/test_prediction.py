import math
from types import SimpleNamespace

import pytest
import torch
from merkwelt.objectives import (
    ContrastivePrediction,
    ContrastivePredictionConfig,
    probe_shapes,
)
from merkwelt.objectives.contrast.conv_gru import ConvGRU
from merkwelt.objectives.objective import FeatureShapes
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig

from ..drifting import drifting


def _pair(*, eyes=1, seed=0, **config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = StereoCNN3D(StereoCNNConfig(eyes=eyes, widths=(8, 8, 16, 16)))
        shapes = probe_shapes(encoder, eyes=eyes)
        objective = ContrastivePrediction(ContrastivePredictionConfig(**config), shapes)
    return encoder, objective


def _drifting(**clips):
    return drifting(**({"frames": 8} | clips))


def _shapes(*, causal=True, frames_per_step=1):
    return FeatureShapes(
        eyes=1,
        image_channels=3,
        map_channels={"shallow": 4, "deep": 6},
        map_strides={"shallow": 2, "deep": 4},
        pooled_channels=6,
        causal=causal,
        frames_per_step=frames_per_step,
    )


def test_a_gru_is_that_of_torch_at_each_place():
    gru = ConvGRU(5, 4)
    cell = torch.nn.GRUCell(5, 4)
    seen, state = torch.randn(2, 5, 3, 3), torch.randn(2, 4, 3, 3)
    with torch.no_grad():
        # torch applies its reset gate after the recurrent weights, so those of the candidate must
        # commute with it: a multiple of the identity does.
        weight = 0.3 * torch.eye(4)
        gru.candidate.weight[:, 5:] = weight[..., None, None]
        layers = (gru.reset, gru.update, gru.candidate)
        cell.weight_ih.copy_(torch.cat([each.weight[:, :5, 0, 0] for each in layers]))
        cell.weight_hh.copy_(torch.cat([each.weight[:, 5:, 0, 0] for each in layers]))
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
        # Its update gate is the share that is kept; ours the share that is new.
        cell.weight_ih[4:8] *= -1
        cell.weight_hh[4:8] *= -1
        after = gru(seen, state)
        for row in range(3):
            for column in range(3):
                expected = cell(seen[:, :, row, column], state[:, :, row, column])
                torch.testing.assert_close(after[:, :, row, column], expected)


def test_training_starts_where_nothing_is_known():
    encoder, objective = _pair()
    loss, measures = objective(encoder, _drifting(), {})
    # 4 clips x 3 blocks x 3 x 3 places. The predictor's small weights make scores differ by about
    # a tenth, and the loss by the square of it.
    assert float(measures["log_candidates"]) == pytest.approx(math.log(4 * 3 * 9), rel=1e-6)
    assert float(loss.detach()) == pytest.approx(math.log(4 * 3 * 9), abs=0.05)


def test_predictions_come_from_the_past_only():
    for apart in (True, False):
        encoder, objective = _pair(encode_blocks_apart=apart)
        clips = _drifting(batch=1).requires_grad_()
        predicted = objective.predict(objective.blocks_of(encoder, clips)[0])
        (gradient,) = torch.autograd.grad(predicted.square().sum(), clips)
        assert gradient[:, :, 2:].abs().max() == 0
        assert gradient[:, :, :2].abs().amax(dim=(0, 1, 3, 4, 5)).min() > 0


def test_blocks_apart_know_nothing_of_each_other():
    encoder, objective = _pair()
    clips = _drifting(batch=1)
    changed = clips.clone()
    changed[:, :, 2:4] = 0.5
    before, after = (objective.blocks_of(encoder, each)[0] for each in (clips, changed))
    same = (before - after).abs().amax(dim=(0, 2, 3, 4)) == 0
    assert same.tolist() == [True, False, True, True]
    together = _pair(encode_blocks_apart=False)[1]
    before, after = (together.blocks_of(encoder, each)[0] for each in (clips, changed))
    same = (before - after).abs().amax(dim=(0, 2, 3, 4)) == 0
    # Later blocks have seen the change, earlier ones have not.
    assert same.tolist()[:3] == [True, False, False]


def test_an_encoder_that_sees_the_future_is_shown_blocks_apart():
    def looking_ahead(clips):
        later = clips.mean(dim=1).flip(1)
        maps = later.transpose(1, 2)[..., ::8, ::8]
        return SimpleNamespace(maps={"deep": maps}, pooled=maps.mean(dim=(3, 4)).transpose(1, 2))

    shapes = probe_shapes(looking_ahead, eyes=1, size_px=24)
    assert not shapes.causal
    objective = ContrastivePrediction(ContrastivePredictionConfig(), shapes)
    clips = _drifting(batch=1).requires_grad_()
    predicted = objective.predict(objective.blocks_of(looking_ahead, clips)[0])
    (gradient,) = torch.autograd.grad(predicted.square().sum(), clips)
    assert gradient[:, :, 2:].abs().max() == 0
    with pytest.raises(ValueError, match="would have seen what is to be predicted"):
        ContrastivePrediction(ContrastivePredictionConfig(encode_blocks_apart=False), shapes)


def test_a_block_is_the_mean_of_its_steps():
    encoder, objective = _pair()
    clips = _drifting(frames=9)
    blocks, _ = objective.blocks_of(encoder, clips)
    assert blocks.shape[1] == 4
    with torch.no_grad():
        expected = encoder(clips[:, :, 4:6]).maps["stage4"].mean(dim=2)
    torch.testing.assert_close(blocks[:, 2].detach(), expected)


def test_large_maps_are_averaged_down():
    encoder, objective = _pair(largest_grid=2)
    blocks, _ = objective.blocks_of(encoder, _drifting(size=32))
    full, _ = _pair()[1].blocks_of(encoder, _drifting(size=32))
    assert full.shape[-2:] == (4, 4)
    torch.testing.assert_close(blocks[..., 0, 1], full[..., :2, 2:].mean(dim=(3, 4)))


def test_learning_tells_the_future_of_unseen_clips():
    encoder, objective = _pair()
    parameters = [*encoder.parameters(), *objective.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3)
    unseen = [(_drifting(batch=8, seed=1000), {})]
    untrained = objective.evaluate(encoder, [], unseen)
    for step in range(40):
        loss, _ = objective(encoder, _drifting(batch=8, seed=step), {})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
    report = objective.evaluate(encoder, [], unseen)
    assert untrained["information_nats"] == pytest.approx(0, abs=0.05)
    assert 1 < report["information_nats"] <= report["log_candidates"]
    assert report["top1"] > 4 * report["chance_top1"]
    assert report["top1"] > untrained["top1"]


def test_evaluation_is_the_mean_over_clips():
    encoder, objective = _pair()
    batches = [(_drifting(batch=3, seed=1), {}), (_drifting(batch=1, seed=2), {})]
    report = objective.evaluate(encoder, [], batches)
    parts = [objective.evaluate(encoder, [], [batch]) for batch in batches]
    for name in ("contrast_loss", "top1", "log_candidates", "copy_last_top1"):
        assert report[name] == pytest.approx((3 * parts[0][name] + parts[1][name]) / 4, rel=1e-6)


def test_a_still_world_is_told_by_copying_at_its_places():
    # All times look the same, so no time can be told from another.
    encoder, objective = _pair()
    still = _drifting(speed=0)
    report = objective.evaluate(encoder, [], [(still, {})])
    assert report["temporal_top1"] == 0
    assert report["copy_last_top1"] == 0


def test_a_constant_encoder_shows_in_the_measures():
    encoder, objective = _pair()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    loss, measures = objective(encoder, _drifting(), {})
    assert float(loss.detach()) == pytest.approx(math.log(108), rel=1e-6)
    assert float(measures["top1"]) == 0
    assert float(measures["effective_rank"]) == 0
    assert float(measures["feature_std"]) == 0


def test_steps_of_several_frames_work():
    def halving(clips):
        maps = clips.mean(dim=1).unflatten(1, (-1, 2)).mean(dim=2).transpose(1, 2)[..., ::8, ::8]
        pooled = maps.mean(dim=(3, 4)).transpose(1, 2)
        return SimpleNamespace(maps={"deep": maps}, pooled=pooled, frames_per_step=2)

    shapes = probe_shapes(halving, eyes=1, size_px=24)
    objective = ContrastivePrediction(ContrastivePredictionConfig(), shapes)
    assert objective(halving, _drifting(), {})[0].isfinite()
    with pytest.raises(ValueError, match="block_frames to be a multiple of the 2 frames"):
        ContrastivePrediction(ContrastivePredictionConfig(block_frames=3), shapes)


def test_wrong_input_is_refused():
    encoder, objective = _pair()
    with pytest.raises(ValueError, match="at least 8 frames for 3 predicted blocks of 2 .* got 7"):
        objective(encoder, _drifting(frames=7), {})
    with pytest.raises(ValueError, match="at least one batch of held-out clips"):
        objective.evaluate(encoder, [], [])
    with pytest.raises(ValueError, match=r"maps \['shallow', 'deep'\], got 'deepest'"):
        ContrastivePrediction(ContrastivePredictionConfig(map_name="deepest"), _shapes())
    with pytest.raises(ValueError, match="at least 1 for block_frames"):
        ContrastivePredictionConfig(block_frames=0)
    with pytest.raises(ValueError, match="predictor_gain above 0"):
        ContrastivePredictionConfig(predictor_gain=0.0)
