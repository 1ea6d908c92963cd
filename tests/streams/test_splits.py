import dataclasses
import doctest
import types
from collections import Counter

import pytest
from fake_clips import fake_plan
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.fingerprint import field_fingerprint
from merkwelt.scenes.scene import Scene
from merkwelt.streams import splits
from merkwelt.streams.plan import Plan, PlannedScene, make_plan
from merkwelt.streams.splits import (
    SPLITS,
    Split,
    SplitShares,
    assign_splits,
    require_disjoint,
    split_of,
)

FIELDS = [f"{number:064x}" for number in range(4000)]


def _scene(name, field=None, **rest):
    return PlannedScene(name=name, sha256=f"hash of {field or name}", field_sha256=field, **rest)


def _plan(*scenes, split=None):
    return dataclasses.replace(fake_plan(4), scenes=scenes, split=split)


def test_examples_are_true():
    assert doctest.testmod(splits).failed == 0


def test_the_deal_never_changes():
    # Written down when splits were made: another deal would move scenes of existing data sets.
    assert [split_of(field) for field in ("7f3a", "19c4", "e02b")] == [
        "validation",
        "train",
        "train",
    ]
    assert [split_of("7f3a", seed=seed) for seed in range(4)] == [
        "validation",
        "train",
        "validation",
        "train",
    ]


def test_shares_are_met_on_average():
    counts = Counter(split_of(field) for field in FIELDS)
    # Four standard deviations of a binomial count of 4000: 101, 76 and 76.
    assert abs(counts["train"] - 3200) < 102
    assert abs(counts["validation"] - 400) < 77
    assert abs(counts["test"] - 400) < 77
    assert {split_of(field, SplitShares(train=0, validation=0, test=3)) for field in FIELDS} == {
        "test"
    }


def test_a_larger_share_only_takes_from_its_neighbours():
    before = {field: split_of(field) for field in FIELDS}
    after = {
        field: split_of(field, SplitShares(train=0.85, validation=0.05, test=0.1))
        for field in FIELDS
    }
    moved = {(before[field], after[field]) for field in FIELDS if before[field] != after[field]}
    assert moved == {("validation", "train")}


def test_seeds_deal_independently():
    both = Counter((split_of(field, seed=0), split_of(field, seed=1)) for field in FIELDS)
    # 0.8 * 0.8 of 4000, four standard deviations.
    assert abs(both["train", "train"] - 2560) < 122


def test_other_scenes_have_no_say():
    few = dict(list(zip("abcdefgh", FIELDS, strict=False))[:3])
    many = dict(zip([f"s{number}" for number in range(500)], FIELDS, strict=False)) | few
    alone, together = assign_splits(few, seed=5), assign_splits(many, seed=5)
    assert {name: together[name] for name in few} == alone


def test_one_field_under_two_names_is_in_one_split():
    found = assign_splits({"kitchen": "7f3a", "cuisine": "7f3a", "hall": "e02b"})
    assert found["kitchen"] == found["cuisine"]
    pinned = assign_splits(
        {"kitchen": "7f3a", "cuisine": "7f3a", "hall": "e02b"}, pins={"cuisine": "test"}
    )
    assert pinned == {"kitchen": "test", "cuisine": "test", "hall": "train"}
    with pytest.raises(ValueError, match="'cuisine' and 'kitchen' are the same field under two"):
        assign_splits(
            {"kitchen": "7f3a", "cuisine": "7f3a"}, pins={"cuisine": "test", "kitchen": "train"}
        )
    with pytest.raises(ValueError, match=r"one of the scenes \['kitchen'\], got 'kitchn'"):
        assign_splits({"kitchen": "7f3a"}, pins={"kitchn": "test"})


@pytest.mark.parametrize("shares", [(-0.1, 0.5, 0.6), (0, 0, 0), (float("nan"), 1, 1)])
def test_shares_that_cannot_be_shared_out_are_refused(shares):
    with pytest.raises(ValueError, match="expected shares of train, validation and test"):
        SplitShares(**dict(zip(SPLITS, shares, strict=True)))


def test_a_plan_of_a_split_holds_its_scenes_only():
    train = Split(name="train")
    plan = _plan(_scene("hall", "e02b"), split=train)
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.id != dataclasses.replace(plan, split=None).id
    assert plan.id != dataclasses.replace(plan, split=Split(name="train", seed=3)).id
    with pytest.raises(ValueError, match="'kitchen' is of the split 'validation', and the plan"):
        _plan(_scene("hall", "e02b"), _scene("kitchen", "7f3a"), split=train)
    _plan(_scene("kitchen", "7f3a"), split=Split(name="train", pinned=("kitchen",)))
    with pytest.raises(ValueError, match="no hash of its field"):
        _plan(_scene("hall"), split=train)
    with pytest.raises(ValueError, match="expected a split out of"):
        Split(name="dev")  # type: ignore[arg-type]


def test_plans_without_a_split_are_what_they_were():
    plan = fake_plan(4)
    assert "split" not in plan.identity
    assert "split" not in plan.to_json()
    hall = dataclasses.replace(plan.scenes[0], field_sha256="x")
    known = dataclasses.replace(plan, scenes=(hall,))
    assert known.id == plan.id


def test_disjoint_data_sets_pass_and_common_scenes_are_named():
    train = _plan(_scene("hall", "a"), _scene("attic", "b"))
    require_disjoint(train, _plan(_scene("hall", "c"), _scene("cellar", "d")))
    other = types.SimpleNamespace(plan=_plan(_scene("loft", "b"), _scene("hall", "a")))
    with pytest.raises(ValueError, match="found 2: 'hall'; 'attic', there 'loft'"):
        require_disjoint(train, other)
    with pytest.raises(ValueError, match="found 2"):
        require_disjoint(other, train)


def test_plans_of_before_count_as_common_by_content_or_name():
    old = _plan(_scene("hall"), _scene("attic"))
    require_disjoint(old, _plan(_scene("cellar", "x")))
    with pytest.raises(ValueError, match="found 1: 'hall'"):
        require_disjoint(old, _plan(_scene("hall", "x")))
    with pytest.raises(ValueError, match="found 1: 'attic', there 'loft'"):
        require_disjoint(old, _plan(PlannedScene(name="loft", sha256="hash of attic")))


def test_scaling_and_describing_a_scene_leave_it_in_its_split():
    room = analytic_room()
    card = dataclasses.replace(room.card, name="again", metres_per_unit=0.5, objects=())
    again = Scene(card, room.field)
    settings = ClipSettings(frames=2, size=8)
    plans = [make_plan([s], load_observer("adult"), settings, clips=1) for s in (room, again)]
    first, second = (plan.scenes[0] for plan in plans)
    assert first.sha256 != second.sha256
    assert first.field_sha256 == second.field_sha256 == field_fingerprint(room.field)
    with pytest.raises(ValueError, match="'analytic_room', there 'again'"):
        require_disjoint(*plans)
    split = Split(name=split_of(first.field_sha256))
    made = make_plan([again], load_observer("adult"), settings, clips=1, split=split)
    assert made.split == split
