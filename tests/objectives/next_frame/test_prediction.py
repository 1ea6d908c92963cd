import pytest
import torch
from merkwelt.objectives import Prediction, PredictionConfig, probe_shapes
from merkwelt.objectives.next_frame.frame_decoder import move
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig


def _pair(*, eyes=2, seed=0, **config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = StereoCNN3D(StereoCNNConfig(eyes=eyes))
        objective = Prediction(PredictionConfig(**config), probe_shapes(encoder, eyes=eyes))
    return encoder, objective


def _drifting(*, batch=2, eyes=2, frames=6, size=32, speed=2, seed=0):
    """Return clips of smooth noise that moves left by ``speed`` pixels each frame."""
    generator = torch.Generator().manual_seed(seed)
    width = size + speed * frames
    world = torch.rand(batch, 3, size // 4, width // 4, generator=generator)
    world = torch.nn.functional.interpolate(world, size=(size, width), mode="bilinear")
    video = torch.stack([world[..., speed * t : speed * t + size] for t in range(frames)], dim=1)
    return video[:, None].expand(-1, eyes, -1, -1, -1, -1).contiguous()


def _wake(objective):
    """Give the last layer weights, so that predictions are no longer copies."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        torch.nn.init.normal_(objective.decoder.to_change.weight, std=0.1)
        torch.nn.init.normal_(objective.predict_features.weight, std=0.1)


def test_training_starts_exactly_at_the_copy():
    encoder, objective = _pair(feature_weight=0.0)
    loss, measures = objective(encoder, _drifting(), {})
    assert float(loss.detach()) == pytest.approx(1, abs=1e-4)
    assert float(measures["skill"]) == pytest.approx(0, abs=1e-4)
    assert float(measures["mse"]) == pytest.approx(float(measures["copy_last_mse"]), rel=1e-4)


def test_copy_last_error_is_that_of_a_loop():
    clips = _drifting()
    _, measures = _pair()[1](_pair()[0], clips, {})
    errors = [
        float((clips[b, :, t + 1] - clips[b, :, t]).square().mean())
        for b in range(2)
        for t in range(5)
    ]
    assert float(measures["copy_last_mse"]) == pytest.approx(sum(errors) / len(errors), rel=1e-5)


def test_errors_count_valid_pairs_only():
    encoder, objective = _pair()
    clips = _drifting()
    clips[:, :, 3:] = 1 - clips[:, :, 3:]
    pairs = torch.ones(2, 5, dtype=torch.bool)
    pairs[:, 2] = False
    _, measures = objective(encoder, clips, {"valid_pairs": pairs})
    kept = [float((clips[:, :, t + 1] - clips[:, :, t]).square().mean()) for t in (0, 1, 3, 4)]
    assert float(measures["copy_last_mse"]) == pytest.approx(sum(kept) / 4, rel=1e-5)


def test_predictions_come_from_the_past():
    encoder, objective = _pair()
    _wake(objective)
    clips = _drifting(batch=1).requires_grad_()
    predicted = objective.predict(encoder(clips).maps, clips)
    (gradient,) = torch.autograd.grad(predicted[:, :, 2].sum(), clips)
    assert gradient[:, :, 3:].abs().max() == 0
    assert gradient[:, :, :3].abs().amax(dim=(0, 1, 3, 4, 5)).min() > 0


def test_each_eye_has_its_own_prediction():
    encoder, objective = _pair()
    _wake(objective)
    clips = _drifting()
    change = objective.predict(encoder(clips).maps, clips) - clips
    assert change.shape == clips.shape
    assert (change[:, 0] - change[:, 1]).abs().max() > 1e-3


def test_zero_flow_moves_nothing():
    frames = torch.rand(2, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    moved = move(frames, torch.zeros(2, 2, 8, 12))
    torch.testing.assert_close(moved, frames, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 2), (-3, 1)])
def test_whole_pixel_flow_takes_that_pixel(x, y):
    frames = torch.rand(1, 2, 10, 14, generator=torch.Generator().manual_seed(0))
    flow = torch.tensor([float(x), float(y)]).view(1, 2, 1, 1).expand(-1, -1, 10, 14)
    moved = move(frames, flow)
    for row in range(10):
        for column in range(14):
            source = frames[:, :, min(max(row + y, 0), 9), min(max(column + x, 0), 13)]
            torch.testing.assert_close(moved[:, :, row, column], source, rtol=0, atol=1e-5)


def test_learning_beats_the_copy_on_unseen_clips():
    encoder, objective = _pair(feature_weight=0.05)
    parameters = [*encoder.parameters(), *objective.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3)
    for step in range(40):
        loss, _ = objective(encoder, _drifting(batch=4, eyes=2, size=24, seed=step), {})
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
    unseen = [(_drifting(batch=4, size=24, seed=1000), {})]
    report = objective.eval().evaluate(encoder, [(_drifting(batch=4, size=24), {})], unseen)
    assert report["skill"] > 0.2
    assert report["mse"] < report["copy_last_mse"] < report["mean_image_mse"]


def test_evaluation_agrees_with_a_loop_over_clips():
    encoder, objective = _pair()
    _wake(objective)
    training, held_out = _drifting(batch=3, seed=1), _drifting(batch=3, seed=2)
    report = objective.evaluate(
        encoder, [(training[:2], {}), (training[2:], {})], [(held_out[:2], {}), (held_out[2:], {})]
    )
    mean_image = training.mean(dim=(0, 2))
    with torch.no_grad():
        predicted = objective.predict(encoder(held_out).maps, held_out)
    target = held_out[:, :, 1:]
    mse = float((predicted[:, :, :-1] - target).square().mean())
    copy = float((held_out[:, :, :-1] - target).square().mean())
    mean = float((mean_image[None, :, None] - target).square().mean())
    assert report["mse"] == pytest.approx(mse, rel=1e-5)
    assert report["copy_last_mse"] == pytest.approx(copy, rel=1e-5)
    assert report["mean_image_mse"] == pytest.approx(mean, rel=1e-5)
    assert report["skill"] == pytest.approx(1 - mse / copy, rel=1e-4)
    assert report["skill_over_mean_image"] == pytest.approx(1 - mse / mean, rel=1e-4)


def test_targets_are_not_made_easy():
    encoder, objective = _pair()
    clips = _drifting()
    features = encoder(clips)
    deepest = features.maps["stage4"]
    error, persistence = objective._feature_errors(deepest, torch.ones(2, 5, dtype=torch.bool))
    # While nothing is predicted the error has no gradient to the features at all.
    (gradient,) = torch.autograd.grad(error, deepest)
    assert gradient.abs().max() == 0
    assert float(error.detach()) == pytest.approx(float(persistence), rel=1e-6)


@pytest.mark.parametrize("size", [20, 33])
def test_one_eye_and_odd_sizes_work(size):
    encoder, objective = _pair(eyes=1)
    clips = torch.rand(1, 1, 3, 3, size, size, generator=torch.Generator().manual_seed(0))
    loss, _ = objective(encoder, clips, {})
    assert loss.isfinite()


def test_wrong_input_is_refused():
    encoder, objective = _pair()
    with pytest.raises(ValueError, match="at least 2 frames"):
        objective(encoder, _drifting(frames=1), {})
    with pytest.raises(ValueError, match="at least one batch of training clips"):
        objective.evaluate(encoder, [], [])
    with pytest.raises(ValueError, match="at least one batch of held-out clips"):
        objective.evaluate(encoder, [(_drifting(), {})], [])
    with pytest.raises(ValueError, match="width of at least 1"):
        PredictionConfig(width=0)
    with pytest.raises(ValueError, match="feature_weight >= 0"):
        PredictionConfig(feature_weight=-1.0)
