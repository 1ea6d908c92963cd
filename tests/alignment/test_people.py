from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.alignment import HumanMaps, SaliencyRecipe, ScoreSettings, score
from merkwelt.alignment.maps.making import MapRecipe, mean_map
from merkwelt.alignment.maps.trials import Trial, Trials
from merkwelt.alignment.over_ceilings import LEAVE_ONE_OUT, SPEARMAN_BROWN, SPLIT_HALF
from merkwelt.alignment.people import measure_people
from merkwelt.alignment.prepare import Preparation, prepare_maps
from merkwelt.alignment.scores.ceilings import CeilingSettings, ceilings
from merkwelt.alignment.scores.human_metrics import IOU
from merkwelt.alignment.scores.metrics import SPEARMAN

RECIPE = MapRecipe(name="small", grid_px=32, crop_px=28)
SETTINGS = ScoreSettings(size=28, crop_share=1.0, resamples=100)
FEW = CeilingSettings(draws=3)


@pytest.fixture
def clicked() -> HumanMaps:
    """Four cropped images, with maps made of the clicks of five people each."""
    rng = np.random.default_rng(0)
    names = tuple("abcd")
    trials = Trials(
        trials=tuple(
            Trial(
                image=name,
                subject=f"person {i}",
                points_px=rng.normal((20 + 8 * place, 30), 8, (15, 2)),
            )
            for place, name in enumerate(names)
            for i in range(5)
        ),
        image_sizes_px=dict.fromkeys(names, (64, 64)),
    )
    maps = [mean_map(t, (64, 64), RECIPE).numpy() for t in trials.by_image().values()]
    return HumanMaps(
        images=rng.integers(1, 255, (4, 28, 28, 3)).astype(np.uint8),
        maps=np.stack(maps),
        names=names,
        labels=("cup",) * 4,
        kind="clicks",
        are_human=True,
        source="test",
        licence="CC0-1.0",
        trials=trials,
        recipe=RECIPE,
    )


def test_ceilings_of_maps_as_they_are_equal_those_of_the_trials(clicked):
    people = measure_people(
        clicked,
        lambda maps: maps,
        torch.from_numpy(clicked.maps),
        metrics=(SPEARMAN, IOU),
        settings=FEW,
    )
    assert clicked.trials is not None
    expected = ceilings(clicked.trials, RECIPE, FEW)
    np.testing.assert_allclose(people.ceilings[0].split_half, expected.split_half)
    assert people.ceilings[1].metric == "IoU"
    assert people.note == ""


def test_whole_images_get_whole_maps(clicked):
    """Images that show the whole picture are compared in that frame, at their own size."""
    whole = replace(RECIPE, crop_px=None)
    assert clicked.trials is not None
    made = [mean_map(t, (64, 64), whole) for t in clicked.trials.by_image().values()]
    big = torch.nn.functional.interpolate(
        torch.stack(made)[:, None], size=(64, 64), mode="bilinear", antialias=True
    )[:, 0]
    for maps in (torch.stack(made), big):
        side = maps.shape[-1]
        framed = replace(
            clicked, images=np.zeros((4, side, side, 3), dtype=np.uint8), maps=maps.numpy()
        )
        preparation = Preparation(size=16, crop_share=0.75)
        people = measure_people(
            framed,
            lambda each: prepare_maps(each, Preparation(size=16, crop_share=0.75)),
            prepare_maps(maps, preparation),
            metrics=(SPEARMAN,),
            settings=FEW,
        )
        assert people.note == ""
        assert not people.ceilings[0].skipped


def test_maps_that_the_trials_do_not_make_are_said(clicked):
    other = torch.rand(4, 28, 28, generator=torch.Generator().manual_seed(0))
    people = measure_people(clicked, lambda maps: maps, other, metrics=(SPEARMAN,), settings=FEW)
    assert "the ceilings are of other maps" in people.note


def test_maps_without_trials_are_refused(clicked):
    with pytest.raises(ValueError, match="trials and their recipe"):
        measure_people(
            replace(clicked, recipe=None),
            lambda maps: maps,
            torch.from_numpy(clicked.maps),
            metrics=(SPEARMAN,),
            settings=FEW,
        )


def test_a_score_shows_measured_ceilings_image_by_image(energy_encoder, clicked):
    settings = replace(SETTINGS, ceilings=FEW)
    recipe = SaliencyRecipe(clip_frames=1)
    results = score(
        energy_encoder, clicked, recipe=recipe, settings=settings, metrics=(SPEARMAN, IOU)
    )
    names = [ceiling.name for ceiling in results.main.ceilings]
    assert names == [SPLIT_HALF, SPEARMAN_BROWN, LEAVE_ONE_OUT]
    assert clicked.trials is not None
    expected = ceilings(clicked.trials, RECIPE, FEW).split_half
    np.testing.assert_allclose(results.main.ceilings[0].per_image, expected)
    assert results.ceiling_note == ""
    data = results.to_dict()
    assert data["version"] == 2
    assert data["per_image"][1]["ceilings"]["Spearman"][SPLIT_HALF] == pytest.approx(expected[1])
    assert data["settings"]["ceilings"]["draws"] == 3
    iou = data["metrics"][1]["ceilings"]
    assert [entry["name"] for entry in iou] == [SPLIT_HALF, LEAVE_ONE_OUT]
    assert iou[0]["floor_corrected"]["count"] == 4
    assert [each["name"] for each in data["set_scores"]] == [
        "RSA of saliency maps",
        "RSA of features",
    ]


def test_ceilings_that_are_not_asked_for_are_not_measured(energy_encoder, clicked):
    settings = replace(SETTINGS, ceilings=None)
    results = score(
        energy_encoder, clicked, recipe=SaliencyRecipe(clip_frames=1), settings=settings
    )
    assert results.main.ceilings == ()
    assert "not asked for" in results.ceiling_note


def test_images_without_enough_people_are_named(energy_encoder, clicked):
    trials = clicked.trials
    assert trials is not None
    fewer = tuple(t for t in trials.trials if t.image != "b" or t.subject == "person 0")
    maps = replace(clicked, trials=replace(trials, trials=fewer))
    results = score(
        energy_encoder,
        maps,
        recipe=SaliencyRecipe(clip_frames=1),
        settings=replace(SETTINGS, ceilings=FEW),
    )
    assert results.without_ceiling == {"b": "1 people have clicked on it, fewer than 2"}
    assert results.main.interval.count == 4
    assert results.main.ceilings[0].over_ceiling.count == 3
    assert results.to_dict()["without_ceiling"]["count"] == 1
