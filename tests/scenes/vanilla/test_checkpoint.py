"""Vanilla NeRF checkpoints of both layouts: what they compute, and spoilt and hostile ones."""

import contextlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.vanilla.checkpoint import read_vanilla_checkpoint
from merkwelt.scenes.vanilla.run import import_vanilla

from .nerf_checkpoints import (
    PAPER,
    flexible_reference,
    flexible_state,
    paper_reference,
    paper_state,
    write_checkpoint,
)

OPTIONS = ImportOptions(name="small", near=1.0, far=4.0)


@pytest.fixture
def checkpoint(tmp_path):
    return write_checkpoint(
        tmp_path / "nerf" / "checkpoint7.ckpt", flexible_state(0), flexible_state(1)
    )


@pytest.mark.parametrize(
    ("make", "reference", "keys", "view"),
    [
        (flexible_state, flexible_reference, None, True),
        (flexible_state, flexible_reference, None, False),
        (paper_state, paper_reference, PAPER, True),
        (paper_state, paper_reference, PAPER, False),
    ],
)
def test_networks_compute_what_their_programs_compute(tmp_path, make, reference, keys, view):
    rays = 40
    states = make(4, view=view), make(5, view=view)
    path = write_checkpoint(
        tmp_path / "checkpoint7.ckpt", *states, **({"keys": keys} if keys else {})
    )
    field = import_vanilla(path, OPTIONS).field
    rng = np.random.default_rng(0)
    points, directions = rng.uniform(-1.5, 1.5, (rays, 3)), rng.normal(size=(rays, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    seen = 0
    for network, state in ((field.coarse, states[0]), (field.fine, states[1])):
        density, rgb = network.radiance(
            torch.from_numpy(points).float(), torch.from_numpy(directions).float()
        )
        for i in range(rays):
            expected, colour = reference(state, points[i], directions[i])
            # float32 against float64 through eight layers and sines of up to 6 rad.
            assert float(density[i]) == pytest.approx(expected, rel=1e-4, abs=1e-4)
            if expected > 1e-3:
                np.testing.assert_allclose(rgb[i].numpy(), colour, atol=1e-4)
                seen += 1
    assert seen > 10


def test_without_a_fine_network_the_coarse_one_is_asked_twice(tmp_path):
    path = write_checkpoint(tmp_path / "checkpoint7.ckpt", flexible_state(0), None)
    read = read_vanilla_checkpoint(path)
    assert torch.equal(read.weights["fine.colour.weight"], read.weights["coarse.colour.weight"])
    assert read.fine == read.coarse


def _without(name):
    return lambda state: state.pop(name)


def _renamed(old, new):
    return lambda state: state.update({new: state.pop(old)})


def _set(name, change):
    return lambda state: state.update({name: change(state[name])})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without("fc_alpha.weight"), r"fine: expected .*'fc_alpha.weight' is missing; found"),
        (_without("layers_xyz.2.bias"), r"'layers_xyz.2.bias' is missing"),
        (_without("layers_xyz.2.weight"), r"'layers_xyz.2.weight' is missing"),
        (_renamed("fc_rgb.weight", "fc_colour.weight"), r"'fc_rgb.weight' is missing; found 'fc_"),
        (_set("fc_rgb.weight", lambda w: w[:2]), r"'fc_rgb.weight' of shape 3 x 4, found 2 x 4"),
        (_set("layer1.bias", lambda w: w[:3]), r"'layer1.bias' of shape 8, found 3"),
        (_set("layer1.weight", lambda w: w[:, :20]), r"layer1.weight: expected 6 L.*found 20"),
        (_set("layer1.weight", lambda w: w[0]), r"'layer1.weight' of shape any x any, found 21"),
        (
            _set("layers_xyz.1.weight", lambda w: w[:, :7]),
            r"'layers_xyz.1.weight' with 8 or .* 29 columns, found 7",
        ),
        (
            _set("fc_feat.bias", lambda w: w * torch.inf),
            r"'fc_feat.bias' holds NaN or Inf.*earlier",
        ),
        (_set("fc_feat.weight", lambda w: w.to(torch.complex64)), "no plain real numbers"),
        (_set("fc_feat.bias", lambda w: "text"), r"'fc_feat.bias' is missing"),
        (
            _set("layer1.weight", lambda w: torch.zeros(1).expand(100_000, 1_000_003)),
            r"layer1.weight' claims 100000300000 numbers, the file holds 4 bytes",
        ),
        (_set("fc_alpha.weight", lambda w: w.to_sparse()), "no plain real numbers"),
        (lambda s: s.update({"extra.weight": torch.zeros(2)}), r"no tensor 'extra.weight'"),
        (lambda s: s.clear() or s.update({1: 2}), r"'layer1.weight' is missing"),
    ],
)
def test_a_spoilt_network_is_named(tmp_path, spoil, message):
    state = flexible_state(1)
    spoil(state)
    path = write_checkpoint(tmp_path / "checkpoint7.ckpt", flexible_state(0), state)
    with pytest.raises(ValueError, match=message) as caught:
        import_vanilla(path, OPTIONS)
    assert "checkpoint7.ckpt" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"pipeline": {}}, "nerfstudio checkpoint outside of its run"),
        (
            {"state_dict": {}},
            "expected an entry 'model_coarse_state_dict' or .* found 'state_dict'",
        ),
        ([1, 2], "found list"),
        ({1: 2}, "found dict"),
        ({"model_coarse_state_dict": 5}, "expected tensors by name, found int"),
    ],
)
def test_a_checkpoint_of_something_else_says_what_it_is(tmp_path, data, message):
    path = tmp_path / "checkpoint7.ckpt"
    torch.save(data, path)
    with pytest.raises(ValueError, match=message):
        import_vanilla(path, OPTIONS)


@pytest.mark.parametrize("kept", [0, 1, 100, 5000])
def test_a_truncated_checkpoint_is_named(checkpoint, kept):
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    with pytest.raises(ValueError, match=rf"checkpoint7.ckpt is damaged.*\({kept} bytes\)"):
        import_vanilla(checkpoint, OPTIONS)


class _Evil:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


def test_a_checkpoint_that_wants_to_run_code_is_refused_and_runs_nothing(checkpoint, tmp_path):
    target = tmp_path / "owned"
    torch.save({"model_coarse_state_dict": _Evil(target)}, checkpoint)
    with pytest.raises(ValueError, match="more than weights and was not opened"):
        import_vanilla(checkpoint, OPTIONS)
    checkpoint.write_bytes(pickle.dumps({"model_coarse_state_dict": _Evil(target)}))
    with pytest.raises(ValueError, match="was not opened|damaged"):
        import_vanilla(checkpoint, OPTIONS)
    attack = f"attack: !!python/object/apply:os.system\n- touch {target}\n"
    write_checkpoint(checkpoint, flexible_state(0), flexible_state(1))
    (checkpoint.parent / "config.yml").write_text(attack)
    assert import_vanilla(checkpoint, OPTIONS).card.name == "small"
    assert not target.exists()


def test_bytes_changed_at_random_raise_nothing_but_a_value_error(checkpoint):
    whole, rng = checkpoint.read_bytes(), np.random.default_rng(0)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 6000), 3):
            data[at] = rng.integers(256)
        checkpoint.write_bytes(bytes(data))
        with contextlib.suppress(ValueError):
            import_vanilla(checkpoint, OPTIONS)
