import math

import numpy as np
import pytest
from merkwelt.render.acceptance import disparity, holding, looking
from merkwelt.render.acceptance.reduce import duration_line, follow_gain, main_sequence
from merkwelt.render.acceptance.saccades import find_saccades, fixations, landing_errors_deg
from merkwelt.render.acceptance.signals import signals_of
from merkwelt.render.rigid import angles_from_direction, direction_from_angles

RATE_HZ = 200.0


def _glide(share):
    share = np.clip(share, 0, 1)
    return share**3 * (10 - 15 * share + 6 * share**2)


def _looks(t, amplitudes_deg, *, every_s=0.4, duration_s=lambda a: 0.023 + 0.0027 * a):
    """Yaw of a gaze that goes to and fro by the amplitudes, each with a minimum-jerk glide."""
    yaw, side = np.zeros(len(t)), 1
    for k, amplitude in enumerate(amplitudes_deg):
        onset = every_s * (k + 1)
        yaw = yaw + side * math.radians(amplitude) * _glide((t - onset) / duration_s(amplitude))
        side = -side
    return yaw


def _found(amplitudes_deg, **more):
    t = np.arange(round(0.4 * RATE_HZ * (len(amplitudes_deg) + 2))) / RATE_HZ
    yaw = _looks(t, amplitudes_deg, **more)
    return find_saccades(direction_from_angles(yaw, 0 * yaw), 1 / RATE_HZ)


def test_known_saccades_are_found_with_amplitude_duration_and_peak():
    amplitudes = np.array([2.0, 5.0, 10.0, 20.0, 30.0, 8.0, 1.0])
    saccades = _found(amplitudes)
    assert saccades.whole.all()
    np.testing.assert_allclose(saccades.amplitude_deg, amplitudes, rtol=0.02)
    durations = 0.023 + 0.0027 * amplitudes
    # A threshold sees a glide, which starts and ends gently, a little shorter than it is.
    np.testing.assert_allclose(saccades.duration_s, durations, rtol=0.3)
    large = amplitudes >= 5
    np.testing.assert_allclose(saccades.duration_s[large], durations[large], rtol=0.15)
    peaks = 1.875 * amplitudes / durations
    np.testing.assert_allclose(saccades.peak_deg_s[large], peaks[large], rtol=0.06)
    np.testing.assert_allclose(saccades.peak_share[large], 0.5, atol=0.04)


def test_a_background_of_slow_tracking_is_no_saccade():
    t = np.arange(2000) / RATE_HZ
    yaw = 0.5 * np.sin(t) + _looks(t, [6.0] * 10)
    saccades = find_saccades(direction_from_angles(yaw, 0 * yaw), 1 / RATE_HZ)
    assert len(saccades.first) == 10
    assert len(find_saccades(direction_from_angles(0.5 * np.sin(t), 0 * t), 0.005).first) == 0


def test_fixations_lie_between_saccades():
    saccades = _found([5.0] * 6)
    lengths = np.array([part.stop - 1 - part.start for part in fixations(saccades)]) / RATE_HZ
    assert len(lengths) == 5
    np.testing.assert_allclose(lengths, 0.4 - 0.0365, atol=0.011)


def test_a_main_sequence_is_read_off_the_saccades():
    rng = np.random.default_rng(0)
    amplitude = rng.exponential(8, 400) + 1
    peak = 502 * (1 - np.exp(-amplitude / 12))
    rows = np.stack([amplitude, peak, 0.023 + 0.0027 * amplitude], axis=1)
    top, scale = main_sequence(rows)
    assert top == pytest.approx(502, rel=0.02)
    assert scale == pytest.approx(12, rel=0.03)
    assert duration_line(rows) == pytest.approx((23, 2.7), rel=1e-6)


def test_undershoot_is_what_is_missing_along_the_way(motion_of):
    yaw = _looks(np.arange(401) / RATE_HZ, [9.5])
    to = direction_from_angles(np.radians([10.0]), np.zeros(1))[0]
    motion = motion_of(seconds=2.0, gaze_yaw=yaw, target=np.array([0, 0, 1.6]) + 2 * to)
    signals = signals_of(motion)
    saccades = find_saccades(signals.gaze, signals.step_s)
    assert landing_errors_deg(signals, saccades) == pytest.approx([0.5], abs=0.05)


@pytest.mark.parametrize(("gain", "lag_s"), [(0.95, 0.01), (0.7, 0.0), (1.0, 0.02)])
def test_the_reflex_has_the_gain_and_the_lag_it_was_given(motion_of, gain, lag_s):
    def shake(t):
        return np.radians(2) * np.sin(9 * t) + np.radians(1) * np.sin(4 * t + 1)

    motion = motion_of(
        seconds=6.0,
        yaw=shake,
        position=lambda t: np.column_stack([0 * t, 0.02 * np.sin(9 * t), 1.6 + 0 * t]),
        gaze_yaw=lambda t: shake(t) - gain * shake(t - lag_s),
        target=np.array([4.0, 0.0, 1.6]),
    )
    sums = holding.compensation(signals_of(motion), [slice(0, 1200)])
    found, lag = holding.answer(sums)
    assert found == pytest.approx(gain, abs=0.02)
    assert lag == pytest.approx(lag_s, abs=0.002)


def test_the_reflex_of_a_head_that_does_not_turn_is_not_known(motion_of):
    sums = holding.compensation(signals_of(motion_of()), [slice(0, 2000)])
    assert math.isnan(holding.answer(sums)[0])


def _passing(motion_of, gain):
    """A head that walks past a point at its side, which the eyes follow with a gain."""
    target = np.array([1.0, 3.0, 1.6])

    def place(t):
        return np.column_stack([t, 0 * t, 1.6 + 0 * t])

    def yaw(t):
        seen, _ = angles_from_direction(target - place(t))
        return seen[0] + gain * (seen - seen[0])

    return signals_of(motion_of(seconds=2.0, position=place, gaze_yaw=yaw, target=target))


@pytest.mark.parametrize("gain", [1.0, 0.9, 0.5])
def test_following_has_the_gain_it_was_given_and_the_rest_slips(motion_of, gain):
    signals, parts = _passing(motion_of, gain), [slice(0, 400)]
    assert follow_gain(holding.followed(signals, parts)) == pytest.approx(gain, abs=0.02)
    slip = holding.slip_deg_s(signals, parts)
    assert slip.max() == pytest.approx((1 - gain) * np.degrees(1 / 3), rel=0.05, abs=0.2)


def test_gaze_is_measured_from_head_and_heading(motion_of):
    motion = motion_of(
        position=lambda t: np.column_stack([0.8 * t, 0.8 * t, 1.6 + 0 * t]),
        heading=lambda t: np.full(len(t), math.pi / 4),
        yaw=lambda t: np.full(len(t), math.pi / 4),
        gaze_yaw=lambda t: np.full(len(t), math.pi / 4 + math.radians(10)),
        gaze_pitch=lambda t: np.full(len(t), -math.radians(20)),
    )
    signals = signals_of(motion)
    np.testing.assert_allclose(
        looking.gaze_from_heading_deg(signals), [[10, -20]] * 2001, atol=1e-6
    )
    expected = math.degrees(math.acos(math.cos(math.radians(10)) * math.cos(math.radians(20))))
    np.testing.assert_allclose(looking.eccentricity_deg(signals), expected, atol=1e-6)


def test_vergence_takes_the_angle_of_the_table():
    eyes = np.array([[[-0.0315, 0, 0], [0.0315, 0, 0]]])
    for distance_m, angle_deg in ((0.3, 12.0), (0.5, 7.2), (1.0, 3.6), (4.0, 0.90)):
        point = np.array([[0.0, 0.0, distance_m]])
        found = np.degrees(looking.vergence_demand_rad(eyes, point))
        assert found == pytest.approx([angle_deg], rel=0.01)


def test_poisson_blinks_are_counted_and_timed(motion_of):
    rng = np.random.default_rng(1)
    starts = np.cumsum(rng.exponential(2.0, 400))
    starts = starts[np.diff(starts, append=np.inf) > 0.3][:150]

    def lids(t):
        return (np.searchsorted(starts + 0.2, t) != np.searchsorted(starts, t)) & (t > 0.5)

    signals = signals_of(motion_of(seconds=float(starts[-1]) + 1, blink=lids))
    started, closed_s = looking.closures(signals)
    assert abs(started - np.sum(starts > 0.5)) <= 1
    np.testing.assert_allclose(closed_s, 0.2, atol=0.006)


def test_disparity_is_crossed_for_what_is_nearer():
    eyes = np.array([[-0.0315, 0.0, 0.0], [0.0315, 0.0, 0.0]])
    points = np.array([[0.0, 0, 1.0], [0.0, 0, 2.0], [0.0, 0, 4.0]])
    found = disparity.disparity_deg_crossed_positive(points, eyes, points[1])
    np.testing.assert_allclose(found, [1.804, 0, -0.902], atol=0.002)


def test_disparities_are_sorted_by_place_in_the_field():
    rows = np.array([[0.0, -5.0, 0.4], [0.0, 5.0, -0.3], [0.0, 30.0, 9.0], [1.0, 0.0, 0.0]])
    assert disparity.central(rows).tolist() == [0.4, -0.3, 0.0]
    assert disparity.in_band(rows, -1).tolist() == [0.4]
    assert disparity.in_band(rows, 1).tolist() == [-0.3]
    bands = disparity.by_elevation(rows, np.array([-10.0, -1.0, 1.0]))
    np.testing.assert_allclose(bands, [[0.4] * 3, [0.0] * 3])


def test_rendered_points_lie_on_the_walls_of_the_room(room, motion_of):
    from merkwelt.render.volume import RenderOptions

    poses = motion_of(seconds=0.1).course.world_from_eye[:, 0]
    points, field = disparity.views_of(room, poses, RenderOptions())
    assert points.shape == (2, 441, 3)
    assert field.shape == (441, 2)
    middle = points[0, 220]
    assert middle[0] == pytest.approx(3.0, abs=0.06)
    assert field[0, 0] < 0 < field[0, 1]
