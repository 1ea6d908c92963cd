"""What each of two ranks does; started by ``test_ranks.py``, twice."""

import os
import signal
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from merkwelt.objectives.across_ranks import (
    alone,
    gather_across_ranks,
    mean_across_ranks,
    ranks,
    sum_across_ranks,
)
from merkwelt.objectives.contrast.prediction import ContrastivePredictionConfig
from merkwelt.objectives.slowness.deep import SlownessConfig
from merkwelt.video_models import StereoCNNConfig

from merkwelt.training import train
from merkwelt.training.learner import Learner
from merkwelt.training.ranks import Ranks, joined_ranks

sys.path.insert(0, str(Path(__file__).parent))

from drifting import drifting_clips, small_experiment

CPU = torch.device("cpu")
EXPERIMENTS = {
    "sfa within": small_experiment("sfa"),
    "sfa total": small_experiment("sfa", objective=SlownessConfig(covariance="total")),
    "predict": small_experiment("predict"),
    "sfa ema": small_experiment("sfa", ema=0.9),
    "cpc": small_experiment("cpc", objective=ContrastivePredictionConfig(block_frames=1)),
    "jepa": small_experiment("jepa"),
    "cross_eye": small_experiment(
        "cross_eye", encoder=StereoCNNConfig(eyes=1, widths=(4, 8, 8, 12))
    ),
}
FLOATS = {"float64": torch.float64, "float32": torch.float32}


def run_experiment():
    """Return what is trained from a folder to a folder."""
    return small_experiment("sfa", ema=0.9)


def joined_batch(dtype):
    """Return four clips of which the two ranks' halves have unequally many valid pairs."""
    source = drifting_clips()
    clips = torch.stack([source.read(i).video for i in range(4)]).to(dtype) / 255
    pairs = torch.ones(4, 5, dtype=torch.bool)
    pairs[0, 1:] = False
    pairs[1] = False
    return clips, {"valid_pairs": pairs, "frame_rate_hz": torch.tensor(10.0)}


def learned(name, dtype, ours: Ranks):
    """Return gradients of the first step, and all that has changed and was measured after three."""
    learner = Learner(EXPERIMENTS[name], CPU, ranks=ours)
    mean = learner.average
    averaged = [] if mean is None else [mean.encoder, mean.objective]
    if dtype == torch.float64:  # running moments are float64 always
        for module in (learner.encoder, learner.objective, *averaged):
            module.double()
    clips, truth = joined_batch(dtype)
    mine = ours.share(range(len(clips)))
    batch = (clips[mine], {**truth, "valid_pairs": truth["valid_pairs"][mine]})
    found = {}
    for step in range(3):
        measures = learner.step(batch, step)
        if step == 0:
            found |= {f"gradient {i}": p.grad.clone() for i, p in enumerate(learner.parameters)}
    found |= {f"measure {key}": torch.tensor(value) for key, value in measures.items()}
    return found | dict(learner.checkpoint(3, {}).tensors)


def sums(ours: Ranks):
    """Return sums over ranks and their first and second gradients."""
    own = torch.tensor([1.0, 2.0], dtype=torch.float64) * (ours.rank + 1)
    own.requires_grad_()
    loss = sum_across_ranks(own.square()).prod()
    (first,) = torch.autograd.grad(loss, own, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), own)
    rows = torch.full((2, 3), float(ours.rank + 1), requires_grad=True)
    gathered = gather_across_ranks(rows)
    (gathered * torch.arange(12.0).view(4, 3)).sum().backward()
    uneven = torch.arange(3.0 * (ours.rank + 1))
    with alone():
        by_itself = mean_across_ranks(uneven)
    return {
        "loss": loss.detach(),
        "first": first.detach(),
        "second": second,
        "gathered": gathered.detach(),
        "rows": rows.grad,
        "mean": mean_across_ranks(uneven),
        "alone": by_itself,
        "ranks": torch.tensor(ranks()),
    }


def kill_rank_0_at(step):
    """Return a progress function that ends the first rank as ``kill -9`` would."""

    def progress(done, message):
        if message.startswith(f"step {step} "):
            os.kill(os.getpid(), signal.SIGKILL)

    return progress


def main():
    job, out = sys.argv[1], Path(sys.argv[2])
    torch.set_num_threads(1)
    if job == "resume":
        groups = []
        train(
            run_experiment(),
            drifting_clips(),
            out / "cut",
            device="cpu",
            progress=lambda *_: groups.append(weakref.ref(dist.group.WORLD)),
        )
        # A group that something still holds has threads, which abort now and then at exit.
        if any(group() is not None for group in groups):
            sys.exit("the process group outlives the training")
        return
    with joined_ranks(CPU) as (ours, _):
        found = {"sums": sums(ours)}
        for name in EXPERIMENTS:
            for kind, dtype in FLOATS.items():
                found[f"{name} {kind}"] = learned(name, dtype, ours)
        torch.save(found, out / f"rank{ours.rank}.pt")
        train(run_experiment(), drifting_clips(), out / "whole", device="cpu")
        try:
            odd = replace(run_experiment(), batch_size=3)
            train(odd, drifting_clips(), out / "odd", device="cpu")
        except ValueError as error:
            (out / f"odd{ours.rank}.txt").write_text(str(error))
        train(
            run_experiment(),
            drifting_clips(),
            out / "cut",
            device="cpu",
            progress=kill_rank_0_at(3),
        )


if __name__ == "__main__":
    main()
