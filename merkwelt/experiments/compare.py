"""Alignment against accuracy, and against size, over results that were made before."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..alignment.models.published_models import PublishedModel, read_published_models
from ..alignment.plain_data import plain_data
from ..alignment.scores.bootstrap import Interval
from ..alignment.scores.floors import RANDOM_NETWORK
from ..files import write_atomically
from ..report.comparison_section import comparison_section
from ..report.encode import figure_png
from ..report.page import Report, write_report
from ..report.sections import provenance_section
from ..results_folder import RESULTS_FILE, free_for
from .folder import REPORT
from .outcome import FORMAT
from .scored_part import read_results

MODELS = "models.json"
PICTURE = "compare.png"
COMPARED = "merkwelt comparison"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One network: how it agrees with people, and what else is known of it."""

    name: str
    metric: str
    score: Interval
    recipe: str
    maps: str
    size_px: int | None = None
    untrained: float | None = None
    top1_percent: float | None = None
    """Published ImageNet accuracy, or as was said; None if it is not known."""
    parameters: int | None = None

    @property
    def conditions(self) -> tuple[str, str, str]:
        """What must be equal for two scores to be compared in value."""
        return self.metric, self.recipe, self.maps


@dataclass(frozen=True, kw_only=True)
class Relation:
    """Spearman's rank correlation over networks."""

    name: str
    rho: float | None
    networks: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """What was compared, and what to tell of it."""

    entries: tuple[Entry, ...]
    relations: tuple[Relation, ...]
    lines: tuple[str, ...]
    report: Path


def compare(
    results: Sequence[Path],
    out: Path,
    *,
    published: Path | None = None,
    accuracy: Mapping[str, float] | None = None,
) -> Compared:
    """Draw alignment against accuracy and against size.

    Args:
        results: folders or ``results.json`` of ``merkwelt evaluate`` or ``merkwelt experiment``.
        out: folder for ``results.json``, ``compare.png`` and ``report.html``.
        published: table of published networks to lay behind.
        accuracy: ImageNet top-1 in percent by name, where the results do not know it.

    Raises:
        FileNotFoundError: no results there.
        ValueError: files that are something else, or an accuracy of no network.
        FileExistsError: ``out`` is a file, or holds results of something else.
    """
    free_for(out, COMPARED)
    if not results:
        raise ValueError("expected at least one folder of results to compare, got none")
    entries = [entry for path in results for entry in entries_of(path)]
    entries = _with_accuracy(entries, accuracy or {})
    behind = read_published_models(published) if published is not None else ()
    relations = relations_of(entries, behind)
    exact = sum(each.exact for each in behind)
    out.mkdir(parents=True, exist_ok=True)
    content = {
        "format": COMPARED,
        "version": 1,
        "entries": [asdict(each) for each in entries],
        "relations": [asdict(each) for each in relations],
    }
    write_atomically(
        out / RESULTS_FILE,
        (json.dumps(plain_data(content), indent=1, allow_nan=False) + "\n").encode(),
    )
    section, figure = comparison_section(entries, relations, behind)
    write_atomically(out / PICTURE, figure_png(figure))
    page = Report(
        title="Alignment, accuracy and size",
        subtitle=f"{len(entries)} networks" + (f", {exact} published" if exact else ""),
        sections=(section, provenance_section(commands=(_command(results, out, published),))),
    )
    report = write_report(page, out / REPORT)
    return Compared(
        entries=tuple(entries),
        relations=relations,
        lines=_lines(entries, relations),
        report=report,
    )


def entries_of(path: Path) -> list[Entry]:
    """Return the networks whose results are in a folder or a ``results.json``.

    Raises:
        FileNotFoundError: none there.
        ValueError: something else.
    """
    if path.is_dir() and (path / MODELS).is_file():
        known = json.loads((path / MODELS).read_text(encoding="utf-8"))
        return [_evaluated(path / each["results"], each) for each in known]
    file = path / RESULTS_FILE if path.is_dir() else path
    if file.is_file():
        try:
            plain = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file} is not JSON: {error}") from error
        if isinstance(plain, dict) and plain.get("format") == FORMAT:
            return _of_experiment(plain, file.parent.name)
    return [_evaluated(file, {"name": file.parent.name})]


def relations_of(
    entries: Sequence[Entry], published: Sequence[PublishedModel]
) -> tuple[Relation, ...]:
    """Return Spearman's rho of accuracy, and of size, with alignment."""
    exact = [each for each in published if each.exact]
    found = [
        _relation("accuracy", [(e.top1_percent, e.score.mean) for e in entries], "these networks"),
        _relation("size", [(e.parameters, e.score.mean) for e in entries], "these networks"),
    ]
    if exact:
        found += [
            _relation("accuracy", [(e.top1_percent, e.spearman) for e in exact], "published ones"),
            _relation("size", [(e.parameters, e.spearman) for e in exact], "published ones"),
        ]
    return tuple(found)


def _relation(what: str, pairs: Sequence[tuple[float | None, float]], whose: str) -> Relation:
    from scipy.stats import spearmanr

    known = [(x, y) for x, y in pairs if x is not None and math.isfinite(x) and math.isfinite(y)]
    name = f"alignment with {what}, {whose}"
    varied = len({x for x, _ in known}) > 1 and len({y for _, y in known}) > 1
    if len(known) < 3 or not varied:
        return Relation(name=name, rho=None, networks=len(known))
    found: Any = spearmanr([x for x, _ in known], [y for _, y in known])
    rho = float(found.statistic)
    return Relation(name=name, rho=rho, networks=len(known))


def _evaluated(file: Path, known: Mapping[str, Any]) -> Entry:
    plain = read_results(file)
    main = plain["metrics"][0]
    floors = {each["name"]: each["score"]["mean"] for each in main["floors"]}
    top1 = known.get("published_top1")
    return Entry(
        name=str(known["name"]),
        metric=main["name"],
        score=_interval(main["score"]),
        recipe=plain["recipe"]["name"],
        maps=plain["maps"]["kind"],
        size_px=plain["settings"].get("size"),
        untrained=floors.get(RANDOM_NETWORK),
        top1_percent=None if top1 is None else float(top1["percent"]),
        parameters=known.get("parameters"),
    )


def _of_experiment(plain: Mapping[str, Any], name: str) -> list[Entry]:
    """Return the networks of an experiment, on images that they were not trained on."""
    where = plain["rows"][0]["where"]
    rows = [row for row in plain["rows"] if row["where"] == where]
    untrained = [
        row["interval"]["mean"]
        for row in rows
        if "untrained" in row["name"] or row["name"] == RANDOM_NETWORK
    ]
    return [
        Entry(
            name=f"{name}: {row['name']}",
            metric=plain["metric"],
            score=_interval(row["interval"]),
            recipe=plain["recipe"],
            maps=plain["maps"]["kind"],
            untrained=untrained[0] if untrained else None,
            parameters=plain.get("parameters"),
        )
        for row in rows
        if not row["is_floor"]
    ]


def _interval(plain: Mapping[str, Any]) -> Interval:
    ends = ("mean", "low", "high")
    numbers = {key: math.nan if plain[key] is None else float(plain[key]) for key in ends}
    return Interval(**numbers, count=int(plain["count"]), level=float(plain["level"]))


def _with_accuracy(entries: Sequence[Entry], accuracy: Mapping[str, float]) -> list[Entry]:
    names = [entry.name for entry in entries]
    unknown = sorted(set(accuracy) - set(names))
    if unknown:
        raise ValueError(f"expected accuracies of networks out of {names}, got {unknown}")
    wrong = {name: each for name, each in accuracy.items() if not 0 <= each <= 100}
    if wrong:
        raise ValueError(f"expected accuracies in percent from 0 to 100, got {wrong}")
    return [
        replace(entry, top1_percent=accuracy[entry.name]) if entry.name in accuracy else entry
        for entry in entries
    ]


def _command(results: Sequence[Path], out: Path, published: Path | None) -> str:
    words = ["merkwelt experiment compare", *(path.name for path in results)]
    words += [] if published is None else ["--published", published.name]
    return " ".join([*words, "--out", out.name])


def _lines(entries: Sequence[Entry], relations: Sequence[Relation]) -> tuple[str, ...]:
    wide = max(len(entry.name) for entry in entries)
    lines = [f"{'':{wide}}  alignment               top-1, %  parameters, M"]
    for each in entries:
        top1 = "" if each.top1_percent is None else f"{each.top1_percent:.1f}"
        size = "" if each.parameters is None else f"{each.parameters / 1e6:.2f}"
        lines.append(f"{each.name:{wide}}  {each.score!s:22}  {top1:>8}  {size:>13}".rstrip())
    for relation in relations:
        rho = "unknown" if relation.rho is None else f"{relation.rho:.4f}"
        lines.append(f"Spearman, {relation.name} (n = {relation.networks}): {rho}")
    if len({each.conditions for each in entries}) > 1:
        lines.append(
            "note: these scores differ in metric, recipe or maps; compare them in kind, not value"
        )
    return tuple(lines)
