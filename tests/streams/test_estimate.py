import contextlib
import dataclasses
import itertools
import time

import pytest
from fake_clips import FakeClips, fake_plan, tree
from held_clips import OneAtATime
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import Scene
from merkwelt.streams import Storage, make_plan, render_dataset
from merkwelt.streams.calibration import Effort, SceneSample, clip_cost, in_turn, sample_scenes
from merkwelt.streams.engine import run_plan
from merkwelt.streams.estimate import estimate, estimate_plan, missing_shards
from merkwelt.streams.expected import time_of_all
from merkwelt.streams.plan import PlannedScene, ShardRange

QUICK = Effort(seconds=0.5)


@pytest.fixture(scope="module", autouse=True)
def _encoders_are_loaded():
    clip_cost(fake_plan(), FakeClips(), 0)


class SlowStart(FakeClips):
    """Clips whose first one of each scene takes longer."""

    def __init__(self, start_s, **others):
        super().__init__(**others)
        self.start_s, self.ready = start_s, set()

    def __call__(self, plan, clip):
        scene = plan.scene_of(clip).name
        if scene not in self.ready:
            time.sleep(self.start_s)
            self.ready.add(scene)
        return super().__call__(plan, clip)


def _weighted(*weights, clips=60, **others):
    scenes = tuple(
        PlannedScene(name=f"s{number}", sha256="x", weight=weight)
        for number, weight in enumerate(weights)
    )
    return dataclasses.replace(fake_plan(clips, **others), scenes=scenes)


def test_a_run_takes_the_time_and_space_that_were_said(tmp_path):
    plan = fake_plan(24, scenes=("hall", "garden"))
    # Sleep makes up most of a clip's time, so that a busy machine does not matter much.
    said = estimate_plan(plan, SlowStart(0.4, delay_s=0.08), tmp_path / "d", effort=QUICK)
    assert not (tmp_path / "d").exists()
    done = run_plan(plan, SlowStart(0.4, delay_s=0.08), tmp_path / "d")
    assert said.seconds == pytest.approx(done.seconds, rel=0.3)
    assert said.start_up_s == pytest.approx(0.8, rel=0.3)
    assert said.clip_s == pytest.approx(0.08, rel=0.5)
    assert said.bytes == pytest.approx(done.manifest.bytes, rel=0.05)
    assert (said.planned_clips, said.clips, said.shards, said.workers) == (24, 24, 6, 1)
    assert said.rays_per_clip == 2 * 3 * 16 * 16
    assert said.rays_per_s == pytest.approx(said.rays_per_clip / said.clip_s)


def test_bytes_of_rendered_clips_come_as_said(tmp_path):
    room = analytic_room()
    settings = ClipSettings(frames=3, size=24)
    plan = make_plan(
        [room], load_observer("adult"), settings, clips=16, storage=Storage(shard_clips=8)
    )
    heard = []
    said = estimate(
        plan,
        {room.card.name: room},
        tmp_path / "d",
        effort=Effort(seconds=0.2),
        progress=lambda *told: heard.append(told),
    )
    assert not (tmp_path / "d").exists()
    done = render_dataset(plan, {room.card.name: room}, tmp_path / "d")
    # The design allows 30 %; bytes of clips differ little.
    assert said.bytes == pytest.approx(done.manifest.bytes, rel=0.1)
    assert 0 < said.plan_s < said.clip_s
    assert 0 < said.encode_s < said.clip_s
    assert 0 < said.render_s < said.clip_s
    assert said.rays_per_clip == 2 * 3 * 24 * 24
    assert [share for share, _ in heard] == sorted(share for share, _ in heard)
    assert 0 < heard[0][0] <= 0.5 <= heard[-1][0] <= 1


def test_frames_that_are_blurred_take_more_rays(tmp_path):
    plan = fake_plan(4)
    optics = {"shutter": 0.5, "sub_frames": 4}
    blurred = dataclasses.replace(plan, settings={**plan.settings, "optics": optics})
    said = [estimate_plan(p, FakeClips(), tmp_path, effort=QUICK) for p in (plan, blurred)]
    # Each blurred frame is the mean of four pictures, beside the sharp one that is measured.
    assert said[1].rays_per_clip == 5 * said[0].rays_per_clip


def test_workers_that_stand_in_each_others_way_are_not_said_to_be_faster(tmp_path):
    hold_s = 0.06
    clips = OneAtATime(tmp_path / "lock", hold_s)
    effort = Effort(seconds=1)
    said = estimate_plan(fake_plan(24), clips, tmp_path / "d", effort=effort, workers=2)
    assert said.workers == 2
    # However many they are, no more than one clip can be made in hold_s; from one worker alone,
    # by division, nearly twice as many would be promised. The first clip need not wait.
    assert said.clips_per_s < 1.2 / hold_s
    assert not (tmp_path / "d").exists()


def test_workers_that_do_not_are_said_to_be_faster(tmp_path):
    pids = tmp_path / "pids"
    pids.mkdir()
    plan = fake_plan(24)
    clips = FakeClips(delay_s=0.1, pids=pids)
    said = estimate_plan(plan, clips, tmp_path / "d", effort=QUICK, workers=2)
    assert len(list(pids.iterdir())) == 2
    assert said.clip_s == pytest.approx(0.1, rel=0.5)
    assert said.timed_clips >= 6
    assert said.start_up_s > 0
    assert said.seconds == pytest.approx(said.start_up_s + 12 * said.clip_s)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_clip_that_fails_is_named_and_nobody_waits(tmp_path, workers):
    plan = fake_plan(8)
    message = "clip . of scene 'hall' could not be made: ZeroDivisionError: the lens fell off"
    with pytest.raises(RuntimeError, match=message):
        estimate_plan(plan, FakeClips(fail={0, 4}), tmp_path / "d", effort=QUICK, workers=workers)
    assert not (tmp_path / "d").exists()


def test_a_worker_that_is_killed_is_told(tmp_path):
    with pytest.raises(RuntimeError, match=r"was killed \(out of memory\?\); ask for fewer"):
        estimate_plan(fake_plan(8), FakeClips(kill={4}), tmp_path, effort=QUICK, workers=2)


def test_no_more_workers_calibrate_than_there_are_shards(tmp_path):
    said = estimate_plan(fake_plan(4), FakeClips(), tmp_path / "d", effort=QUICK, workers=4)
    assert (said.shards, said.workers) == (1, 1)
    with pytest.raises(ValueError, match="at least 1 worker, got 0"):
        estimate_plan(fake_plan(4), FakeClips(), tmp_path / "d", workers=0)


def test_only_what_is_missing_counts(tmp_path):
    folder = tmp_path / "d"
    run_plan(fake_plan(8), FakeClips(), folder)
    before = tree(folder)
    said = estimate_plan(fake_plan(20), FakeClips(), folder, effort=QUICK)
    assert (said.planned_clips, said.clips, said.shards) == (20, 12, 3)
    assert (tree(folder)) == before
    part = estimate_plan(fake_plan(20), FakeClips(), folder, effort=QUICK, shard=(0, 2))
    # Of five shards the first, third and fifth, of which the first is there.
    assert (part.clips, part.shards) == (8, 2)
    done = estimate_plan(fake_plan(8), FakeClips(fail=range(8)), folder)
    assert (done.clips, done.seconds, done.bytes, done.timed_clips) == (0, 0, 0, 0)
    (folder / "shards" / "000000004-000000008.tar").unlink()
    assert missing_shards(fake_plan(8), folder) == (ShardRange(first=4, stop=8),)
    with pytest.raises(ValueError, match="parts count from 0"):
        missing_shards(fake_plan(8), folder, (2, 2))


def test_folders_that_could_not_be_rendered_to_are_refused(tmp_path):
    run_plan(fake_plan(4), FakeClips(), tmp_path / "d")
    with pytest.raises(ValueError, match="another plan"):
        estimate_plan(fake_plan(4, seed=1), FakeClips(), tmp_path / "d")
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(FileExistsError, match="holds something else"):
        estimate_plan(fake_plan(4), FakeClips(), tmp_path)
    with pytest.raises(FileExistsError, match="is a file"):
        estimate_plan(fake_plan(4), FakeClips(), tmp_path / "thesis.tex")


def test_scenes_count_by_their_weights(tmp_path):
    class Slow(FakeClips):
        def __call__(self, plan, clip):
            time.sleep({"s0": 0.0, "s1": 0.8}[plan.scene_of(clip).name])
            return super().__call__(plan, clip)

    plan = _weighted(9, 1, clips=200)
    said = estimate_plan(plan, Slow(), tmp_path / "d", effort=Effort(seconds=0, least_clips=6))
    # Of six clips at least one is of the rare scene; the mean knows that it is one in ten.
    assert said.timed_clips >= 6
    # Counted alike, the clips would take 0.13 s or more.
    assert 0.08 < said.clip_s < 0.13
    assert (said.scenes, said.timed_scenes) == (2, 2)


def test_of_many_scenes_the_most_frequent_stand_for_all(tmp_path):
    made = set()

    class Noted(SlowStart):
        def __call__(self, plan, clip):
            made.add(plan.scene_of(clip).name)
            return super().__call__(plan, clip)

    plan = _weighted(*range(1, 6), clips=400)
    effort = Effort(seconds=0, most_scenes=2)
    said = estimate_plan(plan, Noted(0.2), tmp_path / "d", effort=effort)
    assert made == {"s3", "s4"}
    assert (said.scenes, said.timed_scenes) == (5, 2)
    # Five scenes are to be made ready, of which two were.
    assert said.start_up_s == pytest.approx(1.0, rel=0.3)


def test_skipped_clips_take_time_and_no_space(tmp_path):
    plan = fake_plan(40)
    clips = FakeClips(skip=range(20, 40), delay_s=0.01)
    said = estimate_plan(plan, clips, tmp_path / "d", effort=Effort(seconds=0, least_clips=32))
    assert said.skipped == pytest.approx(0.5, abs=0.1)
    done = run_plan(plan, clips, tmp_path / "d")
    assert said.bytes == pytest.approx(done.manifest.bytes, rel=0.2)
    assert said.bytes_per_clip > 1.5 * said.bytes / 40
    nothing = estimate_plan(plan, FakeClips(skip=range(40)), tmp_path / "e", effort=QUICK)
    assert (nothing.skipped, nothing.bytes_per_clip) == (1, 0)


def test_samples_are_spread_over_what_is_missing():
    plan = _weighted(1, 3, clips=4000, shard_clips=50)
    shards = plan.shards()[10:]
    samples = sample_scenes(plan, shards)
    assert list(samples) == ["s1", "s0"]
    clips = sorted(clip for sample in samples.values() for clip in sample.clips)
    assert clips == list(range(500, 4000))
    assert samples["s0"].count == sum(plan.scene_of(clip).name == "s0" for clip in clips)
    first = samples["s1"].clips[:8]
    assert {round((clip - 500) * 8 / 3500) for clip in first} == set(range(8))
    assert all(plan.scene_of(clip).name == "s1" for clip in first)


def test_scenes_of_large_plans_are_looked_up_by_probes():
    plan = _weighted(1, 3, clips=10**6, shard_clips=1000)
    samples = sample_scenes(plan, plan.shards())
    assert samples["s1"].count == pytest.approx(750_000, rel=0.01)
    assert sum(sample.count for sample in samples.values()) == pytest.approx(10**6)


def test_scenes_take_turns_as_often_as_they_have_clips():
    samples = {
        "a": SceneSample(clips=(0, 1, 2), count=30),
        "b": SceneSample(clips=(10,), count=10),
    }
    drawn = list(itertools.islice(in_turn(samples), 8))
    assert drawn[0] == 1  # 0 was the first clip, which is timed apart.
    assert drawn[1] == 10
    assert [clip for clip in drawn if clip < 10] == [1, 2, 0, 1, 2, 0]


def test_time_of_all_by_hand():
    shards = [ShardRange(first=8 * i, stop=8 * i + 8) for i in range(5)]
    assert time_of_all(shards, 0.5, 1) == 20
    # Five shards of four seconds on two workers: one of them renders three.
    assert time_of_all(shards, 0.5, 2) == 12
    assert time_of_all(shards, 0.5, 5) == 4
    assert time_of_all([], 0.5, 2) == 0


def test_money_is_time_times_price(tmp_path):
    said = estimate_plan(fake_plan(4), FakeClips(), tmp_path, effort=QUICK)
    hour = dataclasses.replace(said, seconds=5400.0)
    assert hour.dollars(2.0) == 3.0
    later = said.after(10)
    assert later.seconds == pytest.approx(said.seconds + 10)
    assert later.to_dict()["clips_per_s"] == said.clips_per_s


def test_scenes_without_a_way_are_told_before_anything_is_written(tmp_path):
    room = analytic_room()
    card = dataclasses.replace(room.card, floor_height=None, world_from_training_camera=())
    plan = make_plan(
        [Scene(card, room.field)], load_observer("adult"), ClipSettings(frames=2, size=8), clips=3
    )
    said = estimate(plan, {card.name: Scene(card, room.field)}, tmp_path / "d", effort=QUICK)
    assert said.skipped == 1
    with contextlib.suppress(FileNotFoundError):
        assert not list((tmp_path / "d").iterdir())
