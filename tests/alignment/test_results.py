import json
import os
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment import SaliencyRecipe, ScoreSettings, score, write_results
from merkwelt.alignment.results import Results


@pytest.fixture
def results(energy_encoder, toy_maps) -> Results:
    toy_maps.maps[1] = 1.0
    settings = ScoreSettings(size=16, crop_share=1.0, resamples=100)
    return score(energy_encoder, toy_maps, recipe=SaliencyRecipe(), settings=settings)


def _no_constants(name: str) -> float:
    raise AssertionError(f"{name} is no JSON")


def test_the_file_holds_the_results(results, tmp_path):
    path = write_results(results, tmp_path / "out" / "results.json")
    data = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constants)
    assert data == results.to_dict()
    assert data["name"] == results.name
    assert data["recipe"]["name"] in data["name"]
    assert data["maps"] == {
        "kind": "toy maps",
        "are_human": True,
        "source": "test",
        "licence": "CC0-1.0",
        "count": 6,
    }
    (metric,) = data["metrics"]
    assert metric["score"]["mean"] == pytest.approx(1.0)
    assert metric["score"]["count"] == 5
    assert metric["floors"][0]["name"] == "centred Gaussian"


def test_undefined_scores_are_null_counted_and_named(results):
    data = results.to_dict()
    assert data["undefined"]["count"] == 1
    assert list(data["undefined"]["images"]) == ["picture 1"]
    assert data["per_image"][1]["scores"]["Spearman"] is None
    assert data["per_image"][1]["floors"]["Spearman"]["image edges"] is None
    assert data["metrics"][0]["floors"][0]["undefined"] == 1
    values = [entry["scores"]["Spearman"] for entry in data["per_image"]]
    np.testing.assert_allclose([value for value in values if value is not None], 1.0)


def test_the_best_floor_is_the_highest_that_is_defined(results):
    floors = results.main.floors
    assert results.main.best_floor is max(floors, key=lambda floor: floor.interval.mean)
    without = replace(floors[0], interval=replace(floors[0].interval, mean=float("nan")))
    main = replace(results.main, floors=(without, floors[1]))
    assert main.best_floor is floors[1]
    assert replace(main, floors=(without,)).best_floor is None


def test_a_failed_write_leaves_the_old_file(results, tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    path.write_text("old")

    def full_disk(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_results(results, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["results.json"]
    assert path.read_text() == "old"
