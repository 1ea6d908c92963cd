"""Ground truth from the renderer to the disk and back: nothing lost but what the codes say."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from fake_clips import FakeClips, fake_plan, shards_of
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.render.rigid import look_at
from merkwelt.render.truth.quantities import QUANTITIES, Fate, Target, Truth
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import Scene
from merkwelt.streams import ClipDataset, collate, make_plan, reader, render_dataset, verify_dataset
from merkwelt.streams.clip_members import USUAL_MEMBERS, encode_clip
from merkwelt.streams.depth import RELATIVE_ERROR
from merkwelt.streams.engine import run_plan
from merkwelt.streams.truth_codes import (
    SHARE_ERROR,
    codes_to_displacement,
    codes_to_ids,
    codes_to_masks,
    codes_to_share,
    displacement_to_codes,
    ids_to_codes,
    masks_to_codes,
    share_to_codes,
    steps_per_px,
)
from merkwelt.streams.truth_members import TRUTH_MEMBERS, TRUTH_STREAMS, encode_truth
from merkwelt.streams.video import decode_codes, encode_codes

ALL = ClipSettings(frames=3, size=24, truth=QUANTITIES)


@pytest.mark.parametrize(
    ("side", "steps"),
    [(1, 16384), (64, 256), (127, 256), (128, 128), (256, 64), (511, 64), (512, 32)],
)
def test_steps_are_the_finest_with_which_every_place_can_be_told(side, steps):
    assert steps_per_px(side) == steps
    assert side * steps <= 32767
    assert 2 * side * steps > 32767


def test_displacements_come_back_within_half_a_step():
    displacement = torch.linspace(-255.99, 255.99, 400_001, dtype=torch.float64)
    for side, error in ((255, 1 / 256), (256, 1 / 128)):
        steps = steps_per_px(side)
        kept = displacement[displacement.abs() <= side]
        back = codes_to_displacement(displacement_to_codes(kept, steps), steps).double()
        assert (back - kept).abs().max() <= error + 1e-5
        assert (back - kept).abs().max() > 0.9 * error


def test_displacements_that_cannot_be_told_are_none():
    odd = torch.tensor([math.nan, math.inf, -math.inf, 513.0, -513.0, 0.0])
    codes = displacement_to_codes(odd, 64)
    assert codes.tolist() == [0, 0, 0, 0, 0, 32768]
    assert codes_to_displacement(codes, 64).isnan().tolist() == [True] * 5 + [False]


def test_every_code_survives():
    codes = torch.arange(65536, dtype=torch.int32)
    assert torch.equal(displacement_to_codes(codes_to_displacement(codes, 64), 64), codes)
    assert torch.equal(ids_to_codes(codes_to_ids(codes)), codes)
    shares = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(share_to_codes(codes_to_share(shares)), shares)


def test_shares_come_back_within_their_error():
    share = torch.linspace(0, 1, 10_001)
    error = (codes_to_share(share_to_codes(share)) - share).abs().max()
    assert 0.9 * SHARE_ERROR < error <= SHARE_ERROR + 1e-6
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match=r"expected shares in \[0, 1\]"):
            share_to_codes(torch.tensor([0.5, bad]))


def test_masks_and_ids_come_back_as_they_were():
    generator = torch.Generator().manual_seed(0)
    masks = torch.randint(0, 4, (2, 5, 3, 4, 6), generator=generator, dtype=torch.uint8)
    codes = masks_to_codes(masks)
    assert codes.shape == (2, 5, 4, 6)
    assert torch.equal(codes_to_masks(codes, 3), masks)
    assert int(codes[1, 2, 3, 4]) == sum(int(masks[1, 2, t, 3, 4]) * 4**t for t in range(3))
    ids = torch.tensor([-1, 0, 38, 65534])
    assert torch.equal(codes_to_ids(ids_to_codes(ids)), ids)
    with pytest.raises(ValueError, match="expected ids from -1 to 65534, got -2"):
        ids_to_codes(torch.tensor([-2]))


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_videos_of_codes_keep_every_code(kind):
    codes = np.random.default_rng(0).integers(0, np.iinfo(kind).max + 1, (3, 17, 23), dtype=kind)
    back = decode_codes(encode_codes(codes, frame_rate_hz=10))
    assert back.dtype == kind
    assert (back == codes).all()
    with pytest.raises(ValueError, match="expected uint8 or uint16 codes"):
        encode_codes(codes.astype(np.int64), frame_rate_hz=10)


@pytest.fixture(scope="module")
def room():
    room = analytic_room()
    poses = look_at(
        np.array([[-1.0, -1.5, 1.4], [0.5, 1.0, 1.4], [1.8, -1.8, 1.4]]), np.array([0.0, 0.0, 0.8])
    )
    cameras = tuple(tuple(map(tuple, pose)) for pose in poses.tolist())
    return Scene(replace(room.card, world_from_training_camera=cameras), room.field)


@pytest.fixture(scope="module")
def plan(room):
    return make_plan([room], load_observer("adult"), ALL, clips=2)


@pytest.fixture(scope="module")
def folder(room, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert render_dataset(plan, {room.card.name: room}, folder).is_complete
    return folder


def test_truth_on_disk_is_the_rendered_one(room, plan, folder):
    stored = ClipDataset(folder).read(1)
    truth = render_clip(room, load_observer("adult"), ALL, plan.key(1)).truth
    assert set(truth.held()) == set(stored.truth.held()) == set(TRUTH_STREAMS)
    for name in ("masks", "ids"):
        assert torch.equal(getattr(stored.truth, name), getattr(truth, name))
    step = 1 / steps_per_px(24)
    for name in ("flow_forward", "flow_backward", "disparity"):
        there, rendered = getattr(stored.truth, name), getattr(truth, name)
        far = rendered.abs() > 32767 * step
        assert torch.equal(there.isnan(), rendered.isnan() | far)
        assert (there - rendered)[~there.isnan()].abs().max() <= step / 2 + 1e-6
        assert there[~there.isnan()].abs().max() > 0.5
    for name in ("opacity", "confidence"):
        error = (getattr(stored.truth, name) - getattr(truth, name)).abs().max()
        assert error <= SHARE_ERROR + 1e-6
    error = (stored.truth.expected_depth / truth.expected_depth - 1).abs().max()
    assert error <= RELATIVE_ERROR + 1e-6
    assert stored.truth.objects == tuple(thing.name for thing in room.card.objects)


def test_flow_of_every_point_in_the_picture_can_be_stored(folder):
    truth = ClipDataset(folder).read(0).truth
    here = truth.masks[:, :, Target.NEXT]
    inside = (here == Fate.VISIBLE) | (here == Fate.HIDDEN)
    assert not truth.flow_forward[:, :, 0][inside].isnan().any()


def test_only_the_truth_that_is_asked_for_is_decoded(folder, monkeypatch):
    asked = []
    decode = reader.decode_eyes
    monkeypatch.setattr(
        reader,
        "decode_eyes",
        lambda members, stream, *frames: asked.append(stream) or decode(members, stream, *frames),
    )
    data = ClipDataset(folder, streams=("flow_forward", "masks"))
    sample = data[0]
    assert asked == ["flow_forward", "masks"]
    assert set(sample.truth.held()) == {"flow_forward", "masks"}
    assert sample.video is None
    assert "flow_forward=(2, 3, 2, 24, 24)" in repr(sample)
    batch = collate([data[0], data[1]])
    assert batch.truth.masks.shape == (2, 2, 3, 3, 24, 24)
    assert torch.equal(batch.truth.masks[0], sample.truth.masks)
    assert ClipDataset(folder, streams=("ids", "meta"))[0].truth.objects[0] == "sofa"


def test_colour_is_read_as_fast_as_without_truth(folder):
    """What everyone reads lies together, before the ground truth."""
    extents = ClipDataset(folder)._index.members
    video = max(int(extents[name][0, :2].sum()) for name in USUAL_MEMBERS)
    assert all(extents[name][0, 0] > video for name in TRUTH_MEMBERS)


def test_meta_says_what_the_codes_mean(folder, plan, room):
    clip = render_clip(room, load_observer("adult"), ALL, plan.key(0))
    meta = json.loads(encode_clip(clip, plan)["meta.json"])
    assert set(meta["truth_codes"]) == set(TRUTH_STREAMS)
    assert "1 visible, 2 hidden, 3 outside" in meta["truth_codes"]["masks"]
    assert meta["objects"][1] == "bookcase"


def test_data_without_truth_looks_as_it_always_did(room, tmp_path):
    usual = ClipSettings(frames=2, size=8)
    assert "truth" not in usual.to_dict()
    plan = make_plan([room], load_observer("adult"), usual, clips=1)
    assert "truth" not in plan.settings
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    assert set(ClipDataset(tmp_path)._index.members) == set(USUAL_MEMBERS)
    sample = ClipDataset(tmp_path)[0]
    assert sample.truth.held() == {}
    assert b"flow" not in b"".join(shards_of(tmp_path).values())


def test_what_is_asked_for_is_part_of_the_plan_and_its_order_is_not(room):
    def id_of(*truth):
        settings = ClipSettings(frames=2, size=8, truth=truth)
        return make_plan([room], load_observer("adult"), settings, clips=1).id

    assert id_of("flow") == id_of("masks", "flow") == id_of("flow", "flow")
    assert len({id_of(), id_of("flow"), id_of("masks"), id_of("flow", "ids")}) == 4


def test_plan_with_truth_survives_its_file(plan):
    assert type(plan).from_json(plan.to_json()).id == plan.id


def test_verify_finds_clips_that_lack_what_the_plan_asks_for(folder, tmp_path):
    assert verify_dataset(folder).ok
    plan = fake_plan(4)
    forgetful = replace(plan, settings={**plan.settings, "truth": ["disparity", "masks"]})
    run_plan(forgetful, FakeClips(), tmp_path)
    found = verify_dataset(tmp_path)
    assert len(found.problems) == 4
    assert "clip 0 lacks ['disparity_left.mkv', 'masks_left.mkv'], which the" in found.problems[0]


def test_verify_finds_damaged_truth(folder, room, plan, tmp_path):
    render_dataset(plan, {room.card.name: room}, tmp_path)
    shard = next((tmp_path / "shards").glob("*.tar"))
    data = bytearray(shard.read_bytes())
    offset, size = ClipDataset(tmp_path)._index.members["disparity_right.mkv"][1, :2]
    data[offset + size // 2] ^= 1
    shard.write_bytes(data)
    assert "damaged clips: [1]" in verify_dataset(tmp_path).problems[0]
    with pytest.raises(RuntimeError, match=r"disparity_right.mkv .* is damaged"):
        ClipDataset(tmp_path, streams=("disparity",)).sample(1)


def test_truth_of_another_shape_is_refused():
    masks = torch.zeros(2, 3, 3, 8, 9, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"expected masks of a clip \(2, 3, 8, 8\), got"):
        encode_truth(Truth(masks=masks), (2, 3, 8, 8), frame_rate_hz=10)


def test_truth_that_cannot_be_had_is_refused_before_anything_is_rendered(room):
    observer = load_observer("adult")

    def planned(scene, *truth, **observed):
        settings = ClipSettings(frames=2, size=8, truth=truth)
        return make_plan([room, scene], replace(observer, **observed), settings, clips=1)

    bare = Scene(replace(room.card, name="bare", objects=()), room.field)
    with pytest.raises(ValueError, match="'bare' has no objects on its card.*leave ids out"):
        planned(bare, "ids")
    unseen = replace(room.card, name="unseen", world_from_training_camera=())
    with pytest.raises(ValueError, match="'unseen' has no training views .*leave confidence out"):
        planned(Scene(unseen, room.field), "confidence")
    with pytest.raises(ValueError, match="difference between two eyes.* looks with one"):
        planned(bare, "disparity", eyes=1)
