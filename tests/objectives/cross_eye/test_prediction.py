import math

import pytest
import torch
from merkwelt.objectives import CrossEye, CrossEyeConfig, probe_shapes
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig

DISPARITY_PX = 8
COLUMN_PX = 4


def _pair(*, eyes=1, seed=0, **config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = StereoCNN3D(
            StereoCNNConfig(
                eyes=eyes, widths=(8, 8, 8, 16), strides=(2, 2, 1, 1), temporal_kernel=1
            )
        )
        shapes = probe_shapes(encoder, eyes=eyes)
        objective = CrossEye(CrossEyeConfig(largest_shift=3, **config), shapes)
    return encoder, objective


def _stereo(*, batch=4, frames=2, size=32, disparity_px=DISPARITY_PX, seed=0):
    """Return textures at one distance: what the left eye sees at x, the right sees at x - d."""
    generator = torch.Generator().manual_seed(seed)
    world = torch.rand(batch * frames, 3, size // 2, size, generator=generator)
    world = torch.nn.functional.interpolate(world, size=(size, 2 * size), mode="bilinear")
    start = size // 2
    eyes = [world[..., first : first + size] for first in (start, start + disparity_px)]
    return torch.stack([each.unflatten(0, (batch, frames)) for each in eyes], dim=1)


def _trained(*, steps, **config):
    encoder, objective = _pair(**config)
    parameters = [*encoder.parameters(), *objective.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=1e-2)
    for step in range(steps):
        loss, _ = objective(encoder, _stereo(batch=8, seed=step), {})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
    return encoder, objective


def _report(encoder, objective, clips=None):
    unseen = _stereo(batch=8, seed=1000) if clips is None else clips
    return objective.evaluate(encoder, [(_stereo(batch=8), {})], [(unseen, {})])


def test_the_right_eye_sees_near_things_further_left():
    clips = _stereo()
    torch.testing.assert_close(clips[:, 0, ..., DISPARITY_PX:], clips[:, 1, ..., :-DISPARITY_PX])


@pytest.mark.parametrize("loss", ["contrast", "regression"])
def test_learning_reads_out_the_disparity(loss):
    encoder, objective = _trained(steps=60, loss=loss)
    report = _report(encoder, objective)
    assert report["cross_eye_skill"] > 0.3
    # A quarter of what the right eye sees, the left one does not: there the mean is the best guess.
    assert report["cross_eye_skill_over_mean"] > 0.1
    # The most probable shift is the disparity, in the columns of the map.
    maps, _ = objective.maps_of(encoder, _stereo(batch=8, seed=1000))
    shares = objective.head.shares_of(maps[0].transpose(1, 2).flatten(0, 1)).mean(dim=(0, 2, 3))
    assert int(shares.argmax()) - 3 == DISPARITY_PX // COLUMN_PX
    # And it is no use for eyes that are exchanged, for other clips or for inverted contrast.
    for control in ("swapped", "shuffled", "anticorrelated"):
        assert report[f"{control}_skill"] < report["cross_eye_skill"] - 0.3
    assert report["effective_rank"] > 2
    exchanged = _report(encoder, objective, _stereo(batch=8, seed=1000).flip(1))
    assert exchanged["cross_eye_skill"] == pytest.approx(report["swapped_skill"], abs=1e-5)
    if loss == "contrast":
        assert report["shift_px"] == pytest.approx(DISPARITY_PX, abs=COLUMN_PX / 4)
        assert report["top1"] > max(report["copy_left_top1"], 5 * report["chance_top1"])


def test_an_untrained_head_copies():
    encoder, objective = _pair()
    report = _report(encoder, objective)
    assert report["cross_eye_skill"] == pytest.approx(0, abs=0.1)
    assert report["shift_px"] == pytest.approx(0, abs=1e-5)
    # A head that knows no direction tells either eye from the other as well.
    assert report["swapped_skill"] == pytest.approx(report["cross_eye_skill"], abs=0.01)


def test_floors_are_those_of_a_loop():
    encoder, objective = _pair()
    training, unseen = _stereo(batch=4), _stereo(batch=3, seed=7)
    report = objective.evaluate(
        encoder, [(training[:1], {}), (training[1:], {})], [(unseen[:2], {}), (unseen[2:], {})]
    )

    def features(eye):
        with torch.no_grad():
            maps = encoder(eye.unsqueeze(1)).maps["stage4"]
        return torch.nn.functional.layer_norm(maps.movedim(1, -1), (16,))

    left, right = features(unseen[:, 0]), features(unseen[:, 1])
    mean = features(training[:, 1]).mean(dim=(0, 1))
    copy = sum(float((one - other).square().mean()) for one, other in zip(left, right, strict=True))
    average = sum(float((mean - other).square().mean()) for other in right)
    assert report["copy_left_error"] == pytest.approx(copy / 3, rel=1e-3)
    assert report["mean_right_error"] == pytest.approx(average / 3, rel=1e-3)


def test_constant_features_are_worth_nothing_to_contrast():
    encoder, objective = _pair()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    loss, measures = objective(encoder, _stereo(), {})
    # 4 clips of 8 columns; all look the same.
    assert float(measures["log_candidates"]) == pytest.approx(math.log(32), rel=1e-6)
    assert float(loss.detach()) == pytest.approx(math.log(32), rel=1e-5)
    for name in ("top1", "effective_rank", "feature_std"):
        assert float(measures[name]) == 0


def test_collapse_costs_regression_its_variance_term():
    encoder, objective = _pair(loss="regression")
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    loss, measures = objective(encoder, _stereo(), {})
    assert float(measures["cross_eye_error"]) == 0
    assert float(loss.detach()) == pytest.approx(0.99, abs=1e-6)


def test_one_clip_has_no_other_to_be_shuffled_with():
    encoder, objective = _pair()
    report = _report(encoder, objective, _stereo(batch=1))
    assert math.isnan(report["shuffled_skill"])
    assert math.isfinite(report["swapped_skill"])


def test_wrong_input_is_refused():
    encoder, objective = _pair()
    with pytest.raises(ValueError, match="expected clips of 2 eyes .* got 1"):
        objective(encoder, _stereo()[:, :1], {})
    with pytest.raises(ValueError, match="an encoder of one eye, .* use an encoder with eyes=1"):
        _pair(eyes=2)
    with pytest.raises(ValueError, match="at least one batch of training clips"):
        objective.evaluate(encoder, [], [(_stereo(), {})])
    with pytest.raises(ValueError, match="at least one batch of held-out clips"):
        objective.evaluate(encoder, [(_stereo(), {})], [])
    with pytest.raises(ValueError, match="largest_shift >= 0"):
        CrossEyeConfig(largest_shift=-1)
    with pytest.raises(ValueError, match="temperature above 0"):
        CrossEyeConfig(temperature=0.0)
    with pytest.raises(ValueError, match="weights of at least 0"):
        CrossEyeConfig(variance_weight=-1.0)
