"""tiny-cuda-nn's nerfacto against formulas written out in loops; no real run of it was at hand."""

import json
import math

import numpy as np
import pytest
import torch
import yaml
from merkwelt.render.rays import Rays
from merkwelt.render.volume import RenderOptions, has_kernel, render_rays
from merkwelt.scenes import Scene
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run
from merkwelt.scenes.scene import save_scene
from merkwelt.scenes.tcnn.nerfacto import TcnnNerfactoConfig, TcnnNerfactoField

from .tcnn_reference import encode, grid_size, harmonics, network, network_size, numbers, unit_cube

GRID = {"levels": 6, "base": 4, "top": 60, "log2_size": 11}
PROPOSAL = {"levels": 5, "base": 16, "top": 64, "log2_size": 13}
WIDTH, COLOUR_WIDTH, PROPOSAL_WIDTH, APPEARANCE, PHOTOGRAPHS = 32, 16, 16, 5, 3
HEAD = 16 + 15 + APPEARANCE
LAYOUTS = ("1.0", "0.3", "0.2")


def _vectors():
    """The flat vectors of each part, named by what they are."""
    parts = {
        "base": numbers(network_size(12, WIDTH, 1, 16), 0, 0.5),
        "grid": numbers(grid_size(GRID), 1, 1.0),
        "head": numbers(network_size(HEAD, COLOUR_WIDTH, 2, 3), 2, 0.4),
        "appearance": numbers(PHOTOGRAPHS * APPEARANCE, 3, 1.0).view(PHOTOGRAPHS, APPEARANCE),
    }
    for i in (0, 1):
        parts[f"proposal.{i}"] = numbers(network_size(10, PROPOSAL_WIDTH, 1, 1), 4 + i, 0.5)
        parts[f"proposal_grid.{i}"] = numbers(grid_size(PROPOSAL), 6 + i, 1.0)
    return parts


def _named(parts, layout):
    """The vectors under the names that a release of nerfstudio gave them."""
    encoding = "tcnn_encoding.params"
    named = {"field.embedding_appearance.embedding.weight": parts["appearance"]}
    named |= {"field.direction_encoding.tcnn_encoding.params": torch.zeros(0)}
    if layout == "0.3":
        for name in ("mlp_base_grid", "mlp_base.0"):
            named[f"field.{name}.{encoding}"] = parts["grid"]
        for name in ("mlp_base_mlp", "mlp_base.1"):
            named[f"field.{name}.{encoding}"] = parts["base"]
    else:
        name = "field.mlp_base.model.params" if layout == "1.0" else "field.mlp_base.params"
        named[name] = torch.cat([parts["base"], parts["grid"]])
    head = "field.mlp_head.params" if layout == "0.2" else f"field.mlp_head.{encoding}"
    named[head] = parts["head"]
    for i in (0, 1):
        prefix, grid = f"proposal_networks.{i}", parts[f"proposal_grid.{i}"]
        if layout == "0.2":
            named[f"{prefix}.mlp_base.params"] = torch.cat([parts[f"proposal.{i}"], grid])
            continue
        named[f"{prefix}.encoding.{encoding}"] = grid
        named[f"{prefix}.mlp_base.0.{encoding}"] = grid
        named[f"{prefix}.mlp_base.1.{encoding}"] = parts[f"proposal.{i}"]
    return named


MODEL = {
    "num_nerf_samples_per_ray": 12,
    "num_proposal_samples_per_ray": [24, 16],
    "num_levels": GRID["levels"],
    "base_res": GRID["base"],
    "max_res": GRID["top"],
    "log2_hashmap_size": GRID["log2_size"],
    "features_per_level": 2,
    "hidden_dim": WIDTH,
    "hidden_dim_color": COLOUR_WIDTH,
    "average_init_density": 0.7,
    "background_color": "last_sample",
    "proposal_net_args_list": [
        {
            "num_levels": PROPOSAL["levels"],
            "max_res": PROPOSAL["top"],
            "log2_hashmap_size": PROPOSAL["log2_size"],
            "hidden_dim": PROPOSAL_WIDTH,
            "use_linear": False,
        }
    ]
    * 2,
}


def _run(folder, tensors, **changes):
    (folder / "nerfstudio_models").mkdir(parents=True)
    config = {"method_name": "nerfacto", "pipeline": {"model": {**MODEL, **changes}}}
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    transform = {"transform": np.eye(4)[:3].tolist(), "scale": 1.0}
    (folder / "dataparser_transforms.json").write_text(json.dumps(transform))
    named = {f"_model.{name}": value for name, value in tensors.items()}
    torch.save({"pipeline": named}, folder / "nerfstudio_models" / "step-000000001.ckpt")
    return folder


def _imported(folder, tensors, **changes):
    return import_run(_run(folder, tensors, **changes), ImportOptions(name="tcnn"))


@pytest.fixture(scope="module", params=LAYOUTS)
def run(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tcnn") / "run"
    return request.param, _imported(folder, _named(_vectors(), request.param))


def test_the_field_is_the_loops_in_every_layout(run):
    layout, scene = run
    parts, rng = _vectors(), np.random.default_rng(0)
    points, directions = rng.uniform(-2, 2, (12, 3)), rng.normal(size=(12, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    density, rgb = scene.field.radiance(
        torch.from_numpy(points).float(), torch.from_numpy(directions).float()
    )
    seen = parts["appearance"].double().mean(dim=0).tolist()
    for i, point in enumerate(points):
        features, _ = encode(unit_cube(point), parts["grid"], **GRID)
        padding = 1.0 if layout == "0.3" else 0.0
        hidden = network(features, parts["base"], WIDTH, 1, 16, padding)
        assert float(density[i]) == pytest.approx(0.7 * math.exp(hidden[0]), rel=5e-3)
        inputs = [*harmonics(directions[i]), *hidden[1:], *seen]
        raw = network(inputs, parts["head"], COLOUR_WIDTH, 2, 3, 1.0)
        np.testing.assert_allclose(rgb[i], [1 / (1 + math.exp(-v)) for v in raw], atol=5e-3)
    torch.testing.assert_close(scene.field.density(torch.from_numpy(points).float()), density)
    assert float(rgb.std()) > 0.05


def test_proposal_networks_are_the_loops_in_every_layout(run):
    layout, scene = run
    parts, points = _vectors(), np.random.default_rng(2).uniform(-3, 3, (8, 3))
    for i in (0, 1):
        found = scene.field.proposal_density(i, torch.from_numpy(points).float())
        for j, point in enumerate(points):
            features, _ = encode(unit_cube(point), parts[f"proposal_grid.{i}"], **PROPOSAL)
            padding = 0.0 if layout == "0.2" else 1.0
            raw = network(features, parts[f"proposal.{i}"], PROPOSAL_WIDTH, 1, 1, padding)
            assert float(found[j]) == pytest.approx(0.7 * math.exp(raw[0]), rel=5e-3)


def _rays(count=40):
    generator = torch.Generator().manual_seed(0)
    directions = torch.randn(count, 3, generator=generator)
    return Rays(
        origins=0.3 * torch.randn(count, 3, generator=generator),
        directions=directions / directions.norm(dim=1, keepdim=True),
        z_per_distance=torch.ones(count),
    )


def test_the_compiled_renderer_keeps_away(run):
    _, scene = run
    assert not has_kernel(scene.field)
    a, b = (render_rays(scene, _rays(), RenderOptions(backend=k)) for k in ("auto", "torch"))
    assert torch.equal(a.rgb, b.rgb)
    assert bool(torch.isfinite(a.rgb).all())
    with pytest.raises(ValueError, match="compiled backend renders nerfacto fields only"):
        render_rays(scene, _rays(), RenderOptions(backend="compiled"))


def test_layouts_of_one_network_padded_alike_show_the_same_picture(tmp_path):
    # 0.2 and 1.0 join the base network with its grid, 0.3 and 1.0 keep proposals apart.
    pictures = {}
    for layout in LAYOUTS:
        scene = _imported(tmp_path / layout, _named(_vectors(), layout))
        pictures[layout] = scene.field.radiance(torch.full((9, 3), 0.3), torch.eye(3).repeat(3, 1))
    assert torch.equal(pictures["0.2"][1], pictures["1.0"][1])
    assert not torch.equal(pictures["0.3"][1], pictures["1.0"][1])


@pytest.mark.parametrize(("tables", "share"), [("single", 0.0), ("half", 2e-2), ("byte", 0.3)])
def test_a_scene_survives_its_folder(run, tmp_path, tables, share):
    _, scene = run
    card = scene.card.__class__.from_json(
        scene.card.to_json().replace('"table_storage": "single"', f'"table_storage": "{tables}"')
    )
    save_scene(Scene(card, scene.field), tmp_path / "tcnn")
    loaded = Scene.load(tmp_path / "tcnn")
    assert loaded.card.field_kind == "nerfacto-tcnn"
    assert isinstance(loaded.field, TcnnNerfactoField)
    points = np.random.default_rng(0).uniform(-1, 1, (64, 3))
    np.testing.assert_allclose(loaded.density(points), scene.density(points), rtol=share)
    config = loaded.field.config
    assert TcnnNerfactoConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_zeros_stand_for_the_photographs_where_the_run_says_so(tmp_path):
    tensors = _named(_vectors(), "1.0")
    scene = _imported(tmp_path / "a", tensors, use_average_appearance_embedding=False)
    assert not scene.field.tensors()["appearance"].any()
    assert scene.field.config.appearance == APPEARANCE


BASE = network_size(12, WIDTH, 1, 16)
TABLES = grid_size(GRID)


@pytest.mark.parametrize(
    ("layout", "name", "spoil", "message"),
    [
        (
            "1.0",
            "field.mlp_base.model.params",
            lambda v: v[:-1],
            rf"expected {BASE + TABLES:,} numbers in 'field.mlp_base.model.params' "
            rf"\({BASE:,} network \+ {TABLES:,} grid, by config.yml\), "
            rf"found {BASE + TABLES - 1:,}",
        ),
        (
            "0.3",
            "field.mlp_base_grid.tcnn_encoding.params",
            lambda v: torch.cat([v, v[:1]]),
            "hold different numbers",
        ),
        (
            "1.0",
            "proposal_networks.1.mlp_base.1.tcnn_encoding.params",
            lambda v: torch.cat([v, v[:1]]),
            r"expected 512 numbers in 'proposal_networks.1.*found 513",
        ),
        (
            "0.2",
            "field.mlp_head.params",
            lambda v: None,
            r"'field.mlp_head.tcnn_encoding.params' is missing",
        ),
        (
            "1.0",
            "field.mlp_head.tcnn_encoding.params",
            lambda v: v * torch.nan,
            "'field.mlp_head.tcnn_encoding.params' holds NaN or Inf",
        ),
        (
            "1.0",
            "field.embedding_appearance.embedding.weight",
            lambda v: v[:, :-1],
            None,
        ),
    ],
)
def test_vectors_of_another_length_are_refused_with_both_counts(
    tmp_path, layout, name, spoil, message
):
    tensors = _named(_vectors(), layout)
    changed = spoil(tensors.pop(name))
    if changed is not None:
        tensors[name] = changed
    if message is None:  # Four or five values of appearance are padded to the same sixteen.
        assert _imported(tmp_path / "run", tensors).field.config.appearance == APPEARANCE - 1
        return
    with pytest.raises(ValueError, match=message):
        _imported(tmp_path / "run", tensors)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_levels": 7}, "tiny-cuda-nn: expected"),
        ({"log2_hashmap_size": 12}, "tiny-cuda-nn: expected"),
        ({"max_res": 90}, "tiny-cuda-nn: expected"),
        ({"hidden_dim": 64}, "tiny-cuda-nn: expected"),
        ({"hidden_dim": 48}, "width 16, 32, 64, 128.*found width 48"),
        ({"hidden_dim_color": 32}, "mlp_head"),
        ({"features_per_level": 3}, "grid that tiny-cuda-nn can have"),
        ({"log2_hashmap_size": None}, "log2_hashmap_size' is missing"),
        (
            {
                "proposal_net_args_list": [
                    {**MODEL["proposal_net_args_list"][0], "use_linear": True}
                ]
            },
            "proposal network 0 is linear",
        ),
    ],
)
def test_a_config_that_does_not_account_for_every_number_is_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        _imported(tmp_path / "run", _named(_vectors(), "1.0"), **changes)


def test_weights_that_do_not_fit_a_loaded_field_are_named(run):
    _, scene = run
    weights = scene.field.tensors()
    for name, change in (("grid.2.table", lambda w: w[1:]), ("head.1.weight", lambda w: w.T[:3])):
        with pytest.raises(ValueError, match=f"expected weight '{name}'"):
            TcnnNerfactoField(scene.field.config, {**weights, name: change(weights[name])})
    with pytest.raises(ValueError, match="found none"):
        TcnnNerfactoField(
            scene.field.config, {k: v for k, v in weights.items() if k != "appearance"}
        )
