"""Scores beside their floors, as lines for a terminal."""

import math

from .alignment import Results


def comparison_lines(by_model: dict[str, Results]) -> tuple[str, ...]:
    """Return a table of several models, one line each, for a terminal."""
    first = next(iter(by_model.values()))
    wide = max(len(name) for name in by_model)
    lines = [f"{first.main.name} with {first.maps.kind}, n = {len(first.maps)}"]
    if not first.maps.are_human:
        lines.append("note: these are object masks, not human maps")
    lines += [f"{name:{wide}}  {_in_one_line(results)}" for name, results in by_model.items()]
    lines += sorted({f"recipe: {results.recipe['name']}" for results in by_model.values()})
    for name, results in by_model.items():
        lines += [
            f"no score of {name} for {each}: {why}" for each, why in results.undefined.items()
        ]
    return tuple(lines)


def _in_one_line(results: Results) -> str:
    own, best = results.main.interval, results.main.best_floor
    words = [f"{own.mean:.3f}  [{own.low:.3f}, {own.high:.3f}]"]
    words += [f"over {c.name}: {c.over_ceiling.mean:.3f}" for c in results.main.ceilings[:1]]
    words += [] if best is None else [f"best floor: {best.name} {best.interval.mean:.3f}"]
    return "  ".join(words)


def score_lines(results: Results) -> tuple[str, ...]:
    """Return the scores beside their floors, one line each, for a terminal."""
    lines = [results.name]
    if not results.maps.are_human:
        lines.append(f"note: {results.maps.kind}")
    for metric in results.metrics:
        mean = metric.interval
        lines.append(f"{metric.name}: {mean.mean:.3f}  [{mean.low:.3f}, {mean.high:.3f}]")
        lines += [f"    floor, {f.name}: {f.interval.mean:.3f}" for f in metric.floors]
        lines += [
            f"    over {c.name} ({c.value:.3f}): {c.over_ceiling.mean:.3f}"
            + (
                f", floor-corrected: {c.floor_corrected.mean:.3f}"
                if math.isfinite(c.floor_corrected.mean)
                else ""
            )
            for c in metric.ceilings
        ]
    lines += [f"no score for {name}: {why}" for name, why in results.undefined.items()]
    return tuple(lines)
