import dataclasses

import pytest
import torch
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import Scene, save_scene
from merkwelt.streams import (
    ClipDataset,
    Storage,
    make_plan,
    render_dataset,
    render_one,
    verify_dataset,
)
from merkwelt.streams.scene_clips import SceneClips

SETTINGS = ClipSettings(frames=2, size=8)


@pytest.fixture(scope="module")
def room():
    return analytic_room()


@pytest.fixture(scope="module")
def plan(room):
    return make_plan(
        [room], load_observer("adult"), SETTINGS, clips=6, storage=Storage(shard_clips=2)
    )


@pytest.fixture(scope="module")
def folder(room, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert render_dataset(plan, {room.card.name: room}, folder).is_complete
    return folder


def test_clips_on_disk_are_the_rendered_ones(room, plan, folder):
    data = ClipDataset(folder)
    clip = int(data.clip_ids[-1])
    stored = data.read(clip)
    rendered = render_clip(room, load_observer("adult"), SETTINGS, plan.key(clip))
    assert torch.equal(stored.video, rendered.video)
    assert (stored.depth - rendered.depth).abs().div(rendered.depth).max() < 1.5e-4
    assert stored.caption == rendered.caption
    assert stored.description == rendered.description
    assert data.sample(clip).description == rendered.description
    assert (stored.trajectory.world_from_eye == rendered.trajectory.world_from_eye).all()
    again = render_one(data.plan, {room.card.name: room}, clip)
    assert torch.equal(again.video, rendered.video)


def test_any_clip_of_a_plan_can_be_rendered_without_writing(room, plan):
    clip = render_one(plan, lambda _name: room, 18331002)
    assert clip.key == plan.key(18331002)
    with pytest.raises(ValueError, match="a clip id of at least 0, got -1"):
        render_one(plan, {room.card.name: room}, -1)


def test_worker_processes_give_the_same_pixels(room, plan, folder, tmp_path):
    in_memory = {room.card.name: room}
    done = render_dataset(plan, in_memory, tmp_path / "memory", workers=2)
    assert done.is_complete
    save_scene(room, tmp_path / "room")
    by_path = {room.card.name: tmp_path / "room"}
    render_dataset(plan, by_path, tmp_path / "path", workers=3)
    alone = ClipDataset(folder)
    for place in ("memory", "path"):
        assert verify_dataset(tmp_path / place).ok
        together = ClipDataset(tmp_path / place)
        assert together.clip_ids.tolist() == alone.clip_ids.tolist()
        assert together.skipped == alone.skipped
        for clip in alone.clip_ids:
            assert torch.equal(alone.read(clip).video, together.read(clip).video)
            assert torch.equal(alone.read(clip).depth, together.read(clip).depth)


def test_scene_that_has_changed_is_refused(room, plan, tmp_path):
    card = dataclasses.replace(room.card, floor_height=0.1)
    with pytest.raises(ValueError, match="is not the one that was planned: it has changed since"):
        render_dataset(plan, {card.name: Scene(card, room.field)}, tmp_path)


def test_missing_scene_is_named(plan, tmp_path):
    with pytest.raises(ValueError, match=r"the plan needs scenes .*, given are \['attic'\]"):
        render_dataset(plan, {"attic": tmp_path}, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_clips_without_a_way_are_skipped_with_the_reason(room, tmp_path):
    card = dataclasses.replace(room.card, floor_height=None, world_from_training_camera=())
    nowhere = Scene(card, room.field)
    plan = make_plan([nowhere], load_observer("adult"), SETTINGS, clips=3)
    done = render_dataset(plan, {card.name: nowhere}, tmp_path)
    assert done.is_complete
    assert [clip.clip for clip in done.skipped] == [0, 1, 2]
    assert all(clip.reason.startswith("NoPath: scene") for clip in done.skipped)
    with pytest.raises(RuntimeError, match="holds no clip: all 3 were skipped.*NoPath: scene"):
        ClipDataset(tmp_path)
    assert verify_dataset(tmp_path).ok


def test_maker_loads_each_scene_once(room, plan):
    loaded = []

    def load(name):
        loaded.append(name)
        return room

    make_clip = SceneClips(load)
    for clip in (0, 1):
        make_clip(plan, clip)
    assert loaded == [room.card.name]
