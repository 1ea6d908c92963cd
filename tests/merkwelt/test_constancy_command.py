import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.alignment.views.constancy import ConstancySettings, constancy
from merkwelt.alignment.views.view_pairs import carried_between, views_in
from merkwelt.scenes import Scene

from merkwelt.cli import main
from merkwelt.recipes import recipe
from merkwelt.report import constancy_section
from merkwelt.training.clips import MemoryClips
from merkwelt.training.loop import train
from merkwelt.view_pairs import ViewPairSettings, object_view_pairs


@pytest.fixture(scope="module")
def pairs(room):
    return object_view_pairs(room, seed=0, settings=ViewPairSettings(size=192, views=2))


def test_rendered_colours_carry_between_rendered_views(pairs) -> None:
    """The room's colours do not depend on the direction: carried pictures are the other view's."""
    errors = []
    for pair in pairs:
        for source, target in pair.ways():
            grey = source.image.mean(axis=2)
            moved = carried_between(grey, source, target, tolerance=1.03)
            own = target.image.mean(axis=2)
            errors.append(np.abs(moved.values - own)[moved.visible])
    errors = np.concatenate(errors)
    unmoved = [np.abs(p.first.image.mean(2) - p.second.image.mean(2)).ravel() for p in pairs]
    # Grey levels of 255: interpolation of a fine texture (measured: 0.7 and 3.0; ten times that
    # with a quarter of the pixels, as of a second difference), and edges of things within a pixel.
    assert np.median(errors) < 1.5
    assert np.quantile(errors, 0.9) < 6
    assert np.median(np.concatenate(unmoved)) > 8


def test_views_are_of_one_thing_from_different_sides(pairs) -> None:
    assert pairs
    for pair in pairs:
        assert pair.first.thing == pair.second.thing
        assert 10 <= np.degrees(pair.turn_rad) <= 90
    names = [view.name for view in views_in(pairs)]
    assert len(names) == len(set(names))


def test_the_command_measures_a_run_beside_its_untrained_twin(library, tmp_path, capfd) -> None:
    rng = np.random.default_rng(0)
    videos = [
        torch.from_numpy(rng.integers(0, 255, (2, 8, 3, 32, 32)).astype(np.uint8))
        for _ in range(10)
    ]
    run, out = tmp_path / "run", tmp_path / "out"
    train(recipe("sfa"), MemoryClips(videos, frame_rate_hz=10.0), run, steps=1, device="cpu")
    words = ["constancy", str(run), "--out", str(out), "--scene", "room", "--size", "32"]
    words += ["--views", "2", "--library", str(library), "--saliency.clip-frames", "2"]
    assert main(words) == 0
    said = capfd.readouterr().out
    results = json.loads((out / "results.json").read_text())
    assert "trained minus untrained" in said
    assert results["trained"]["spearman"]["count"] == len(results["trained"]["pairs"])
    assert results["recipe"]["name"] in said.replace("\n", " ")
    both = [results[each]["pairs"] for each in ("trained", "untrained")]
    gains = [a["spearman"] - b["spearman"] for a, b in zip(*both, strict=True)]
    assert results["trained_minus_untrained"]["mean"] == pytest.approx(np.mean(gains))
    page = (out / "report.html").read_text()
    assert "Constancy across views" in page
    assert "degrees apart" in page
    assert results["views"]["size"] == 32


def test_the_report_carries_maps_as_they_were_measured(pairs, monkeypatch) -> None:
    used = []

    def carried(*of, tolerance):
        used.append(tolerance)
        return carried_between(*of, tolerance=tolerance)

    monkeypatch.setattr(constancy_section, "carried_between", carried)
    maps = {view.name: view.image.mean(axis=2) for view in views_in(pairs)}
    found = constancy(pairs, maps, name="colours", settings=ConstancySettings(tolerance=1.03))
    constancy_section.constancy_report(
        pairs, maps, found, None, None, recipe="colours", tolerance=1.03
    )
    assert set(used) == {1.03}


def test_says_what_is_wrong(library, tmp_path, capfd) -> None:
    words = ["constancy", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "expected a model to score" in capfd.readouterr().err
    with pytest.raises(ValueError, match="at least 2 views"):
        ViewPairSettings(views=1)
    with pytest.raises(ValueError, match="turns between"):
        ViewPairSettings(least_turn_deg=50.0, most_turn_deg=20.0)


def test_needs_labelled_objects(room) -> None:
    bare = Scene(replace(room.card, objects=()), room.field)
    with pytest.raises(ValueError, match="0 labelled objects"):
        object_view_pairs(bare, seed=0)


def test_people_across_views_of_real_objects(shared_data, tmp_path, capfd) -> None:
    """The command with published maps and cameras; an untrained network stands for the model."""
    rng = np.random.default_rng(0)
    videos = [
        torch.from_numpy(rng.integers(0, 255, (2, 8, 3, 32, 32)).astype(np.uint8))
        for _ in range(10)
    ]
    run, out = tmp_path / "run", tmp_path / "out"
    train(recipe("sfa"), MemoryClips(videos, frame_rate_hz=10.0), run, steps=1, device="cpu")
    clickme = shared_data / "clickme"
    words = ["constancy", str(run), "--out", str(out), "--size", "112"]
    words += ["--maps", str(clickme / "clickme2_co3d_29.npz"), "--saliency.clip-frames", "2"]
    assert main([*words, "--cameras", str(clickme / "co3d_meta/constancy_params.json")]) == 0
    results = json.loads((out / "results.json").read_text())
    assert "approximate depth" in results["depth"]
    names = [each["name"] for each in results["people"]]
    assert names == ["people carried, people", "people carried, model", "model carried, people"]
    plane, television = results["people"][0]["pairs"]
    # As at full size: .765 and .222.
    assert plane["spearman"] == pytest.approx(0.765, abs=0.02)
    assert television["spearman"] == pytest.approx(0.222, abs=0.03)
    assert "people carried, model" in capfd.readouterr().out
