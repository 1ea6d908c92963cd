"""A section about training runs: their curves, each beside its floors."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .blocks import Block, Details, FigureBlock, Gallery, Note
from .curves import Curve, CurvePanel, Floor, curve_plot, read_metrics
from .page import Section
from .spectrum_plot import read_spectra, spectrum_plot
from .training_panels import LOSS, PANELS, SPREAD, PanelSpec

CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.jsonl"
HELD_OUT = "held_out"
LOOKS = "features"
"""Group of the measures of how features are spread."""
UNTRAINED = ("untrained", "random", "random_init", "floor", "floors")
"""Groups of measures that belong to a network that has not learned."""


def training_section(runs: Mapping[str, Path]) -> Section:
    """Return the curves of training runs.

    Args:
        runs: name to run folder, which holds ``metrics.jsonl`` and ``config.json``.
    """
    blocks: list[Block] = []
    for name, folder in runs.items():
        blocks += _run_blocks(name, folder, titled=len(runs) > 1)
    for name, folder in runs.items():
        config = folder / CONFIG_FILE
        if config.is_file():
            text = config.read_text(encoding="utf-8").strip()
            blocks.append(Details(title=f"Configuration of {name}", text=text))
    lead = (
        "Solid: what was measured while training. Dashed: floors, which are what the same measure "
        "reads without learning."
    )
    return Section(title="Learning", lead=lead, blocks=tuple(blocks))


def _run_blocks(name: str, folder: Path, *, titled: bool) -> list[Block]:
    path = folder / METRICS_FILE
    metrics = read_metrics(path) if path.is_file() else {}
    if not metrics:
        return [Note(text=f"{name}: nothing was measured in {folder.name}.")]
    panels = run_panels(metrics)
    figures = tuple(
        FigureBlock(
            figure=curve_plot(panel),
            title=_title(name, panel.title, titled=titled),
            caption=panel.caption,
        )
        for panel in panels
    )
    return [Gallery(figures=figures), *_spread_blocks(name, path, metrics, titled=titled)]


def _spread_blocks(
    name: str, path: Path, metrics: Mapping[str, Curve], *, titled: bool
) -> list[Block]:
    """Return how the features are spread, and a warning if they collapsed in the end."""
    looks = {_split(full)[1]: curve for full, curve in metrics.items() if _split(full)[0] == LOOKS}
    panels = [panel for spec in SPREAD if (panel := _panel(spec, looks)).curves]
    figures = [
        FigureBlock(
            figure=curve_plot(panel),
            title=_title(name, panel.title, titled=titled),
            caption=panel.caption,
        )
        for panel in panels
    ]
    spectra = read_spectra(path)
    if spectra:
        figures.append(
            FigureBlock(
                figure=spectrum_plot(spectra),
                title=_title(name, "Spectrum of the features", titled=titled),
                caption="Share of variance along each principal direction; steep is low rank.",
            )
        )
    said = collapse_of(path)
    start = f"{name}: the" if titled else "The"
    warning = Note(text=f"{start} features have {said}.", kind="warning") if said else None
    return [
        *([warning] if warning else []),
        *([Gallery(figures=tuple(figures))] if figures else []),
    ]


def _title(name: str, title: str, *, titled: bool) -> str:
    """Return a plot's title, with the run's name before it where there are several."""
    return f"{name}: {title[0].lower()}{title[1:]}" if titled else title


def collapse_of(path: Path) -> str | None:
    """Return what the last look at the features says of collapse; None if all is well."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    entries = [json.loads(line) for line in lines if line.strip()]
    steps = [entry["step"] for entry in entries if entry.get("split") == "features"]
    said = [entry for entry in entries if entry.get("collapse")]
    return said[-1]["collapse"] if said and said[-1]["step"] >= max(steps, default=0) else None


def run_panels(metrics: Mapping[str, Curve]) -> tuple[CurvePanel, ...]:
    """Return the plots that a run's measures fill, with their floors.

    A measure may stand alone (``mse``) or in a group (``held_out/mse``); groups share a plot, and
    groups of untrained networks become floors. Measures that no plot knows are left out, unless
    there is no other: then the first few get a plot each. What the looks at the features repeat of
    the held-out measures is drawn once.
    """
    known = {
        name: curve
        for name, curve in metrics.items()
        if _split(name)[0] != LOOKS or f"{HELD_OUT}/{_split(name)[1]}" not in metrics
    }
    panels = [panel for spec in PANELS if (panel := _panel(spec, known)).curves]
    loss = _panel(LOSS, known)
    if loss.curves and len(panels) % 2 and not _has_surrogate(known):
        panels.append(loss)
    if panels:
        return tuple(panels)
    return tuple(
        CurvePanel(title=name, curves=(curve,)) for name, curve in list(metrics.items())[:4]
    )


def _has_surrogate(metrics: Mapping[str, Curve]) -> bool:
    """Return whether what is descended has the right gradient only, as that of slowness does."""
    return any(_split(name)[1] == "slowness" for name in metrics)


def _panel(spec: PanelSpec, metrics: Mapping[str, Curve]) -> CurvePanel:
    curves: list[Curve] = []
    floors: dict[str, float] = dict(spec.fixed_floors)
    # Floors are measured in every group; those of held-out clips come last and stay.
    for full_name in sorted(metrics, key=lambda name: _split(name)[0] == HELD_OUT):
        curve = metrics[full_name]
        group, measure = _split(full_name)
        if measure in spec.floors and np.isfinite(curve.values).any():
            floors[spec.floors[measure]] = float(np.nanmean(_finite(curve.values)))
        elif measure in spec.curves and group in UNTRAINED:
            floors[_joined("untrained", measure, spec)] = max(float(curve.values[-1]), spec.lowest)
        elif measure in spec.curves:
            name = _joined(group.replace("_", " ") or spec.curves[measure], measure, spec)
            values = np.maximum(curve.values, spec.lowest)
            curves.append(Curve(name=name, steps=curve.steps, values=values))
    return CurvePanel(
        title=spec.title,
        caption=spec.caption,
        curves=tuple(curves),
        floors=tuple(Floor(name=name, value=value) for name, value in floors.items()),
    )


def _split(name: str) -> tuple[str, str]:
    group, _, measure = name.replace(".", "/").rpartition("/")
    if not group and name.startswith("held_out_"):
        return HELD_OUT, name.removeprefix("held_out_")
    return group, measure


def _joined(group: str, measure: str, spec: PanelSpec) -> str:
    shown = spec.curves[measure]
    return group if len(spec.curves) == 1 or group == shown else f"{group}, {shown}"


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
