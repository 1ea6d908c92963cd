"""nerfstudio's renderer, the peer that ours are measured beside. Needs the extra `nerfstudio`."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

from collections.abc import Callable
from pathlib import Path

import torch
from merkwelt.scenes.nerfstudio.checkpoint import newest_checkpoint, read_checkpoint
from merkwelt.scenes.nerfstudio.config_yaml import read_nerfstudio_config

Renderer = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From origins and directions ``[ray, 3]`` to what the rays see, colours first."""


def nerfstudio_renderer(
    run: Path, device: torch.device | str = "cpu", *, rays_at_once: int = 4096
) -> Renderer:
    """Return nerfstudio's own rendering of a run's newest checkpoint, torch implementation.

    It returns colours ``[ray, 3]`` of rays on the device, in the run's own coordinates. Is to be
    called, and what it returns too, within ``nerfstudio_mended``.
    """
    from nerfstudio.cameras.rays import RayBundle
    from nerfstudio.data.scene_box import SceneBox
    from nerfstudio.models.nerfacto import NerfactoModelConfig

    given = read_nerfstudio_config(run / "config.yml")["pipeline"]["model"]
    known = {name for name in NerfactoModelConfig.__dataclass_fields__ if name[0] != "_"}
    plain = {k: v for k, v in given.items() if k in known and isinstance(v, int | float | str)}
    proposals = [dict(args) for args in given["proposal_net_args_list"]]
    samples = tuple(given["num_proposal_samples_per_ray"])
    config = NerfactoModelConfig(
        **{
            **plain,
            "implementation": "torch",
            "proposal_net_args_list": proposals,
            "num_proposal_samples_per_ray": samples,
        }
    )
    weights = read_checkpoint(newest_checkpoint(run))
    photographs = weights["field.embedding_appearance.embedding.weight"].shape[0]
    model = config.setup(scene_box=SceneBox(aabb=weights["field.aabb"]), num_train_data=photographs)
    missing = model.load_state_dict(weights, strict=False).missing_keys
    if any(name.startswith(("field.", "proposal_networks.")) for name in missing):
        raise ValueError(f"the checkpoint of {run} lacks {missing} of nerfstudio's model")
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
