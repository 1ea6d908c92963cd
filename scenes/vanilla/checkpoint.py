"""Reading vanilla NeRFs that others trained, in the layouts of two programs named nerf-pytorch.

``flexible`` is krrish94's (``model_coarse_state_dict``; ReLU after the feature layer and none after
the first), ``paper`` is yenchenlin's (``network_fn_state_dict``; wired as the paper's figure 7).
Depths, widths, skips and encodings follow from the weights' shapes: configuration files that lie
beside such checkpoints are known to state others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from ..checkpoint_file import TensorTaker, load_checkpoint_file
from .network import RadianceNetwork, Wiring
from .positional_encoding import EncodingConfig

Layout = Literal["flexible", "paper"]


@dataclass(frozen=True, kw_only=True)
class _Names:
    """What a layout calls things, and how it wires them."""

    coarse: str
    fine: str
    trunk: tuple[str, str]
    """Name of the first layer, and of the further ones with their number as ``{}``."""
    first: int
    """Number of the second layer."""
    view: str
    density: str
    feature: str
    colour: str
    output: str
    """Layer of colour and density where colour does not depend on the direction."""
    activates_first: bool
    activates_feature: bool
    skip_first: bool
    """Whether the encoded position comes before the hidden values where it is fed again."""


LAYOUTS: dict[Layout, _Names] = {
    "flexible": _Names(
        coarse="model_coarse_state_dict",
        fine="model_fine_state_dict",
        trunk=("layer1", "layers_xyz.{}"),
        first=0,
        view="layers_dir.{}",
        density="fc_alpha",
        feature="fc_feat",
        colour="fc_rgb",
        output="fc_out",
        activates_first=False,
        activates_feature=True,
        skip_first=False,
    ),
    "paper": _Names(
        coarse="network_fn_state_dict",
        fine="network_fine_state_dict",
        trunk=("pts_linears.0", "pts_linears.{}"),
        first=1,
        view="views_linears.{}",
        density="alpha_linear",
        feature="feature_linear",
        colour="rgb_linear",
        output="output_linear",
        activates_first=True,
        activates_feature=False,
        skip_first=True,
    ),
}


@dataclass(frozen=True, kw_only=True)
class VanillaCheckpoint:
    """Networks in the project's own names, and how they are wired."""

    layout: Layout
    weights: dict[str, Tensor]
    """``coarse.*`` and ``fine.*``."""
    coarse: Wiring
    fine: Wiring


def read_vanilla_checkpoint(
    path: Path, *, position_geometric: bool = True, direction_geometric: bool = True
) -> VanillaCheckpoint:
    """Return the networks of a NeRF checkpoint; the coarse one twice where there is no fine one.

    Args:
        path: the checkpoint.
        position_geometric: whether the frequencies of encoded positions double (they do unless a
            run was configured otherwise; the weights do not show it).
        direction_geometric: likewise for directions.

    Raises:
        ValueError: the file is damaged, hostile or of another layout, or a tensor is missing,
            misshaped or not finite; names the tensor, expected and found.
    """
    data = load_checkpoint_file(path)
    layout = _layout(data, path)
    names = LAYOUTS[layout]
    geometric = (position_geometric, direction_geometric)
    coarse, coarse_wiring = _network(data[names.coarse], names, geometric, f"{path}: coarse")
    fine, fine_wiring = coarse, coarse_wiring
    if data.get(names.fine):
        fine, fine_wiring = _network(data[names.fine], names, geometric, f"{path}: fine")
    weights = {f"coarse.{k}": v for k, v in coarse.items()}
    weights |= {f"fine.{k}": v for k, v in fine.items()}
    for name, wiring in (("coarse", coarse_wiring), ("fine", fine_wiring)):
        _check(RadianceNetwork, wiring, weights, name, path)
    return VanillaCheckpoint(layout=layout, weights=weights, coarse=coarse_wiring, fine=fine_wiring)


def _check(
    network: type[RadianceNetwork],
    wiring: Wiring,
    weights: Mapping[str, Tensor],
    name: str,
    path: Path,
) -> None:
    try:
        network(wiring, weights, name)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _layout(data: Any, path: Path) -> Layout:  # noqa: ANN401 - whatever the file held
    keys = [key for key in data if isinstance(key, str)] if isinstance(data, dict) else []
    for layout, names in LAYOUTS.items():
        if names.coarse in keys:
            return layout
    if "pipeline" in keys:
        raise ValueError(
            f"{path} is a nerfstudio checkpoint outside of its run; name the run's folder, which "
            "also holds config.yml and dataparser_transforms.json"
        )
    wanted = " or ".join(repr(names.coarse) for names in LAYOUTS.values())
    found = ", ".join(map(repr, sorted(keys)[:8])) or type(data).__name__
    raise ValueError(
        f"{path} is no NeRF checkpoint that can be read: expected an entry {wanted} "
        f"(nerf-pytorch), found {found}"
    )


def _network(
    state: Any,  # noqa: ANN401 - whatever the file held
    names: _Names,
    geometric: tuple[bool, bool],
    where: str,
) -> tuple[dict[str, Tensor], Wiring]:
    if not isinstance(state, dict):
        raise ValueError(f"{where}: expected tensors by name, found {type(state).__name__}")
    take = TensorTaker(state, where, "a nerf-pytorch network")
    first = f"{names.trunk[0]}.weight"
    width, size = take(first, (None, None)).shape
    position = _encoding(size, geometric[0], f"{where}: {first}")
    weights = _trunk(take, names)
    direction = None
    if f"{names.output}.weight" in state:
        weights |= _joint_output(take, names, width)
    else:
        branch, size = _view_branch(take, names, width)
        weights |= branch
        where_size = f"{where}: {names.view.format(0)}.weight, beside the feature"
        direction = _encoding(size, geometric[1], where_size)
    take.refuse_others(*(() if direction is not None else (names.view.removesuffix("{}"),)))
    wiring = Wiring(
        position=position,
        direction=direction,
        activates_first=names.activates_first,
        activates_feature=names.activates_feature,
    )
    return weights, wiring


def _trunk(take: TensorTaker, names: _Names) -> dict[str, Tensor]:
    first, further = names.trunk
    weights = {"trunk.0.weight": take(f"{first}.weight", (None, None))}
    width, encoded = weights["trunk.0.weight"].shape
    weights["trunk.0.bias"] = take(f"{first}.bias", (width,))
    for number in _numbered(take, further)[names.first :]:
        name, own = further.format(number), f"trunk.{number - names.first + 1}"
        weight = take(f"{name}.weight", (width, None))
        if weight.shape[1] not in (width, width + encoded):
            raise ValueError(
                f"{take.where}: expected tensor '{name}.weight' with {width} or (fed the position "
                f"again) {width + encoded} columns, found {weight.shape[1]}"
            )
        if names.skip_first and weight.shape[1] == width + encoded:
            weight = torch.cat([weight[:, encoded:], weight[:, :encoded]], dim=1)
        weights[f"{own}.weight"] = weight
        weights[f"{own}.bias"] = take(f"{name}.bias", (width,))
    return weights


def _joint_output(take: TensorTaker, names: _Names, width: int) -> dict[str, Tensor]:
    """Return colour and density from one layer, in which they are rows 0 to 2 and row 3."""
    weight = take(f"{names.output}.weight", (None, width))
    bias = take(f"{names.output}.bias", (len(weight),))
    if len(weight) not in (4, 5):
        raise ValueError(
            f"{take.where}: expected 4 or 5 rows in {names.output}.weight, found {len(weight)}"
        )
    return {
        "colour.weight": weight[:3],
        "colour.bias": bias[:3],
        "density.weight": weight[3:4],
        "density.bias": bias[3:4],
    }


def _view_branch(take: TensorTaker, names: _Names, width: int) -> tuple[dict[str, Tensor], int]:
    """Return the layers of density and colour, and the size of the encoded direction."""
    weights = _layer(take, names.density, "density", (1, width))
    weights |= _layer(take, names.feature, "feature", (None, width))
    before = feature = weights["feature.weight"].shape[0]
    encoded = 0
    for number in _numbered(take, names.view) or [0]:
        shape = (None, before if number else None)
        weights |= _layer(take, names.view.format(number), f"view.{number}", shape)
        rows, columns = weights[f"view.{number}.weight"].shape
        encoded = encoded or columns - feature
        before = rows
    return weights | _layer(take, names.colour, "colour", (3, before)), encoded


def _layer(
    take: TensorTaker, name: str, own: str, shape: tuple[int | None, int | None]
) -> dict[str, Tensor]:
    weight = take(f"{name}.weight", shape)
    return {f"{own}.weight": weight, f"{own}.bias": take(f"{name}.bias", (len(weight),))}


def _encoding(size: int, is_geometric: bool, where: str) -> EncodingConfig:
    try:
        return EncodingConfig.of_size(size, is_geometric=is_geometric)
    except ValueError as error:
        raise ValueError(
            f"{where}: {error}; the network was trained with another encoding, which is not "
            "supported"
        ) from error


def _numbered(take: TensorTaker, pattern: str) -> list[int]:
    """Return 0 up to the highest number with which the pattern names a weight."""
    stem = pattern.removesuffix("{}")
    ends = [str(name).removeprefix(stem) for name in take.tensors if str(name).startswith(stem)]
    digits = [end.removesuffix(".weight") for end in ends if end.endswith(".weight")]
    return list(range(max((int(d) + 1 for d in digits if d.isdecimal()), default=0)))
