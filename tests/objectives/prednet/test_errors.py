import pytest
import torch
from merkwelt.objectives import PredNetErrors, PredNetErrorsConfig, probe_shapes
from merkwelt.video_models import PredNet, PredNetConfig, StereoCNN3D, StereoCNNConfig


def _pair(*, eyes=2, seed=0, layer_weights=(1.0, 0.0), widths=(4, 6), **config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = PredNet(PredNetConfig(eyes=eyes, widths=widths, **config))
    shapes = probe_shapes(encoder, eyes=eyes, image_channels=encoder.config.image_channels)
    return encoder, PredNetErrors(PredNetErrorsConfig(layer_weights=layer_weights), shapes)


def _drifting(*, batch=2, eyes=2, frames=5, size=16, speed=2, seed=0):
    """Return clips of smooth noise that moves left by ``speed`` pixels each frame."""
    generator = torch.Generator().manual_seed(seed)
    width = size + speed * frames
    world = torch.rand(batch, 3, size // 4, width // 4, generator=generator)
    world = torch.nn.functional.interpolate(world, size=(size, width), mode="bilinear")
    video = torch.stack([world[..., speed * t : speed * t + size] for t in range(frames)], dim=1)
    return video[:, None].expand(-1, eyes, -1, -1, -1, -1).contiguous()


@pytest.mark.parametrize("weights", [(1.0, 0.0), (1.0, 0.1), (0.5, 0.2, 2.0)])
def test_the_loss_is_the_weighted_sum_over_layers_and_frames(weights):
    encoder, objective = _pair(layer_weights=weights)
    clips = _drifting()
    loss, measures = objective(encoder, clips, {})
    errors = encoder(clips).layer_errors.detach()
    full = (*weights, *weights[-1:] * (3 - len(weights)))
    expected = 0.0
    for t in range(5):
        frame_weight = 0 if t == 0 else 1 / (5 - 1)
        for layer in range(3):
            expected += frame_weight * full[layer] * float(errors[:, t, layer].mean())
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-6)
    for layer in range(3):
        mean = float(errors[:, 1:, layer].mean())
        assert float(measures[f"error_layer{layer}"]) == pytest.approx(mean, rel=1e-6)


def test_without_weights_the_loss_is_half_the_mean_of_the_frames():
    encoder, objective = _pair()
    for each in encoder.parameters():
        torch.nn.init.zeros_(each)
    clips = _drifting()
    loss, measures = objective(encoder, clips, {})
    assert float(loss.detach()) == pytest.approx(float(clips[:, :, 1:].mean()) / 2, rel=1e-6)
    assert float(measures["mse"]) == pytest.approx(float(clips[:, :, 1:].square().mean()), rel=1e-6)
    # Constant features fill no dimension.
    assert float(measures["effective_rank"]) == 0
    assert float(measures["feature_std"]) == 0


def test_pixel_errors_are_those_of_a_loop():
    encoder, objective = _pair()
    clips = _drifting()
    _, measures = objective(encoder, clips, {})
    predictions = encoder(clips).predictions.detach()
    places = [(b, t) for b in range(2) for t in range(1, 5)]
    own = [float((predictions[b, :, t] - clips[b, :, t]).square().mean()) for b, t in places]
    copy = [float((clips[b, :, t - 1] - clips[b, :, t]).square().mean()) for b, t in places]
    assert float(measures["mse"]) == pytest.approx(sum(own) / len(own), rel=1e-5)
    assert float(measures["copy_last_mse"]) == pytest.approx(sum(copy) / len(copy), rel=1e-5)
    assert float(measures["skill"]) == pytest.approx(1 - sum(own) / sum(copy), rel=1e-5)


def test_frames_after_a_saccade_do_not_count_but_are_seen():
    encoder, objective = _pair(layer_weights=(1.0, 0.1))
    clips = _drifting()
    pairs = torch.ones(2, 4, dtype=torch.bool)
    pairs[1, 1] = False
    loss, measures = objective(encoder, clips, {"valid_pairs": pairs})
    errors = encoder(clips).layer_errors.detach()
    kept = [(b, t) for b in range(2) for t in range(1, 5) if (b, t) != (1, 2)]
    expected = sum(float(errors[b, t] @ torch.tensor([1, 0.1, 0.1])) for b, t in kept) / len(kept)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-6)
    copy = [float((clips[b, :, t - 1] - clips[b, :, t]).square().mean()) for b, t in kept]
    assert float(measures["copy_last_mse"]) == pytest.approx(sum(copy) / len(kept), rel=1e-5)
    changed = clips.clone()
    changed[1, :, 2] = 0
    other, _ = objective(encoder, changed, {"valid_pairs": pairs})
    assert float(other.detach()) != float(loss.detach()), "frame 2 is seen"


def test_the_first_frame_teaches_nothing():
    encoder, objective = _pair()
    clips = _drifting(frames=2)
    loss, _ = objective(encoder, clips, {})
    predictions = encoder(clips).predictions
    error = (predictions[:, :, 1] - clips[:, :, 1]).abs().mean() / 2
    assert float(loss.detach()) == pytest.approx(float(error.detach()), rel=1e-5)


def test_only_the_errors_that_weigh_move_the_deepest_prediction():
    clips = _drifting(frames=2)
    for weights, moved in (((1.0, 0.0), False), ((1.0, 0.1), True)):
        encoder, objective = _pair(layer_weights=weights)
        loss, _ = objective(encoder, clips, {})
        loss.backward()
        # With two frames the top's prediction of the last one can matter by its error alone; the
        # first one was made of zeros.
        gradient = encoder.layers[2].predict.weight.grad
        assert (gradient is not None and float(gradient.abs().max()) > 0) == moved


def test_evaluation_agrees_with_a_loop_over_clips():
    encoder, objective = _pair()
    training, held_out = _drifting(batch=3, seed=1), _drifting(batch=3, seed=2)
    pairs = torch.ones(3, 4, dtype=torch.bool)
    pairs[0, 2:] = False
    batches = [
        (held_out[:2], {"valid_pairs": pairs[:2]}),
        (held_out[2:], {"valid_pairs": pairs[2:]}),
    ]
    report = objective.evaluate(encoder, [(training[:2], {}), (training[2:], {})], batches)
    average = training.mean(dim=(0, 2))
    with torch.no_grad():
        seen = encoder(held_out)
    places = [(b, t) for b in range(3) for t in range(1, 5) if pairs[b, t - 1]]

    def mse(guess):
        squares = [(guess(b, t) - held_out[b, :, t]).square().mean() for b, t in places]
        return float(sum(squares)) / len(places)

    expected = {
        "mse": mse(lambda b, t: seen.predictions[b, :, t]),
        "copy_last_mse": mse(lambda b, t: held_out[b, :, t - 1]),
        "mean_image_mse": mse(lambda b, t: average),
        "zeros_mse": mse(lambda b, t: 0 * average),
        "error_layer1": float(sum(seen.layer_errors[b, t, 1] for b, t in places)) / len(places),
    }
    for name, value in expected.items():
        assert report[name] == pytest.approx(value, rel=1e-5), name
    skill = 1 - expected["mse"] / expected["copy_last_mse"]
    assert report["skill"] == pytest.approx(skill, rel=1e-4)
    skill = 1 - expected["mse"] / expected["mean_image_mse"]
    assert report["skill_over_mean_image"] == pytest.approx(skill, rel=1e-4)
    assert 0 < report["effective_rank"] <= 6
    assert report["feature_std"] > 0


def test_half_precision_learns():
    encoder, objective = _pair()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss, measures = objective(encoder, _drifting(), {})
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(each.isfinite().all() for each in measures.values())


def test_other_encoders_are_told_what_to_use_instead():
    encoder = StereoCNN3D(StereoCNNConfig())
    objective = PredNetErrors(PredNetErrorsConfig(), probe_shapes(encoder, eyes=2))
    with pytest.raises(ValueError, match="predicts every frame .* use the encoder prednet"):
        objective(encoder, _drifting(), {})
    with pytest.raises(ValueError, match="use the encoder prednet"):
        objective.evaluate(encoder, [(_drifting(), {})], [(_drifting(), {})])


def test_predictions_of_something_else_than_the_clips_are_refused():
    encoder, objective = _pair(eyes=1, image_channels=6)

    def fronted(clips):
        return encoder(clips.transpose(1, 2).flatten(2, 3).unsqueeze(1))

    with pytest.raises(ValueError, match="predictions of the clips' own frames"):
        objective(fronted, _drifting(), {})


def test_wrong_input_is_refused():
    encoder, objective = _pair()
    with pytest.raises(ValueError, match="at least 2 frames"):
        objective(encoder, _drifting(frames=1), {})
    with pytest.raises(ValueError, match="at least one batch of held-out clips"):
        objective.evaluate(encoder, [(_drifting(), {})], [])
    with pytest.raises(ValueError, match="layer_weights of at least 0, one of them above 0"):
        PredNetErrorsConfig(layer_weights=(0.0, 0.0))
    with pytest.raises(ValueError, match="layer_weights of at least 0"):
        PredNetErrorsConfig(layer_weights=())
    _, objective = _pair(layer_weights=(1.0, 0.1, 0.1, 0.1))
    with pytest.raises(ValueError, match="at most 3 layer_weights"):
        objective(encoder, _drifting(), {})
