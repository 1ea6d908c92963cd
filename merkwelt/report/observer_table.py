"""The verdicts on an observer: a table, and a picture of all of them."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from ..render.acceptance import Finding, Published, Statistic, Verdict
from .blocks import Column, Table
from .curves import number
from .theme import LIGHT, new_axes, themed

Found = Sequence[tuple[Statistic, Finding]]
MARKS: dict[Verdict, str] = {
    "within": "✓ within",
    "outside": "✗ outside",
    "too few data": "? too few data",
    "no published value": "none published",
    "not applicable": "not applicable",
}
HUES: dict[Verdict, str] = {"within": "green", "outside": "vermilion", "too few data": "floor"}
NBSP = "\N{NO-BREAK SPACE}"
SHOWN = 3.0
"""Half of the width of the score card, in half widths of the accepted range."""


def verdict_table(found: Found) -> Table:
    """Return every statistic that applies, beside its published value, and the verdict."""
    rows, quiet = [], set()
    group = ""
    for statistic, finding in found:
        if finding.verdict == "not applicable":
            continue
        published = statistic.published
        if finding.verdict not in ("within", "outside"):
            quiet.add(len(rows))
        rows.append(
            (
                statistic.group if statistic.group != group else "",
                statistic.title,
                published.value if published else "",
                accepted(published, statistic.unit),
                generated(finding, statistic.unit),
                finding.n,
                MARKS[finding.verdict],
                published.source if published else "",
            )
        )
        group = statistic.group
    names = ("", "statistic", "published", "accepted", "generated [95 %]", "n", "verdict", "source")
    return Table(
        columns=tuple(Column(name=name) for name in names),
        rows=tuple(rows),
        floor_rows=frozenset(quiet),
        caption="Generated: the statistic over all clips, and the interval that 95 % of 300 "
        "resamplings of whole clips fall in. n: single observations, such as saccades or "
        "stretches of walking. Within: the value lies in the accepted range. Too few data: fewer "
        "observations than the statistic needs, or an interval that covers all of what is "
        "accepted or lies on both sides of a limit.",
    )


def tolerance_table(found: Found) -> Table:
    """Return why each range is accepted."""
    rows = [
        (
            name,
            published.value,
            accepted(published, statistic.unit),
            published.tolerance,
            published.source,
        )
        for name, (statistic, _) in zip(_names(found), found, strict=True)
        if (published := statistic.published) is not None
    ]
    names = ("statistic", "published", "accepted", "why this range", "source")
    return Table(columns=tuple(Column(name=name) for name in names), rows=tuple(rows), caption="")


def lacking_table(found: Found) -> Table:
    """Return what was not judged, and why."""
    rows = [
        (name, finding.verdict, finding.reason)
        for name, (_, finding) in zip(_names(found), found, strict=True)
        if finding.verdict in ("not applicable", "too few data")
    ]
    names = ("statistic", "verdict", "why")
    return Table(columns=tuple(Column(name=name) for name in names), rows=tuple(rows), caption="")


def accepted(published: Published | None, unit: str) -> str:
    """Return the accepted range in words."""
    if published is None:
        return ""
    low, high = published.low, published.high
    if low is None or high is None:
        limit = f"≥ {number(low)}" if low is not None else f"≤ {number(high or 0.0)}"
        return f"{limit} {unit}".strip().replace(" ", NBSP)
    return f"{number(low)}–{number(high)} {unit}".strip().replace(" ", NBSP)


def generated(finding: Finding, unit: str) -> str:
    """Return a value with its interval in words."""
    if not math.isfinite(finding.value):
        return "–"
    text = _short(finding.value)
    if math.isfinite(finding.low):
        text += f" [{_short(finding.low)}, {_short(finding.high)}]"
    return f"{text}{NBSP}{unit}" if unit else text


def _short(value: float) -> str:
    return "0" if abs(value) < 1e-6 else number(value)


def score_card(found: Found) -> Figure:
    """Return all verdicts on one scale: the accepted range from -1 to 1, values and intervals."""
    named = zip(_names(found), found, strict=True)
    shown = [(name, *pair) for name, pair in named if _is_shown(*pair)][::-1]
    with themed():
        figure, axes = new_axes(7.2, 0.21 * len(shown) + 0.9)
        axes.axvspan(-1, 1, color=LIGHT["fill"], lw=0)
        axes.axvline(0, color=LIGHT["line"], lw=0.8)
        for place, (_, statistic, finding) in enumerate(shown):
            published = statistic.published
            assert published is not None
            value, low, high = _placed(finding, published)
            hue = LIGHT[HUES[finding.verdict]]
            axes.plot(np.clip([low, high], -SHOWN, SHOWN), [place, place], color=hue, lw=2.2)
            beyond = abs(value) > SHOWN
            marker = (">" if value > 0 else "<") if beyond else "o"
            axes.plot(np.clip(value, -SHOWN, SHOWN), place, marker, color=hue, ms=6, clip_on=False)
        axes.set_yticks(range(len(shown)), [name for name, _, _ in shown])
        axes.set_xticks((-3, -1, 1, 3), ("", "least accepted", "most accepted", ""))
        axes.set_xlim(-SHOWN, SHOWN)
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    return figure


def _names(found: Found) -> list[str]:
    """Return titles; one that goes on from the title before it, with an ellipsis, gets both."""
    names, before = [], ""
    for statistic, _ in found:
        title = statistic.title
        if title.startswith("…"):
            names.append(f"{before}: {title.removeprefix('… ')}")
        else:
            before = title.split(",")[0]
            names.append(title)
    return names


def _is_shown(statistic: Statistic, finding: Finding) -> bool:
    published = statistic.published
    return (
        published is not None
        and all(math.isfinite(limit) for limit in published.limits)
        and math.isfinite(finding.value)
        and finding.verdict in HUES
    )


def _placed(finding: Finding, published: Published) -> tuple[float, float, float]:
    low, high = published.limits
    middle, half = (low + high) / 2, (high - low) / 2
    ends = (finding.low, finding.high)
    near, far = (end if math.isfinite(end) else finding.value for end in ends)
    return tuple((x - middle) / half for x in (finding.value, near, far))  # type: ignore[return-value]
