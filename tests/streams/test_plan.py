import dataclasses
import json
import tarfile

import numpy as np
import pytest
from fake_clips import FakeClips, fake_plan
from merkwelt.render.observer.card import Observer
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.volume import RenderOptions
from merkwelt.scenes.analytic import analytic_room
from merkwelt.streams.folder import open_folder, read_plan
from merkwelt.streams.job import render_shard
from merkwelt.streams.plain import canonical_json, from_plain, to_plain
from merkwelt.streams.plan import Plan, PlannedScene, ShardRange, Storage, make_plan


def _clips_of(plan):
    return [clip for shard in plan.shards() for clip in shard.clips]


def test_id_depends_on_what_a_clip_is_and_on_nothing_else():
    plan = fake_plan(10)
    same = dataclasses.replace(
        plan,
        clips=99,
        grown_from=(10,),
        observer=dict(reversed(plan.observer.items())),
        scenes=(dataclasses.replace(plan.scenes[0], licence="CC0-1.0"),),
    )
    assert same.id == plan.id
    changed = [
        dataclasses.replace(plan, seed=1),
        dataclasses.replace(plan, code_version="0.2.0"),
        dataclasses.replace(plan, storage=Storage(profile="compact", shard_clips=4)),
        dataclasses.replace(plan, storage=Storage(shard_clips=5)),
        dataclasses.replace(plan, settings={**plan.settings, "size": 32}),
        dataclasses.replace(plan, observer={**plan.observer, "name": "toddler"}),
        dataclasses.replace(plan, scenes=(PlannedScene(name="hall", sha256="another"),)),
    ]
    assert len({plan.id, *(other.id for other in changed)}) == len(changed) + 1


def test_canonical_json_is_one_text_for_equal_data():
    assert canonical_json({"b": [1, 2.5], "a": None}) == '{"a":null,"b":[1,2.5]}'
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json(float("nan"))


def test_json_round_trip_and_edits_are_noticed():
    plan = fake_plan(10).grown(25)
    assert Plan.from_json(plan.to_json()) == plan
    edited = json.loads(plan.to_json()) | {"seed": 5}
    with pytest.raises(ValueError, match="here was changed by hand"):
        Plan.from_json(json.dumps(edited), where="here")
    with pytest.raises(ValueError, match=r"unknown entries \['colour'\]"):
        Plan.from_json(json.dumps(edited | {"colour": 1}))
    for text in ("", "[]", "{}", "null"):
        with pytest.raises(ValueError, match="is not a plan"):
            Plan.from_json(text)


def test_shards_cover_every_clip_once_whatever_the_growth():
    plan = fake_plan(5, shard_clips=4)
    before = set()
    for clips in (5, 6, 6, 13, 40):
        plan = plan.grown(clips)
        assert _clips_of(plan) == list(range(clips))
        assert max(len(shard.clips) for shard in plan.shards()) <= 4
        assert before <= set(plan.shards())
        before = set(plan.shards())
    assert plan.shards()[1:4] == (
        ShardRange(first=4, stop=5),
        ShardRange(first=5, stop=6),
        ShardRange(first=6, stop=8),
    )
    assert plan.shards()[0].name == "000000000-000000004"
    with pytest.raises(ValueError, match="at least the 40 clips that are planned already, got 7"):
        plan.grown(7)


def test_scenes_take_turns_in_proportion_to_their_weights():
    weights = (1.0, 2.0, 5.0)
    scenes = tuple(
        PlannedScene(name=f"s{i}", sha256="", weight=weight) for i, weight in enumerate(weights)
    )
    plan = dataclasses.replace(fake_plan(1), scenes=scenes)
    drawn = np.array([int(plan.scene_of(clip).name[1:]) for clip in range(4000)])
    for start in (0, 1000, 3000):
        share = np.bincount(drawn[start : start + 160], minlength=3) / 160
        np.testing.assert_allclose(share, np.array(weights) / 8, atol=0.03)
    other = dataclasses.replace(plan, seed=3)
    assert plan.scene_of(2**60) == other.scene_of(2**60 - 3)


@pytest.mark.parametrize("first", [0, 10**12])
def test_no_stretch_of_clips_strays_from_the_weights(first):
    weights = np.array([1.0, 2.0, 5.0])
    scenes = tuple(
        PlannedScene(name=f"s{i}", sha256="", weight=weight) for i, weight in enumerate(weights)
    )
    plan = dataclasses.replace(fake_plan(1), scenes=scenes, seed=11)
    clips = 20_000
    drawn = np.array([int(plan.scene_of(first + clip).name[1:]) for clip in range(clips)])
    counts = np.cumsum(drawn[:, None] == np.arange(3), axis=0)
    counts = np.concatenate([np.zeros((1, 3), int), counts])
    for stretch in (1, 8, 100, 1000, clips):
        beyond = counts[stretch:] - counts[:-stretch] - stretch * weights / weights.sum()
        # Kuipers and Niederreiter 1974, theorem 2.3.4, for the golden ratio, whose partial
        # quotients are 1: the discrepancy of each border between scenes is below
        # 3 + (1 / log(golden) + 1 / log(2)) log(stretch); a scene has two borders.
        assert np.abs(beyond).max() < 2 * (3 + (2.079 + 1.443) * np.log(stretch))
        # Which is generous: these scenes stray by far less.
        assert np.abs(beyond).max() < 3


def test_weights_are_part_of_the_plan():
    room, adult, settings = analytic_room(), load_observer("adult"), ClipSettings(frames=2, size=8)
    hall = dataclasses.replace(room, card=dataclasses.replace(room.card, name="hall"))
    plan = make_plan([room, hall], adult, settings, clips=8, weights=(3, 1))
    assert [scene.weight for scene in plan.scenes] == [3.0, 1.0]
    assert Plan.from_json(plan.to_json()) == plan
    equal = make_plan([room, hall], adult, settings, clips=8)
    assert [scene.weight for scene in equal.scenes] == [1.0, 1.0]
    assert plan.id != equal.id
    with pytest.raises(ValueError, match="a weight for each of 2 scenes, got 1"):
        make_plan([room, hall], adult, settings, clips=8, weights=(3,))
    for weight in (0, -1, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="expected positive weights"):
            make_plan([room, hall], adult, settings, clips=8, weights=(weight, 1))


def test_ids_beyond_a_thousand_million_are_clips_like_others(tmp_path):
    first, count = 10**9 - 2, 4
    plan, shard = fake_plan(1), ShardRange(first=first, stop=first + count)
    (tmp_path / "shards" / ".partial").mkdir(parents=True)
    (tmp_path / "receipts").mkdir()
    receipt = render_shard(plan, shard, FakeClips(), tmp_path)
    assert [clip.clip for clip in receipt.clips] == list(range(first, first + count))
    with tarfile.open(tmp_path / "shards" / f"{shard.name}.tar") as tar:
        ids = [int(name.split(".")[0]) for name in tar.getnames()]
    assert ids == sorted(ids)
    assert set(ids) == set(range(first, first + count))
    later = ShardRange(first=10**12, stop=10**12 + 1)
    assert sorted([later, shard]) == [shard, later]
    draws = {plan.key(clip).generator("x").integers(1 << 60) for clip in (0, 2**32, 10**12)}
    assert len(draws) == 3


def test_key_names_seed_scene_and_clip():
    plan = fake_plan(3, seed=0)
    other = fake_plan(3, seed=1)
    draws = [p.key(2).generator("x").integers(1 << 60) for p in (plan, plan, other)]
    assert draws[0] == draws[1] != draws[2]
    assert (plan.key(2).scene, plan.key(2).clip) == ("hall", 2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clips": 0}, "at least 1 clip"),
        ({"seed": -1}, "a seed of at least 0"),
        ({"scenes": ()}, "one or more scenes"),
        ({"scenes": (PlannedScene(name="a", sha256=""),) * 2}, "different names"),
        ({"scenes": (PlannedScene(name="a", sha256="", weight=0),)}, "positive weights"),
        ({"version": 2}, "expected plan version 1, found 2; update merkwelt"),
    ],
)
def test_plans_that_cannot_be_meant_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(fake_plan(), **change)


def test_storage_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="expected a profile out of"):
        Storage(profile="mp3")
    with pytest.raises(ValueError, match="at least 1 clip in a shard"):
        Storage(shard_clips=0)


def test_plan_of_a_scene_gives_back_observer_and_settings():
    room, adult, settings = analytic_room(), load_observer("adult"), ClipSettings(frames=3, size=8)
    plan = make_plan([room], adult, settings, clips=4, seed=7)
    plan = Plan.from_json(plan.to_json())
    assert from_plain(ClipSettings, plan.settings, where="") == settings
    assert Observer.from_dict(dict(plan.observer)) == adult
    assert plan.scenes[0].sha256 == room.content_hash()
    assert (plan.seed, plan.frame_rate_hz) == (7, 10.0)


def test_a_plan_made_before_paths_and_devices_could_be_chosen_is_the_same_plan():
    settings = to_plain(ClipSettings(frames=3, size=8))
    plan = Plan(
        scenes=(PlannedScene(name="hall", sha256="hash of hall"),),
        observer={"name": "adult"},
        settings=settings,
        clips=4,
        seed=7,
        code_version="0.1.0",
    )
    # As the commit before the choice made it.
    assert plan.id == "2a5e4923097d79bfe1a2b0888db4d1aef31b5d1bd4e3a4f343b67c4d29994950"
    made = make_plan([analytic_room()], load_observer("adult"), ClipSettings(), clips=1)
    assert dict(made.settings["renderer"]) == {"backend": "auto", "rays_per_chunk": 4096}
    chosen = ClipSettings(renderer=RenderOptions(device="cuda"))
    planned = make_plan([analytic_room()], load_observer("adult"), chosen, clips=1)
    assert planned.id != made.id
    assert from_plain(ClipSettings, planned.settings, where="") == chosen


def test_stereo_of_a_scene_without_scale_is_refused_before_anything_is_written():
    room = analytic_room()
    blurred = dataclasses.replace(
        room, card=dataclasses.replace(room.card, metres_per_unit=None, floor_height=None)
    )
    with pytest.raises(ValueError, match="--metres-per-unit"):
        make_plan([blurred], load_observer("adult"), ClipSettings(), clips=1)


def test_unknown_settings_are_named():
    with pytest.raises(ValueError, match=r"here: unknown entries \['colour'\] for ClipSettings"):
        from_plain(ClipSettings, {"colour": 3}, where="here")


def test_folder_keeps_the_plan_and_grows(tmp_path):
    plan = fake_plan(6)
    assert open_folder(plan, tmp_path / "a" / "b") == plan
    assert open_folder(plan, tmp_path / "a" / "b") == plan
    grown = open_folder(fake_plan(9), tmp_path / "a" / "b")
    assert (grown.clips, grown.grown_from) == (9, (6,))
    assert read_plan(tmp_path / "a" / "b") == grown
    with pytest.raises(ValueError, match="expected at least the 9 clips"):
        open_folder(plan, tmp_path / "a" / "b")


def test_another_plan_is_refused_by_naming_what_differs(tmp_path):
    open_folder(fake_plan(6), tmp_path)
    other = fake_plan(6, seed=3, frames=5)
    with pytest.raises(ValueError, match="another plan") as caught:
        open_folder(other, tmp_path)
    assert "seed: 0 there, 3 asked" in str(caught.value)
    assert "settings.frames: 3 there, 5 asked" in str(caught.value)
    assert "observer" not in str(caught.value)
    assert read_plan(tmp_path) == fake_plan(6)


def test_folders_that_hold_something_else_are_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("chapter 1")
    with pytest.raises(FileExistsError, match=r"holds something else \(thesis.tex\)"):
        open_folder(fake_plan(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(FileExistsError, match="is a file"):
        open_folder(fake_plan(), tmp_path / "thesis.tex")
    with pytest.raises(FileNotFoundError, match="holds no data set"):
        read_plan(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_plan(tmp_path / "nowhere")
