"""Bricks as data: what they accept, and what a file gives back."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.bricks import BrickLook, Bricks, BrickSpace
from merkwelt.scenes.bricks.bricks import (
    store_colour,
    store_density,
    store_tilt,
    stored_colour,
    stored_tilt,
)
from merkwelt.scenes.bricks.file import FAST_FILE, pack_bricks, read_bricks
from merkwelt.scenes.bricks.space import in_walking_order
from merkwelt.scenes.fingerprint import field_fingerprint
from merkwelt.scenes.scene import Scene, keep_bricks, save_scene

SPACE = BrickSpace(centre=(0.0, 1.0, 2.0), half_edge=3.0, cells=64, levels=2)


def some_bricks(count=5, **changes):
    rng = np.random.default_rng(0)
    # On the outer level a brick at its rim: the middle belongs to the inner level.
    places = np.unique(rng.integers(0, [1, 8, 8, 8], (count - 1, 4)), axis=0).astype(np.int32)
    places = np.concatenate([places, np.array([[1, 0, 7, 0]], dtype=np.int32)])
    n = len(places)
    parts = {
        "space": SPACE,
        "look": BrickLook(behind=(0.1, 0.2, 0.3)),
        "places": places,
        "occupied": rng.random((n, 512)) < 0.3,
        "density": rng.integers(0, 256, (n, 729), dtype=np.uint8),
        "colour": rng.integers(0, 2**30, (n, 729), dtype=np.uint32),
        "field_sha256": "abc",
    }
    return Bricks(**(parts | changes))


def tilted_bricks(**changes):
    flat = some_bricks()
    tilt = np.random.default_rng(1).integers(0, 2**30, flat.colour.shape, dtype=np.uint32)
    look = replace(flat.look, tilt_range=(-0.5, 0.25))
    return replace(flat, **({"tilt": tilt, "look": look} | changes))


@pytest.mark.parametrize("make", [some_bricks, tilted_bricks])
def test_a_file_gives_back_what_was_written(tmp_path, make):
    bricks = make()
    (tmp_path / FAST_FILE).write_bytes(pack_bricks(bricks))
    read = read_bricks(tmp_path / FAST_FILE)
    assert (read.space, read.look, read.field_sha256) == (SPACE, bricks.look, "abc")
    for name in ("places", "occupied", "density", "colour", "tilt"):
        found, written = getattr(read, name), getattr(bricks, name)
        np.testing.assert_array_equal(found, written)
        assert getattr(found, "dtype", None) == getattr(written, "dtype", None)
    assert read.megabytes == bricks.megabytes


def test_what_a_file_without_tilts_says_is_what_it_said_before_there_were_any():
    told = json.loads(some_bricks().description()["merkwelt_bricks"])
    assert told["format"] == 1
    assert set(told["look"]) == {
        "step_cells", "density_range", "colour_range", "behind", "dark", "faint",
    }  # fmt: skip
    assert set(some_bricks().arrays()) == {"places", "hops", "density", "colour"}
    # Versions that do not know tilts refuse the next format.
    assert json.loads(tilted_bricks().description()["merkwelt_bricks"])["format"] == 2


def test_a_word_of_tilt_more_is_a_word_of_memory_more():
    flat, tilted = some_bricks(), tilted_bricks()
    assert tilted.megabytes - flat.megabytes == pytest.approx(4 * flat.colour.size / 1e6)


def test_a_file_that_lacks_its_tilts_is_refused(tmp_path):
    from safetensors.numpy import save

    bricks = tilted_bricks()
    arrays = {name: array for name, array in bricks.arrays().items() if name != "tilt"}
    (tmp_path / FAST_FILE).write_bytes(save(arrays, metadata=bricks.description()))
    with pytest.raises(ValueError, match=r"it lacks \['tilt'\]"):
        read_bricks(tmp_path / FAST_FILE)


@pytest.mark.parametrize("keep", [0, 30, 3000])
def test_a_damaged_file_is_named(tmp_path, keep):
    path = tmp_path / FAST_FILE
    path.write_bytes(pack_bricks(some_bricks())[:keep])
    with pytest.raises(ValueError, match=r"fast\.safetensors is damaged: .*optimise NAME --again"):
        read_bricks(path)


def test_a_newer_format_is_refused(tmp_path):
    from safetensors.numpy import save

    bricks = some_bricks()
    told = bricks.description()
    told["merkwelt_bricks"] = told["merkwelt_bricks"].replace('"format": 1', '"format": 9')
    (tmp_path / FAST_FILE).write_bytes(save(bricks.arrays(), metadata=told))
    with pytest.raises(ValueError, match="expected format 1 or 2, found 9; update merkwelt"):
        read_bricks(tmp_path / FAST_FILE)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"density": np.zeros((5, 512), np.uint8)}, "expected density"),
        ({"tilt": np.zeros((5, 729, 3), np.uint32)}, "expected tilt"),
        ({"places": np.full((5, 4), 9, np.int32)}, "inside their cubes"),
        ({"places": np.ones((5, 4), np.int32)}, "each brick once"),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        some_bricks(**changes)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cells": 40},
        {"cells": 0},
        {"levels": 0},
        {"half_edge": 0.0},
        {"centre": (0.0, np.nan, 0.0)},
    ],
)
def test_spaces_that_bricks_do_not_fit_into_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        replace(SPACE, **wrong)


def test_looks_that_cannot_be_drawn_are_refused():
    for wrong in ({"step_cells": 0.0}, {"density_range": (1.0, 1.0)}, {"tilt_range": (0, -1)}):
        with pytest.raises(ValueError, match="expected"):
            BrickLook(**wrong)


def test_colours_are_stored_to_a_thousandth_and_densities_to_a_twentieth():
    look = BrickLook()
    rng = np.random.default_rng(1)
    rgb = rng.uniform(-0.1, 1.1, (200, 3))
    # Half of 1.25 / 1023, and half of 12 / 255.
    np.testing.assert_allclose(stored_colour(store_colour(rgb, look), look), rgb, atol=6.2e-4)
    logs = rng.uniform(-7, 5, 200)
    back = -7 + 12 * (store_density(logs, look) / 255)
    np.testing.assert_allclose(back, logs, atol=0.0236)
    assert store_density(np.array([-99.0, 99.0]), look).tolist() == [0, 255]


def test_tilts_are_stored_to_a_five_hundredth_and_none_at_all_is_stored_as_that():
    look = BrickLook()
    tilts = np.random.default_rng(2).uniform(-1, 1, (200, 3))
    np.testing.assert_allclose(stored_tilt(store_tilt(tilts, look), look), tilts, atol=1.001e-3)
    nothing = stored_tilt(store_tilt(np.zeros((1, 3)), look), look)
    np.testing.assert_allclose(nothing, 0, atol=1e-7)
    assert store_tilt(np.array([9.0, -9.0, 0.0]), look) == 1023 | 512 << 20


def test_walking_order_keeps_neighbours_together():
    places = np.argwhere(np.ones((2, 8, 8, 8))).astype(np.int32)
    walked = places[in_walking_order(places)]
    assert (np.diff(walked[:, 0]) >= 0).all()
    step = np.abs(np.diff(walked[:512, 1:], axis=0)).max(axis=1)
    assert (step <= 1).mean() > 0.85
    # Each run of eight is a cube of 2 x 2 x 2.
    blocks = walked[:512, 1:].reshape(64, 8, 3) // 2
    assert (blocks == blocks[:, :1]).all()


@pytest.fixture
def kept(tmp_path):
    room = save_scene(analytic_room(), tmp_path / "room")
    return keep_bricks(
        room, some_bricks(field_sha256=field_fingerprint(room.field)), room.card, tmp_path / "room"
    )


def test_a_scene_carries_its_fast_form(kept, tmp_path):
    assert kept.has_bricks
    assert len(kept.bricks.places) == len(some_bricks().places)
    copy = save_scene(kept, tmp_path / "copy")
    assert copy.has_bricks
    assert not list((tmp_path / "room").glob(".*"))
    assert kept.content_hash() == analytic_room().content_hash()
    assert kept.content_hash(fast=True) != kept.content_hash()
    assert copy.content_hash(fast=True) == kept.content_hash(fast=True)


def test_a_scene_without_one_says_how_to_make_it():
    room = analytic_room()
    assert not room.has_bricks
    with pytest.raises(FileNotFoundError, match="merkwelt scene optimise"):
        _ = room.bricks


def test_the_fast_form_of_another_field_is_refused_and_not_copied(kept, tmp_path):
    other = analytic_room()
    colours = other.field.colours if hasattr(other.field, "colours") else None
    assert colours is not None
    colours.mul_(0.5)
    changed = Scene(other.card, other.field, kept.folder)
    with pytest.raises(ValueError, match="made from another field"):
        _ = changed.bricks
    saved = save_scene(changed, tmp_path / "changed")
    assert not saved.has_bricks
    assert torch.equal(saved.field.colours, colours)
