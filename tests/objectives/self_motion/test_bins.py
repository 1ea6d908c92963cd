import math

import pytest
import torch
from merkwelt.objectives.self_motion.bins import Bins, circle_distance

CIRCLE = Bins(low=-math.pi, high=math.pi, count=72, circular=True)
LINE = Bins(low=-2.0, high=2.0, count=8, circular=False)


def test_classes_by_hand():
    angles = torch.tensor([-179.9, -0.1, 0.1, 4.9, 5.1, 179.9, 180.1]).deg2rad()
    assert CIRCLE.classes(angles).tolist() == [0, 35, 36, 36, 37, 71, 0]
    assert math.degrees(CIRCLE.width) == pytest.approx(5)
    assert LINE.classes(torch.tensor([-9.0, -1.9, 0.1, 1.9, 2.0])).tolist() == [0, 0, 4, 7, 7]


@pytest.mark.parametrize("bins", [CIRCLE, LINE])
def test_soft_targets_are_those_of_a_loop(bins):
    values, smoothing = torch.tensor([-1.97, 0.3, 1.99, 3.1]), 1.5
    targets = bins.targets(values, smoothing_bins=smoothing)
    for value, row in zip(values.tolist(), targets, strict=True):
        weights = []
        for number in range(bins.count):
            centre = bins.low + (number + 0.5) * bins.width
            kept = value if bins.circular else min(max(value, bins.low), bins.high)
            distance = abs(kept - centre)
            if bins.circular:
                distance = min(distance, 2 * math.pi - distance)
            weights.append(math.exp(-((distance / bins.width / smoothing) ** 2) / 2))
        expected = torch.tensor([each / sum(weights) for each in weights])
        torch.testing.assert_close(row, expected, rtol=1e-4, atol=1e-6)


def test_hard_targets_are_the_class():
    values = torch.linspace(-3, 3, 50)
    targets = CIRCLE.targets(values, smoothing_bins=0.0)
    assert torch.equal(targets.argmax(dim=-1), CIRCLE.classes(values))
    assert torch.equal(targets.sum(dim=-1), torch.ones(50))


def test_small_turns_to_either_side_are_neighbours_on_the_circle():
    """The trap of angles modulo a whole turn: classes 0 and 71 are adjacent."""
    targets = CIRCLE.targets(torch.tensor([math.pi - 0.001]), smoothing_bins=1.0)[0]
    assert float(targets[0]) == pytest.approx(float(targets[71]), rel=0.05)
    assert float(circle_distance(CIRCLE.decode(targets), torch.tensor(-math.pi))) < 0.01


@pytest.mark.parametrize("bins", [CIRCLE, LINE])
def test_what_is_coded_is_decoded(bins):
    edge = 0.0 if bins.circular else 1.0
    values = torch.linspace(bins.low + edge, bins.high - edge, 41)[:-1]
    decoded = bins.decode(bins.targets(values, smoothing_bins=0.7))
    # A normal sampled at this width, and cut off 2 classes away, keeps its mean to 2 % of one.
    error = circle_distance(decoded, values) if bins.circular else (decoded - values).abs()
    assert float(error.max()) < 0.02 * bins.width


def test_turning_the_circle_turns_everything():
    values = torch.tensor([0.3, 3.0])
    shifted = CIRCLE.targets(values + 7 * CIRCLE.width, smoothing_bins=1.0)
    rolled = CIRCLE.targets(values, smoothing_bins=1.0).roll(7, dims=-1)
    torch.testing.assert_close(shifted, rolled, rtol=1e-3, atol=1e-6)


def test_distances_on_the_circle():
    one, other = torch.tensor([3.1, 0.0, -1.0]), torch.tensor([-3.1, math.pi, 1.0])
    expected = torch.tensor([2 * math.pi - 6.2, math.pi, 2.0])
    torch.testing.assert_close(circle_distance(one, other), expected)
