from dataclasses import replace

import numpy as np
import pytest
from merkwelt.alignment.maps.clicks_csv import read_clicks_csv
from merkwelt.alignment.maps.making import MapRecipe, co3d2025
from merkwelt.alignment.maps.trials import Trial, Trials
from merkwelt.alignment.scores.ceilings import CeilingSettings, ceilings
from merkwelt.alignment.scores.human_metrics import IOU_CURVE
from merkwelt.alignment.scores.over_time import ceilings_over_time, first_clicks, first_shares

RECIPE = MapRecipe(name="small", grid_px=32, crop_px=28)
SETTINGS = CeilingSettings(draws=2)


def study(points: int = 20, images: tuple[str, ...] = ("left", "right")) -> Trials:
    """Return trials of six people who begin at the same place and part ways with every click."""
    rng = np.random.default_rng(0)
    trials = []
    for place, image in enumerate(images):
        start = np.array([20.0 + 24 * place, 24.0])
        for person in range(6):
            away = np.linspace(0, 1, points)[:, None] * rng.normal(0, 16, 2)
            clicks = start + away + rng.normal(0, 1, (points, 2))
            trials.append(Trial(image=image, subject=f"{person}", points_px=clicks))
    return Trials(trials=tuple(trials), image_sizes_px=dict.fromkeys(images, (64, 48)))


def test_shares_go_from_a_twentieth_to_all():
    np.testing.assert_allclose(first_shares(), np.arange(1, 11) * 0.95 / 9 + 0.05 - 0.95 / 9)
    assert first_shares(1) == (1.0,)


@pytest.mark.parametrize(
    ("points", "share", "least", "kept"),
    [(20, 0.05, 1, 1), (20, 0.15, 1, 3), (20, 0.16, 1, 4), (20, 0.05, 6, 6), (4, 0.05, 6, 4)],
)
def test_first_clicks_are_kept_in_their_order(points, share, least, kept):
    whole = study(points)
    timed = tuple(replace(each, duration_ms=np.arange(points) * 1.0) for each in whole.trials)
    whole = replace(whole, trials=timed)
    for trial, cut in zip(
        whole.trials, first_clicks(whole, share, least=least).trials, strict=True
    ):
        np.testing.assert_array_equal(cut.points_px, trial.points_px[:kept])
        assert cut.duration_ms is not None
        assert cut.duration_ms.tolist() == list(range(kept))


def test_the_ceiling_is_the_mean_over_shares_of_the_same_halves():
    found = ceilings_over_time(study(), RECIPE, SETTINGS, parts=3)
    parts = []
    for kept in (1, 11, 20):  # 5, 52.5 and 100 % of 20 clicks
        few = tuple(replace(trial, points_px=trial.points_px[:kept]) for trial in study().trials)
        part = ceilings(replace(study(), trials=few), RECIPE, SETTINGS, metric=IOU_CURVE)
        parts.append(part)
    for name in ("split_half_draws", "floor_draws", "leave_one_out"):
        expected = sum(getattr(each, name) for each in parts) / 3
        np.testing.assert_allclose(getattr(found, name), expected, atol=1e-12)
    assert found.metric == IOU_CURVE.name
    assert "3 parts of the trials by time" in found.recipe
    # These people agree at first and not at last.
    assert parts[0].split_half.mean() > parts[-1].split_half.mean() + 0.1


def test_one_part_is_the_plain_ceiling():
    found = ceilings_over_time(study(), RECIPE, SETTINGS, parts=1)
    plain = ceilings(study(), RECIPE, SETTINGS, metric=IOU_CURVE)
    np.testing.assert_array_equal(found.split_half_draws, plain.split_half_draws)


def test_what_has_no_score_at_one_share_has_none():
    # Of two images one person's trials alone are known on the second.
    trials = study().trials
    few = tuple(t for t in trials if t.image == "left" or t.subject == "0")
    found = ceilings_over_time(replace(study(), trials=few), RECIPE, SETTINGS, parts=2)
    assert np.isnan(found.split_half[1])
    assert "fewer than 2" in found.skipped["right"]


@pytest.mark.parametrize("wrong", [{"parts": 0}, {"least": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        ceilings_over_time(study(), RECIPE, SETTINGS, **wrong)
    with pytest.raises(ValueError, match="share of clicks in"):
        first_clicks(study(), 0.0)


def test_real_clicks_agree_most_over_all_of_them(shared_data):
    """Bubbles are clicked until a text is written: later ones fill in what the first began."""
    folder = shared_data / "clickme" / "bubbleview_osie"
    osie = read_clicks_csv(folder / "clicks.csv", folder / "images")
    names = list(osie.image_sizes_px)[:4]
    few = replace(osie, trials=tuple(t for t in osie.trials if t.image in names))
    settings = CeilingSettings(draws=2, subjects=10, single_subjects=0, partners=1)
    over_time = ceilings_over_time(few, co3d2025(outside="clipped"), settings, parts=4)
    whole = ceilings(few, co3d2025(outside="clipped"), settings, metric=IOU_CURVE)
    assert over_time.floor.mean() < over_time.split_half.mean() < whole.split_half.mean()
