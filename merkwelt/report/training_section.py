"""A section about training runs: their curves, each beside its floors."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .blocks import Block, Details, FigureBlock, Gallery, Note
from .curves import Curve, CurvePanel, Floor, curve_plot, read_metrics
from .page import Section


@dataclass(frozen=True, kw_only=True)
class PanelSpec:
    """Which measures of a run belong into one plot."""

    title: str
    caption: str
    curves: Mapping[str, str]
    """Measure to the name it is shown by."""
    floors: Mapping[str, str]


PANELS = (
    PanelSpec(
        title="Error of the predicted next frame",
        caption="Mean square over the pixels of both eyes; lower is better.",
        curves={"mse": "prediction"},
        floors={"copy_last_mse": "copy last frame", "mean_image_mse": "mean image"},
    ),
    PanelSpec(
        title="Error of the predicted next features",
        caption="Mean square at the deepest map; lower is better.",
        curves={"feature_mse": "prediction"},
        floors={"feature_persistence_mse": "no change"},
    ),
    PanelSpec(
        title="Slowness of the features",
        caption="Mean squared change from frame to frame over variance; lower is slower.",
        curves={"delta": "outputs", "delta_linear": "best linear readout"},
        floors={"delta_pixels": "raw pixels", "delta_untrained": "untrained network"},
    ),
    PanelSpec(
        title="Slowness while training",
        caption="Squared change from frame to frame at unit variance, summed over features.",
        curves={"slowness": "training batches"},
        floors={},
    ),
    PanelSpec(
        title="Effective rank",
        caption="How many directions the features fill; 1 means that they collapsed.",
        curves={"effective_rank": "features"},
        floors={},
    ),
)
LOSS = PanelSpec(
    title="Loss",
    caption="What training descends; lower is better.",
    curves={"loss": "training batches"},
    floors={},
)
CONFIG_FILE = "config.json"
METRICS_FILE = "metrics.jsonl"
HELD_OUT = "held_out"
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
            title=f"{name}: {panel.title[0].lower()}{panel.title[1:]}" if titled else panel.title,
            caption=panel.caption,
        )
        for panel in panels
    )
    return [Gallery(figures=figures)]


def run_panels(metrics: Mapping[str, Curve]) -> tuple[CurvePanel, ...]:
    """Return the plots that a run's measures fill, with their floors.

    A measure may stand alone (``mse``) or in a group (``held_out/mse``); groups share a plot, and
    groups of untrained networks become floors. Measures that no plot knows are left out, unless
    there is no other: then the first few get a plot each.
    """
    panels = [panel for spec in PANELS if (panel := _panel(spec, metrics)).curves]
    loss = _panel(LOSS, metrics)
    if loss.curves and len(panels) % 2:
        panels.append(loss)
    if panels:
        return tuple(panels)
    return tuple(
        CurvePanel(title=name, curves=(curve,)) for name, curve in list(metrics.items())[:4]
    )


def _panel(spec: PanelSpec, metrics: Mapping[str, Curve]) -> CurvePanel:
    curves: list[Curve] = []
    floors: dict[str, float] = {}
    # Floors are measured in every group; those of held-out clips come last and stay.
    for full_name in sorted(metrics, key=lambda name: _split(name)[0] == HELD_OUT):
        curve = metrics[full_name]
        group, measure = _split(full_name)
        if measure in spec.floors and np.isfinite(curve.values).any():
            floors[spec.floors[measure]] = float(np.nanmean(_finite(curve.values)))
        elif measure in spec.curves and group in UNTRAINED:
            floors[_joined("untrained", measure, spec)] = float(curve.values[-1])
        elif measure in spec.curves:
            name = _joined(group.replace("_", " ") or spec.curves[measure], measure, spec)
            curves.append(Curve(name=name, steps=curve.steps, values=curve.values))
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
