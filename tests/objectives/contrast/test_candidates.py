import math

import pytest
import torch
from merkwelt.objectives.contrast.candidates import (
    Kind,
    accuracy,
    accuracy_among,
    candidate_kinds,
    info_nce,
    right_answers,
    scores_of,
)

BATCH, STEPS, CELLS = 3, 2, 4
COUNT = BATCH * STEPS * CELLS


def _features(*, channels=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(BATCH, STEPS, CELLS, channels, generator=generator)


def _all_places():
    return [(b, p, s) for b in range(BATCH) for p in range(STEPS) for s in range(CELLS)]


def test_right_answers_are_those_of_a_triple_loop():
    predicted, candidates = _features(seed=1), _features(seed=2)
    scores = scores_of(predicted, candidates)
    answers = right_answers(BATCH, STEPS, CELLS)
    for i, place in enumerate(_all_places()):
        right = float(predicted[place] @ candidates[place])
        assert float(scores[i, answers[i]]) == pytest.approx(right, abs=1e-5)
        for j, other in enumerate(_all_places()):
            dot = float(predicted[place] @ candidates[other])
            assert float(scores[i, j]) == pytest.approx(dot, abs=1e-5)
            assert (int(answers[i]) == j) == (place == other)


def test_kinds_of_candidates_are_those_of_a_triple_loop():
    kinds = candidate_kinds(BATCH, STEPS, CELLS)
    for i, (clip, step, cell) in enumerate(_all_places()):
        for j, (other_clip, other_step, other_cell) in enumerate(_all_places()):
            if clip != other_clip:
                expected = Kind.EASY
            elif cell != other_cell:
                expected = Kind.SPATIAL
            elif step != other_step:
                expected = Kind.TEMPORAL
            else:
                expected = Kind.POSITIVE
            assert int(kinds[i, j]) == expected


def test_candidates_of_other_ranks_come_first():
    answers = right_answers(BATCH, STEPS, CELLS, first_clip=2 * BATCH)
    assert answers.tolist() == list(range(2 * COUNT, 3 * COUNT))


def test_the_loss_is_that_of_a_loop():
    predicted, candidates = _features(seed=1), _features(seed=2)
    total = 0.0
    for place in _all_places():
        dots = [float(predicted[place] @ candidates[other]) for other in _all_places()]
        right = float(predicted[place] @ candidates[place])
        total += math.log(sum(math.exp(dot) for dot in dots)) - right
    loss = info_nce(scores_of(predicted, candidates), right_answers(BATCH, STEPS, CELLS))
    assert float(loss) == pytest.approx(total / COUNT, rel=1e-5)


def test_identical_features_are_worth_nothing():
    same = torch.ones(BATCH, STEPS, CELLS, 5)
    scores, answers = scores_of(same, same), right_answers(BATCH, STEPS, CELLS)
    # Exactly, but for the rounding of a logarithm in float32.
    assert float(info_nce(scores, answers)) == pytest.approx(math.log(COUNT), rel=1e-6)
    assert float(accuracy(scores, answers, top=1)) == 0
    assert float(accuracy(scores, answers, top=COUNT)) == 1


def test_perfect_features_at_a_large_scale_cost_nothing():
    one_hot = 10 * torch.eye(COUNT).view(BATCH, STEPS, CELLS, COUNT)
    scores, answers = scores_of(one_hot, one_hot), right_answers(BATCH, STEPS, CELLS)
    assert float(info_nce(scores, answers)) == pytest.approx(0, abs=1e-6)
    assert float(accuracy(scores, answers, top=1)) == 1
    kinds = candidate_kinds(BATCH, STEPS, CELLS)
    assert float(accuracy_among(scores, kinds, Kind.TEMPORAL)) == 1


def test_the_order_of_clips_changes_nothing():
    predicted, candidates = _features(seed=1), _features(seed=2)
    answers, order = right_answers(BATCH, STEPS, CELLS), [2, 0, 1]
    loss = info_nce(scores_of(predicted, candidates), answers)
    other = info_nce(scores_of(predicted[order], candidates[order]), answers)
    assert float(loss) == pytest.approx(float(other), rel=1e-6)


def test_what_all_candidates_share_changes_nothing():
    predicted, candidates = _features(seed=1), _features(seed=2)
    answers = right_answers(BATCH, STEPS, CELLS)
    loss = info_nce(scores_of(predicted, candidates), answers)
    shifted = info_nce(scores_of(predicted, candidates + 2.5), answers)
    assert float(loss) == pytest.approx(float(shifted), rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_no_batch_shows_more_information_than_log_k(scale):
    predicted = scale * _features(seed=3)
    # Even where the predictions are the candidates themselves.
    loss = info_nce(scores_of(predicted, predicted), right_answers(BATCH, STEPS, CELLS))
    assert math.log(COUNT) - float(loss) <= math.log(COUNT)
    assert float(loss) >= 0


def test_the_loss_has_the_right_gradient():
    predicted = _features(channels=3, seed=1).double().requires_grad_()

    def loss(features):
        scores = features.flatten(0, 2) @ features.flatten(0, 2).T
        return info_nce(scores, right_answers(BATCH, STEPS, CELLS))

    assert torch.autograd.gradcheck(loss, (predicted,))


def test_accuracy_counts_what_stands_above():
    scores = torch.tensor([[3.0, 1.0, 2.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]])
    answers = torch.tensor([0, 1, 2])
    assert float(accuracy(scores, answers, top=1)) == pytest.approx(1 / 3)
    assert float(accuracy(scores, answers, top=2)) == pytest.approx(2 / 3)
