"""Two ranks on the CPU (gloo) against one rank on the joined batch."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from two_ranks import EXPERIMENTS, FLOATS, learned, run_experiment

from merkwelt.training import load_run, train
from merkwelt.training.checkpoint import checkpoint_paths
from merkwelt.training.ranks import Ranks

from .drifting import drifting_clips
from .test_loop import assert_same_bits, lines_of, newest_bits

SCRIPT = Path(__file__).parent / "two_ranks.py"
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}
"""Of gradients, relative to the largest. They differ by the order of sums alone."""


def _environment(**more):
    return os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"} | more


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Both ranks do everything once; then the first is killed, and torchrun goes on."""
    out = tmp_path_factory.mktemp("ranks")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    ranks = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), "learn", str(out)],
            env=_environment(RANK=str(rank), LOCAL_RANK=str(rank), **where),
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = [rank.communicate(timeout=300)[1] for rank in ranks]
    assert ranks[0].returncode == -9, said[0]
    assert ranks[1].returncode == 1, said[1]
    assert "onnection" in said[1]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    resume = [*torchrun, str(SCRIPT), "resume", str(out)]
    cut_at = checkpoint_paths(out / "cut")[-1].name
    done = subprocess.run(resume, env=_environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    (out / "cut_at.txt").write_text(cut_at)
    return out


@pytest.fixture(scope="module")
def found(out):
    return [torch.load(out / f"rank{rank}.pt", weights_only=True) for rank in range(2)]


def test_sums_and_their_gradients_are_those_of_all_ranks(found):
    for rank, sums in enumerate(each["sums"] for each in found):
        # x = (1, 2) and (2, 4): S = sum of squares = (5, 20), L = S0 S1, the same on both ranks.
        x = torch.tensor([1.0, 2.0], dtype=torch.float64) * (rank + 1)
        assert sums["loss"] == 100
        # Both ranks' losses, hence twice: 2 * dL/dS * 2 x.
        first = 2 * torch.tensor([20.0, 5.0], dtype=torch.float64) * 2 * x
        assert torch.equal(sums["first"], first)
        # d/dx of the sum over both ranks' first gradients, worked out in one process.
        whole = torch.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=torch.float64, requires_grad=True)
        both = 2 * whole.square().sum(dim=0).prod()
        (gradient,) = torch.autograd.grad(both, whole, create_graph=True)
        (second,) = torch.autograd.grad(gradient.sum(), whole)
        assert torch.equal(sums["second"], second[rank])
        assert sums["gathered"].tolist() == [[1.0] * 3] * 2 + [[2.0] * 3] * 2
        expected = 2 * torch.arange(12.0).view(2, 2, 3)[rank]
        assert torch.equal(sums["rows"], expected)
        assert sums["mean"] == pytest.approx((0 + 1 + 2 + 0 + 1 + 2 + 3 + 4 + 5) / 9)
        assert sums["alone"] == [1.0, 2.5][rank]
        assert sums["ranks"] == 2


@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_two_ranks_learn_what_one_learns_from_the_joined_batch(found, name, kind):
    alone = learned(name, FLOATS[kind], Ranks())
    first, second = (each[f"{name} {kind}"] for each in found)
    gradients = [key for key in alone if key.startswith("gradient ")]
    largest = max(float(alone[key].abs().max()) for key in gradients)
    for key, expected in alone.items():
        expected = expected.double()
        scale = largest if key in gradients else max(1.0, float(expected.abs().max()))
        # Three steps of AdamW divide by the size of gradients: where one is all rounding, as of a
        # weight that changes nothing, so is its step. Weights are compared in float64 alone.
        if key in gradients or kind == "float64" or key.startswith("measure "):
            slack = 1 if key in gradients else 100
            error = float((first[key].double() - expected).abs().max()) / scale
            assert error < slack * TOLERANCE[kind], (key, error)
        assert torch.equal(first[key], second[key]), key


def test_a_killed_and_resumed_run_of_two_ranks_has_the_same_bits(out):
    assert (out / "cut_at.txt").read_text() == "step-00000002.safetensors"
    assert_same_bits(out / "whole", out / "cut")
    for split in ("train", "held_out", "averaged", "features", "untrained"):
        assert lines_of(out / "cut", split) == lines_of(out / "whole", split)
        assert lines_of(out / "cut", split), split


def test_two_ranks_write_one_run_which_is_that_of_one_rank(out, tmp_path):
    run = tmp_path / "run"
    summary = train(run_experiment(), drifting_clips(), run, device="cpu")
    assert [line["step"] for line in lines_of(out / "whole")] == [1, 2, 3, 4, 5, 6]
    results = json.loads((out / "whole" / "results.json").read_text())
    assert (results["ranks"], results["steps"]) == (2, 6)
    # Six steps of AdamW in float32; see above for what they do to rounding.
    assert results["held_out"]["delta"] == pytest.approx(summary.held_out["delta"], rel=1e-2)
    one, two = lines_of(run), lines_of(out / "whole")
    # Not the loss: the value of slowness's surrogate is what is left of terms that cancel.
    for name in ("slowness", "gradient_norm", "effective_rank"):
        expected = pytest.approx(one[0][f"train/{name}"], rel=1e-4)
        assert two[0][f"train/{name}"] == expected, name


def test_one_rank_goes_on_where_two_stopped(out, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(out / "whole", run)
    for path in checkpoint_paths(run)[1:]:
        path.unlink()
    train(run_experiment(), drifting_clips(), run, device="cpu")
    assert load_run(run).step == 6
    ours, theirs = newest_bits(run), newest_bits(out / "whole")
    for name in ("objective.moments.rate", "encoder.stages.0.conv.weight"):
        assert torch.allclose(ours[name], theirs[name], rtol=1e-2, atol=1e-3), name


def test_a_batch_that_cannot_be_shared_is_refused(out):
    for rank in range(2):
        said = (out / f"odd{rank}.txt").read_text()
        assert "a batch that 2 ranks can share evenly, got 3 clips" in said
    assert not (out / "odd").exists()
