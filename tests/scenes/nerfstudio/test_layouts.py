"""nerfacto checkpoints of older releases, made from a real newer one: the same bits come out."""

import shutil

import pytest
import torch
import yaml
from merkwelt.render.volume import render_field
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.checkpoint import read_checkpoint
from merkwelt.scenes.nerfstudio.config_yaml import read_nerfstudio_config
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.scene import save_scene

OPTIONS = ImportOptions(name="fox")
BUFFERS = ("num_levels", "max_res", "log2_hashmap_size")
FIELD = "field.mlp_base.model"


@pytest.fixture(scope="module")
def newest(shared_data):
    return import_run(shared_data / "trained" / "fox_nerfacto", OPTIONS)


@pytest.fixture
def run(shared_data, tmp_path):
    shutil.copytree(shared_data / "trained" / "fox_nerfacto", tmp_path / "fox")
    return tmp_path / "fox"


def _rename(tensors, pairs):
    """Give each tensor whose name begins with a pair's first part all names of its second."""
    renamed = {}
    for name, value in tensors.items():
        starts = [old for old in pairs if name.startswith(old)]
        for new in pairs[starts[0]] if starts else [""]:
            renamed[new + name.removeprefix(starts[0]) if starts else name] = value
    return renamed


GRID, NETWORK = f"{FIELD}.0.", f"{FIELD}.1."
LAYOUTS = {
    "0.3, both names": {
        GRID: ["field.mlp_base_grid.", "field.mlp_base.0."],
        NETWORK: ["field.mlp_base_mlp.", "field.mlp_base.1."],
    },
    "0.3, named parts only": {GRID: ["field.mlp_base_grid."], NETWORK: ["field.mlp_base_mlp."]},
    "0.3, sequence only": {GRID: ["field.mlp_base.0."], NETWORK: ["field.mlp_base.1."]},
    "proposal grids in the sequence only": {
        f"proposal_networks.{i}.encoding.": [f"proposal_networks.{i}.mlp_base.0."] for i in (0, 1)
    },
}


def _write(run, tensors, prefix="_model."):
    checkpoint = next((run / "nerfstudio_models").iterdir())
    torch.save({"pipeline": {prefix + k: v for k, v in tensors.items()}, "step": 7}, checkpoint)
    return checkpoint


def _read(run):
    return read_checkpoint(next((run / "nerfstudio_models").iterdir()))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("buffers", [True, False])
def test_older_names_give_the_same_bits(newest, run, layout, buffers):
    tensors = _rename(_read(run), LAYOUTS[layout])
    if not buffers:
        tensors = {k: v for k, v in tensors.items() if k.rsplit(".", 1)[-1] not in BUFFERS}
    _write(run, tensors, prefix="module._model." if buffers else "_model.")
    older = import_run(run, OPTIONS)
    assert older.field.config == newest.field.config
    assert older.content_hash() == newest.content_hash()
    origins = 0.1 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    directions = torch.randn(60, 3, generator=torch.Generator().manual_seed(1))
    directions /= directions.norm(dim=1, keepdim=True)
    pictures = [render_field(s.field, origins, directions) for s in (older, newest)]
    assert torch.equal(*pictures)
    assert pictures[0][:, :3].std() > 0.05


def test_names_of_one_tensor_that_disagree_are_refused(run):
    tensors = _rename(_read(run), LAYOUTS["0.3, both names"])
    tensors["field.mlp_base.0.hash_table"] = tensors["field.mlp_base.0.hash_table"].flip(0)
    _write(run, tensors)
    with pytest.raises(ValueError, match=r"mlp_base\.0\.hash_table.*hold different numbers"):
        import_run(run, OPTIONS)


def _change_config(run, change):
    config = read_nerfstudio_config(run / "config.yml")
    change(config["pipeline"]["model"])
    kept = {"pipeline": {"model": config["pipeline"]["model"]}}
    (run / "config.yml").write_text(yaml.safe_dump(kept))


def test_levels_that_neither_file_states_are_missed(run):
    tensors = {k: v for k, v in _read(run).items() if not k.endswith("num_levels")}
    _write(run, tensors)
    _change_config(run, lambda model: model.pop("num_levels"))
    with pytest.raises(ValueError, match=r"field.num_levels' is missing and config.yml does not"):
        import_run(run, OPTIONS)


def test_a_checkpoint_beside_another_runs_config_is_refused(run):
    _change_config(run, lambda model: model["proposal_net_args_list"][1].update(max_res=512))
    message = r"config.yml says max_res 512, .*proposal_networks.1.max_res is 256"
    with pytest.raises(ValueError, match=message):
        import_run(run, OPTIONS)


def test_one_network_for_all_proposal_passes_is_asked_by_each(run, newest):
    def share(model):
        model["use_same_proposal_network"] = True
        model["proposal_net_args_list"] = model["proposal_net_args_list"][:1]

    tensors = {k: v for k, v in _read(run).items() if not k.startswith("proposal_networks.1.")}
    _write(run, tensors)
    _change_config(run, share)
    field = import_run(run, OPTIONS).field
    first = newest.field.tensors()["proposal.0.table"]
    assert torch.equal(field.tensors()["proposal.0.table"], first)
    assert torch.equal(field.tensors()["proposal.1.table"], first)
    assert field.config.proposal_grids == (newest.field.config.proposal_grids[0],) * 2
    saved = save_scene(import_run(run, OPTIONS), run.parent / "library" / "fox")
    assert torch.equal(saved.field.tensors()["proposal.1.table"], first)
