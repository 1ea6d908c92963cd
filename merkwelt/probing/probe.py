"""What a trained run has learned, measured on rendered clips with truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ..alignment.probes.groups import Draws
from ..parts import Progress, part
from ..report import provenance_section, training_section, write_report
from ..report.page import Report
from ..report.probe_section import probe_sections
from ..results_folder import RESULTS_FILE, free_for
from ..streams.live.held_out import is_held_out
from ..training.clips import held_out_split
from ..training.experiment import Experiment
from ..training.run_folder import LoadedRun, load_run, read_config, write_json
from .alike import compare, dimensions
from .categories import measure_fixated, measure_identity, measure_visible
from .decoding import Decoded, decode
from .features import (
    LUMINANCE,
    NOTHING,
    PICTURE_PLACE,
    PIXELS,
    FeatureSet,
    Sees,
)
from .request import ProbeRequest
from .results import FORMAT, ControlScore, Measured, ProbeResults, Score, lines_of
from .scene_plans import plans_of
from .seen_clips import SeenClips, read_clips
from .speed import measure_speeds
from .stereo import measure_controls
from .subject import UNTRAINED, Subject, facts_of, feature_sets, subject_of
from .tasks import Task, middle_of_scenes, regression_tasks

REPORT_FILE = "report.html"


@dataclass(frozen=True, kw_only=True, eq=False)
class Probed:
    """What was found, and what to tell of it."""

    results: ProbeResults
    lines: tuple[str, ...]
    report: Path


def probe(
    run: Path,
    data: Path | str,
    out: Path,
    request: ProbeRequest | None = None,
    *,
    progress: Progress | None = None,
) -> Probed:
    """Measure what a run has learned, and write ``results.json`` and ``report.html`` to ``out``.

    Args:
        run: folder of a training run.
        data: a rendered data set, with the truth that is to be decoded.
        out: folder for the results.
        request: how it is probed.
        progress: told the share done.

    Raises:
        FileNotFoundError: no run, or no data set.
        ValueError: clips that cannot be probed on; says what to render.
        FileExistsError: ``out`` is a file, or holds something else.
    """
    asked = request or ProbeRequest()
    free_for(out, FORMAT)
    loaded = load_run(run, weights=asked.weights)
    unseen = unseen_clips(run, loaded.experiment, data)
    clips = read_clips(
        data, most=asked.clips, prefer=unseen or (), progress=part(progress, 0.0, 0.2)
    )
    results, place = probe_clips(
        loaded, run.name, clips, asked, unseen=unseen, progress=part(progress, 0.2, 1.0)
    )
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / RESULTS_FILE, results.to_dict())
    sections = probe_sections(results, place, plans_of(clips, asked.library))
    command = f"merkwelt probe {run.name} --data {clips.name} --out {out.name}"
    page = Report(
        title="What was learned",
        subtitle=f"{run.name}, step {loaded.step}, probed on {clips.name}.",
        sections=(
            *sections,
            training_section({run.name: run}),
            provenance_section(commands=(command,)),
        ),
    )
    report = write_report(page, out / REPORT_FILE)
    return Probed(results=results, lines=lines_of(results, _heads(results)), report=report)


def _heads(results: ProbeResults) -> dict[str, str]:
    """Return short names of all features for the columns of a table: the run's come first."""
    names = [score.features for each in results.measured for score in each.scores]
    floors = {
        UNTRAINED: "untrained",
        PIXELS: "pixels",
        LUMINANCE: LUMINANCE,
        PICTURE_PLACE: "in picture",
        NOTHING: "the mean",
    }
    runs = {name: name for name in dict.fromkeys(names) if name not in floors}
    return runs | floors


def probe_clips(  # noqa: PLR0913 - a run, its clips, and what is known of both
    loaded: LoadedRun,
    name: str,
    clips: SeenClips,
    request: ProbeRequest,
    *,
    unseen: list[int] | None = None,
    progress: Progress | None = None,
) -> tuple[ProbeResults, "tuple[Task, Decoded] | None"]:
    """Return all measures of a run on clips, and its decoding of place, for the floor plan."""
    subject = subject_of(loaded, name, clips, request, unseen)
    told = part(progress, 0.0, 0.4)
    sets = feature_sets(subject, request, told)
    tasks, left_out = regression_tasks(clips, subject.where, subject.split, subject.within)
    measured, place = _decoded(subject, tasks, sets, request, part(progress, 0.4, 0.75))
    of_frames = [each for each in sets if each.name != PICTURE_PLACE]
    for measure in (measure_fixated, measure_visible):
        found = measure(clips, subject.where, subject.split, of_frames, request.draws)
        if isinstance(found, str):
            left_out[measure.__name__.removeprefix("measure_") + " objects"] = found
        else:
            measured += found
    measured.append(measure_identity(of_frames, clips, request.draws))
    tested = subject.split.tested
    networks = [each for each in sets if each.layers]
    controls, why = _controls(subject, sets[0], tasks, request, part(progress, 0.75, 0.95))
    if why:
        left_out["stereo controls"] = why
    results = ProbeResults(
        run=name,
        step=loaded.step,
        data=clips.name,
        split=subject.split.words,
        facts=facts_of(subject, request),
        measured=tuple(measured),
        controls=tuple(controls),
        speeds=tuple(measure_speeds(clips, subject.where, subject.split, sets)),
        similarities=tuple(compare(sets[0], each, tested) for each in networks),
        dimensions={each.name: dimensions(each, tested) for each in networks},
        left_out=left_out,
        scene_of_clip=tuple(clips.scenes.tolist()),
        middle_of_scene=middle_of_scenes(clips, subject.where),
    )
    return results, place


def unseen_clips(run: Path, experiment: Experiment, data: Path | str) -> list[int] | None:
    """Return the clips that a run held out, if it trained on this data set; None if it did not.

    A run on the stream of the data set's plan trained on clips of the same ids.
    """
    from ..streams.open_clips import open_clips
    from ..streams.reader import ClipDataset

    trained_on = read_config(run).get("data", {})
    opened = open_clips(data, streams=None)
    if not isinstance(opened, ClipDataset):
        return None
    if trained_on.get("identity") != str(opened.plan.id):
        return None
    ids = [int(clip) for clip in opened.clip_ids]
    split = {"share": experiment.held_out_share, "seed": experiment.seed}
    if "stream" in trained_on:
        return [clip for clip in ids if is_held_out(clip, **split)]
    return held_out_split(ids, **split)[1]


def _decoded(
    subject: Subject,
    tasks: list[Task],
    sets: list[FeatureSet],
    request: ProbeRequest,
    progress: Progress | None,
) -> tuple[list[Measured], tuple[Task, Decoded] | None]:
    found: list[Measured] = []
    place: tuple[Task, Decoded] | None = None
    for number, task in enumerate(tasks):
        if progress is not None:
            progress(number / len(tasks), task.title.lower())
        decoded = {each.name: decode(task, each) for each in sets if _applies(each, task)}
        if task.name == "place":
            place = task, decoded[subject.name]
        for which in range(len(task.measures)):
            found.append(_measured(task, which, decoded, sets, request.draws))
    return found, place


def _applies(features: FeatureSet, task: Task) -> bool:
    """Return whether features say anything of a task: a place in the picture, of its places."""
    return task.at == "sites" or features.name != PICTURE_PLACE


def _measured(
    task: Task, number: int, decoded: dict[str, Decoded], sets: list[FeatureSet], draws: Draws
) -> Measured:
    measure = task.measures[number]
    first = next(iter(decoded.values()))
    scores = tuple(
        Score(
            features=each.name,
            interval=decoded[each.name].interval(measure, draws),
            is_floor=each.is_floor,
        )
        for each in sets
        if each.name in decoded
    )
    return Measured(
        task=task.name,
        title=task.title,
        group=task.group,
        name=measure.name,
        unit=measure.unit,
        better=measure.better,
        split=task.split.words,
        rows=len(first.values),
        clips=len(set(first.clips.tolist())),
        scores=scores,
        chance=measure.chance,
        chance_name=measure.chance_name if measure.chance is not None else "",
    )


def _controls(
    subject: Subject,
    recorded: FeatureSet,
    tasks: list[Task],
    request: ProbeRequest,
    progress: Progress | None,
) -> tuple[list[ControlScore], str]:
    encoder = cast(Sees, subject.run.encoder)
    if encoder.eyes < 2:
        return [], "the run has one eye; there is nothing to swap"
    found = measure_controls(
        encoder,
        subject.clips.video,
        subject.where,
        recorded,
        tasks,
        request.draws,
        progress=progress,
    )
    return found, "" if found else "nothing that stereo matters for could be decoded"
