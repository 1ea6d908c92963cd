r"""Self-motion told on a scene that was never seen, beside chance and the same network untrained.

    python benchmarks/random_rooms.py --rooms 8 --clips 640 --out rooms
    merkwelt render --scene living_room --observer mineault2021 --clips 128 --frames 8 --size 48 \
        --hfov-deg 90 --no-depth --out living
    python benchmarks/self_motion.py --train rooms --test living --json self_motion.json

Trains on all clips of the ``--train`` folders and measures on all clips of the ``--test`` folder,
which must be of other scenes. ``trained`` learns encoder and heads, ``heads alone`` only the heads
on the untrained encoder, ``untrained`` nothing. Chance is to say the training clips' mean direction
of heading, or mean turn and speed, whatever is seen.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from merkwelt.objectives import SelfMotionConfig
from merkwelt.streams import ClipDataset

from merkwelt.encoders import ENCODER_PRESETS, encoder_preset
from merkwelt.recipes import recipe
from merkwelt.training import StoredClips, TrainingClip
from merkwelt.training.clips import ClipLoader, batch_ids
from merkwelt.training.experiment import Experiment
from merkwelt.training.learner import Learner

SHOWN = {
    "heading_error_deg": "heading_error_deg_of_mean_direction",
    "heading_error_median_deg": "heading_error_median_deg_of_mean_direction",
    "yaw_rate_error_deg_s": "yaw_rate_error_deg_s_of_mean",
    "pitch_rate_error_deg_s": "pitch_rate_error_deg_s_of_mean",
    "speed_error_m_s": "speed_error_m_s_of_mean",
    "cross_entropy": "cross_entropy_of_chance",
}
"""What the table shows, and its floor."""
FIT_CLIPS = 64


class Joined:
    """The clips of several data sets, with ids of their own."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Open all of them."""
        sources = [StoredClips(folder) for folder in folders]
        self.places = [(source, clip) for source in sources for clip in source.clip_ids]
        rates = {source.frame_rate_hz for source in sources}
        if len(rates) > 1:
            raise SystemExit(f"expected data sets of one frame rate, got {sorted(rates)} Hz")
        self.frame_rate_hz = rates.pop()
        self.ids_of = {
            folder: [i for i, (owner, _) in enumerate(self.places) if owner is source]
            for folder, source in zip(folders, sources, strict=True)
        }

    def read(self, clip: int) -> TrainingClip:
        """Return a clip."""
        source, stored = self.places[clip]
        return source.read(stored)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is trained on what."""

    loader: ClipLoader
    training: Sequence[int]
    test: Sequence[int]
    device: torch.device


def measured(
    work: Work, experiment: Experiment
) -> tuple[dict[str, float], dict[str, float], float]:
    """Return the measures on test clips before and after training, and the seconds it took."""
    learner = Learner(experiment, work.device)
    fit = work.loader.batches(work.training[:FIT_CLIPS], experiment.batch_size, work.device)
    test = work.loader.batches(work.test, experiment.batch_size, work.device)
    untrained = learner.evaluate(fit, test)
    start = time.perf_counter()
    for step in range(experiment.steps):
        ids = batch_ids(work.training, experiment.batch_size, seed=experiment.seed, step=step)
        learner.step(work.loader.batch(ids, work.device), step)
    seconds = time.perf_counter() - start
    return untrained, learner.evaluate(fit, test), seconds


def scenes_of(folder: Path) -> set[str]:
    """Return the names of a data set's scenes."""
    return {scene.name for scene in ClipDataset(folder, streams=("trajectory",)).plan.scenes}


def experiment_of(options: argparse.Namespace) -> Experiment:
    """Return what is trained."""
    encoder = replace(encoder_preset(options.encoder), eyes=options.eyes)
    if options.norm is not None:
        encoder = replace(encoder, norm=options.norm)
    objective = SelfMotionConfig(grid=options.grid, when=options.when)
    base = recipe("self_motion")
    return replace(
        base,
        encoder=encoder,
        objective=objective,
        steps=options.steps,
        batch_size=options.batch,
        seed=options.seed,
        optimiser=replace(base.optimiser, learning_rate=options.learning_rate),
    )


def table(results: Mapping[str, Mapping[str, float]]) -> str:
    """Return the results as text."""
    names = list(results)
    rows = [["", *names, "chance"]]
    for measure, floor in SHOWN.items():
        values = [results[name][measure] for name in names]
        rows.append([measure, *(f"{v:.2f}" for v in (*values, results[names[0]][floor]))])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(w) if i else cell.ljust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main() -> None:
    """Train, measure, print."""
    options = parsed()
    shared = set().union(*map(scenes_of, options.train)) & scenes_of(options.test)
    if shared:
        raise SystemExit(
            f"expected a test scene that is not trained on, got {sorted(shared)} in both"
        )
    torch.set_num_threads(options.threads)
    source = Joined([*options.train, options.test])
    loader = ClipLoader(source, eyes=options.eyes, image_size_px=None, mask_saccades=False)
    work = Work(
        loader=loader,
        training=[clip for folder in options.train for clip in source.ids_of[folder]],
        test=source.ids_of[options.test][: options.test_clips],
        device=torch.device(options.device),
    )
    experiment = experiment_of(options)
    untrained, trained, seconds = measured(work, experiment)
    print(f"trained in {seconds:.0f} s: {trained['heading_error_deg']:.2f} deg", flush=True)
    _, heads, _ = measured(work, replace(experiment, freeze_encoder=True))
    results = {"trained": trained, "heads alone": heads, "untrained": untrained}
    sys_name = platform.processor() or platform.machine()
    print(f"{len(work.training)} training clips, {len(work.test)} test clips; {sys_name}")
    print(f"{options.encoder}, {options.steps} steps of {options.batch} clips: {seconds:.0f} s")
    print(table(results))
    if options.json is not None:
        told: dict[str, Any] = {"options": {k: str(v) for k, v in vars(options).items()}}
        told |= {"seconds": seconds, "cores": os.cpu_count(), "results": results}
        options.json.write_text(json.dumps(told, indent=1))


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--train", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--test", type=Path, required=True, metavar="DIR")
    parser.add_argument("--test-clips", type=int, help="at most so many; by default all")
    parser.add_argument("--encoder", choices=sorted(ENCODER_PRESETS), default="dorsalnet")
    parser.add_argument("--norm", choices=["batch", "frame"], help="of dorsalnet")
    parser.add_argument("--eyes", type=int, choices=[1, 2], default=1)
    parser.add_argument("--grid", type=int, default=4)
    parser.add_argument("--when", choices=["all", "middle"], default="all")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
