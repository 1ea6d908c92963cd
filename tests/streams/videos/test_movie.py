from fractions import Fraction

import av
import imageio.v3 as iio
import numpy as np
import pytest
from merkwelt.streams.videos import ClipCut, VideoClips
from merkwelt.streams.videos.errors import Unusable
from merkwelt.streams.videos.movie import index_movie

SMALL = {"frames": 4, "size_px": 32, "frame_rate_hz": 10.0}
PERIODS_MS = [0, 33, 33, 34, 20, 60, 33, 17, 50, 33, 90, 33, 33, 33, 40]
IRREGULAR_MS = np.cumsum(PERIODS_MS + 3 * [30, *PERIODS_MS[1:]]).tolist()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.mp4", {"options": {"bf": "3", "g": "12"}}),
        ("a.mkv", {"options": {"bf": "0", "g": "250"}}),
        ("a.mov", {"options": {"x264-params": "open-gop=1", "g": "8", "bf": "2"}}),
        ("a.webm", {"codec": "libvpx-vp9", "options": {"cpu-used": "8", "deadline": "realtime"}}),
    ],
)
def test_clips_of_a_variable_rate_are_the_frames_nearest_in_time(
    tmp_path, numbered_movie, shown, name, how
):
    numbered_movie(tmp_path / name, IRREGULAR_MS, **how)
    clips = VideoClips(tmp_path, cut=ClipCut(**SMALL, stride_frames=2))
    times_ms = np.array(IRREGULAR_MS)
    assert len(clips) > 5
    for clip in clips.clip_ids:
        window = int(clip) & 0xFFFFF
        start = times_ms[np.argmin(np.abs(times_ms - window * 200))]
        expected = [int(np.argmin(np.abs(times_ms - start - 100 * j))) for j in range(4)]
        assert [shown(frame.numpy()) for frame in clips.sample(clip).video[0]] == expected
        np.testing.assert_allclose(clips.times_s(clip), times_ms[expected] / 1000, atol=6e-4)


def test_pixels_are_those_of_an_independent_reading(tmp_path, movie):
    # Colour that changes over the picture and in time: a plane's mistake would show.
    y, x = np.mgrid[:96, :160]
    frames = [
        np.stack([x + 3 * k, y + 50, 200 - x // 2 + k], axis=2).clip(0, 255).astype(np.uint8)
        for k in range(20)
    ]
    file = movie(tmp_path / "a.mp4", frames, [100 * k for k in range(20)])
    read = iio.imread(file, plugin="pyav")
    clips = VideoClips(tmp_path, cut=ClipCut(**{**SMALL, "size_px": 48}))
    second = clips[1].video[0].numpy()
    # The middle square is columns 32 to 127, and every pixel the mean of two by two.
    squares = read[4:8, :, 32:128].reshape(4, 48, 2, 48, 2, 3).astype(float).mean(axis=(2, 4))
    assert np.abs(second.transpose(0, 2, 3, 1) - squares).max() <= 0.5
    original = np.stack(frames[4:8])[:, :, 32:128].reshape(4, 48, 2, 48, 2, 3).mean(axis=(2, 4))
    assert np.abs(second.transpose(0, 2, 3, 1) - original).mean() < 3  # what the codec loses


@pytest.mark.parametrize("display_turn_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("turn_deg", [0, 90])
def test_pictures_stand_upright(tmp_path, movie, display_turn_deg, turn_deg):
    picture = np.full((64, 64, 3), 20, np.uint8)
    picture[:32, :32] = 220  # bright at the top left, as it is stored
    movie(
        tmp_path / "a.mp4",
        [picture] * 8,
        [100 * k for k in range(8)],
        display_turn_deg=display_turn_deg,
    )
    clips = VideoClips(tmp_path, cut=ClipCut(**SMALL, turn_deg=turn_deg))
    seen = clips[0].video[0, 0, 0].numpy()
    clockwise = (_clockwise_turn_of(tmp_path / "a.mp4") + turn_deg) % 360
    expected = {0: (0, 0), 90: (0, 1), 180: (1, 1), 270: (1, 0)}[clockwise]
    bright = np.argwhere(seen.reshape(2, 16, 2, 16).mean(axis=(1, 3)) > 120)
    assert bright.tolist() == [list(expected)]


def _clockwise_turn_of(file) -> int:
    """What the track header's matrix does to x (ISO 14496-12, 8.3.2): (a, b) is where x goes to."""
    data = file.read_bytes()
    matrix = np.frombuffer(data, ">i4", 9, data.index(b"tkhd") + 4 + 40)
    a, b = matrix[0] >> 16, matrix[1] >> 16
    return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[(int(a), int(b))]


def test_pixels_that_are_not_square_are_cut_to_what_is_seen(tmp_path, movie):
    picture = np.full((64, 80, 3), 20, np.uint8)
    picture[:, 24:56] = 220  # seen twice as wide as stored: 64 of 160, the middle square
    movie(tmp_path / "a.mp4", [picture] * 8, [100 * k for k in range(8)], pixel_aspect=Fraction(2))
    seen = VideoClips(tmp_path, cut=ClipCut(**SMALL))[0].video[0, 0].float()
    assert seen[:, :, 1:-1].min() > 190  # the outermost columns may blur in the codec


def test_two_files_are_two_eyes_at_the_same_moments(tmp_path, numbered_movie, shown):
    # The right eye is twice as fast: its frame 2k is shown 15 ms after the left eye's frame k.
    numbered_movie(tmp_path / "walk_left.mp4", [100 * k for k in range(12)])
    numbered_movie(tmp_path / "walk_right.mp4", [0, *(50 * k + 15 for k in range(1, 24))])
    clips = VideoClips(tmp_path, cut=ClipCut(**SMALL))
    assert clips.recordings[0].stereo == "pair with walk_right.mp4"
    assert len(clips) == 3
    for clip in range(3):
        left, right = ([shown(f.numpy()) for f in eye] for eye in clips[clip].video)
        assert left == list(range(4 * clip, 4 * clip + 4))
        assert right == [2 * k for k in left]
    mono = VideoClips(tmp_path, cut=ClipCut(**SMALL, layout="mono"))
    assert [r.name for r in mono.recordings] == ["walk_left.mp4", "walk_right.mp4"]
    assert {r.eyes for r in mono.recordings} == {1}


def test_damage_is_named(tmp_path, movie, numbered_movie):
    noise = np.random.default_rng(0).integers(0, 255, (12, 64, 64, 3), np.uint8)
    file = movie(tmp_path / "a.mkv", list(noise), [100 * k for k in range(12)])
    whole = file.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(
        numbered_movie(tmp_path / "b.mp4", [0, 100, 200]).read_bytes()[:700]
    )
    (tmp_path / "b.mp4").write_bytes(b"")
    (tmp_path / "text.webm").write_text("no video\n" * 50)
    clips = VideoClips(tmp_path, cut=ClipCut(**SMALL))
    assert sorted(clips.skipped) == ["b.mp4", "cut.mp4", "text.webm"]
    assert all("cannot be decoded: Invalid data" in why for why in clips.skipped.values())
    first = clips[0].video
    file.write_bytes(whole[: len(whole) // 2])
    assert (clips[0].video == first).all()
    with pytest.raises(
        RuntimeError, match=r"cannot decode .*a\.mkv: it gives no whole frame at \d\.\d00 s"
    ):
        clips[len(clips) - 1]
    file.unlink()
    with pytest.raises(RuntimeError, match=r"a\.mkv: No such file"):
        clips[0]


def test_corrupt_frames_are_refused_and_not_concealed(tmp_path, movie):
    noise = np.random.default_rng(0).integers(0, 255, (8, 128, 128, 3), np.uint8)
    file = movie(tmp_path / "a.mkv", list(noise), [100 * k for k in range(8)])
    clips = VideoClips(tmp_path, cut=ClipCut(**{**SMALL, "frames": 8}))
    with av.open(str(file)) as container:
        packet = max((p for p in container.demux(video=0) if p.size), key=lambda p: p.size)
        payload = bytes(packet)
    data = bytearray(file.read_bytes())
    # Within one frame's own bytes, so that the container stays whole and the decoder conceals it.
    start = data.index(payload) + len(payload) // 2
    data[start : start + 200] = bytes((7 * b + 13) & 255 for b in data[start : start + 200])
    file.write_bytes(data)
    for _ in range(20):  # Several threads would report the damage most of the time only.
        with pytest.raises(RuntimeError, match=r"a\.mkv: it gives no whole frame at .*; repair it"):
            clips[0]


def test_containers_that_pack_eyes_otherwise_are_refused(tmp_path, numbered_movie):
    stamps = [100 * k for k in range(8)]
    file = numbered_movie(tmp_path / "a.mp4", stamps, options={"x264-params": "frame-packing=5"})
    with pytest.raises(Unusable, match=r"both eyes in a way .* write it side by side"):
        index_movie(file)
