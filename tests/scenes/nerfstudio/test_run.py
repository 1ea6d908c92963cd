"""Importing real and hostile nerfstudio runs, without nerfstudio."""

import pickle
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from merkwelt.scenes import Scene
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.checkpoint import read_checkpoint
from merkwelt.scenes.nerfstudio.config_yaml import read_nerfstudio_config
from merkwelt.scenes.nerfstudio.run import find_run, import_run
from merkwelt.scenes.scene import save_scene

OPTIONS = ImportOptions(name="fox")


@pytest.fixture
def run(shared_data, tmp_path):
    folder = tmp_path / "moved" / "fox"
    shutil.copytree(shared_data / "trained" / "fox_nerfacto", folder)
    return folder


def test_a_moved_run_imports_without_nerfstudio(run):
    scene = import_run(run, OPTIONS)
    assert scene.field.config.samples == 24
    assert scene.field.config.proposal_samples == (64, 32)
    assert scene.field.config.grid.max_resolution == 1024
    assert "nerfstudio" not in sys.modules


def test_the_scale_of_the_capture_becomes_the_scale_of_the_world(run):
    scene = import_run(run, ImportOptions(name="fox", metres_per_unit=0.5))
    assert scene.card.world_units_per_field_unit == pytest.approx(0.5 / 0.26858417858003675)
    assert scene.card.is_metric
    assert not import_run(run, OPTIONS).card.is_metric


def test_a_scene_survives_its_folder(run, tmp_path):
    scene = import_run(run, OPTIONS)
    saved = save_scene(scene, tmp_path / "library" / "fox")
    loaded = Scene.load(tmp_path / "library" / "fox")
    assert loaded.content_hash() == saved.content_hash() == scene.content_hash()
    points = np.random.default_rng(0).uniform(-1, 1, (64, 3))
    np.testing.assert_array_equal(loaded.density(points), scene.density(points))
    with pytest.raises(FileExistsError, match="exists"):
        save_scene(scene, tmp_path / "library" / "fox")


def test_half_precision_tables_change_densities_by_less_than_a_percent(run, tmp_path):
    exact = import_run(run, OPTIONS)
    half = save_scene(import_run(run, ImportOptions(name="half", tables="half")), tmp_path / "half")
    points = np.random.default_rng(0).uniform(-1, 1, (256, 3))
    np.testing.assert_allclose(half.density(points), exact.density(points), rtol=1e-2)
    assert (tmp_path / "half" / "field.safetensors").stat().st_size < 1.2e7


@pytest.mark.parametrize("kept", [0, 1000, 5_000_000])
def test_a_truncated_checkpoint_is_named(run, kept):
    checkpoint = next((run / "nerfstudio_models").iterdir())
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"{checkpoint.name} is damaged.*{kept} bytes"):
        import_run(run, OPTIONS)


class _Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_a_checkpoint_that_wants_to_run_code_is_refused_and_runs_nothing(run, tmp_path):
    target = tmp_path / "owned"
    checkpoint = next((run / "nerfstudio_models").iterdir())
    torch.save({"pipeline": _Evil(target)}, checkpoint)
    with pytest.raises(ValueError, match="more than weights and was not opened"):
        import_run(run, OPTIONS)
    checkpoint.write_bytes(pickle.dumps({"pipeline": _Evil(target)}))
    with pytest.raises(ValueError, match="was not opened|damaged"):
        import_run(run, OPTIONS)
    assert not target.exists()


def test_a_config_that_wants_to_run_code_runs_nothing(run, tmp_path):
    target = tmp_path / "owned"
    config = run / "config.yml"
    attack = f"attack: !!python/object/apply:os.system\n- touch {target}\n"
    config.write_text(config.read_text() + attack)
    scene = import_run(run, OPTIONS)
    assert scene.card.name == "fox"
    assert not target.exists()
    assert read_nerfstudio_config(config)["attack"] == [f"touch {target}"]


def test_real_configs_of_others_are_read_as_plain_data(shared_data):
    found = list((shared_data / "nerfstudio_configs").rglob("*.yml"))
    assert found
    for path in found:
        assert isinstance(read_nerfstudio_config(path), dict)


@pytest.mark.parametrize(
    ("broken", "error", "message"),
    [
        (lambda r: (r / "config.yml").unlink(), FileNotFoundError, "no nerfstudio run"),
        (lambda r: (r / "config.yml").write_text("a: ["), ValueError, "not a readable"),
        (lambda r: (r / "config.yml").write_text("method_name: x"), ValueError, "nerfacto"),
        (
            lambda r: shutil.rmtree(r / "nerfstudio_models"),
            FileNotFoundError,
            "holds no checkpoint",
        ),
        (
            lambda r: (r / "dataparser_transforms.json").unlink(),
            FileNotFoundError,
            "dataparser_transforms.json is missing",
        ),
        (
            lambda r: (r / "dataparser_transforms.json").write_text('{"scale": 1}'),
            ValueError,
            "'transform'",
        ),
    ],
)
def test_an_incomplete_run_says_what_is_missing(run, broken, error, message):
    broken(run)
    with pytest.raises(error, match=message):
        import_run(run, OPTIONS)


def test_a_tiny_cuda_nn_checkpoint_of_another_size_is_refused_with_both_counts(run):
    checkpoint = next((run / "nerfstudio_models").iterdir())
    tensors = {"_model.field.mlp_base.model.params": torch.zeros(8)}
    torch.save({"pipeline": tensors}, checkpoint)
    with pytest.raises(ValueError, match=r"tiny-cuda-nn: expected [\d,]+ numbers.*found 8;"):
        import_run(run, OPTIONS)


def test_nan_weights_are_refused_by_name(run):
    checkpoint = next((run / "nerfstudio_models").iterdir())
    tensors = {f"_model.{k}": v for k, v in read_checkpoint(checkpoint).items()}
    tensors["_model.field.mlp_head.layers.2.bias"][0] = float("nan")
    torch.save({"pipeline": tensors}, checkpoint)
    with pytest.raises(ValueError, match=r"mlp_head\.layers\.2\.bias.*NaN"):
        import_run(run, OPTIONS)


def test_a_folder_of_several_runs_asks_which(run):
    shutil.copytree(run, run.parent / "other")
    with pytest.raises(ValueError, match="holds 2 runs"):
        find_run(run.parent)
    assert find_run(run / "config.yml") == run
