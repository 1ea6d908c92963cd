import dataclasses
import json

import numpy as np
import pytest
import torch
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.paths import HeadPath
from merkwelt.render.render_clip import ClipSettings
from merkwelt.render.rigid import look_at
from merkwelt.scenes.analytic import analytic_room
from merkwelt.streams import ClipDataset, Plan, Storage, make_plan, render_dataset, verify_dataset

SETTINGS = ClipSettings(frames=4, size=8)


@pytest.fixture(scope="module")
def room():
    return analytic_room()


def _path(shift=0.0, **options):
    eye = np.array([[-1.0, -1.5, 1.5], [0.0 + shift, -1.6, 1.5], [1.0, -1.5, 1.5]])
    poses = look_at(eye, eye + [0.0, 1.0, -0.1])
    return HeadPath.of(np.array([0.0, 0.5, 1.2]), poses, **options)


def _plan(room, path=None, clips=4, **options):
    return make_plan(
        [room],
        load_observer("adult"),
        SETTINGS,
        clips=clips,
        storage=Storage(shard_clips=2),
        path=path,
        **options,
    )


def test_the_poses_are_part_of_the_identity(room):
    without, along = _plan(room), _plan(room, _path())
    assert "path" not in without.identity
    assert "path" not in json.loads(without.to_json())
    assert along.id == _plan(room, _path()).id
    others = [_path(1e-15), _path(gaze="observer"), None]
    assert len({along.id, *(_plan(room, path).id for path in others)}) == 4


def test_a_plan_with_a_path_is_read_back(room):
    plan = _plan(room, _path(gaze="observer"))
    again = Plan.from_json(plan.to_json())
    assert again == plan
    assert again.path == _path(gaze="observer")
    assert again.grown(9).path == plan.path
    edited = json.loads(plan.to_json())
    edited["path"]["gaze"] = "ahead"
    with pytest.raises(ValueError, match="was changed by hand"):
        Plan.from_json(json.dumps(edited))


def test_clips_of_a_path_are_consecutive_and_end_with_a_reason(room, tmp_path):
    scenes = {room.card.name: room}
    done = render_dataset(_plan(room, _path(), clips=5), scenes, tmp_path / "data")
    assert done.is_complete
    assert verify_dataset(tmp_path / "data").ok
    assert [skip.clip for skip in done.skipped] == [3, 4]
    assert "NoPath: no path: clip 3 would last from 1.200 to 1.500 s" in done.skipped[0].reason
    data = ClipDataset(tmp_path / "data")
    heads = np.concatenate([data.read(c).trajectory.world_from_head for c in (0, 1, 2)])
    np.testing.assert_allclose(heads, _path().world_from_head(np.arange(12) / 10), atol=1e-12)


def test_the_folder_alone_says_how_to_render_more(room, tmp_path):
    scenes = {room.card.name: room}
    render_dataset(_plan(room, _path(), clips=2), scenes, tmp_path / "data")
    plan = Plan.from_json((tmp_path / "data" / "plan.json").read_text())
    render_dataset(plan.grown(3), scenes, tmp_path / "data")
    render_dataset(_plan(room, _path(), clips=3), scenes, tmp_path / "again", workers=2)
    one, other = ClipDataset(tmp_path / "data"), ClipDataset(tmp_path / "again")
    for clip in range(3):
        assert torch.equal(one.read(clip).video, other.read(clip).video)
    with pytest.raises(ValueError, match="another plan"):
        render_dataset(_plan(room, _path(0.1), clips=3), scenes, tmp_path / "data")


def test_a_path_lies_in_one_scene_and_lasts_as_long_as_a_clip(room):
    other = dataclasses.replace(room.card, name="other")
    with pytest.raises(ValueError, match=r"expected one scene, in which the path lies, got \['an"):
        make_plan(
            [room, type(room)(other, room.field)],
            load_observer("adult"),
            SETTINGS,
            clips=1,
            path=_path(),
        )
    long = dataclasses.replace(SETTINGS, frames=14)
    with pytest.raises(ValueError, match="the path lasts 1.200 s, and 14 frames at 10.0 Hz last"):
        make_plan([room], load_observer("adult"), long, clips=1, path=_path())
