import math

import pytest
import torch
from merkwelt.objectives import TemporalClasses, TemporalClassesConfig, probe_shapes
from merkwelt.objectives.temporal.halves import halves_told

from ..linear_encoder import LinearEncoder


def _clips(*, clips=6, frames=6, noise=0.05, seed=0):
    """Return clips that each show a picture of their own, and noise."""
    generator = torch.Generator().manual_seed(seed)
    own = torch.rand(clips, 1, 1, 1, 16, 16, generator=generator)
    shown = own + noise * torch.randn(clips, 1, frames, 1, 16, 16, generator=generator)
    return shown.clamp(0, 1)


def _objective(**config):
    encoder = LinearEncoder()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        objective = TemporalClasses(
            TemporalClassesConfig(**config), probe_shapes(encoder, eyes=1, size_px=16)
        )
    return encoder, objective


def test_the_loss_is_that_of_a_loop_over_frames():
    encoder, objective = _objective(classes=5)
    clips, classes = _clips(clips=3), torch.tensor([4, 0, 2])
    loss, measures = objective(encoder, clips, {"clip_class": classes})
    logits = objective.classify(encoder(clips).pooled).detach()
    errors, right = [], []
    for clip in range(3):
        for frame in range(6):
            scores = logits[clip, frame]
            errors.append(float(scores.exp().sum().log() - scores[classes[clip]]))
            right.append(int(scores.argmax()) == int(classes[clip]))
    assert float(loss.detach()) == pytest.approx(sum(errors) / 18, rel=1e-5)
    assert float(measures["top_1"]) == pytest.approx(sum(right) / 18)


def test_a_classifier_that_says_nothing_is_at_chance():
    encoder, objective = _objective(classes=7)
    torch.nn.init.zeros_(objective.classify.weight)
    torch.nn.init.zeros_(objective.classify.bias)
    loss, _ = objective(encoder, _clips(), {"clip_class": torch.arange(6)})
    assert float(loss.detach()) == pytest.approx(math.log(7), rel=1e-6)


def test_it_learns_its_clips():
    encoder, objective = _objective(classes=6)
    batch = _clips(), {"clip_class": torch.arange(6)}
    held_out = _clips(seed=1), {"clip_class": torch.full((6,), -1)}
    before = objective.evaluate(encoder, [batch], [held_out])
    optimiser = torch.optim.Adam(objective.parameters(), lr=0.1)
    for _ in range(60):
        loss, _ = objective(encoder, *batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    after = objective.evaluate(encoder, [batch], [held_out])
    assert before["training_top_1"] < 0.5 < 0.95 < after["training_top_1"]
    assert after["halves_top_1"] == before["halves_top_1"] == 1
    assert after["halves_top_1_chance"] == pytest.approx(1 / 6)
    assert "top_1" not in after


def test_held_out_clips_of_known_chunks_have_a_top_1():
    encoder, objective = _objective(classes=6)
    batch = _clips(), {"clip_class": torch.arange(6)}
    half = _clips(), {"clip_class": torch.tensor([0, 1, 2, -1, -1, -1])}
    report = objective.evaluate(encoder, [batch], [half])
    told = objective.classify(encoder(half[0]).pooled).argmax(dim=-1)
    expected = (told[:3] == torch.arange(3).unsqueeze(1)).float().mean()
    assert report["top_1"] == pytest.approx(float(expected))


def test_halves_by_hand():
    walk = torch.tensor([[0.0, 0.1, 0.2, 0.1], [5.0, 5.1, 5.0, 4.9], [9.0, 9.0, 0.05, 0.1]])
    # The third ends where the first begins: it is taken for the first.
    assert float(halves_told(walk.unsqueeze(-1))) == pytest.approx(2 / 3)
    assert float(halves_told(torch.ones(4, 2, 3))) == 0
    with pytest.raises(ValueError, match="at least 2 time steps"):
        halves_told(torch.ones(4, 1, 3))


def test_chance_is_one_over_the_clips():
    """Noise without identity: 200 clips, expected 1 right, more than 8 in 1 of 1e6."""
    noise = torch.randn(200, 4, 16, generator=torch.Generator().manual_seed(0))
    assert float(halves_told(noise)) <= 8 / 200


def test_what_cannot_be_is_refused():
    encoder, objective = _objective(classes=3)
    with pytest.raises(ValueError, match="a stream without end has no classes"):
        objective(encoder, _clips(), {})
    with pytest.raises(ValueError, match="at most 3 classes, got clip_class 5; set objective.cl"):
        objective(encoder, _clips(), {"clip_class": torch.arange(6)})
    with pytest.raises(ValueError, match="expected training clips"):
        objective(encoder, _clips(clips=1), {"clip_class": torch.tensor([-1])})
    with pytest.raises(ValueError, match="at least one batch each"):
        objective.evaluate(encoder, [], [(_clips(clips=1), {"clip_class": torch.tensor([0])})])
    with pytest.raises(ValueError, match="at least 2 classes"):
        TemporalClassesConfig(classes=1)
    with pytest.raises(ValueError, match="chunk_s above 0"):
        TemporalClassesConfig(chunk_s=0.0)
