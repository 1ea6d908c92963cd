import numpy as np
import pytest
from merkwelt.streams.videos.cut import ClipCut
from merkwelt.streams.videos.errors import Unusable
from merkwelt.streams.videos.window import nearest, require_rate, window_count, window_frames


def _cut(**changes) -> ClipCut:
    return ClipCut(**{"frames": 4, "frame_rate_hz": 10.0, "size_px": 8, **changes})


def _all(times_s: np.ndarray, cut: ClipCut) -> tuple[np.ndarray, np.ndarray]:
    return window_frames((times_s,), np.arange(window_count(times_s, cut)), cut)


def _reference(times_s: np.ndarray, cut: ClipCut) -> list[list[int] | None]:
    """Clip by clip and frame by frame, as the module's first lines say it."""
    clips, k = [], 0
    while True:
        nominal = times_s[0] + k * cut.stride / cut.frame_rate_hz
        if nominal + (cut.frames - 1) / cut.frame_rate_hz > times_s[-1] + 0.5 / cut.frame_rate_hz:
            return clips
        start = min(times_s, key=lambda t: abs(t - nominal))
        wanted = [start + j / cut.frame_rate_hz for j in range(cut.frames)]
        found = [int(np.argmin([abs(t - w) for t in times_s])) for w in wanted]
        taken, asked = [start, *times_s[found]], [nominal, *wanted]
        near = all(abs(t - w) < 0.5 / cut.frame_rate_hz for t, w in zip(taken, asked, strict=True))
        clips.append(found if near and len(set(found)) == len(found) else None)
        k += 1


def test_a_third_of_thirty_hertz_is_every_third_frame():
    frames, there = _all(np.arange(30) / 30, _cut())
    assert there.all()
    assert frames[0].tolist() == [[0, 3, 6, 9], [12, 15, 18, 21]]


@pytest.mark.parametrize("seed", range(5))
def test_irregular_times_agree_with_a_slow_reading(seed):
    generator = np.random.default_rng(seed)
    times_s = 7.3 + np.cumsum(
        generator.choice([0.02, 0.03, 0.05, 0.3], 200, p=[0.5, 0.3, 0.15, 0.05])
    )
    cut = _cut(stride_frames=3)
    frames, there = _all(times_s, cut)
    reference = _reference(times_s, cut)
    assert len(reference) == len(there)
    assert [f if f is not None else None for f in reference] == [
        frames[0, k].tolist() if there[k] else None for k in range(len(there))
    ]
    assert 0 < there.sum() < len(there)


def test_no_clip_lies_across_a_gap_and_none_repeats_a_frame():
    times_s = np.concatenate([np.arange(12) / 10, 3.0 + np.arange(12) / 10])
    frames, there = _all(times_s, _cut(stride_frames=1))
    taken = frames[0][there]
    assert (np.diff(taken, axis=1) == 1).all()
    assert not ((taken < 12).any(axis=1) & (taken >= 12).any(axis=1)).any()
    assert there.sum() == 2 * (12 - 3)


def test_television_rates_pass_for_round_ones():
    times_s = np.arange(900) * 1001 / 30000
    require_rate(times_s, _cut(frame_rate_hz=30))
    frames, there = _all(times_s, _cut(frame_rate_hz=30))
    assert (np.diff(frames[0][there], axis=1) == 1).all()
    # Once in 1000 frames the two rates are half a frame apart, where a clip may be left out.
    assert there.sum() >= len(there) - 1


def test_slower_recordings_are_refused():
    with pytest.raises(
        Unusable, match=r"10 frames a second, less than the 20 Hz .* never repeated"
    ):
        require_rate(np.arange(50) / 10, _cut(frame_rate_hz=20))
    with pytest.raises(Unusable, match="it has 3 frames, and a clip 4"):
        require_rate(np.arange(3) / 10, _cut())


def test_eyes_that_are_not_taken_together_give_no_clip():
    left_s = np.arange(20) / 10
    together, apart = left_s + 0.01, left_s + 0.06
    cut = _cut()
    numbers = np.arange(window_count(left_s, cut))
    assert window_frames((left_s, together), numbers, cut)[1].all()
    # 60 ms late: the nearest right frame is the one before, 40 ms early, which is within 50 ms.
    frames, there = window_frames((left_s, apart), numbers[1:], cut)
    assert there.all()
    assert (frames[0] - frames[1] == 1).all()
    # Of fast eyes a slow output rate hides nothing: 40 ms are more than half of their 20 ms.
    fast_s = np.arange(100) / 50
    late_s = fast_s[::5] + 0.04
    assert not window_frames((fast_s, late_s), numbers, cut)[1].any()


def test_ties_go_to_the_earlier_frame():
    assert nearest(np.array([0.0, 1.0]), np.array([0.5])).tolist() == [0]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"frames": 0}, "frames of at least 1"),
        ({"stride_frames": 0}, "stride_frames of at least 1"),
        ({"frame_rate_hz": float("nan")}, "positive frame_rate_hz"),
        ({"picture_rate_hz": -1.0}, "positive picture_rate_hz"),
        ({"layout": "left_right"}, "expected layout out of"),
        ({"eyes": 3}, "expected eyes out of"),
        ({"turn_deg": 45}, "expected turn_deg out of"),
        ({"squeezed": True}, "layout side_by_side or top_bottom"),
    ],
)
def test_cuts_that_cannot_be(wrong, message):
    with pytest.raises(ValueError, match=message):
        _cut(**wrong)
