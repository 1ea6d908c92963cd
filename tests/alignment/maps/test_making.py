"""Maps of trials: counts by hand, blurs against scipy, published numbers."""

import numpy as np
import pytest
import torch
from merkwelt.alignment.maps.filters import (
    TrialFilter,
    co3d_validation,
    filter_trials,
    keep_all,
)
from merkwelt.alignment.maps.from_trials import finished_by, maps_of_trials
from merkwelt.alignment.maps.gaussian import gaussian_blur, gaussian_kernel
from merkwelt.alignment.maps.making import (
    MapRecipe,
    co3d2025,
    count_map,
    fel2022,
    finish_maps,
    gaussian,
    mean_map,
    subject_maps,
)
from merkwelt.alignment.maps.recipe_text import recipe_of_text, text_of_recipe
from merkwelt.alignment.maps.trials import Trial, Trials
from merkwelt.alignment.prepare import prepare
from scipy.ndimage import correlate
from scipy.stats import spearmanr

from .map_files import some_maps, some_trials, write_pictures


def _trial(*points, **changes) -> Trial:
    given = {"image": "a", "subject": "bo", "points_px": np.reshape(points, (-1, 2)).astype(float)}
    return Trial(**{**given, **changes})


def test_counts_by_hand():
    recipe = MapRecipe(name="four", grid_px=4, crop_px=None, blur=None)
    trial = _trial((0, 0), (9.9, 0), (10, 0), (39.9, 19.9), (40, 3), (-0.1, 3), (0, 20))
    expected = np.zeros((4, 4))
    expected[0, :2] = 2, 1
    expected[3, 3] = 1
    np.testing.assert_array_equal(count_map(trial, (40, 20), recipe), expected)
    clipped = MapRecipe(name="four", grid_px=4, crop_px=None, blur=None, outside="clipped")
    expected[0, 3] += 1
    expected[0, 0] += 1
    expected[3, 0] += 1
    np.testing.assert_array_equal(count_map(trial, (40, 20), clipped), expected)


def test_counts_stay_at_the_largest_byte():
    counts = count_map(_trial(*[(1, 1)] * 300), (4, 4), MapRecipe(name="m", grid_px=4, crop_px=4))
    assert counts[1, 1] == 255


@pytest.mark.parametrize("width", [480, 600, 640, 800, 333])
def test_points_on_a_border_between_cells_belong_to_the_right_one(width):
    edges = [(k * width / 256, 0.0) for k in range(256) if k * width % 256 == 0]
    counts = count_map(_trial(*edges), (width, width), co3d2025())
    columns = [k for k in range(256) if k * width % 256 == 0]
    assert np.flatnonzero(counts[0]).tolist() == columns


def test_the_even_kernel_is_the_published_one():
    kernel = gaussian_kernel(10.0, 10)
    assert kernel.sum().item() == pytest.approx(1)
    assert divmod(int(kernel.argmax()), 10) == (4, 5)
    assert kernel.max().item() == pytest.approx(0.0108707, abs=5e-8)
    assert kernel.min().item() == pytest.approx(0.0084661, abs=5e-8)
    rows, columns = np.mgrid[:10, :10] - 4
    assert (kernel.numpy() * rows).sum() == pytest.approx(0.46, abs=0.005)
    assert (kernel.numpy() * columns).sum() == pytest.approx(0.54, abs=0.005)


def test_even_blur_pads_four_before_and_five_after():
    maps = torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kernel = gaussian_kernel(10.0, 10)
    padded = np.pad(maps[0].numpy(), ((4, 5), (4, 5)))
    expected = np.array(
        [
            [(padded[r : r + 10, c : c + 10] * kernel.numpy()).sum() for c in range(20)]
            for r in range(20)
        ]
    )
    np.testing.assert_allclose(gaussian_blur(maps, kernel)[0], expected, atol=1e-12)


def test_odd_blur_equals_scipy():
    maps = torch.rand(1, 30, 20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    kernel = gaussian_kernel(2.0)
    assert kernel.shape == (13, 13)
    expected = correlate(maps[0].numpy(), kernel.double().numpy(), mode="constant")
    np.testing.assert_allclose(gaussian_blur(maps, kernel)[0], expected, atol=1e-12)


def test_kernels_that_are_no_product_are_applied_whole():
    generator = torch.Generator().manual_seed(2)
    maps = torch.rand(2, 12, 9, generator=generator, dtype=torch.float64)
    kernel = torch.rand(3, 3, generator=generator, dtype=torch.float64)
    expected = correlate(maps[1].numpy(), kernel.numpy(), mode="constant")
    np.testing.assert_allclose(gaussian_blur(maps, kernel)[1], expected, atol=1e-12)


@pytest.mark.parametrize("recipe", [co3d2025(), fel2022(), gaussian(5.0)], ids=lambda r: r.name)
def test_the_mean_of_peoples_maps_is_the_map_of_all(recipe):
    generator = np.random.default_rng(0)
    trials = [_trial(*generator.uniform(0, 300, (9, 2))) for _ in range(4)]
    each = subject_maps(trials, (300, 200), recipe)
    assert each.shape == (4, 224, 224)
    # float32 sums of values below 1e-2.
    torch.testing.assert_close(
        each.mean(0), mean_map(trials, (300, 200), recipe), rtol=0, atol=1e-7
    )


def test_co3d2025_equals_scipy():
    counts = np.zeros((256, 256), np.float32)
    counts[100, 60], counts[17, 17] = 2, 1
    rows, columns = np.mgrid[-10:11, -10:11]
    disc = (rows**2 + columns**2 <= 100) / 317
    blurred = correlate(
        correlate(counts.astype(float), disc, mode="constant"), disc, mode="constant"
    )
    found = finish_maps(torch.from_numpy(counts)[None], co3d2025())[0].numpy()
    np.testing.assert_allclose(found, blurred[16:240, 16:240], atol=1e-8)


def test_the_centre_gaussian_scores_as_published_on_bubbleview(shared_data):
    """All people, deterministic: 0.3961 in the reference."""
    from merkwelt.alignment.maps.read_trials import read_trials

    folder = shared_data / "clickme" / "bubbleview_osie"
    trials = read_trials(folder / "clicks.csv")
    recipe = co3d2025(outside="clipped")
    rows, columns = np.mgrid[:224, :224]
    centre = np.exp(-((rows - 112) ** 2 + (columns - 112) ** 2) / (2 * 75**2)).ravel()
    scores = []
    for name, own in trials.by_image().items():
        mean = mean_map(own, trials.image_sizes_px[name], recipe).double()
        scores.append(spearmanr(mean.ravel(), centre)[0])
    assert np.mean(scores) == pytest.approx(0.3961, abs=0.0005)


def test_maps_lie_over_whole_pictures_and_scoring_crops_them(tmp_path):
    pictures = write_pictures(tmp_path, some_trials())
    maps = maps_of_trials(some_trials(), pictures, co3d2025())
    assert maps.images.shape == (2, 256, 256, 3)
    assert maps.images[0].min() == 40
    assert maps.kind == "clicks of 1 to 2 people each, maps by co3d2025"
    assert maps.labels == ("cup", "unknown")
    assert maps.splits == ("val", "val")
    assert maps.trials is not None
    assert maps.recipe == co3d2025()
    assert maps.maps[1].max() == 0, "nobody clicked: constant, and kept"
    own = some_trials().by_image()["CO3D_ClickMe2/cup/cup_1.png"]
    expected = mean_map(own, (48, 40), co3d2025())
    torch.testing.assert_close(prepare(maps, 224).maps[0], expected, rtol=0, atol=1e-9)


def test_limits_keep_the_trials_of_their_images(tmp_path):
    pictures = write_pictures(tmp_path, some_trials())
    maps = maps_of_trials(some_trials(), pictures, fel2022(), limit=1)
    assert maps.images.shape == (1, 224, 224, 3)
    assert maps.trials is not None
    assert len(maps.trials) == 2
    with pytest.raises(ValueError, match="at least one trial"):
        maps_of_trials(Trials(trials=(), image_sizes_px={}), pictures, fel2022())


def test_stored_maps_must_be_square_to_be_finished():
    with pytest.raises(ValueError, match="square images for the recipe fel2022, got 9 x 8"):
        finished_by(some_maps(trials=None, recipe=None), fel2022())


@pytest.mark.parametrize(
    "recipe",
    [co3d2025(outside="clipped"), fel2022(), gaussian(3.5), MapRecipe(name="bare", blur=None)],
    ids=lambda r: r.name,
)
def test_recipes_come_back_from_text(recipe):
    assert recipe_of_text(text_of_recipe(recipe), "here") == recipe


@pytest.mark.parametrize(
    "text", ["", "[]", '{"name": "x"}', '{"name": "x", "blur": {"kind": "box"}}']
)
def test_text_that_is_no_recipe(text):
    with pytest.raises(ValueError, match="expected a map recipe in here"):
        recipe_of_text(text, "here")


def test_recipes_that_do_not_fit():
    with pytest.raises(ValueError, match="a crop within it"):
        MapRecipe(name="m", grid_px=100, crop_px=101)
    with pytest.raises(ValueError, match="not both"):
        MapRecipe(name="m", blurred_at_px=64)
    with pytest.raises(ValueError, match="standard deviation above 0"):
        gaussian_kernel(0.0)


def _study() -> Trials:
    two = ((1, 1), (2, 2))
    trials = (
        _trial(*two, subject="late", timestamp="2"),
        _trial((9, 9), (8, 8), subject="late", timestamp="1"),
        _trial(*two, subject="phone", is_mobile=True),
        _trial(*two, subject="careless", catch_score=0.9),
        _trial((1, 1), subject="one click"),
        _trial(*two, (3, 3), subject="long", catch_score=0.95, duration_ms=np.arange(3.0)),
        _trial(*two, subject="alone", image="b"),
    )
    return Trials(trials=trials, image_sizes_px={"a": (9, 9), "b": (9, 9)})


def test_filters_by_hand():
    done = filter_trials(_study(), TrialFilter(least_subjects=2, most_points=2))
    assert [trial.subject for trial in done.trials.trials] == ["late", "long"]
    assert done.trials.trials[0].points_px[0].tolist() == [9, 9], "the earliest by time"
    assert len(done.trials.trials[1].points_px) == 2
    assert done.left_out == {
        "mobile device": 1,
        "catch score below 0.95": 1,
        "fewer than 2 points": 1,
        "repeat of a person on an image": 1,
        "image seen by fewer than 2 people": 1,
    }


def test_keeping_all_keeps_all():
    done = filter_trials(_study(), keep_all())
    assert len(done.trials) == 7
    assert done.left_out == {}


def test_published_filters_need_six_people():
    assert len(filter_trials(_study(), co3d_validation()).trials) == 0


@pytest.mark.parametrize(
    "bounds", [{"least_points": -1}, {"least_subjects": 0}, {"most_points": 1}]
)
def test_bounds_that_leave_nothing(bounds):
    with pytest.raises(ValueError, match="expected"):
        TrialFilter(**bounds)
