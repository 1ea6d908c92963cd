import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import tyro
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.film import Film
from merkwelt.render.key import ClipKey
from merkwelt.render.motion.motion import Motion
from merkwelt.render.motion.trajectory import Trajectory
from merkwelt.render.observer.presets import adult
from merkwelt.render.optics.develop import quantised
from merkwelt.render.optics.settings import OpticsSettings
from merkwelt.render.optics.shutter import eyes_at, open_times, openness
from merkwelt.render.optics.transfer import light_from_srgb
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import rotation_from_angles, transform
from merkwelt.render.volume import RenderOptions, render_rays
from merkwelt.scenes.analytic import AnalyticField
from merkwelt.scenes.scene import Scene
from merkwelt.streams.plain import from_plain, to_plain

KEY = ClipKey(dataset_seed=0, scene="room", clip=3)
SETTINGS = ClipSettings(frames=4, size=24)
WALL_M, SPEED_M_S = 2.0, 1.5


class _Edge(AnalyticField):
    """A wall that is white to the left of y = 0 and black to its right."""

    def _texture(self, positions, owner):
        return (positions[:, 1:2] > 0).float().expand(-1, 3)


def _motion(frames=5, every=20, yaw_per_s=0.0, speed=0.0, blink=()):
    n = (frames - 1) * every + 1
    time_s = np.arange(n) / 200
    position = np.column_stack([np.zeros(n), speed * (time_s - time_s[-1] / 2), np.ones(n)])
    heads = transform(rotation_from_angles(yaw_per_s * time_s), position)
    closed = np.zeros(n, bool)
    closed[list(blink)] = True
    return Motion(
        course=Trajectory(
            time_s=time_s,
            world_from_head=heads,
            world_from_eye=heads[None],
            gaze_target=position + [WALL_M, 0, 0],
            fixation_id=np.zeros(n, np.int64),
            saccade=np.zeros(n, bool),
            blink=closed,
            gait_phase_rad=np.zeros(n),
        ),
        heading_rad=np.zeros(n),
        speed=np.full(n, speed),
        activity=np.ones(n, np.int8),
        frame_every=every,
    )


def _render(room, navigation, optics, **more):
    settings = replace(SETTINGS, optics=optics, **more)
    return render_clip(room, adult(), settings, KEY, navigation=navigation)


def test_without_optics_every_bit_is_as_rendered(room, room_navigation):
    clip = _render(room, room_navigation, OpticsSettings())
    assert torch.equal(
        clip.video, _render(room, room_navigation, OpticsSettings(sub_frames=3)).video
    )
    poses = clip.trajectory.world_from_eye.reshape(-1, 4, 4)
    seen = render_rays(room, rays_of(SETTINGS.camera, poses)).rgb
    expected = quantised(seen).reshape(2, 4, 24, 24, 3).permute(0, 1, 4, 2, 3)
    assert torch.equal(clip.video, expected)
    # Through linear light and back, without an effect on it.
    idle = _render(room, room_navigation, OpticsSettings(lids=True))
    awake = ~clip.trajectory.blink
    assert torch.equal(idle.video[:, awake], clip.video[:, awake])


def test_a_moving_edge_is_blurred_by_a_box_as_wide_as_its_way(room):
    box = torch.tensor([[WALL_M + 0.5, 0.0, 1.0, 1.0, 40.0, 40.0, 0.0]])
    field = _Edge(box, torch.ones(1, 3))
    card = replace(room.card, name="edge", objects=())
    camera = PinholeCamera.from_hfov(math.radians(60.0), (96, 4))
    film = Film(scene=Scene(card, field), camera=camera, renderer=RenderOptions())
    motion = _motion(speed=SPEED_M_S)
    subs, shutter = 64, 0.75
    video, _ = film.exposed(motion, OpticsSettings(shutter=shutter, sub_frames=subs), KEY)
    light = light_from_srgb(video[0].double() / 255)[:, 0, 1].numpy()
    # The edge is at y = 0, to the left (smaller x) of an eye that is at negative y.
    eye_y = motion.frames().world_from_eye[0, :, 1, 3]
    middle_px = camera.cx + camera.fx * eye_y / WALL_M
    width_px = camera.fx * SPEED_M_S * shutter * 0.1 / WALL_M
    assert 4 < width_px < 6
    x = np.arange(96) + 0.5
    # The shutter of the first and the last frame is moved into the clip by half its length.
    middle_px[[0, -1]] += np.array([0.5, -0.5]) * width_px
    expected = np.clip((middle_px[:, None] - x) / width_px + 0.5, 0, 1)
    # One sub-frame more or less, and 8 bits.
    np.testing.assert_allclose(light, expected, atol=1 / subs + 0.005)


def test_geometry_and_trajectory_are_those_of_the_instant(room, room_navigation):
    plain = _render(room, room_navigation, OpticsSettings(), truth=("ids", "flow"))
    optics = OpticsSettings(shutter=0.9, sub_frames=3, read_noise=0.05, exposure_spread_stops=1.0)
    other = _render(room, room_navigation, optics, truth=("ids", "flow"))
    assert torch.equal(plain.depth, other.depth)
    for name, value in plain.truth.held().items():
        torch.testing.assert_close(value, other.truth.held()[name], rtol=0, atol=0, equal_nan=True)
    assert (plain.caption, plain.description) == (other.caption, other.description)
    assert not torch.equal(plain.video, other.video)


def test_the_same_id_has_the_same_pixels(room, room_navigation):
    optics = OpticsSettings(
        shutter=0.5, sub_frames=2, read_noise=0.02, drift_stops=0.3, warmth_spread_stops=0.5
    )
    one, two = (_render(room, room_navigation, optics) for _ in range(2))
    assert torch.equal(one.video, two.video)


def test_the_shutter_opens_around_the_instant_and_within_the_clip():
    time_s = open_times(_motion(), OpticsSettings(shutter=0.5, sub_frames=5))
    assert time_s.shape == (5, 5)
    np.testing.assert_allclose(time_s[1:4].mean(axis=1), [0.1, 0.2, 0.3])
    np.testing.assert_allclose(time_s[1], 0.1 + 0.01 * np.arange(-2, 3))
    assert time_s.min() >= 0
    assert time_s.max() <= 0.4
    np.testing.assert_array_equal(open_times(_motion(), OpticsSettings())[:, 0], np.arange(5) / 10)


def test_poses_between_instants_turn_and_move_evenly():
    motion = _motion(yaw_per_s=3.0, speed=1.0)
    time_s = np.array([[0.0, 0.0123], [0.2101, 0.4]])
    poses = eyes_at(motion, time_s)
    assert poses.shape == (1, 2, 2, 4, 4)
    np.testing.assert_allclose(poses[0, ..., 1, 3], time_s - 0.2, atol=1e-12)
    expected = rotation_from_angles(3.0 * time_s)
    np.testing.assert_allclose(poses[0, ..., :3, :3], expected, atol=1e-12)
    np.testing.assert_array_equal(
        eyes_at(motion, np.array([0.1]))[0, 0, :3, 3], motion.course.world_from_eye[0, 20, :3, 3]
    )


def test_lids_that_close_while_the_shutter_is_open_dim_the_picture():
    motion = _motion(blink=range(15, 21))
    instants = openness(motion, open_times(motion, OpticsSettings()))
    np.testing.assert_array_equal(instants, [1, 0, 1, 1, 1])
    exposed = openness(motion, open_times(motion, OpticsSettings(shutter=0.5, sub_frames=10)))
    assert 0.3 < exposed[1] < 0.6
    np.testing.assert_array_equal(np.delete(exposed, 1), 1)


def test_a_shutter_needs_motion():
    with pytest.raises(ValueError, match="nothing moves in a single frame"):
        ClipSettings(frames=1, optics=OpticsSettings(shutter=0.5))


def test_plans_without_optics_have_no_entry_and_others_come_back():
    assert "optics" not in ClipSettings().to_dict()
    settings = ClipSettings(optics=OpticsSettings(exposure_stops=0.5, lids=True))
    assert from_plain(ClipSettings, to_plain(settings), where="") == settings


def test_optics_are_options_of_the_command_line():
    asked = tyro.cli(ClipSettings, args=["--optics.exposure-stops", "-0.5", "--optics.lids"])
    assert asked.optics == OpticsSettings(exposure_stops=-0.5, lids=True)
