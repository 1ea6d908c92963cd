import json

import numpy as np
import pytest

from merkwelt.report.blocks import Gallery, Note
from merkwelt.report.curves import read_metrics
from merkwelt.report.spectrum_plot import read_spectra, spectrum_plot
from merkwelt.report.training_section import collapse_of, run_panels, training_section

LINES = (
    {"step": 0, "split": "untrained", "untrained/skill": -20.0, "untrained/clip_identity": 0.9},
    {"step": 0, "split": "features", "features/dead_share": 0.0, "spectrum": [0.75, 0.25, 0.0]},
    {"step": 1, "split": "train", "train/skill": -5.0},
    {"step": 2, "split": "train", "train/skill": 0.5},
    {"step": 2, "split": "features", "features/dead_share": 1.0, "spectrum": [1.0, 0.0, 0.0]},
    {"step": 2, "split": "event", "collapse": "collapsed: 100% of the features hardly vary"},
)


def _run(folder, lines):
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_skill_stands_beside_the_copy_and_is_cut_where_it_says_nothing(tmp_path):
    metrics = read_metrics(_run(tmp_path, LINES) / "metrics.jsonl")
    (panel,) = (p for p in run_panels(metrics) if p.title.startswith("Skill against"))
    assert {f.name: f.value for f in panel.floors} == {"copy last frame": 0, "untrained": -1}
    (curve,) = panel.curves
    assert curve.values.tolist() == [-1.0, 0.5]


def test_spectra_are_read_and_drawn_first_and_last(tmp_path):
    spectra = read_spectra(_run(tmp_path, LINES) / "metrics.jsonl")
    assert {step: list(each) for step, each in spectra.items()} == {
        0: [0.75, 0.25, 0],
        2: [1, 0, 0],
    }
    (axes,) = spectrum_plot(spectra).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["untrained", "step 2"]
    first, last = axes.lines
    assert np.array_equal(first.get_ydata(), [0.75, 0.25])
    assert np.array_equal(last.get_ydata(), [1.0])


def test_a_collapse_at_the_end_is_a_warning(tmp_path):
    section = training_section({"run": _run(tmp_path, LINES)})
    (note,) = (block for block in section.blocks if isinstance(block, Note))
    assert (note.kind, note.text) == (
        "warning",
        "The features have collapsed: 100% of the features hardly vary.",
    )
    titles = [
        f.title for block in section.blocks if isinstance(block, Gallery) for f in block.figures
    ]
    assert titles[-2:] == ["Signs of collapse", "Spectrum of the features"]


@pytest.mark.parametrize(("later", "said"), [(3, None), (2, "collapsed: 100% of the features")])
def test_a_collapse_that_is_over_is_none(tmp_path, later, said):
    more = {"step": later, "split": "features", "features/dead_share": 0.0}
    found = collapse_of(_run(tmp_path, (*LINES, more)) / "metrics.jsonl")
    assert found is None if said is None else found.startswith(said)


def _rank_lines(**more):
    return (
        {"step": 1, "split": "train", "train/effective_rank": 5.0, "train/loss": 1.0, **more},
        {"step": 1, "split": "held_out", "held_out/effective_rank": 4.0},
        {"step": 1, "split": "features", "features/effective_rank": 4.0, "features/dead_share": 0},
    )


def test_what_two_looks_measure_is_drawn_once(tmp_path):
    panels = run_panels(read_metrics(_run(tmp_path, _rank_lines()) / "metrics.jsonl"))
    (rank,) = (panel for panel in panels if panel.title == "Effective rank")
    assert [curve.name for curve in rank.curves] == ["train", "held out"]


def test_a_loss_that_is_only_right_in_its_gradient_is_not_drawn(tmp_path):
    titles = {}
    for name, more in (("plain", {}), ("slow", {"train/slowness": 3.0, "train/skill": 0.1})):
        (tmp_path / name).mkdir()
        run = _run(tmp_path / name, _rank_lines(**more))
        titles[name] = [panel.title for panel in run_panels(read_metrics(run / "metrics.jsonl"))]
    assert "Loss" in titles["plain"]
    assert len(titles["slow"]) % 2
    assert "Loss" not in titles["slow"]


def test_plots_of_several_runs_are_named(tmp_path):
    runs = {}
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        runs[name] = _run(tmp_path / name, LINES)
    galleries = [b for b in training_section(runs).blocks if isinstance(b, Gallery)]
    titles = [figure.title for gallery in galleries for figure in gallery.figures]
    assert all(title.startswith(("one: ", "other: ")) for title in titles)
    assert "other: spectrum of the features" in titles
