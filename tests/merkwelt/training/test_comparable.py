from types import SimpleNamespace

import pytest
import torch

from merkwelt.training.comparable import comparable, teaches


def _batch(*rows):
    return torch.zeros(len(rows), 1, 5, 3, 4, 4), {"valid_pairs": torch.tensor(rows).bool()}


def test_a_batch_teaches_if_two_steps_may_be_compared():
    _, some = _batch([1, 1, 0, 1])
    _, none = _batch([0, 0, 0, 0])
    frames, steps = SimpleNamespace(), SimpleNamespace(frames_per_step=2)
    assert teaches({}, frames)
    assert teaches(some, frames)
    assert not teaches(none, frames)
    # Two steps of two frames need three pairs in a row.
    assert not teaches(some, steps)
    assert teaches(_batch([1, 1, 1, 0])[1], steps)


def test_batches_that_measure_nothing_are_left_out():
    some, none = _batch([1, 0, 0, 0]), _batch([0, 0, 0, 0])
    unknown = (some[0], {})
    assert comparable([none, some, unknown], "held-out") == [some, unknown]
    assert comparable([], "held-out") == []
    with pytest.raises(
        ValueError, match="expected training clips .* found none in 2.*mask_saccades"
    ):
        comparable([none, none], "training")
