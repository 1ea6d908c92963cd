import math
from dataclasses import replace

import numpy as np
import pytest
from merkwelt.render.key import ClipKey
from merkwelt.render.observer.presets import adult, static
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.words.describe import describe
from merkwelt.render.words.description import Description
from merkwelt.render.words.measure import direction_of, noun_of
from merkwelt.render.words.moving import turns_of
from merkwelt.render.words.visible import LEAST_SHARE
from merkwelt.scenes.scene import Scene

from .conftest import (
    EYE_HEIGHT,
    TARGET,
    THINGS,
    described,
    mirrored,
    motion_of,
    scene_of,
    straight,
)

KEY = ClipKey(dataset_seed=0, scene="room", clip=3)
SWAPPED = {"left": "right", "right": "left"}


def _mirrored_direction(direction):
    return direction and " ".join(SWAPPED.get(word, word) for word in direction.split())


def test_a_walk_is_told_as_it_was_made(walk):
    assert walk.motion.activity == "walking"
    assert walk.motion.speed_m_s == pytest.approx(3.5 / 2, abs=0.01)
    assert walk.motion.way_m == pytest.approx(3.5, abs=0.01)
    assert (walk.motion.turns, walk.motion.direction) == ((), "ahead")
    assert (walk.place.scene, walk.place.kind) == ("test room", "place")
    assert (walk.observer, walk.frames, walk.duration_s) == ("adult", 21, 2.0)


def test_passed_things_are_on_their_side_at_their_distance(walk):
    passed = {one.thing.name: (one.side, one.distance_m) for one in walk.place.passed}
    # The cup stands on a desk; the piano is ahead.
    assert passed == {"sofa": ("left", 0.9), "desk_1": ("right", 1.0), "desk_2": ("right", 1.0)}
    assert [one.time_s for one in walk.place.passed if one.thing.name == "sofa"] == [
        pytest.approx(1.5 / 1.75, abs=0.01)
    ]
    assert walk.place.towards.thing.name == "piano"
    assert walk.place.towards.distance_m == pytest.approx(3.2 - 2.0, abs=1e-3)


def test_a_mirrored_world_has_left_and_right_exchanged(walk):
    other = described(scene_of(mirrored(THINGS)), straight(-1.0))
    for one, two in zip(walk.place.passed, other.place.passed, strict=True):
        assert two == replace(one, side=SWAPPED[one.side])
    for one, two in zip(walk.looks, other.looks, strict=True):
        assert two.direction == _mirrored_direction(one.direction)
        assert two.direction_deg == -one.direction_deg
        assert (two.thing, two.distance_m) == (one.thing, one.distance_m)
    there = {seen.thing.name: seen for seen in other.visible}
    assert set(there) == {seen.thing.name for seen in walk.visible}
    for one in walk.visible:
        two = there[one.thing.name]
        assert two.direction == _mirrored_direction(one.direction)
        assert two.direction_deg == pytest.approx(-one.direction_deg, abs=0.1)
        assert two.in_picture == SWAPPED.get(one.in_picture, one.in_picture)
        assert two.share == pytest.approx(one.share, abs=0.002)


def test_what_a_wall_hides_is_not_passed():
    wall = (0.0, 0.6, 1.5, 3.0, 0.1, 3.0, 0)
    hidden = described(scene_of(THINGS, walls=[wall]), straight())
    assert {one.thing.name for one in hidden.place.passed} == {"desk_1", "desk_2"}


def test_who_turns_back_passes_nothing():
    x = np.concatenate([np.linspace(-1.5, -0.4, 200), np.linspace(-0.4, -1.5, 201)])
    yaw = np.where(np.arange(401) < 200, 0.0, math.pi)
    back = motion_of(np.column_stack([x, np.zeros(401)]), yaw, np.tile(TARGET, (401, 1)))
    assert described(scene_of(THINGS), back).place.passed == ()


def test_who_turns_away_no_longer_goes_towards():
    motion = straight()
    heading = np.where(np.arange(401) < 380, 0.0, math.radians(60))
    away = described(scene_of(THINGS), replace(motion, heading_rad=heading))
    assert away.place.towards is None


def test_looks_have_the_object_its_distance_and_its_frames(walk):
    (look,) = walk.looks
    middle = np.array([-1.5 + 3.5 * 200 / 400, 0, EYE_HEIGHT])
    assert look.thing.name == "piano"
    assert look.distance_m == pytest.approx(np.linalg.norm(TARGET - middle), abs=2e-3)
    assert look.direction_deg == pytest.approx(
        math.degrees(math.atan2(0.4, 3.2 - middle[0])), abs=0.1
    )
    assert look.frames == tuple(range(21))
    assert (look.start_s, look.end_s) == (0.0, 2.0)


def test_what_is_hidden_is_not_looked_at():
    screen = (2.6, 0.2, 1.0, 0.1, 1.6, 2.0, 0)
    hidden = described(scene_of(THINGS, walls=[screen]), straight())
    assert [look.thing for look in hidden.looks] == [None]
    assert "piano" not in {seen.thing.name for seen in hidden.visible}


def test_without_pictures_the_rest_is_told(walk):
    alone = describe(scene_of(THINGS), "adult", straight())
    assert alone == replace(walk, visible=())


def test_the_floor_and_a_second_look_at_the_same_thing():
    n = 401
    targets = np.tile(TARGET, (n, 1))
    targets[150:250] = (2.0, 0.0, 0.0)
    targets[250:] = (3.2, 0.6, 0.9)
    ids = np.repeat([0, 1, 2], [150, 100, 151])
    x = np.linspace(-1.5, 0.0, n)
    motion = motion_of(np.column_stack([x, np.zeros(n)]), np.zeros(n), targets, fixation_id=ids)
    looks = described(scene_of(THINGS), motion).looks
    assert [(look.thing and look.thing.name, look.is_floor) for look in looks] == [
        ("piano", False),
        (None, True),
        ("piano", False),
    ]
    targets[150:250] = (3.2, 0.5, 1.2)
    motion = motion_of(np.column_stack([x, np.zeros(n)]), np.zeros(n), targets, fixation_id=ids)
    (look,) = described(scene_of(THINGS), motion).looks
    assert look.end_s == 2.0
    assert described(scene_of(THINGS), motion).events.fixations == 3


def test_nearest_distances_are_those_of_the_boxes(walk):
    scene = scene_of(THINGS)
    boxes = {thing.name: thing.box for thing in scene.card.objects}
    poses = straight().frames().world_from_eye[0]
    for seen in walk.visible:
        box = boxes[seen.thing.name]
        eyes = poses[list(seen.frames), :3, 3]
        beyond = np.abs(box.box_from_world(eyes)) - np.asarray(box.size_m) / 2
        nearest = np.linalg.norm(np.maximum(beyond, 0), axis=1).min()
        # Of a thing that the picture cuts the nearest point may be out of view.
        assert seen.distance_m > nearest - 0.04
    piano = next(seen for seen in walk.visible if seen.thing.name == "piano")
    assert piano.distance_m == pytest.approx(1.2, abs=0.03)


@pytest.mark.parametrize("retina", ["pinhole", "fisheye"])
def test_what_is_visible_agrees_with_object_ids(room, room_navigation, retina):
    settings = ClipSettings(frames=6, size=48, stereo=False, truth=("ids",), retina=retina)
    for clip in range(3):
        key = replace(KEY, clip=clip)
        made = render_clip(room, adult(), settings, key, navigation=room_navigation)
        ids = made.truth.ids[0].numpy()
        shares = {name: (ids == at).mean(axis=(1, 2)) for at, name in enumerate(made.truth.objects)}
        told = {seen.thing.name: seen for seen in made.description.visible}
        assert set(told) == {n for n, share in shares.items() if share.max() >= LEAST_SHARE}
        for name, seen in told.items():
            assert seen.share == pytest.approx(shares[name].max(), abs=6e-4)
            assert seen.frames == tuple(np.flatnonzero(shares[name] >= LEAST_SHARE))


def test_truth_that_is_asked_for_does_not_change_the_words(room, room_navigation):
    settings = ClipSettings(frames=3, size=32)
    plain = render_clip(room, adult(), settings, KEY, navigation=room_navigation)
    more = replace(settings, truth=("ids", "flow"), depth=False)
    other = render_clip(room, adult(), more, KEY, navigation=room_navigation)
    assert (other.caption, other.description) == (plain.caption, plain.description)


def test_turns_are_told_in_order_and_small_ones_are_not():
    heading = np.concatenate([np.linspace(0, 60, 100), np.linspace(60, 20, 100)])
    assert [(t.side, t.angle_deg) for t in turns_of(heading)] == [("left", 60), ("right", 40)]
    assert [(t.side, t.angle_deg) for t in turns_of(-np.linspace(0, 90, 50))] == [("right", 90)]
    wobble = 5 * np.sin(np.linspace(0, 20, 200))
    assert turns_of(wobble) == ()
    (turn,) = turns_of(np.linspace(0, 100, 200) + wobble)
    assert turn.side == "left"
    assert turns_of(np.zeros(1)) == ()


def test_standing_still_and_near(room, room_navigation):
    made = render_clip(room, static(), ClipSettings(frames=4, size=16), KEY)
    facts = made.description
    assert facts.motion.activity == "standing"
    assert (facts.motion.way_m, facts.motion.direction, facts.place.passed) == (0, None, ())
    for near in facts.place.near:
        box = next(o.box for o in room.card.objects if o.name == near.thing.name)
        head = made.trajectory.world_from_head[0, :3, 3]
        beyond = np.abs(box.box_from_world(head))[:2] - np.asarray(box.size_m)[:2] / 2
        assert near.distance_m == pytest.approx(np.linalg.norm(np.maximum(beyond, 0)), abs=1e-3)


def test_one_frame_is_described(room, room_navigation):
    made = render_clip(
        room, adult(), ClipSettings(frames=1, size=16), KEY, navigation=room_navigation
    )
    assert (made.description.frames, made.description.duration_s) == (1, 0.0)
    assert made.description.motion.way_m == 0
    assert made.caption.startswith(("walking", "standing", "the "))


def test_a_scene_without_scale_and_objects_has_no_metres(statue):
    observer = replace(adult(), eyes=1)
    facts = render_clip(
        statue, observer, ClipSettings(frames=4, size=16, stereo=False), KEY
    ).description
    assert not facts.is_metric
    assert (facts.visible, facts.place.near, facts.motion.speed_m_s) == ((), (), None)
    assert all(look.distance_m is None for look in facts.looks)
    assert facts.motion.activity == "moving"


def test_without_a_scale_sides_are_known_all_the_same():
    scene = scene_of(THINGS)
    card = replace(scene.card, metres_per_unit=None)
    facts = described(Scene(card, scene.field), straight())
    assert {(one.thing.name, one.side) for one in facts.place.passed} >= {("sofa", "left")}
    assert all(one.distance_m is None for one in facts.place.passed)
    assert all(seen.distance_m is None and seen.range is None for seen in facts.visible)


def test_plain_data_and_back(walk):
    assert Description.from_dict(walk.to_dict()) == walk
    with pytest.raises(ValueError, match="here: expected description version 1, found 2"):
        Description.from_dict(walk.to_dict() | {"version": 2}, where="here")
    with pytest.raises(ValueError, match="description: not a Description"):
        Description.from_dict(walk.to_dict() | {"smell": "roses"})


def test_words_for_angles_and_names():
    angles = (0, 14, 30, -30, 90, -90, 150, -150, 180)
    assert [direction_of(a) for a in angles] == [
        "ahead",
        "ahead",
        "ahead left",
        "ahead right",
        "left",
        "right",
        "behind left",
        "behind right",
        "behind",
    ]
    assert [noun_of(n) for n in ("Sofa", "oak_chair_2", "3", "x 10")] == [
        "sofa",
        "oak chair",
        "3",
        "x",
    ]
