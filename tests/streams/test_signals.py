"""Body signals from the observer to the disk and back."""

import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest
from fake_clips import FakeClips, fake_plan
from merkwelt.render.body.signals import BodySignals
from merkwelt.render.observer.presets import load_observer
from merkwelt.render.render_clip import ClipSettings, render_clip
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.scene import Scene
from merkwelt.streams import ClipDataset, collate, make_plan, render_dataset, verify_dataset
from merkwelt.streams.clip_members import USUAL_MEMBERS
from merkwelt.streams.engine import run_plan
from merkwelt.streams.plain import from_plain
from merkwelt.streams.signal_members import SIGNALS, decode_signals, encode_signals

WITH = ClipSettings(frames=3, size=8, signals=True)


@pytest.fixture(scope="module")
def room():
    return analytic_room()


@pytest.fixture(scope="module")
def plan(room):
    return make_plan([room], load_observer("adult"), WITH, clips=2)


@pytest.fixture(scope="module")
def folder(room, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    assert render_dataset(plan, {room.card.name: room}, folder).is_complete
    return folder


def _random_signals(eyes, n=7):
    rng = np.random.default_rng(eyes)
    return BodySignals(
        time_s=0.005 * np.arange(n),
        **{
            name: rng.normal(size=(n, width))
            for name, width in (
                ("angular_velocity_rad_s", 3),
                ("specific_force_m_s2", 3),
                ("canals_rad_s", 6),
                ("otoliths_m_s2", 3),
                ("neck_rad", 3),
            )
        },
        eye_in_head_rad=rng.normal(size=(eyes, n, 3)),
        eye_in_head_rad_s=rng.normal(size=(eyes, n, 3)),
        stride_phase_rad=rng.normal(size=n),
        speed_m_s=rng.normal(size=n),
        ground_contact=rng.random((n, 3)) < 0.5,
    )


def _assert_kept(stored, signals):
    for name, value in vars(signals).items():
        there = getattr(stored, name)
        assert there.shape == value.shape, name
        np.testing.assert_allclose(there, value, rtol=6e-8, atol=1e-30, err_msg=name)
    np.testing.assert_array_equal(stored.time_s, signals.time_s)
    assert stored.ground_contact.dtype == bool


@pytest.mark.parametrize("eyes", [1, 2])
def test_every_value_comes_back_in_its_place(eyes):
    signals = _random_signals(eyes)
    data = encode_signals(signals)
    assert data == encode_signals(signals)
    _assert_kept(decode_signals({SIGNALS: data}), signals)


def test_signals_on_disk_are_the_felt_ones(room, plan, folder):
    felt = render_clip(room, load_observer("adult"), WITH, plan.key(1)).signals
    data = ClipDataset(folder)
    _assert_kept(data.read(1).signals, felt)
    _assert_kept(data.sample(1).signals, felt)


def test_only_what_is_asked_for_is_read(folder):
    sample = ClipDataset(folder, streams=("signals",))[0]
    assert sample.video is None
    assert len(sample.signals.time_s) == 41
    assert ClipDataset(folder, streams=("video",))[0].signals is None
    data = ClipDataset(folder)
    assert data.streams == ("video", "depth", "trajectory", "meta", "signals")
    assert collate([data[0], data[1]]).samples[1].signals.rate_hz == pytest.approx(200)


def test_the_member_is_a_table_whose_columns_say_their_units_and_frame(folder):
    import pyarrow.parquet as pq

    with tarfile.open(next((folder / "shards").glob("*.tar"))) as tar:
        file = tar.extractfile("000000000.signals.parquet")
        assert file is not None
        table = pq.read_table(io.BytesIO(file.read()))
    assert {
        "time_s",
        "angular_velocity_x_rad_s",
        "specific_force_y_m_s2",
        "canal_left_horizontal_rad_s",
        "otolith_z_m_s2",
        "left_eye_azimuth_rad",
        "right_eye_torsion_rad_s",
        "neck_yaw_rad",
        "stride_phase_rad",
        "speed_m_s",
        "left_foot_on_ground",
    } <= set(table.column_names)
    assert len(table.column_names) == 36
    said = table.schema.metadata
    assert said[b"frame"].startswith(b"head: x right, y down, z forward")
    assert float(said[b"rate_hz"]) == pytest.approx(200)


def test_data_without_signals_has_no_place_for_them(tmp_path):
    run_plan(fake_plan(4), FakeClips(), tmp_path)
    assert set(ClipDataset(tmp_path)._index.members) == set(USUAL_MEMBERS)
    assert ClipDataset(tmp_path)[0].signals is None
    with pytest.raises(ValueError, match="expected streams out of .* got .'signals'"):
        ClipDataset(tmp_path, streams=("signals",))


def test_signals_are_part_of_the_plan(room, plan):
    without = make_plan([room], load_observer("adult"), replace(WITH, signals=False), clips=2)
    assert "signals" not in without.settings
    assert plan.settings["signals"] is True
    assert without.id != plan.id
    assert type(plan).from_json(plan.to_json()).id == plan.id
    assert from_plain(ClipSettings, plan.settings, where="") == WITH


def test_verify_finds_clips_without_their_signals_and_damaged_ones(folder, room, plan, tmp_path):
    assert verify_dataset(folder).ok
    asked = fake_plan(4)
    forgetful = replace(asked, settings={**asked.settings, "signals": True})
    run_plan(forgetful, FakeClips(), tmp_path / "forgetful")
    found = verify_dataset(tmp_path / "forgetful")
    assert "clip 0 lacks ['signals.parquet'], which the plan asks for" in found.problems[0]
    render_dataset(plan, {room.card.name: room}, tmp_path / "damaged")
    shard = next((tmp_path / "damaged" / "shards").glob("*.tar"))
    content = bytearray(shard.read_bytes())
    offset, size = ClipDataset(tmp_path / "damaged")._index.members[SIGNALS][1, :2]
    content[offset + size // 2] ^= 1
    shard.write_bytes(content)
    assert "damaged clips: [1]" in verify_dataset(tmp_path / "damaged").problems[0]
    with pytest.raises(RuntimeError, match=r"signals.parquet .* is damaged"):
        ClipDataset(tmp_path / "damaged", streams=("signals",)).sample(1)


def test_signals_of_a_scene_without_scale_are_refused_before_anything_is_written(room):
    card = replace(room.card, metres_per_unit=None, floor_height=None)
    settings = replace(WITH, stereo=False)
    with pytest.raises(ValueError, match="which specific force .* needs"):
        make_plan([Scene(card, room.field)], load_observer("adult"), settings, clips=1)
