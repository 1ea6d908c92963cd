"""nerfstudio's renderer, the peer that ours are measured beside. Needs the extra `nerfstudio`."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

import math
from collections.abc import Callable
from typing import Any

import torch
from merkwelt.scenes.nerfacto import GridConfig, NerfactoField

Renderer = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From origins and directions ``[ray, 3]`` to what the rays see, colours first."""


NOT_WEIGHTS = ("aabb", "max_res", "num_levels", "log2_hashmap_size", "scalings", "hash_offset")


def nerfstudio_renderer(
    field: NerfactoField, device: torch.device | str = "cpu", *, rays_at_once: int = 4096
) -> Renderer:
    """Return nerfstudio's own rendering of a nerfacto field, in its torch implementation.

    The field's weights are put into nerfstudio's model, whose appearance embedding is folded into
    the field's first bias. It returns colours ``[ray, 3]`` of rays on the device, in field
    coordinates. Is to be called, and what it returns too, within ``nerfstudio_mended``.
    """
    from nerfstudio.cameras.rays import RayBundle
    from nerfstudio.data.scene_box import SceneBox

    box = SceneBox(aabb=torch.tensor([[-1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]))
    model = _model_config(field).setup(scene_box=box, num_train_data=1)
    weights = _as_nerfstudio_names(field)
    missing = model.load_state_dict(weights, strict=False).missing_keys
    needed = [n for n in missing if n.startswith(("field.mlp", "proposal_networks."))]
    lacking = [n for n in needed if not n.endswith(NOT_WEIGHTS)]
    if lacking:
        raise ValueError(f"the field has no weights for {lacking} of nerfstudio's model")
    model.to(device).eval()

    def render(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        ones = torch.ones(len(origins), 1, device=device)
        bundle = RayBundle(
            origins=origins,
            directions=directions,
            pixel_area=ones,
            camera_indices=torch.zeros(len(origins), 1, dtype=torch.long, device=device),
            metadata={"directions_norm": ones},
        )
        parts = [bundle[i : i + rays_at_once] for i in range(0, len(origins), rays_at_once)]
        with torch.no_grad():
            rgb = [model.forward(model.collider(p) if model.collider else p)["rgb"] for p in parts]
        return torch.cat(rgb)

    return render


def _model_config(field: NerfactoField) -> Any:  # noqa: ANN401 - nerfstudio is not installed here
    from nerfstudio.models.nerfacto import NerfactoModelConfig

    config, weights = field.config, field.weights
    proposals = []
    for i, grid in enumerate(config.proposal_grids):
        proposals.append(
            {
                "hidden_dim": weights[f"proposal.{i}.0.weight"].shape[0],
                "log2_hashmap_size": _log2_rows(weights[f"proposal.{i}.table"], grid),
                "num_levels": grid.levels,
                "max_res": grid.max_resolution,
                "use_linear": False,
            }
        )
    return NerfactoModelConfig(
        implementation="torch",
        near_plane=0.0,
        far_plane=config.far,
        background_color=config.background,
        hidden_dim=weights["base.0.weight"].shape[0],
        hidden_dim_color=weights["head.0.weight"].shape[0],
        num_levels=config.grid.levels,
        base_res=config.grid.base_resolution,
        max_res=config.grid.max_resolution,
        log2_hashmap_size=_log2_rows(weights["grid.table"], config.grid),
        num_proposal_iterations=len(config.proposal_grids),
        num_proposal_samples_per_ray=tuple(config.proposal_samples),
        num_nerf_samples_per_ray=config.samples,
        proposal_net_args_list=proposals,
        use_appearance_embedding=False,
        average_init_density=config.average_init_density,
        camera_optimizer=_no_camera_optimizer(),
    )


def _no_camera_optimizer() -> Any:  # noqa: ANN401
    from nerfstudio.cameras.camera_optimizers import CameraOptimizerConfig

    return CameraOptimizerConfig(mode="off")


def _log2_rows(table: torch.Tensor, grid: GridConfig) -> int:
    return int(math.log2(table.shape[0] // grid.levels))


def _as_nerfstudio_names(field: NerfactoField) -> dict[str, torch.Tensor]:
    """Return the weights under the names of nerfstudio 1.1.5's torch implementation."""
    weights, named = field.weights, {}
    named["field.mlp_base.model.0.hash_table"] = weights["grid.table"]
    for part in ("weight", "bias"):
        for i in range(2):
            named[f"field.mlp_base.model.1.layers.{i}.{part}"] = weights[f"base.{i}.{part}"]
        for i in range(3):
            named[f"field.mlp_head.layers.{i}.{part}"] = weights[f"head.{i}.{part}"]
    for k in range(len(field.config.proposal_grids)):
        network, ours = f"proposal_networks.{k}", f"proposal.{k}"
        table = weights[f"{ours}.table"]
        named[f"{network}.encoding.hash_table"] = named[f"{network}.mlp_base.0.hash_table"] = table
        for part in ("weight", "bias"):
            for i in range(2):
                named[f"{network}.mlp_base.1.layers.{i}.{part}"] = weights[f"{ours}.{i}.{part}"]
    return named
