from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
from merkwelt.alignment.maps.clicks_csv import read_clicks_csv
from merkwelt.alignment.maps.making import MapRecipe, co3d2025, mean_map, subject_maps
from merkwelt.alignment.maps.trials import Trial, Trials
from merkwelt.alignment.scores.ceilings import (
    Ceilings,
    CeilingSettings,
    ceilings,
    ceilings_of,
    spearman_brown,
)
from merkwelt.alignment.scores.floors import mean_over_others
from merkwelt.alignment.scores.halves import (
    chosen_people,
    generator_for,
    half_weights,
    image_clicks,
)
from merkwelt.alignment.scores.human_metrics import IOU
from merkwelt.alignment.scores.metrics import SPEARMAN, own_scores, pair_scores

RECIPE = MapRecipe(name="small", grid_px=32, crop_px=28)
COUNTS = MapRecipe(name="counts", grid_px=32, blur=None, crop_px=None)
SIZE_PX = (64, 48)


def _trial(
    image: str, subject: str, rng: np.random.Generator, centre: tuple[float, float]
) -> Trial:
    return Trial(image=image, subject=subject, points_px=rng.normal(centre, 9, (12, 2)))


@pytest.fixture
def study() -> Trials:
    """Three images; people click around a centre that differs from image to image."""
    rng = np.random.default_rng(0)
    centres = {"left": (20.0, 24.0), "right": (44.0, 24.0), "low": (32.0, 36.0)}
    trials = [
        _trial(image, f"person {i}", rng, centre)
        for image, centre in centres.items()
        for i in range(7)
    ]
    return Trials(trials=tuple(trials), image_sizes_px=dict.fromkeys(centres, SIZE_PX))


def _halves(study: Trials, draw: int, settings: CeilingSettings) -> list[list[list[Trial]]]:
    """Return, for the first and the second halves, the trials of each image."""
    halves: list[list[list[Trial]]] = [[], []]
    for name, trials in study.by_image().items():
        generator = generator_for(settings.seed, name, draw)
        people = generator.permutation(7)[: settings.subjects]
        cut = len(people) // 2
        for half, members in zip(halves, (people[:cut], people[cut:]), strict=True):
            filled = settings.halves == "bootstrap-filled"
            more = generator.choice(members, len(members)) if filled else []
            half.append([trials[i] for i in [*members, *more]])
    return halves


@pytest.mark.parametrize(
    "settings",
    [
        CeilingSettings(draws=2),
        CeilingSettings(draws=2, subjects=5, seed=3),
        CeilingSettings(draws=2, halves="bootstrap-filled"),
    ],
)
def test_equals_maps_made_of_each_half_one_by_one(study, settings):
    found = ceilings(study, RECIPE, settings)
    for draw in range(2):
        first, second = (
            torch.stack([mean_map(trials, SIZE_PX, RECIPE) for trials in half])
            for half in _halves(study, draw, settings)
        )
        pairs = [
            [scipy.stats.spearmanr(a.flatten(), b.flatten()).statistic for b in second]
            for a in first
        ]
        # Counts are averaged before or after the blur, which may split a tie of float32.
        np.testing.assert_allclose(found.split_half_draws[draw], np.diagonal(pairs), atol=1e-4)
        np.testing.assert_allclose(
            found.floor_draws[draw], mean_over_others(torch.tensor(pairs)), atol=1e-4
        )
    np.testing.assert_allclose(found.split_half, found.split_half_draws.mean(axis=0))
    assert found.sd_over_draws == pytest.approx(found.split_half_draws.mean(axis=1).std(ddof=1))
    assert found.people.tolist() == [settings.subjects or 7] * 3


def test_leave_one_out_equals_a_loop_over_people(study):
    found = ceilings(study, RECIPE, CeilingSettings(draws=1))
    for place, trials in enumerate(study.by_image().values()):
        own = subject_maps(trials, SIZE_PX, RECIPE)
        scores = [
            scipy.stats.spearmanr(own[i].flatten(), others.flatten()).statistic
            for i in range(7)
            for others in [torch.cat([own[:i], own[i + 1 :]]).mean(dim=0)]
        ]
        assert found.leave_one_out[place] == pytest.approx(np.mean(scores), abs=1e-4)


def test_leave_one_out_of_some_or_nobody(study):
    some = ceilings(study, RECIPE, CeilingSettings(draws=1, single_subjects=3))
    everyone = ceilings(study, RECIPE, CeilingSettings(draws=1))
    assert not np.isnan(some.leave_one_out).any()
    assert (some.leave_one_out != everyone.leave_one_out).all()
    nobody = ceilings(study, RECIPE, CeilingSettings(draws=1, single_subjects=0))
    assert np.isnan(nobody.leave_one_out).all()


def test_people_agree_more_than_images_do_and_more_people_agree_more(study):
    all_of_them = ceilings(study, RECIPE)
    assert (all_of_them.split_half > all_of_them.floor + 0.2).all()
    few = ceilings(study, RECIPE, CeilingSettings(subjects=2))
    assert few.split_half.mean() < all_of_them.split_half.mean()


def test_several_metrics_share_their_halves(study):
    def finish(counts: torch.Tensor) -> torch.Tensor:
        return counts

    found = ceilings_of(
        study, RECIPE, names=("right", "low"), metrics=(SPEARMAN, IOU), finish=finish
    )
    assert [each.metric for each in found] == ["Spearman", "IoU"]
    assert found[0].names == ("right", "low")
    assert found[0].split_half.shape == (2,)


def test_partners_are_a_sample_of_all_ordered_pairs(study):
    all_pairs = ceilings(study, RECIPE, CeilingSettings(draws=3))
    both = ceilings(study, RECIPE, CeilingSettings(draws=3, partners=2))
    np.testing.assert_allclose(both.floor_draws, all_pairs.floor_draws)
    np.testing.assert_allclose(both.split_half_draws, all_pairs.split_half_draws)
    one = ceilings(study, RECIPE, CeilingSettings(draws=3, partners=1))
    assert not np.allclose(one.floor_draws, all_pairs.floor_draws)


def test_the_same_seed_gives_the_same_values_in_any_order_of_images(study):
    first = ceilings(study, RECIPE)
    turned = Trials(trials=study.trials[::-1], image_sizes_px=study.image_sizes_px)
    again = ceilings(study, RECIPE)
    np.testing.assert_array_equal(first.split_half_draws, again.split_half_draws)
    other = ceilings(study, RECIPE, CeilingSettings(seed=1))
    assert (first.split_half_draws != other.split_half_draws).any()
    assert ceilings(turned, RECIPE).names == first.names[::-1]


def test_repeated_trials_of_a_person_stay_in_one_half():
    rng = np.random.default_rng(0)
    trials = [_trial("a", f"person {i % 3}", rng, (30, 20)) for i in range(9)]
    clicks = image_clicks("a", trials, SIZE_PX, RECIPE)
    assert clicks.people == 3
    weights = np.array([1.0, 0.0, 0.0])
    expected = mean_map(
        trials[::3], SIZE_PX, MapRecipe(name="counts", grid_px=32, blur=None, crop_px=None)
    )
    # Three trials of one person: their sum, where the mean map divides by three.
    np.testing.assert_allclose(clicks.mean_counts(weights), 3 * expected, rtol=1e-6)


def test_bootstrap_filled_halves_draw_their_own_people_again():
    people = np.array([4, 1, 0, 2, 3])
    first, second = half_weights(people, 6, "bootstrap-filled", np.random.default_rng(0))
    assert first.sum() == 4
    assert second.sum() == 6
    assert set(np.flatnonzero(first)) == {1, 4}
    assert set(np.flatnonzero(second)) == {0, 2, 3}
    first, second = half_weights(people, 6, "plain", np.random.default_rng(0))
    assert (first + second).tolist() == [1, 1, 1, 1, 1, 0]


def test_people_are_drawn_without_repeats(study):
    clicks = image_clicks("left", study.by_image()["left"], SIZE_PX, RECIPE)
    chosen = chosen_people(clicks, 5, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 5


def test_images_without_enough_people_and_clicks_are_named(study):
    lone = Trial(image="lone", subject="a", points_px=np.full((3, 2), 20.0))
    outside = [
        Trial(image="outside", subject=str(i), points_px=np.full((3, 2), -20.0)) for i in range(4)
    ]
    more = Trials(
        trials=(*study.trials, lone, *outside),
        image_sizes_px={**study.image_sizes_px, "lone": SIZE_PX, "outside": SIZE_PX},
    )
    names = (*more.by_image(), "never shown")
    (found,) = ceilings_of(
        more, RECIPE, names=names, metrics=(SPEARMAN,), finish=lambda counts: counts
    )
    assert found.skipped == {
        "lone": "1 people have clicked on it, fewer than 2",
        "outside": "no draw has a defined score: a half without clicks, or a constant map",
        "never shown": "0 people have clicked on it, fewer than 2",
    }
    assert np.isnan(found.split_half).tolist() == [False] * 3 + [True] * 3
    assert not np.isnan(found.floor[:3]).any()
    assert found.undefined_draws.tolist() == [0, 0, 0, 20, 20, 20]
    assert found.people_text == "7 people"
    few = ceilings(study, RECIPE, CeilingSettings(subjects=8))
    assert few.skipped["left"] == "7 people have clicked on it, fewer than 8"
    assert few.people_text == "nobody"


def test_spearman_brown_by_hand():
    assert spearman_brown(np.array([0.5, 1.0, 0.0])).tolist() == pytest.approx([2 / 3, 1, 0])


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="at least 1 draw"):
        CeilingSettings(draws=0)
    with pytest.raises(ValueError, match="at least 2 subjects"):
        CeilingSettings(subjects=1)
    with pytest.raises(ValueError, match="at least 1 partner"):
        CeilingSettings(partners=0)


@pytest.fixture(scope="module")
def osie(shared_data: Path) -> Trials:
    folder = shared_data / "clickme" / "bubbleview_osie"
    return read_clicks_csv(folder / "clicks.csv", folder / "images")


def _values(found: Ceilings) -> list[float]:
    half = found.split_half.mean()
    return [half, spearman_brown(half), found.floor.mean(), found.leave_one_out.mean()]


@pytest.mark.parametrize(
    ("subjects", "expected", "tolerance"),
    [(None, [0.812, 0.896, 0.166], 0.02), (10, [0.651, 0.789, 0.101], 0.03)],
)
def test_real_clicks_of_many_people(osie, subjects, expected, tolerance):
    """The oracle table of BubbleView-OSIE; five draws have a standard error below .006."""
    settings = CeilingSettings(draws=5, subjects=subjects, single_subjects=5)
    found = ceilings(osie, co3d2025(outside="clipped"), settings)
    *values, single = _values(found)
    np.testing.assert_allclose(values, expected, atol=tolerance)
    assert single == pytest.approx(0.50 if subjects is None else 0.484, abs=0.05)
    assert not found.skipped
    assert found.people.min() == (54 if subjects is None else 10)


def test_filled_halves_differ_from_plain_ones(osie):
    few = [trial for trial in osie.trials if trial.image in list(osie.image_sizes_px)[:12]]
    some = Trials(trials=tuple(few), image_sizes_px=osie.image_sizes_px)
    recipe = co3d2025(outside="clipped")
    plain = ceilings(some, recipe, CeilingSettings(draws=4, subjects=10, single_subjects=0))
    filled = ceilings(
        some,
        recipe,
        CeilingSettings(draws=4, subjects=10, single_subjects=0, halves="bootstrap-filled"),
    )
    assert filled.split_half.mean() < plain.split_half.mean()


def test_a_centred_gaussian_on_real_clicks(osie):
    offset = torch.arange(224) - 112
    profile = torch.exp(-(offset**2) / (2 * 75**2))
    centre = torch.outer(profile, profile)
    recipe = co3d2025(outside="clipped")
    maps = torch.stack(
        [mean_map(t, osie.image_sizes_px[name], recipe) for name, t in osie.by_image().items()]
    )
    centres = centre.expand(len(maps), -1, -1)
    assert own_scores(SPEARMAN, centres, maps).mean().item() == pytest.approx(0.3961, abs=0.0005)
    assert pair_scores(SPEARMAN, centres[:1], maps[:2]).shape == (1, 2)
