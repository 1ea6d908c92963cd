"""From files to scenes: which way is up, how large, what can be seen, from where."""

from dataclasses import replace

import numpy as np
import pytest
from merkwelt.scenes import Scene, SceneCard
from merkwelt.scenes.import_options import ImportOptions, SplatSettings
from merkwelt.scenes.scene import save_scene
from merkwelt.scenes.splats import import_splats, is_splat_file
from merkwelt.scenes.splats.import_splats import visible_bounds
from merkwelt.scenes.splats.viewpoints import viewpoints_around

from .test_files import record

OPTIONS = ImportOptions(name="thing", licence="CC-BY-4.0")


@pytest.fixture
def file(tmp_path):
    """A cube of 1000 small Gaussians between 0 and 1, and one faint floater far away."""
    grid = np.stack(np.meshgrid(*[np.linspace(0, 1, 10)] * 3), axis=-1).reshape(-1, 3)
    records = [record(tuple(p), (0.02, 0.02, 0.001), (200, 100, 50, 250)) for p in grid]
    records.append(record((90.0, 0, 0), (0.02, 0.02, 0.02), (9, 9, 9, 20)))
    path = tmp_path / "thing.splat"
    path.write_bytes(b"".join(records))
    return path


@pytest.mark.parametrize(
    ("up", "axis"),
    [
        ("y-down", [0, -1, 0]),
        ("y-up", [0, 1, 0]),
        ("z-up", [0, 0, 1]),
        ("z-down", [0, 0, -1]),
        ("x-up", [1, 0, 0]),
        ("x-down", [-1, 0, 0]),
    ],
)
def test_the_files_up_becomes_the_worlds(file, up, axis):
    scene = import_splats(file, replace(OPTIONS, splats=SplatSettings(up=up)))
    rotation = scene.world_from_field[:3, :3]
    np.testing.assert_array_equal(rotation @ axis, [0, 0, 1])
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3))
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_bounds_hold_the_thing_and_leave_floaters_out(file):
    scene = import_splats(file, replace(OPTIONS, splats=SplatSettings(up="z-up")))
    low, high = np.asarray(scene.card.bounds)
    assert np.all(low < 0)
    assert np.all(low > -0.1)
    assert np.all(high > 1)
    assert np.all(high < 1.1)


def test_a_single_gaussian_has_bounds_of_its_own_size(tmp_path):
    path = tmp_path / "one.splat"
    path.write_bytes(record((5.0, 0, 0), (1.0, 0.5, 0.5)))
    scene = import_splats(path, replace(OPTIONS, splats=SplatSettings(up="z-up")))
    low, high = visible_bounds(scene.field.gaussians, np.eye(4))
    np.testing.assert_allclose((low + high) / 2, [5, 0, 0], atol=1e-6)
    np.testing.assert_allclose(high - low, [2.2, 1.2, 1.2], atol=1e-6)


def test_metres_scale_the_world_and_everything_in_it(file):
    plain = import_splats(file, OPTIONS)
    metric = import_splats(file, replace(OPTIONS, metres_per_unit=0.5))
    assert not plain.card.is_metric
    assert metric.card.is_metric
    np.testing.assert_allclose(metric.card.bounds, 0.5 * np.asarray(plain.card.bounds))
    point = plain.world_from_field[None, :3, :3] @ np.full(3, 1 / 3)
    assert plain.density(point)[0] > 0
    same_grain = Scene(replace(plain.card, field_config=metric.card.field_config), metric.field)
    np.testing.assert_allclose(metric.density(0.5 * point), same_grain.density(point) / 0.5)
    assert metric.field.config.grain == pytest.approx(plain.field.config.grain)
    large = import_splats(file, replace(OPTIONS, metres_per_unit=50.0))
    assert large.field.config.grain * 50 == pytest.approx(0.025)


def test_a_scene_survives_its_folder_and_viewpoints_are_part_of_it(file, tmp_path):
    scene = import_splats(
        file, replace(OPTIONS, background="white", splats=SplatSettings(floor=-1.0))
    )
    saved = save_scene(scene, tmp_path / "thing")
    loaded = Scene.load(tmp_path / "thing")
    assert loaded.content_hash() == saved.content_hash() == scene.content_hash()
    assert loaded.card == scene.card
    assert loaded.card.floor_height == -1.0
    assert loaded.field.background == "white"
    for name, tensor in scene.field.tensors().items():
        np.testing.assert_array_equal(loaded.field.tensors()[name], tensor)
    fewer = replace(scene.card, world_from_viewpoint=scene.card.world_from_viewpoint[:4])
    assert Scene(fewer, scene.field).content_hash() != scene.content_hash()
    assert SceneCard.from_json(scene.card.to_json()) == scene.card


@pytest.mark.parametrize("is_metric", [False, True])
def test_viewpoints_stand_level_around_the_middle_and_look_at_it(is_metric):
    low, high = np.array([1.0, 2.0, 0.0]), np.array([1.2, 2.1, 0.2])
    poses = viewpoints_around(low, high, is_metric=is_metric)
    assert poses.shape == (96, 4, 4)
    rotation = poses[:, :3, :3]
    eye = np.broadcast_to(np.eye(3), rotation.shape)
    np.testing.assert_allclose(rotation @ rotation.transpose(0, 2, 1), eye, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotation), 1)
    np.testing.assert_allclose(rotation[:, 2, 0], 0, atol=1e-12)
    assert np.all(rotation[:, 2, 1] < 0)
    offset = (low + high) / 2 - poses[:, :3, 3]
    distance = np.linalg.norm(offset, axis=1)
    np.testing.assert_allclose(offset / distance[:, None], rotation[:, :, 2], atol=1e-12)
    expected = 0.15 + 0.4 if is_metric else 0.15 / np.sin(np.radians(26))
    np.testing.assert_allclose(distance, expected)


@pytest.mark.parametrize("name", ["plant", "academic_tarot_cards", "teapot", "boot", "violin"])
def test_real_files_are_one_unit_long_upright_things(shared_data, name):
    path = next((shared_data / "splats" / name).glob("*.splat"))
    scene = import_splats(path, OPTIONS)
    low, high = np.asarray(scene.card.bounds)
    assert len(scene.field.gaussians) == path.stat().st_size // 32
    assert 0.9 < float((high - low).max()) < 1.15
    if name == "plant":
        # The pot is below and white, the leaves above are green.
        g = scene.field.gaussians
        height = g.positions.numpy() @ scene.world_from_field[2, :3]
        colour = g.harmonics[:, 0].numpy() * 0.28209479 + 0.5
        weight = g.opacities.numpy() * g.scales.numpy().max(axis=1) ** 2
        below, above = height < -0.25, height > 0.0
        pot = np.average(colour[below], axis=0, weights=weight[below])
        leaf = np.average(colour[above], axis=0, weights=weight[above])
        assert pot.min() > 0.6
        assert leaf[1] > leaf[0] > leaf[2]


def test_files_that_are_none_are_refused(file, tmp_path):
    assert is_splat_file(file)
    assert is_splat_file(tmp_path / "A.PLY")
    assert not is_splat_file(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"gone\.ply does not exist"):
        import_splats(tmp_path / "gone.ply", OPTIONS)
    with pytest.raises(ValueError, match="no hash tables to store as 'half'"):
        import_splats(file, replace(OPTIONS, tables="half"))
    with pytest.raises(ValueError, match="no near and far planes"):
        import_splats(file, replace(OPTIONS, near=2.0))
