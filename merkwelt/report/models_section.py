"""A section about models that were scored: what they are, beside what they score."""

from collections.abc import Mapping, Sequence

from ..alignment.models.scored import ScoredModel
from ..alignment.results import Results
from .blocks import Cell, Column, Table
from .page import Section

LEAD = (
    "Input size, crop and interpolation are each model's own, unless the protocol or the command "
    "says otherwise (see the settings of the scores). Where they differ, floors differ a little."
)


def models_section(models: Sequence[ScoredModel], results: Mapping[str, Results]) -> Section:
    """Return what is known of each model: size, input, weights and published accuracy.

    Args:
        models: in the order of the report.
        results: model name to its results.
    """
    columns = (
        Column(name=""),
        Column(name="parameters, millions"),
        Column(name="input, px"),
        Column(name="weights"),
        Column(name="published top-1, %"),
        Column(name="its source"),
    )
    rows = tuple(_row(model, results[model.name]) for model in models)
    caption = "Accuracies are their authors' and were not measured here."
    return Section(
        title="The models",
        lead=LEAD,
        blocks=(Table(columns=columns, rows=rows, caption=caption),),
    )


def _row(model: ScoredModel, results: Results) -> tuple[Cell, ...]:
    return (
        model.name,
        f"{model.parameters / 1e6:.2f}",
        str(results.settings["size"]),
        model.weights,
        None if model.top1 is None else f"{model.top1.percent:.1f}",
        None if model.top1 is None else model.top1.source,
    )
