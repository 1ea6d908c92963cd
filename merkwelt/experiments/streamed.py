"""Experiment (c): the same small network fed a synthetic stream, before and after."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..alignment.maps.human_maps import HumanMaps
from ..alignment.maps.read_maps import read_maps
from ..alignment.scores.floors import CENTRED_GAUSSIAN
from ..encoders import encoder_preset
from ..evaluation import EvaluateRequest, score_run
from ..names import EncoderName, RecipeName
from ..parts import Progress, part
from ..recipes import recipe as recipe_of
from ..training.experiment import Experiment
from ..training.loop import train
from .finish import Done, finish
from .folder import identity_of, open_folder
from .outcome import Outcome, Pooled, facts_of_maps
from .scored_part import RUN, PartScores, keep_part, read_part
from .seeded import (
    ALL,
    FLOORS,
    floor_rows,
    mean_by_name,
    over_floor,
    seed_row,
    seeded_pictures,
    trained_less_untrained,
)

if TYPE_CHECKING:
    from ..training.clips import StoredClips
    from ..training.stream_clips import StreamClips


@dataclass(frozen=True, kw_only=True)
class Streaming:
    """How a small network learns from clips, and is scored."""

    recipe: RecipeName = "sfa"
    """What it learns."""
    encoder: EncoderName | None = None
    """Which network; the recipe's own by default, which for sfa and predict is that of the other
    experiments."""
    steps: int = 300
    batch: int = 4
    """Clips in each step."""
    seeds: int = 2
    """Networks with different first weights; scores are means over them."""
    size: int = 64
    """Side in pixels of the images that are scored."""

    def __post_init__(self) -> None:
        """Refuse settings outside their range."""
        if min(self.steps, self.batch, self.seeds, self.size) < 1:
            raise ValueError(f"expected at least 1 step, clip, seed and pixel, got {self}")


def stream(  # noqa: PLR0913 - what is shown, what is scored on, and where it goes
    maps_path: Path,
    data: "Callable[[], StoredClips | StreamClips]",
    data_name: str,
    out: Path,
    *,
    streaming: Streaming | None = None,
    shown: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Done:
    """Train a small network on clips and score it before and after.

    Args:
        maps_path: what ``read_maps`` reads.
        data: opens the clips; called once for each seed, for a stream is fed once.
        data_name: of the clips, as in commands.
        out: folder of the experiment.
        streaming: what is learned and how.
        shown: what else tells these clips from others, as plain data: how those of a stream are
            rendered, or which files a folder holds. Other clips are another experiment.
        progress: told the share done.

    Raises:
        FileNotFoundError: no maps, or no clips.
        ValueError: clips that cannot be learned from.
        FileExistsError: ``out`` holds something else.
    """
    chosen = streaming or Streaming()
    maps = read_maps(maps_path)
    asked = {
        "experiment": "stream",
        "maps": identity_of(maps),
        "data": data_name,
        "shown": dict(shown or {}),
        "streaming": asdict(chosen),
    }
    parts = open_folder(out, asked)
    scored = [
        _part(
            parts / f"seed{seed}",
            maps,
            data,
            experiment_of(chosen, seed),
            chosen,
            part(progress, seed / chosen.seeds, (seed + 1) / chosen.seeds),
        )
        for seed in range(chosen.seeds)
    ]
    outcome = _outcome(maps, chosen, data_name, scored)
    command = f"merkwelt experiment stream --data {data_name} --maps {maps_path.name}"
    return finish(outcome, out, f"{command} --recipe {chosen.recipe} --out {out.name}")


def experiment_of(streaming: Streaming, seed: int) -> Experiment:
    """Return what is learned: a recipe, shortened."""
    recipe = recipe_of(streaming.recipe)
    encoder = recipe.encoder if streaming.encoder is None else encoder_preset(streaming.encoder)
    return replace(
        recipe,
        encoder=encoder,
        steps=streaming.steps,
        batch_size=streaming.batch,
        seed=seed,
        validate_every=max(1, streaming.steps // 4),
        diagnose_every=max(1, streaming.steps // 4),
        keep_checkpoints=1,
    )


def _part(  # noqa: PLR0913 - what is learned from, what is scored on, and where it goes
    folder: Path,
    maps: HumanMaps,
    data: "Callable[[], StoredClips | StreamClips]",
    experiment: Experiment,
    streaming: Streaming,
    progress: Progress | None,
) -> PartScores:
    kept = read_part(folder)
    if kept is not None:
        return kept
    train(experiment, data(), folder / RUN, progress=part(progress, 0.0, 0.8))
    request = EvaluateRequest(size=streaming.size)
    results = score_run(folder / RUN, maps, request, progress=part(progress, 0.8, 1.0))
    return keep_part(folder, results)


def _outcome(
    maps: HumanMaps, streaming: Streaming, data_name: str, scored: list[PartScores]
) -> Outcome:
    pooled, first = Pooled(maps.names), scored[0]
    after = f"after {streaming.steps} steps of {streaming.recipe} on {data_name}"
    change = trained_less_untrained("after less before", scored, ALL, pooled)
    over_centre = over_floor("after", scored, CENTRED_GAUSSIAN, ALL, pooled)
    said = {
        "higher": "Feeding the stream raised the alignment",
        "lower": "Feeding the stream lowered the alignment",
    }.get(
        change.verdict, "Feeding the stream did not change the alignment beyond chance among images"
    )
    return Outcome(
        experiment="stream",
        title="A network fed a synthetic stream, before and after",
        question=f"Does {streaming.recipe} on {data_name} make a small network look where people "
        "look? The network before is the same one, with the weights that training started from. "
        "It has seen no label, no still image and no human map.",
        metric=first.metric,
        recipe=first.recipe,
        maps=facts_of_maps(maps),
        settings={"streaming": asdict(streaming)},
        rows=(
            seed_row(after, ALL, [each.trained for each in scored], pooled),
            seed_row(
                "before (untrained)", ALL, [e.untrained for e in scored], pooled, is_floor=True
            ),
            *floor_rows(scored, ALL, pooled),
        ),
        differences=(change, over_centre),
        verdict=f"{said}: {change.interval}. It stands to the centred Gaussian, which knows "
        f"nothing of the image, as {over_centre.interval} (after less centre).",
        undefined={name: why for each in scored for name, why in each.undefined.items()},
        ceilings=first.ceilings,
        parameters=first.parameters,
        facts={"learned": _learned(scored), "clips": data_name},
        per_image={
            "after": mean_by_name(maps, [each.trained for each in scored]),
            "before": mean_by_name(maps, [each.untrained for each in scored]),
            **{name: mean_by_name(maps, [each.floors[name] for each in scored]) for name in FLOORS},
        },
        pictures=seeded_pictures(maps, streaming.size, first, ("after", "before")),
    )


def _learned(scored: list[PartScores]) -> str:
    """Return the first measures of the objective on held-out clips, for each seed."""
    shown = []
    for each in scored:
        measures = list(each.measures.items())
        shown.append(", ".join(f"{name} {value:.3g}" for name, value in measures[:3]))
    return "; ".join(shown) or "nothing was measured"
