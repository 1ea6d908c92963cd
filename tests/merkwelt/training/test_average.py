import pytest
import torch
from torch import nn

from merkwelt.training import load_run, train
from merkwelt.training.average import AverageWeights

from .drifting import drifting_clips, small_experiment
from .test_loop import lines_of


class Counting(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.weight = nn.Parameter(torch.full((2,), value))
        self.fixed = nn.Parameter(torch.full((2,), value), requires_grad=False)
        self.register_buffer("updates", torch.tensor(0))


def test_it_is_the_exponential_moving_average():
    encoder, objective = Counting(1.0), Counting(2.0)
    average = AverageWeights(encoder, objective, decay=0.5)
    expected = 1.0
    for step, value in enumerate([3.0, 5.0, -2.0, 8.0, 1.0, 4.0, 9.0, 7.0, 2.0, 6.0]):
        with torch.no_grad():
            encoder.weight.fill_(value)
            encoder.fixed.fill_(value)
            encoder.updates += 1
        average.update(encoder, objective, step)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = kept * expected + (1 - kept) * value
        assert average.encoder.weight.tolist() == pytest.approx([expected] * 2, rel=1e-6)
        # What is not trained is not averaged.
        assert average.encoder.fixed.tolist() == [value] * 2
        assert int(average.encoder.updates) == step + 1
    assert average.objective.weight.tolist() == [2.0, 2.0]
    assert not any(p.requires_grad for p in average.encoder.parameters())


def test_a_run_stores_and_measures_its_average(tmp_path):
    run = tmp_path / "run"
    summary = train(small_experiment("predict", ema=0.9), drifting_clips(), run, device="cpu")
    averaged = lines_of(run, "averaged")
    assert [line["step"] for line in averaged] == [3, 6]
    assert averaged[-1]["averaged/mse"] == summary.averaged["mse"] != summary.held_out["mse"]
    loaded = load_run(run, weights="ema")
    assert loaded.step == 6
    source = drifting_clips()
    held_out = [(source.read(i).video[None].float() / 255, {}) for i in range(3)]
    trained = load_run(run)
    measured = [
        each.objective.evaluate(each.encoder, held_out, held_out)["mse"]
        for each in (loaded, trained)
    ]
    assert measured[0] != measured[1]


def test_a_run_without_an_average_has_none(tmp_path):
    run = tmp_path / "run"
    summary = train(small_experiment("sfa", steps=1), drifting_clips(), run, device="cpu")
    assert summary.averaged is None
    with pytest.raises(ValueError, match="trained with ema None; train with --set ema=0.999"):
        load_run(run, weights="ema")
    with pytest.raises(ValueError, match=r"weights out of \('trained', 'ema'\), got 'best'"):
        load_run(run, weights="best")
