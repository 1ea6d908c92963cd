import sys
from importlib.util import find_spec

import pytest

from merkwelt.training import train
from merkwelt.training.tensorboard import TensorBoard

from .drifting import drifting_clips, small_experiment
from .test_loop import Killed, kill_at


class Heard:
    """Writes down what it is told."""

    def __init__(self):
        self.begun, self.lines, self.closed = [], [], 0

    def begin(self, run, step):
        self.begun.append((run.name, step))

    def hear(self, step, named):
        self.lines.append((step, dict(named)))

    def close(self):
        self.closed += 1


def test_a_listener_hears_what_is_logged_and_where_it_goes_on(tmp_path):
    experiment, clips, run = small_experiment("sfa"), drifting_clips(), tmp_path / "run"
    first, second = Heard(), Heard()
    with pytest.raises(Killed):
        train(experiment, clips, run, device="cpu", progress=kill_at(3), listeners=[first])
    assert first.begun == [("run", 0)]
    train(experiment, clips, run, device="cpu", listeners=[second])
    assert second.begun == [("run", 2)]
    assert second.closed == 1
    losses = [step for step, named in second.lines if "train/loss" in named]
    assert losses == [3, 4, 5, 6]
    assert any("held_out/delta" in named for _, named in second.lines)
    assert any("features/effective_rank" in named for _, named in second.lines)


@pytest.mark.skipif(find_spec("tensorboard") is not None, reason="tensorboard is here")
def test_without_the_package_it_says_which_extra_brings_it():
    with pytest.raises(ImportError, match=r"pip install 'merkwelt\[tensorboard\]'"):
        TensorBoard()


def test_measures_become_scalars_and_a_resumed_run_hides_what_comes_again(tmp_path, monkeypatch):
    """A stand-in for torch's writer, whose package may not be here."""
    made = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            self.folder, self.purge_step, self.scalars, self.closed = folder, purge_step, [], False
            made.append(self)

        def add_scalar(self, name, value, global_step):
            self.scalars.append((name, value, global_step))

        def close(self):
            self.closed = True

    module = type(sys)("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    monkeypatch.setattr("merkwelt.training.tensorboard.find_spec", lambda name: name)
    board = TensorBoard()
    board.begin(tmp_path, 4)
    board.hear(5, {"train/loss": 0.5, "train/bad": float("nan")})
    board.close()
    (writer,) = made
    assert (writer.folder, writer.purge_step) == (str(tmp_path / "tensorboard"), 5)
    assert writer.scalars[0] == ("train/loss", 0.5, 5)
    assert writer.closed
