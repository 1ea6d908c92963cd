from types import SimpleNamespace

import pytest
import torch
from merkwelt.objectives import LatentPrediction, LatentPredictionConfig, probe_shapes
from merkwelt.objectives.build import build_objective
from merkwelt.objectives.latent.predictor import normalised
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig
from torch import nn

from ..drifting import drifting


def _pair(*, eyes=1, seed=0, **config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = StereoCNN3D(StereoCNNConfig(eyes=eyes, widths=(8, 8, 16, 16)))
        shapes = probe_shapes(encoder, eyes=eyes)
        objective = build_objective(LatentPredictionConfig(**config), shapes, encoder)
    return encoder, objective


def _drifting(**clips):
    return drifting(**({"frames": 6} | clips))


def _trained(encoder, objective, *, steps, **clips):
    parameters = [p for m in (encoder, objective) for p in m.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=3e-3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for step in range(steps):
            loss, measures = objective(encoder, _drifting(batch=8, seed=step, **clips), {})
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            objective.after_step(encoder)
    return measures


class ConstantEncoder(nn.Module):
    """Says the same of everything."""

    causal = True

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.randn(5, generator=torch.Generator().manual_seed(0)))

    def forward(self, clips):
        batch, _, time = clips.shape[:3]
        maps = self.value.view(1, -1, 1, 1, 1).expand(batch, -1, time, 3, 3)
        return SimpleNamespace(maps={"deep": maps}, pooled=self.value.expand(batch, time, 5))


def test_prediction_of_the_future_starts_at_no_change():
    encoder, objective = _pair()
    loss, measures = objective(encoder, _drifting(), {})
    assert float(loss.detach()) == pytest.approx(float(measures["no_change_error"]), rel=1e-6)
    assert float(measures["latent_skill"]) == pytest.approx(0, abs=1e-6)
    assert float(measures["target_lag"]) == 0


def test_no_change_is_that_of_a_loop_over_horizons_and_unbroken_steps():
    encoder, objective = _pair(horizons=(1, 3))
    clips = _drifting(batch=2)
    pairs = torch.ones(2, 5, dtype=torch.bool)
    pairs[0, 2] = False
    _, measures = objective(encoder, clips, {"valid_pairs": pairs})
    with torch.no_grad():
        target = normalised(encoder(clips).maps["stage4"], dim=1)
    errors = [
        float((target[b, :, t + h] - target[b, :, t]).abs().mean())
        for h in (1, 3)
        for b in range(2)
        for t in range(6 - h)
        if all(pairs[b, t : t + h])
    ]
    expected = sum(errors) / len(errors)
    assert float(measures["no_change_error"]) == pytest.approx(expected, rel=1e-5)


def test_features_are_normalised_as_layer_norm_does():
    maps = torch.randn(2, 7, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    expected = nn.functional.layer_norm(maps.movedim(1, -1), (7,)).movedim(-1, 1)
    torch.testing.assert_close(normalised(maps, dim=1), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("task", ["future", "masked"])
def test_gradient_reaches_the_encoder_and_not_its_copy(task):
    encoder, objective = _pair(task=task)
    with torch.no_grad():
        objective.predictor.leave.weight.normal_(std=0.1)
    objective(encoder, _drifting(), {})[0].backward()
    assert all(p.grad is None and not p.requires_grad for p in objective.target.parameters())
    assert all(p.grad is not None for p in encoder.parameters())
    assert float(encoder.retina.conv.weight.grad.abs().max()) > 0


def test_predictions_of_the_future_come_from_the_past():
    encoder, objective = _pair(horizons=(2,))
    with torch.no_grad():
        objective.predictor.leave.weight.normal_(std=0.1)
    clips, changed = _drifting(batch=1), _drifting(batch=1)
    changed[:, :, 4:] = 0.5
    before, after = (objective.guesses_of(encoder, each, {})[0] for each in (clips, changed))
    same = (before.predicted - after.predicted).abs().amax(dim=(1, 2, 3)) == 0
    # Frames 0 to 3 predict frames 2 to 5.
    assert same.tolist() == [True, True, True, True]
    differs = (before.target - after.target).abs().amax(dim=(1, 2, 3)) > 0
    assert differs.tolist() == [False, False, True, True]


def test_hidden_pixels_do_not_reach_the_prediction():
    encoder, objective = _pair(task="masked")
    with torch.no_grad():
        objective.predictor.leave.weight.normal_(std=0.1)
    clips = _drifting(batch=2)
    guesses, _ = objective.guesses_of(encoder, clips, {}, torch.Generator().manual_seed(5))
    hidden = guesses.weight.unflatten(0, (2, -1))[:, 0]
    pixels = nn.functional.interpolate(hidden.unsqueeze(1), size=(24, 24), mode="nearest-exact")
    changed = torch.where(pixels.view(2, 1, 1, 1, 24, 24) > 0, 1 - clips, clips)
    other, _ = objective.guesses_of(encoder, changed, {}, torch.Generator().manual_seed(5))
    assert torch.equal(guesses.weight, other.weight)
    assert torch.equal(guesses.predicted, other.predicted)
    assert not torch.equal(guesses.target, other.target)


def test_the_floor_of_hidden_places_is_the_mean_of_visible_ones():
    encoder, objective = _pair(task="masked")
    guesses, _ = objective.guesses_of(encoder, _drifting(batch=2), {})
    for target, floor, weight in zip(guesses.target, guesses.floor, guesses.weight, strict=True):
        visible = target[:, weight == 0].mean(dim=1)
        torch.testing.assert_close(floor[:, 0, 0], visible, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("task", ["future", "masked"])
def test_collapse_shows_in_the_measures(task):
    encoder = ConstantEncoder()
    shapes = probe_shapes(encoder, eyes=1)
    objective = build_objective(LatentPredictionConfig(task=task), shapes, encoder)
    clips = _drifting()
    _, measures = objective(encoder, clips, {})
    for name in ("effective_rank", "feature_std", "target_std"):
        assert float(measures[name]) == pytest.approx(0, abs=1e-6)
    report = objective.evaluate(encoder, [(clips, {})], [(clips, {})])
    floor = "no_change_error" if task == "future" else "visible_mean_error"
    assert report[floor] == pytest.approx(0, abs=1e-6)
    assert report["target_std"] == pytest.approx(0, abs=1e-6)
    assert report["effective_rank"] == 0
    healthy, spread = _pair(task=task)
    assert float(spread(healthy, clips, {})[1]["target_std"]) > 0.1


def test_a_resumed_objective_has_the_same_copy_to_the_bit():
    encoder, objective = _pair(momentum=0.9)
    _trained(encoder, objective, steps=3)
    assert any(name.startswith("target.") for name in objective.state_dict())
    again, resumed = _pair(momentum=0.9, seed=1)
    again.load_state_dict(encoder.state_dict())
    resumed.load_state_dict(objective.state_dict())
    for one, other in ((encoder, objective), (again, resumed)):
        other.after_step(one)
    for name, each in objective.state_dict().items():
        assert torch.equal(each, resumed.state_dict()[name]), name
    first, _ = objective(encoder, _drifting(), {})
    second, _ = resumed(again, _drifting(), {})
    assert torch.equal(first, second)


def test_the_copy_stays_in_evaluation_mode():
    _, objective = _pair()
    assert objective.train().training
    assert not objective.target.training


def test_learning_beats_no_change_on_unseen_clips():
    encoder, objective = _pair(momentum=0.9, horizons=(1, 2))
    _trained(encoder, objective, steps=60)
    report = objective.evaluate(
        encoder, [(_drifting(batch=8), {})], [(_drifting(batch=8, seed=1000), {})]
    )
    assert report["latent_skill"] > 0.05
    assert report["latent_error"] < report["no_change_error"]
    assert report["target_std"] > 0.3


def test_learning_tells_hidden_places_of_unseen_clips():
    encoder, objective = _pair(momentum=0.9, task="masked")
    _trained(encoder, objective, steps=60)
    report = objective.evaluate(
        encoder, [(_drifting(batch=8), {})], [(_drifting(batch=8, seed=1000), {})]
    )
    assert report["latent_skill"] > 0.05
    assert report["latent_skill_over_mean"] > 0.05


def test_evaluation_agrees_with_a_loop_over_clips():
    encoder, objective = _pair(horizons=(1,))
    with torch.no_grad():
        objective.predictor.leave.weight.normal_(std=0.1)
    training, held_out = _drifting(batch=3, seed=1), _drifting(batch=3, seed=2)
    report = objective.evaluate(
        encoder, [(training[:2], {}), (training[2:], {})], [(held_out[:2], {}), (held_out[2:], {})]
    )
    mean = objective.targets_of(training).mean(dim=(0, 2))
    target = objective.targets_of(held_out)
    errors = [float((mean - target[b, :, t]).abs().mean()) for b in range(3) for t in range(1, 6)]
    assert report["mean_target_error"] == pytest.approx(sum(errors) / len(errors), rel=1e-5)
    loss, _ = objective(encoder, held_out, {})
    assert report["latent_error"] == pytest.approx(float(loss.detach()), rel=1e-5)


def test_spread_terms_are_added_where_asked_for():
    encoder, objective = _pair(variance_weight=2.0, covariance_weight=1.0)
    loss, measures = objective(encoder, _drifting(), {})
    assert float(loss.detach()) > float(measures["latent_error"]) + 0.1


def test_an_encoder_that_sees_the_future_can_tell_hidden_places_only():
    encoder = ConstantEncoder()
    encoder.causal = False
    shapes = probe_shapes(encoder, eyes=1)
    with pytest.raises(ValueError, match="use task 'masked'"):
        LatentPrediction(LatentPredictionConfig(), shapes)
    LatentPrediction(LatentPredictionConfig(task="masked"), shapes)


def test_wrong_input_is_refused():
    encoder, objective = _pair()
    with pytest.raises(ValueError, match="more than 4 steps to predict so many ahead, got 4"):
        objective(encoder, _drifting(frames=4), {})
    with pytest.raises(ValueError, match="at least one batch of training clips"):
        objective.evaluate(encoder, [], [])
    with pytest.raises(ValueError, match="at least one step of held-out clips"):
        objective.evaluate(encoder, [(_drifting(), {})], [])
    alone = LatentPrediction(LatentPredictionConfig(), probe_shapes(encoder, eyes=1))
    with pytest.raises(RuntimeError, match=r"expected follow\(encoder\) before"):
        alone(encoder, _drifting(), {})
    with pytest.raises(ValueError, match="horizons of at least 1"):
        LatentPredictionConfig(horizons=(0,))
    with pytest.raises(ValueError, match=r"momentum in \[0, 1\]"):
        LatentPredictionConfig(momentum=1.5)
    with pytest.raises(ValueError, match="at least 1 mask block"):
        LatentPredictionConfig(mask_block_share=0.0)
    with pytest.raises(ValueError, match="width >= 1"):
        LatentPredictionConfig(width=0)
    with pytest.raises(ValueError, match="weights of at least 0"):
        LatentPredictionConfig(variance_weight=-1.0)
