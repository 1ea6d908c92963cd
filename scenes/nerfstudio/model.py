"""What a nerfacto run's ``config.yml`` says about its field, checked before anything is built."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from .config_yaml import read_nerfstudio_config

PROPOSAL_BASE_RESOLUTION = 16
"""nerfstudio's ``HashMLPDensityField`` default, which no configuration of nerfacto changes."""
BACKGROUNDS = {"last_sample": "last_sample", "white": "white"}


@dataclass(frozen=True, kw_only=True)
class NerfactoModel:
    """The model part of a configuration, and where it stands."""

    entries: Mapping[str, Any]
    where: str

    @property
    def proposal_samples(self) -> tuple[int, ...]:
        """Samples of each proposal pass."""
        return tuple(int(n) for n in self.entries["num_proposal_samples_per_ray"])

    @property
    def proposal_networks(self) -> list[int]:
        """Number of the network that each proposal pass asks: all the same, or each its own."""
        passes = range(len(self.proposal_samples))
        return [0] * len(passes) if self.entries.get("use_same_proposal_network") else list(passes)

    @property
    def averages_appearance(self) -> bool:
        """Whether the mean embedding of the photographs is used at inference, not zeros."""
        return bool(self.entries.get("use_average_appearance_embedding", True))

    def sampling(self) -> dict[str, Any]:
        """Return the entries that any implementation of nerfacto shares."""
        return {
            "proposal_samples": self.proposal_samples,
            "samples": int(self.entries["num_nerf_samples_per_ray"]),
            "average_init_density": float(self.entries.get("average_init_density", 1.0)),
            "far": float(self.entries.get("far_plane", 1000.0)),
            "background": BACKGROUNDS.get(str(self.entries.get("background_color")), "black"),
        }

    def proposal(self, network: int) -> Mapping[str, Any]:
        """Return what the configuration says of a proposal network."""
        listed = self.entries.get("proposal_net_args_list")
        if not isinstance(listed, list | tuple) or not listed:
            return {}
        entries = listed[min(network, len(listed) - 1)]
        return entries if isinstance(entries, dict) else {}

    def base_resolution(self) -> int:
        """Return the coarsest resolution of the field's grid."""
        return int(self.entries.get("base_res", 16))


def read_model(folder: Path) -> NerfactoModel:
    """Return the model of a run that merkwelt can render.

    Raises:
        ValueError: the run is not nerfacto, or of a kind that is not supported; says which.
    """
    config = read_nerfstudio_config(folder / "config.yml")
    pipeline = config.get("pipeline")
    model = pipeline.get("model") if isinstance(pipeline, dict) else None
    if not isinstance(model, dict) or "num_nerf_samples_per_ray" not in model:
        raise ValueError(
            f"{folder}: expected a run of nerfstudio's nerfacto, config.yml describes "
            f"{config.get('method_name')!r}"
        )
    if model.get("disable_scene_contraction"):
        raise ValueError(f"{folder} was trained without scene contraction, which is not supported")
    if model.get("proposal_initial_sampler", "piecewise") != "piecewise":
        raise ValueError(
            f"{folder}: expected proposal_initial_sampler 'piecewise', found "
            f"{model['proposal_initial_sampler']!r}, which is not supported"
        )
    return NerfactoModel(entries=model, where=str(folder / "config.yml"))


def stated(
    name: str, tensors: Mapping[str, Tensor], prefix: str, entries: Mapping[str, Any], where: str
) -> int:
    """Return a whole number that the checkpoint keeps as a buffer, the configuration, or both do.

    nerfstudio 0.3 kept no buffers in some of its networks.

    Raises:
        ValueError: neither says it, or they contradict each other.
    """
    buffer, entry = tensors.get(f"{prefix}.{name}"), entries.get(name)
    if buffer is not None and buffer.numel() == 1:
        value = int(buffer)
        if isinstance(entry, int) and entry != value:
            raise ValueError(
                f"{where}: config.yml says {name} {entry}, the checkpoint's {prefix}.{name} is "
                f"{value}; they do not belong to the same run"
            )
        return value
    if isinstance(entry, int) and not isinstance(entry, bool):
        return entry
    raise ValueError(
        f"{where}: expected a nerfacto checkpoint of nerfstudio 0.3 to 1.1.5, buffer "
        f"{prefix + '.' + name!r} is missing and config.yml does not say {name} either"
    )
