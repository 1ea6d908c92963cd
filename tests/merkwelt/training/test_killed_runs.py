"""n steps, ``kill -9``, resume: the same bits as 2n steps, for everything that can be trained."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from killed_runs import KILLED_AT, STEPS, MovingClips, cases

from merkwelt.training import load_run, train
from merkwelt.training.checkpoint import checkpoint_paths

from .test_loop import assert_same_bits, lines_of


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    out = tmp_path_factory.mktemp("killed")
    script = Path(__file__).parent / "killed_runs.py"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(script), str(out)], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(autouse=True)
def _one_thread():
    """Sums are split by threads: bits are the same for the same number of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", cases())
def test_a_killed_run_goes_on_to_the_same_bits(killed, tmp_path, name):
    experiment, run = cases()[name], killed / name
    assert not (run / "results.json").exists()
    assert lines_of(run)[-1]["step"] == KILLED_AT
    assert [path.stem for path in checkpoint_paths(run)] == [f"step-{STEPS // 2:08d}"]
    resumed = train(experiment, MovingClips(), run, device="cpu")
    whole = train(experiment, MovingClips(), tmp_path / "whole", device="cpu")
    assert dict(resumed.held_out) == pytest.approx(dict(whole.held_out), rel=0, abs=0, nan_ok=True)
    assert_same_bits(tmp_path / "whole", run)
    for split in ("train", "held_out", "averaged", "features", "event", "untrained"):
        assert lines_of(run, split) == lines_of(tmp_path / "whole", split)
    if experiment.ema is not None:
        assert lines_of(run, "averaged")
        averaged, trained = load_run(run, weights="ema"), load_run(run)
        assert any(
            not torch.equal(mean, weight)
            for mean, weight in zip(
                averaged.encoder.parameters(), trained.encoder.parameters(), strict=True
            )
        )
