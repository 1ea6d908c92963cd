"""Scores beside floors and ceilings, and what is said where models differ."""

from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment.results import SetScores

from merkwelt.report import (
    ImageGrid,
    KeyFigures,
    Note,
    Table,
    alignment_section,
)

from .section_blocks import html, notes, of


def test_alignment_section_shows_scores_beside_floors(results_of):
    first, second = results_of(), results_of(seed=1)
    section = alignment_section({"slow": first, "predictive": second})
    key = of(section, KeyFigures)[0].figures
    assert key[0].value == f"{first.main.interval.mean:.3f}"
    assert "random-init network 0.150" in key[0].floor
    assert "best floor: centred Gaussian 0.300" in key[0].floor
    scores, against, ceilings, differences = of(section, Table)
    assert [row[0] for row in scores.rows] == [
        "slow",
        "predictive",
        "centred Gaussian",
        "random-init network",
    ]
    assert scores.floor_rows == {2, 3}
    assert [row[:2] for row in against.rows] == [
        ("slow", "published ceiling"),
        ("predictive", "published ceiling"),
    ]
    raw, over, own, corrected = against.rows[0][2:]
    assert raw.value == pytest.approx(first.main.interval.mean)
    assert over.value == pytest.approx(first.main.interval.mean / 0.44)
    assert own is None
    assert corrected.value == pytest.approx(first.main.interval.mean - 0.1)
    assert against.columns[-1].name == "floor-corrected"
    assert ceilings.rows == (("published ceiling", 0.44, "centred Gaussian", "a paper"),)
    assert "a reference and no bound" in ceilings.caption
    assert differences.rows[0][0] == "centred Gaussian"
    assert not of(section, Note)
    html(section)


def test_measured_ceilings_stand_side_by_side(results_of):
    result = results_of()
    published = result.main.ceilings[0]
    measured = replace(
        published,
        name="split-half ceiling",
        measured=True,
        interval=replace(result.main.interval, mean=0.7, low=0.6, high=0.8),
        per_image=np.full(4, 0.7),
        over_own_ceiling=replace(result.main.interval, mean=0.5),
    )
    undefined = {"image 1": "no clicks"}
    main = replace(result.main, ceilings=(measured,), undefined=undefined)
    other = replace(main, name="IoU", undefined={**undefined, "image 2": "its map is constant"})
    results = replace(
        result,
        metrics=(main, other),
        undefined=undefined,
        ceiling_note="the ceilings are of other maps",
        without_ceiling={"image 3": "1 people have clicked on it, fewer than 2"},
        set_scores=(
            SetScores(name="RSA of maps", meaning="order", interval=result.main.interval),
            SetScores(
                name="RSA of features",
                meaning="order",
                interval=replace(result.main.interval, mean=float("nan")),
            ),
        ),
    )
    section = alignment_section({"slow": results})
    _, against, ceilings, _, sets = of(section, Table)
    assert against.rows[0][1] == "split-half ceiling"
    assert against.rows[0][4].value == 0.5
    assert ceilings.rows[0][0] == "split-half ceiling"
    assert ceilings.rows[0][1].low == 0.6
    assert "no bound" not in ceilings.caption
    assert [column.name for column in sets.columns] == ["", "RSA of maps"]
    said = notes(section)
    assert "1 image has no ceiling and count in none. image 3" in said
    assert "The ceilings are of other maps." in said
    assert "slow: 1 image has no IoU and count in no mean of it: image 2." in said
    html(section)


def test_ceilings_that_differ_between_models_are_named_after_them(results_of):
    first, second = results_of(), results_of(seed=1)
    other = replace(second.main.ceilings[0], value=0.5)
    second = replace(second, metrics=(replace(second.main, ceilings=(other,)),))
    section = alignment_section({"slow": first, "predictive": second})
    assert [row[:2] for row in of(section, Table)[2].rows] == [
        ("published ceiling", 0.44),
        ("published ceiling (predictive)", 0.5),
    ]


def test_floors_that_differ_between_models_are_named_after_them(results_of):
    first, second = results_of(), results_of(seed=1)
    scored = second.main.floors[1]
    own = replace(scored, per_image=scored.per_image + 0.01)
    metric = replace(second.main, floors=(second.main.floors[0], own))
    section = alignment_section({"slow": first, "predictive": replace(second, metrics=(metric,))})
    assert [row[0] for row in of(section, Table)[0].rows[2:]] == [
        "centred Gaussian",
        "random-init network (slow)",
        "random-init network (predictive)",
    ]


def test_a_floor_that_one_model_alone_has_is_named_after_it(results_of):
    first, second = results_of(), results_of(seed=1)
    metric = replace(first.main, floors=first.main.floors[:1])
    first = replace(first, metrics=(metric,), floor_maps={})
    section = alignment_section({"slow": first, "predictive": second})
    tables = of(section, Table)
    assert [row[0] for row in tables[0].rows[2:]] == [
        "centred Gaussian",
        "random-init network (predictive)",
    ]
    (differences,) = (table for table in tables if table.columns[0].name == "floor")
    assert [row[0] for row in differences.rows] == ["centred Gaussian", "random-init network"]
    assert differences.rows[1][1] is None
    assert differences.rows[1][2] is not None


def test_alignment_section_spreads_images_from_best_to_worst(results_of):
    results = results_of()
    grid = of(alignment_section({"slow": results}), ImageGrid)[0]
    shown = [float(item.cells[2].value) for item in grid.items]
    assert shown == sorted(shown, reverse=True)
    assert [cell.name for cell in grid.items[0].cells] == ["image", "people", "slow", "untrained"]
    assert {item.title for item in grid.items} == {"tv", "toy truck", "kite"}


def test_alignment_section_warns_that_masks_are_not_human(results_of):
    results = results_of(
        are_human=False,
        ceiling=False,
        undefined={"image 3": "its saliency is constant"},
        missing_floors={"random-init network": "no untrained encoder was given"},
    )
    section = alignment_section({"slow": results})
    said = notes(section)
    assert "No person made these maps" in said
    assert "nothing about people" in said
    assert "1 image has no score" in said
    assert "no untrained encoder" in said
    assert "No ceiling: made up." in said
    grid = of(section, ImageGrid)[0]
    assert grid.items[0].cells[1].name == "object mask"


def test_alignment_section_refuses_different_maps(results_of):
    with pytest.raises(ValueError, match="expected results on the same maps"):
        alignment_section({"a": results_of(), "b": results_of(are_human=False)})
    with pytest.raises(ValueError, match="at least one model"):
        alignment_section({})
