"""Training while its clips are rendered, beside training on the same clips in memory.

    python benchmarks/render_while_train.py --json render_while_train.json

One renderer process with one thread, and a trainer with one thread: on two cores each has its own.
For every reuse factor the same steps are trained twice, on the stream and on the very clips of the
stream kept in memory, in the same batches; both end with the same weights to the bit, which is
checked. In memory nothing is rendered beside the trainer, whose single thread is the same. The two
take turns, `--rounds` times. The first steps are left out, until the renderer's lead is used up.

Rendering can keep up at a reuse factor if it makes as many clips a second as training on clips in
memory would take. At those the ratio of the two throughputs is to be at least 0.9; the others show
what a renderer that is too slow costs.
"""

import argparse
import json
import os
import platform
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.volume import RenderOptions
from merkwelt.scenes.scene import Scene
from merkwelt.streams import Plan, make_plan
from merkwelt.streams.live import KeepingUp, LiveOptions
from merkwelt.streams.scene_clips import SceneClips

from merkwelt.recipes import recipe
from merkwelt.training import StreamClips, TrainingClip, train
from merkwelt.training.checkpoint import checkpoint_paths, read_checkpoint
from merkwelt.training.experiment import Experiment
from merkwelt.training.feed import Feed

GOAL = 0.9


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is rendered and trained."""

    scene: str
    recipe: str
    frames: int
    size: int
    batch: int
    steps: int
    """Steps that are measured, after the ring has been full once."""


class Kept:
    """A stream whose clips are remembered as they are read."""

    def __init__(self, stream: StreamClips) -> None:
        """Remember nothing yet."""
        self.stream = stream
        self.description = stream.description
        self.clips: dict[int, TrainingClip] = {}
        self.batches: dict[int, list[int]] = {}
        self.fit_ids: Sequence[int] = ()
        self.held_out_ids: Sequence[int] = ()

    def feed(self, experiment: Experiment) -> Feed:
        """Return the stream's clips, remembered."""
        feed = self.stream.feed(experiment)
        read, batch_ids = feed.read, feed.batch_ids
        self.fit_ids, self.held_out_ids = feed.fit_ids, feed.held_out_ids

        def kept(clip: int) -> TrainingClip:
            if clip not in self.clips:
                found = read(clip)
                self.clips[clip] = replace(found, video=found.video.clone())
            return self.clips[clip]

        def told(step: int) -> list[int]:
            self.batches[step] = batch_ids(step)
            return self.batches[step]

        feed.read, feed.batch_ids = kept, told  # type: ignore[method-assign]
        return feed


class InMemory:
    """The clips and batches of a stream, from memory; nothing is rendered."""

    def __init__(self, kept: Kept) -> None:
        """Take what was remembered."""
        self.kept = kept
        self.description: Mapping[str, Any] = {"identity": "memory"}

    def feed(self, experiment: Experiment) -> Feed:
        """Return the clips of a run."""
        return MemoryFeed(self.kept)


class MemoryFeed:
    """What ``StreamFeed`` gives, from memory."""

    cached = False

    def __init__(self, kept: Kept) -> None:
        """Take what was remembered."""
        self._kept = kept
        self.frame_rate_hz = kept.stream.plan.frame_rate_hz
        self.fit_ids, self.held_out_ids = kept.fit_ids, kept.held_out_ids

    def read(self, clip: int) -> TrainingClip:
        """Return a clip."""
        return self._kept.clips[clip]

    def start(self, state: Mapping[str, Any]) -> None:
        """Begin."""

    def batch_ids(self, step: int) -> list[int]:
        """Return the clips of a batch."""
        return self._kept.batches[step]

    def state(self, step: int) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def noted(self, step: int) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def events(self, step: int) -> list[str]:
        """Return nothing."""
        return []

    def results(self, lines: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def close(self) -> None:
        """Do nothing."""


def plan_of(work: Work) -> tuple[Plan, Scene]:
    """Return a plan in the scene's fast form, if it was optimised, and the scene."""
    scene = Scene.load(work.scene)
    path = "fast" if (scene.folder or Path()).joinpath("fast.safetensors").is_file() else "exact"
    settings = ClipSettings(
        frames=work.frames, size=work.size, depth=False, renderer=RenderOptions(path=path)
    )
    return make_plan([scene], load_observer("adult"), settings, clips=1), scene


def seconds_of(run: Path, first: int) -> tuple[list[float], list[float], list[float]]:
    """Return for each step from ``first`` on its seconds, those waited, and the rendering rate."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if line["split"] == "train"][first:]
    rates = [line.get("rendered_clips_per_s") or 0.0 for line in steps]
    return [s["seconds"] for s in steps], [s["data_wait_s"] for s in steps], rates


def same_bits(one: Path, other: Path) -> bool:
    """Return whether two runs ended with the same weights."""
    a, b = (read_checkpoint(checkpoint_paths(run)[-1]).tensors for run in (one, other))
    return sorted(a) == sorted(b) and all(torch.equal(each, b[name]) for name, each in a.items())


def measured(work: Work, reuse: int, rounds: int, window: int) -> dict[str, Any]:
    """Return throughputs at one reuse factor."""
    plan, scene = plan_of(work)
    options = LiveOptions(
        reuse=reuse,
        window=-(-window // reuse) * reuse,
        held_out_clips=2,
        ahead=0,
        render_workers=1,
        render_threads=1,
        train_threads=1,
    )
    schedule = options.schedule(batch_size=work.batch, seed=0)
    # Once so many clips are in use the ring is full, and the lead that it gave is spent soon after.
    fill = schedule.first_step(schedule.fewest_slots + schedule.fresh)
    steps = fill + work.steps
    experiment = replace(
        recipe(work.recipe),
        batch_size=work.batch,
        steps=steps,
        validate_every=10**6,
        checkpoint_every=10**6,
    )
    make_clip = SceneClips({scene.card.name: scene})
    streamed, waited, from_memory, rendered = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            kept = Kept(StreamClips(plan, make_clip, options))
            live, memory = (Path(folder) / f"{name}{number}" for name in ("live", "memory"))
            train(experiment, kept, live, device="cpu")
            train(experiment, InMemory(kept), memory, device="cpu")
            if not same_bits(live, memory):
                raise RuntimeError("the same clips taught something else from memory")
            seconds, waits, rates = seconds_of(live, fill)
            streamed.append(len(seconds) / sum(seconds))
            waited.append(sum(waits) / sum(seconds))
            rendered.append(rates[-1])
            seconds, _, _ = seconds_of(memory, fill)
            from_memory.append(len(seconds) / sum(seconds))
    in_memory = statistics.median(from_memory)
    balance = KeepingUp.of(
        reuse=reuse,
        batch_size=work.batch,
        step_s=1 / in_memory,
        rendered_per_s=statistics.median(rendered),
    )
    ratios = [a / b for a, b in zip(streamed, from_memory, strict=True)]
    return {
        "reuse": reuse,
        "window": schedule.window,
        "steps": steps - fill,
        "in_memory_steps_per_s": in_memory,
        "streamed_steps_per_s": statistics.median(streamed),
        "ratio": statistics.median(ratios),
        "ratios": ratios,
        "waited_share": statistics.median(waited),
        "rendered_clips_per_s": balance.rendered_per_s,
        "needed_clips_per_s": balance.needed_per_s,
        "keeps_up": balance.keeps_up,
        "renderer_path": dict(plan.settings["renderer"]).get("path", "exact"),
    }


def main() -> None:
    """Measure, print a table, and write JSON if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scene", default="living_room")
    parser.add_argument("--recipe", default="predict", choices=["sfa", "predict"])
    parser.add_argument("--reuse", type=int, nargs="+", default=[4, 16, 32, 64])
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--window", type=int, default=32)
    parser.add_argument("--steps", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    work = Work(
        scene=given.scene,
        recipe=given.recipe,
        frames=given.frames,
        size=given.size,
        batch=given.batch,
        steps=given.steps,
    )
    torch.set_num_threads(1)
    print(f"{os.cpu_count()} cores; a trainer and a renderer with one thread each")
    print(
        f"{'reuse':>5} {'clips/s needed':>15} {'rendered':>9} {'keeps up':>9} "
        f"{'steps/s in memory':>18} {'streamed':>9} {'ratio':>6} {'waited':>7}"
    )
    rows = []
    for reuse in given.reuse:
        row = measured(work, reuse, given.rounds, given.window)
        rows.append(row)
        print(
            f"{row['reuse']:5d} {row['needed_clips_per_s']:15.2f} "
            f"{row['rendered_clips_per_s']:9.2f} {'yes' if row['keeps_up'] else 'no':>9} "
            f"{row['in_memory_steps_per_s']:18.2f} {row['streamed_steps_per_s']:9.2f} "
            f"{row['ratio']:6.2f} {row['waited_share']:7.0%}",
            flush=True,
        )
    able = [row for row in rows if row["keeps_up"]]
    if able:
        worst = min(row["ratio"] for row in able)
        print(f"where rendering keeps up: at least {worst:.2f} of the throughput in memory", end="")
        print(f" (goal {GOAL}: {'reached' if worst >= GOAL else 'MISSED'})")
    if given.json:
        machine = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        content = {**machine, "work": vars(work), "rows": rows}
        given.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
