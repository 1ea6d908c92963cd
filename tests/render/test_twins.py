from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import plan_motion
from merkwelt.render.navigation.navigation import Navigation
from merkwelt.render.observer.presets import adult, load_observer
from merkwelt.render.paths import HeadPath
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import look_at
from merkwelt.render.twins import Factors, luminance_only
from merkwelt.streams import make_plan, render_one
from merkwelt.streams.plain import from_plain, to_plain

CLIPS = (0, 3, 7)
ARRAYS = (
    "time_s",
    "head_position",
    "head_axes",
    "left_eye",
    "right_eye",
    "gaze_target",
    "fixation_id",
    "saccade",
    "blink",
    "gait_phase_rad",
    "heading_rad",
    "speed",
    "activity",
)
EYES = {"left_eye", "right_eye"}
DIFFERS = {
    "original": (Factors(), set()),
    "stereo": (Factors(stereo=False), EYES),
    "gaze": (
        Factors(gaze=False),
        {"head_axes", "gaze_target", "fixation_id", "saccade", *EYES},
    ),
    "gait": (Factors(gait=False), {"head_position", "head_axes", *EYES}),
    "colour": (Factors(colour=False), set()),
    "blink": (Factors(blink=False), {"blink"}),
    "interocular": (Factors(interocular_times=2.0), EYES),
    "heading": (
        Factors(heading="mineault2021"),
        {"head_axes", "gaze_target", "fixation_id", "saccade", *EYES},
    ),
}
"""For every twin, what differs from the original in some clip; all else is equal to the bit."""


@pytest.fixture(scope="module", params=["parallel", "converged"])
def motions(room, room_navigation, request):
    def _motions(factors):
        return [
            plan_motion(
                room,
                replace(adult(), rig_mode=request.param),
                ClipKey(dataset_seed=0, scene="room", clip=clip),
                frames=120,
                frame_rate_hz=20.0,
                navigation=room_navigation,
                factors=factors,
            )
            for clip in CLIPS
        ]

    return _motions


@pytest.fixture(scope="module")
def originals(motions):
    return motions(Factors())


def _arrays(motion):
    course = motion.course
    return course.to_arrays() | {
        "head_position": course.world_from_head[:, :3, 3],
        "head_axes": course.world_from_head[:, :3, :3],
        "left_eye": course.world_from_eye[0],
        "right_eye": course.world_from_eye[1],
        "heading_rad": motion.heading_rad,
        "speed": motion.speed,
        "activity": motion.activity,
    }


@pytest.mark.parametrize("name", DIFFERS)
def test_a_twin_differs_in_its_factor_and_in_nothing_else(motions, originals, name):
    factors, expected = DIFFERS[name]
    differs = set()
    for twin, original in zip(motions(factors), originals, strict=True):
        one, other = _arrays(twin), _arrays(original)
        differs |= {n for n in ARRAYS if not np.array_equal(one[n], other[n])}
    assert differs == expected


def test_without_stereo_both_eyes_are_midway(motions, originals):
    for twin, original in zip(motions(Factors(stereo=False)), originals, strict=True):
        eyes = twin.course.world_from_eye
        np.testing.assert_array_equal(eyes[0], eyes[1])
        middle = original.course.world_from_eye[:, :, :3, 3].mean(axis=0)
        np.testing.assert_allclose(eyes[0, :, :3, 3], middle, atol=1e-12)


def test_without_gaze_eyes_stay_straight_ahead(motions):
    for twin in motions(Factors(gaze=False)):
        course = twin.course
        middle = course.world_from_eye[:, :, :3, 2].sum(axis=0)
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        np.testing.assert_allclose(middle, course.world_from_head[:, :3, 2], atol=1e-2)
        assert not course.saccade.any()
        assert not course.fixation_id.any()


def test_without_gait_the_head_keeps_its_height(motions, originals):
    for twin, original in zip(motions(Factors(gait=False)), originals, strict=True):
        assert np.ptp(twin.course.world_from_head[:, 2, 3]) < 1e-12
        assert np.ptp(original.course.world_from_head[:, 2, 3]) > 0.01


def test_the_eyes_are_so_many_times_as_far_apart(motions, originals):
    for twin, original in zip(motions(Factors(interocular_times=2.5)), originals, strict=True):
        apart = [
            np.linalg.norm(np.diff(m.course.world_from_eye[:, :, :3, 3], axis=0)[0], axis=1)
            for m in (twin, original)
        ]
        np.testing.assert_allclose(apart[0], 2.5 * apart[1])


def test_the_heading_of_mineault_is_looked_away_from_farther(room, room_navigation):
    def spread(factors):
        angles = []
        for clip in range(12):
            course = plan_motion(
                room,
                adult(),
                ClipKey(dataset_seed=1, scene="room", clip=clip),
                frames=100,
                frame_rate_hz=10.0,
                navigation=room_navigation,
                factors=factors,
            )
            eye = course.course.world_from_eye[0, :, :3, 2]
            yaw = np.arctan2(eye[:, 1], eye[:, 0]) - course.heading_rad
            angles.append(np.angle(np.exp(1j * yaw)))
        return np.std(np.concatenate(angles))

    assert spread(Factors(heading="mineault2021")) > 1.2 * spread(Factors())


SETTINGS = ClipSettings(frames=3, size=24)
KEY = ClipKey(dataset_seed=0, scene="room", clip=2)


@pytest.fixture(scope="module")
def clip_with(room, room_navigation):
    def _clip(factors=None, **changes):
        settings = replace(SETTINGS, factors=factors or Factors(), **changes)
        return render_clip(room, adult(), settings, KEY, navigation=room_navigation)

    return _clip


@pytest.fixture(scope="module")
def clip(clip_with):
    return clip_with()


def test_rendered_without_stereo_the_eyes_see_the_same(clip, clip_with):
    twin = clip_with(Factors(stereo=False))
    assert twin.video.shape == clip.video.shape
    assert torch.equal(twin.video[0], twin.video[1])
    assert torch.equal(twin.depth[0], twin.depth[1])
    assert not torch.equal(clip.video[0], clip.video[1])
    assert not torch.equal(clip.video[0], twin.video[0])


def test_rendered_without_colour_there_is_luminance_and_the_same_geometry(clip, clip_with):
    twin = clip_with(Factors(colour=False))
    assert torch.equal(twin.video, luminance_only(clip.video))
    assert torch.equal(twin.video[:, :, 0], twin.video[:, :, 2])
    assert not torch.equal(clip.video[:, :, 0], clip.video[:, :, 2])
    assert torch.equal(twin.depth, clip.depth)
    assert twin.caption == clip.caption


def test_rendered_without_blinks_pictures_are_the_same(clip, clip_with):
    twin = clip_with(Factors(blink=False))
    assert torch.equal(twin.video, clip.video)
    assert not twin.trajectory.blink.any()


@pytest.mark.parametrize(
    "factors",
    [
        Factors(gaze=False),
        Factors(gait=False),
        Factors(interocular_times=2.0),
        Factors(heading="mineault2021"),
    ],
)
def test_rendered_with_another_motion_pictures_differ(clip, clip_with, factors):
    twin = clip_with(factors)
    assert twin.video.shape == clip.video.shape
    assert not torch.equal(twin.video, clip.video)


def test_a_twin_keeps_to_the_attempt_of_its_original(room, room_navigation):
    near = replace(SETTINGS, nearest_m=2.0)
    for number in range(20):
        key = replace(KEY, clip=number)
        clip = render_clip(room, adult(), near, key, navigation=room_navigation)
        if clip.attempts > 1:
            break
    assert clip.attempts > 1
    for factors in (Factors(gait=False), Factors(gaze=False), Factors(interocular_times=3.0)):
        twin = render_clip(
            room, adult(), replace(near, factors=factors), key, navigation=room_navigation
        )
        assert twin.attempts == clip.attempts
        np.testing.assert_array_equal(
            twin.trajectory.gait_phase_rad, clip.trajectory.gait_phase_rad
        )
        if factors.gaze:
            np.testing.assert_array_equal(twin.trajectory.gaze_target, clip.trajectory.gaze_target)


def test_a_plan_tells_a_twin_from_its_original(room, clip_with):
    def plan(factors):
        return make_plan([room], adult(), replace(SETTINGS, factors=factors), clips=3)

    original = plan(Factors())
    assert "factors" not in original.settings
    twins = [plan(factors) for factors, _ in DIFFERS.values() if not factors.is_original]
    assert len({original.id, *(twin.id for twin in twins)}) == 8
    for twin in twins:
        settings = from_plain(ClipSettings, twin.settings, where="plan")
        assert settings.factors == from_plain(Factors, to_plain(settings.factors), where="plan")
        assert not settings.factors.is_original
    grey = render_one(plan(Factors(colour=False)), {room.card.name: room}, 2)
    assert torch.equal(grey.video[:, :, 0], grey.video[:, :, 1])


def test_luminance_by_hand():
    pixel = torch.tensor([255, 0, 0, 188], dtype=torch.uint8).reshape(1, 1, 4)
    red = torch.cat([pixel, torch.zeros(2, 1, 4, dtype=torch.uint8)])
    # Linear red has luminance 0.2126, which sRGB encodes as 127; 188 is half of the light.
    grey = luminance_only(red)
    assert grey[0, 0].tolist() == [127, 0, 0, 92]
    assert torch.equal(grey[0], grey[1])
    levels = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    assert torch.equal(luminance_only(levels.contiguous()), levels)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interocular_times": 0.0}, "expected a positive factor.*render without stereo"),
        ({"interocular_times": float("nan")}, "expected a positive factor"),
        ({"interocular_times": 2.0, "stereo": False}, "eyes' distance plays no part"),
        ({"heading": "north"}, r"expected the heading \['mineault2021'\], got 'north'"),
        ({"heading": "mineault2021", "gaze": False}, "nothing is spread about the heading"),
    ],
)
def test_factors_that_contradict_each_other_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Factors(**change)


def test_factors_are_named():
    assert Factors.without([]).is_original
    assert Factors.without(["gait", "blink"]) == Factors(gait=False, blink=False)
    with pytest.raises(ValueError, match=r"expected factors out of .*got \['smell'\]"):
        Factors.without(["smell"])


@pytest.mark.parametrize(
    ("factors", "change", "message"),
    [
        (Factors(stereo=False), {"stereo": False}, "expected two eyes to render without stereo"),
        (Factors(interocular_times=2), {"stereo": False}, "one eye has no distance to another"),
        (Factors(stereo=False), {"truth": ("disparity",)}, "disparity is 0 everywhere"),
    ],
)
def test_settings_that_have_no_such_twin_are_refused(factors, change, message):
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, factors=factors, **change)


@pytest.mark.parametrize(
    ("factors", "gaze", "message"),
    [
        (Factors(gait=False), "observer", "a path carries has no gait"),
        (Factors(gaze=False), "ahead", "the eyes look straight ahead as it is"),
        (Factors(heading="mineault2021"), "ahead", "ask for --gaze observer"),
    ],
)
def test_heads_on_paths_that_have_no_such_twin_are_refused(room, factors, gaze, message):
    eye = np.array([[-1.0, -1.5, 1.5], [1.0, -1.5, 1.5]])
    path = HeadPath.of(np.array([0.0, 2.0]), look_at(eye, eye + [0, 1, 0]), gaze=gaze)
    with pytest.raises(ValueError, match=message):
        make_plan([room], adult(), replace(SETTINGS, factors=factors), clips=1, path=path)


@pytest.mark.parametrize(
    ("factors", "name", "message"),
    [
        (Factors(gait=False), "static", "the observer static does not walk and has no gait"),
        (Factors(gait=False), "mineault2021", "the observer mineault2021 does not walk"),
        (Factors(gaze=False), "mineault2021", "do not move or blink"),
        (Factors(blink=False), "mineault2021", "do not move or blink"),
        (Factors(heading="mineault2021"), "mineault2021", "do not move or blink"),
    ],
)
def test_observers_that_have_no_such_twin_are_refused(room, factors, name, message):
    with pytest.raises(ValueError, match=message):
        make_plan([room], load_observer(name), replace(SETTINGS, factors=factors), clips=1)


def test_one_eyed_observers_have_no_twin_without_stereo(room):
    cyclops = replace(adult(), eyes=1)
    for factors in (Factors(stereo=False), Factors(interocular_times=2)):
        with pytest.raises(ValueError, match="one"):
            make_plan([room], cyclops, replace(SETTINGS, factors=factors), clips=1)


def test_heads_on_paths_have_twins(room):
    eye = np.array([[-1.0, -1.5, 1.5], [1.0, -1.5, 1.5]])
    path = HeadPath.of(np.array([0.0, 2.0]), look_at(eye, eye + [0, 1, 0]), gaze="observer")
    way = Navigation.along(path)
    clip = render_clip(room, adult(), SETTINGS, KEY, navigation=way)
    for factors in (Factors(gaze=False), Factors(stereo=False), Factors(interocular_times=2)):
        twin = render_clip(room, adult(), replace(SETTINGS, factors=factors), KEY, navigation=way)
        np.testing.assert_array_equal(
            twin.trajectory.world_from_head, clip.trajectory.world_from_head
        )
        assert not torch.equal(twin.video, clip.video)
