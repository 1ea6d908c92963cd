import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import pytest
import torch
from fake_clips import FakeClips
from live_clips import Counting, Uneven, live_plan
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import analytic_room
from merkwelt.streams import ClipDataset, make_plan, render_dataset
from merkwelt.streams.live import LiveOptions, LiveStream, WindowSchedule, training_clips
from merkwelt.streams.live import stream as stream_module
from merkwelt.streams.live.ring import ClipShape, LiveClip, Ring
from merkwelt.streams.live.thread import ThreadRenderer
from merkwelt.streams.scene_clips import SceneClips

SCHEDULE = WindowSchedule(reuse=2, window=4, batch_size=3, seed=1)
OPTIONS = LiveOptions(reuse=2, window=4, ahead=2, render_threads=1, max_wait_s=60.0)
SKIPPED = (0, 4, 5, 9)


@pytest.fixture
def in_thread(monkeypatch):
    """Let streams render in a thread, which starts at once."""

    @contextmanager
    def open_thread(plan, make_clip, ring, _options):
        renderer = ThreadRenderer(plan, make_clip, ring)
        try:
            yield renderer
        finally:
            renderer.close()

    monkeypatch.setattr(stream_module, "open_renderer", open_thread)


def _stream(make_clip, **changes):
    options = LiveOptions(**{**vars(OPTIONS), **changes})
    return LiveStream(live_plan(), make_clip, SCHEDULE, options)


def _expected(steps, skipped=SKIPPED):
    """The row of clips that can be rendered, and batches of its positions."""
    row = list(islice((clip for clip in count() if clip not in skipped), 100))
    return [[row[p] for p in SCHEDULE.positions(step)] for step in range(steps)]


@pytest.mark.parametrize("workers", [1, 2])
def test_batches_do_not_depend_on_who_is_ready_first(workers):
    with _stream(Uneven(skip=SKIPPED), render_workers=workers) as stream:
        stream.start(count())
        for step, expected in enumerate(_expected(8)):
            if step % 3 == 1:
                time.sleep(0.1)
            assert stream.batch_ids(step) == expected
            for clip in expected:
                made = FakeClips()(live_plan(), clip)
                assert torch.equal(stream.clip(clip).video, made.video)
                assert (stream.clip(clip).fixation_id == made.trajectory.fixation_id).all()


@pytest.mark.usefixtures("in_thread")
def test_a_stream_goes_on_from_any_step_with_the_same_batches():
    whole = _expected(14)
    anchors, events = [], []
    with _stream(FakeClips(skip=SKIPPED)) as stream:
        stream.start(count())
        for step in range(14):
            anchors.append(stream.anchor(step))
            assert stream.batch_ids(step) == whole[step]
            events.append(stream.passed_over(step))
    assert [each.clip for event in events for each in event] == list(SKIPPED)
    assert events[0][0].reason == "NoWay: a wall in front and a wall behind"
    for begin, anchor in enumerate(anchors):
        with _stream(FakeClips(skip=SKIPPED)) as stream:
            stream.start(count(anchor.from_clip), anchor=anchor)
            for step in range(begin, 14):
                assert stream.batch_ids(step) == whole[step]
                assert stream.passed_over(step) == events[step]


@pytest.mark.usefixtures("in_thread")
def test_renderers_wait_for_the_trainer():
    make_clip = Counting()
    with _stream(make_clip) as stream:
        stream.start(count())
        stream.batch_ids(0)
        time.sleep(0.3)
        assert len(make_clip.made) == SCHEDULE.fewest_slots + OPTIONS.ahead
        stream.batch_ids(5)
        time.sleep(0.3)
        made = len(make_clip.made)
        assert made == SCHEDULE.first_needed(5) + SCHEDULE.fewest_slots + OPTIONS.ahead


@pytest.mark.usefixtures("in_thread")
def test_clips_to_measure_with_are_rendered_once():
    make_clip = Counting(skip=(3,))
    with _stream(make_clip) as stream:
        measured, without = stream.first(iter([1, 3, 5, 7, 9]), 3)
        assert list(measured) == [1, 5, 7]
        assert [each.clip for each in without] == [3]
        assert torch.equal(measured[5].video, FakeClips()(live_plan(), 5).video)
        stream.start(count())
        assert sorted(stream.batch_ids(0)) == _sorted_first([3])
        assert make_clip.made.count(1) == 1


def _sorted_first(skipped):
    return sorted(_expected(1, skipped)[0])


@pytest.mark.usefixtures("in_thread")
def test_trouble_with_a_clip_reaches_the_trainer_by_its_name():
    failing = pytest.raises(
        RuntimeError, match="clip 2 of scene 'hall' could not be made: ZeroDivisionError: the lens"
    )
    with _stream(FakeClips(fail=(2,))) as stream, failing:
        stream.start(count())
        for step in range(4):
            stream.batch_ids(step)
    wrong_size = pytest.raises(
        ValueError, match=r"clip 0 of scene 'hall': expected video uint8 \(2"
    )
    with _stream(FakeClips(eyes=1)) as stream, wrong_size:
        stream.start(count())
        stream.batch_ids(0)
    nowhere = pytest.raises(RuntimeError, match="none of the last 64 clips, up to clip 63, can be")
    with _stream(FakeClips(skip=range(1000))) as stream, nowhere:
        stream.start(count())
        stream.batch_ids(0)
    slow = pytest.raises(RuntimeError, match=r"waited 0.2 s for clip 0, and it was not rendered")
    with _stream(FakeClips(delay_s=1.0), max_wait_s=0.2) as stream, slow:
        stream.start(count())
        stream.batch_ids(0)


def test_a_killed_renderer_is_an_error_and_nothing_is_left():
    killed = pytest.raises(RuntimeError, match="a renderer process ended while it rendered clip 5")
    with _stream(FakeClips(kill=(5,)), render_workers=1) as stream, killed:
        stream.start(count())
        for step in range(6):
            stream.batch_ids(step)
    assert not [p for p in multiprocessing.active_children() if p.name == "renderer"]


TRAINER = """
import signal, sys
sys.path[:0] = {places!r}
from itertools import count
from merkwelt.streams.live import LiveOptions, LiveStream, WindowSchedule
from live_clips import FakeClips, live_plan

if __name__ == "__main__":
    # Whoever runs the tests may have it ignored, which is inherited.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    schedule = WindowSchedule(reuse=2, window=4, batch_size=3)
    options = LiveOptions(reuse=2, window=4, render_workers=2, render_threads=1)
    try:
        with LiveStream(live_plan(), FakeClips(delay_s=0.05), schedule, options) as stream:
            stream.start(count())
            stream.batch_ids(0)
            print(*stream._renderer.process_ids, flush=True)
            for step in range(1, 1000):
                stream.batch_ids(step)
    except KeyboardInterrupt:
        sys.exit(130)
    except RuntimeError as error:
        print(error)
        sys.exit(1)
"""


@pytest.mark.parametrize(("what", "status"), [("Ctrl-C", 130), ("trainer", -9), ("renderer", 1)])
def test_whoever_is_killed_nothing_is_left_behind(tmp_path, repository, what, status):
    before = _shared_memory()
    script = tmp_path / "trainer.py"
    tests = repository / "tests" / "streams"
    script.write_text(TRAINER.format(places=[str(tests), str(tests / "live")]))
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as trainer:
        assert trainer.stdout is not None
        assert trainer.stderr is not None
        renderers = [int(word) for word in trainer.stdout.readline().split()]
        assert len(renderers) == 2
        if what == "Ctrl-C":
            os.killpg(trainer.pid, signal.SIGINT)
        else:
            os.kill(trainer.pid if what == "trainer" else renderers[0], signal.SIGKILL)
        assert trainer.wait(60) == status
        told, errors = trainer.stdout.read(), trainer.stderr.read()
    # multiprocessing's tracker removes what a killed process named, once the others have ended.
    _soon(lambda: not any(_is_running(pid) for pid in renderers))
    _soon(lambda: _shared_memory() <= before)
    if what == "Ctrl-C":
        assert errors == ""
    if what == "renderer":
        assert told.startswith("a renderer process ended while it rendered clip ")


def _soon(is_so, *, within_s=20):
    until_s = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def _is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _shared_memory():
    place = Path("/dev/shm")
    return {path.name for path in place.iterdir()} if place.is_dir() else set()


def test_streamed_clips_are_those_on_disk_to_the_bit(tmp_path):
    room = analytic_room()
    plan = make_plan([room], load_observer("adult"), ClipSettings(frames=2, size=8), clips=6)
    scenes = {room.card.name: room}
    render_dataset(plan, scenes, tmp_path)
    stored = ClipDataset(tmp_path, streams=("video", "trajectory"))
    with LiveStream(plan, SceneClips(scenes), SCHEDULE, OPTIONS) as stream:
        stream.start(training_clips(share=1e-9, seed=0))
        seen = set()
        for step in range(3):
            for clip in stream.batch_ids(step):
                sample, live = stored.sample(clip), stream.clip(clip)
                assert sample.video is not None
                assert sample.trajectory is not None
                assert torch.equal(live.video, sample.video)
                assert (live.saccade == sample.trajectory.saccade).all()
                assert (live.world_from_eye == sample.trajectory.world_from_eye).all()
                seen.add(clip)
    assert len(seen) >= 4


def test_a_ring_gives_back_what_was_written():
    ring = Ring(ClipShape.of(live_plan()), 3)
    clips = [LiveClip.of(FakeClips()(live_plan(), clip)) for clip in range(3)]
    for slot in random.Random(0).sample(range(3), 3):
        ring.write(slot, clips[slot])
    for slot, clip in enumerate(clips):
        read = ring.read(slot)
        assert torch.equal(read.video, clip.video)
        assert (read.fixation_id == clip.fixation_id).all()
        assert (read.blink == clip.blink).all()
        assert (read.world_from_eye == clip.world_from_eye).all()
    kept = ring.read(0).copy()
    ring.write(0, clips[1])
    assert torch.equal(kept.video, clips[0].video)
    assert (kept.world_from_eye == clips[0].world_from_eye).all()
    assert torch.equal(ring.read(0).video, clips[1].video)


def test_a_ring_takes_clips_of_its_shape_only():
    ring = Ring(ClipShape.of(live_plan()), 1)
    clip = LiveClip.of(FakeClips()(live_plan(), 0))
    with pytest.raises(ValueError, match=r"expected video uint8 \(2, 3, 3, 8, 8\)"):
        ring.write(0, replace(clip, video=clip.video[:1]))
    with pytest.raises(ValueError, match=r"poses of eyes \(2, 3, 4, 4\), got \(1, 3, 4, 4\)"):
        ring.write(0, replace(clip, world_from_eye=clip.world_from_eye[:1]))


def test_a_gpu_for_clips_of_the_cpu_is_refused():
    with pytest.raises(ValueError, match="expected clips with renderer.device cuda for render_gpu"):
        _stream(FakeClips(), render_gpu=1)
