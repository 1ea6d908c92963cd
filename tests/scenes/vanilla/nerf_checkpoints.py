"""Small NeRF checkpoints in others' layouts, and what they compute, written again in numpy."""

import numpy as np
import torch

FLEXIBLE = ("model_coarse_state_dict", "model_fine_state_dict")
PAPER = ("network_fn_state_dict", "network_fine_state_dict")


def _layer(state, name, rows, columns, generator):
    scale = 1.5 / columns**0.5
    state[f"{name}.weight"] = scale * torch.randn(rows, columns, generator=generator)
    state[f"{name}.bias"] = 0.3 * torch.randn(rows, generator=generator)


def flexible_state(seed, *, layers=6, width=8, xyz=3, dirs=2, view=True):
    """Tensors as krrish94's FlexibleNeRFModel names them; every fourth layer skips."""
    generator, state = torch.Generator().manual_seed(seed), {}
    dim_xyz, dim_dir = 3 + 6 * xyz, 3 + 6 * dirs
    _layer(state, "layer1", width, dim_xyz, generator)
    for i in range(layers - 1):
        skips = i % 4 == 0 and 0 < i < layers - 1
        _layer(state, f"layers_xyz.{i}", width, width + dim_xyz * skips, generator)
    if view:
        _layer(state, "layers_dir.0", width // 2, dim_dir + width, generator)
        _layer(state, "fc_alpha", 1, width, generator)
        _layer(state, "fc_rgb", 3, width // 2, generator)
        _layer(state, "fc_feat", width, width, generator)
    else:
        _layer(state, "fc_out", 4, width, generator)
    return state


def paper_state(seed, *, layers=8, width=8, xyz=3, dirs=2, view=True):
    """Tensors as yenchenlin's NeRF names them; the layer after the fifth skips."""
    generator, state = torch.Generator().manual_seed(seed), {}
    dim_xyz, dim_dir = 3 + 6 * xyz, 3 + 6 * dirs
    for i in range(layers):
        columns = dim_xyz if i == 0 else width + dim_xyz * (i == 5)
        _layer(state, f"pts_linears.{i}", width, columns, generator)
    _layer(state, "views_linears.0", width // 2, dim_dir + width, generator)
    if view:
        _layer(state, "feature_linear", width, width, generator)
        _layer(state, "alpha_linear", 1, width, generator)
        _layer(state, "rgb_linear", 3, width // 2, generator)
    else:
        _layer(state, "output_linear", 5, width, generator)
    return state


def encode(point, frequencies, *, geometric=True):
    values = list(point)
    for k in range(frequencies):
        even = 1 + k * (2 ** (frequencies - 1) - 1) / max(frequencies - 1, 1)
        band = 2.0**k if geometric else even
        values += [np.sin(band * v) for v in point] + [np.cos(band * v) for v in point]
    return np.array(values)


def _apply(state, name, values):
    weight, bias = (state[f"{name}.{part}"].double().numpy() for part in ("weight", "bias"))
    return np.array([np.dot(row, values) for row in weight]) + bias


def _relu(values):
    return np.maximum(values, 0)


def flexible_reference(state, point, direction, *, xyz=3, dirs=2):
    """Density and colour of one point as krrish94's network computes them."""
    seen = encode(point, xyz)
    x = _apply(state, "layer1", seen)  # no activation here
    i = 0
    while f"layers_xyz.{i}.weight" in state:
        if state[f"layers_xyz.{i}.weight"].shape[1] > len(x):
            x = np.concatenate([x, seen])
        x = _relu(_apply(state, f"layers_xyz.{i}", x))
        i += 1
    if "fc_out.weight" in state:
        out = _apply(state, "fc_out", x)
        return max(out[3], 0.0), 1 / (1 + np.exp(-out[:3]))
    density = _relu(_apply(state, "fc_alpha", x))[0]
    feature = _relu(_apply(state, "fc_feat", x))
    y = np.concatenate([feature, encode(direction, dirs)])
    y = _relu(_apply(state, "layers_dir.0", y))
    return density, 1 / (1 + np.exp(-_apply(state, "fc_rgb", y)))


def paper_reference(state, point, direction, *, xyz=3, dirs=2):
    """Density and colour of one point by figure 7 of Mildenhall et al. 2020."""
    seen = encode(point, xyz)
    h = seen
    for i in range(8):
        if i == 5:
            h = np.concatenate([seen, h])
        h = _relu(_apply(state, f"pts_linears.{i}", h))
    if "output_linear.weight" in state:
        out = _apply(state, "output_linear", h)
        return max(out[3], 0.0), 1 / (1 + np.exp(-out[:3]))
    density = _relu(_apply(state, "alpha_linear", h))[0]
    y = np.concatenate([_apply(state, "feature_linear", h), encode(direction, dirs)])
    y = _relu(_apply(state, "views_linears.0", y))
    return density, 1 / (1 + np.exp(-_apply(state, "rgb_linear", y)))


def write_checkpoint(path, coarse, fine, keys=FLEXIBLE, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"iter": 7, keys[0]: coarse, keys[1]: fine, **more}, path)
    return path
