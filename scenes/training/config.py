"""nerfstudio's configuration of a training, built from our settings."""

# nerfstudio is an optional extra, absent where types are checked.
# pyright: reportMissingImports=false

from pathlib import Path
from typing import Any

from .settings import TrainSettings

MODELS_FOLDER = "nerfstudio_models"
LEAST_PROPOSAL_WARMUP = 500
"""Steps, or a sixth of all if that is more, over which the proposal networks are trained ever less
often. With fewer they guide the samples before they know anything: on the fox, 600 steps with a
warm-up of 100 ended at 14 dB."""
LEAST_ANNEALING = 750
"""Steps, or a quarter of all if that is more, over which the proposals come to be trusted."""
LEAST_DECAY = 2000
"""Steps, or all if that is more, over which the learning rate falls. Falling within 600 steps it
freezes the fox at 19 dB, less than half as many steps at a high rate reach."""


def trainer_config(
    settings: TrainSettings, *, run: Path, capture: Path, keep: bool, background: str
) -> Any:  # noqa: ANN401 - nerfstudio's TrainerConfig, imported lazily
    """Return nerfstudio's ``TrainerConfig`` for a run folder and a normalised capture.

    Nothing in it is a closure or a tensor, so that its YAML can be read back. The checkpoint
    folder is absolute, because nerfstudio would otherwise look for its own tree of folders.
    """
    from nerfstudio.engine.trainer import TrainerConfig
    from nerfstudio.pipelines.base_pipeline import VanillaPipelineConfig

    group = _optimizer(settings)
    return TrainerConfig(
        output_dir=run.parent,
        experiment_name=run.name,
        method_name="nerfacto",
        timestamp="run",
        relative_model_dir=run / MODELS_FOLDER,
        vis="tensorboard",
        max_num_iterations=settings.steps,
        steps_per_save=settings.steps,
        steps_per_eval_batch=settings.steps,
        steps_per_eval_image=settings.steps,
        mixed_precision=False,
        machine=_machine(settings),
        pipeline=VanillaPipelineConfig(
            datamanager=_data_manager(settings, capture, keep=keep),
            model=_model(settings, background),
        ),
        optimizers={"fields": group, "proposal_networks": _optimizer(settings)},
    )


def _machine(settings: TrainSettings) -> Any:  # noqa: ANN401
    from nerfstudio.configs.base_config import MachineConfig

    kind: Any = training_device(settings)
    return MachineConfig(seed=settings.seed, device_type=kind, num_devices=1)


def training_device(settings: TrainSettings) -> str:
    """Return ``cpu`` or ``cuda``.

    Raises:
        RuntimeError: a GPU is asked for and torch sees none.
    """
    import torch

    if settings.device == "cuda" and not torch.cuda.is_available():
        raise RuntimeError("device 'cuda' was asked for, but torch sees no CUDA device; use 'cpu'")
    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return settings.device


def _data_manager(settings: TrainSettings, capture: Path, *, keep: bool) -> Any:  # noqa: ANN401
    from nerfstudio.data.datamanagers.base_datamanager import VanillaDataManager
    from nerfstudio.data.datamanagers.parallel_datamanager import ParallelDataManagerConfig
    from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
    from nerfstudio.data.datasets.base_dataset import InputDataset

    # nerfacto's own data manager starts a process that imports __main__ anew. Its configuration
    # is kept, because nerfstudio's tools put that manager back when they load a run.
    return ParallelDataManagerConfig(
        _target=VanillaDataManager[InputDataset],
        data=capture,
        dataparser=NerfstudioDataParserConfig(
            data=capture,
            downscale_factor=1,
            orientation_method="none" if keep else "up",
            center_method="none" if keep else "poses",
            auto_scale_poses=True,
        ),
        train_num_rays_per_batch=settings.rays_per_step,
        eval_num_rays_per_batch=settings.rays_per_step,
    )


def _model(settings: TrainSettings, background: str) -> Any:  # noqa: ANN401
    from nerfstudio.cameras.camera_optimizers import CameraOptimizerConfig
    from nerfstudio.models.nerfacto import NerfactoModelConfig

    chosen: Any = background
    return NerfactoModelConfig(
        implementation="torch",
        camera_optimizer=CameraOptimizerConfig(mode="off"),
        background_color=chosen,
        near_plane=settings.near,
        far_plane=settings.far,
        num_levels=settings.levels,
        log2_hashmap_size=settings.log2_hashmap_size,
        max_res=settings.max_resolution,
        hidden_dim=settings.hidden_dim,
        hidden_dim_color=settings.hidden_dim,
        num_nerf_samples_per_ray=settings.samples,
        num_proposal_samples_per_ray=settings.proposal_samples,
        num_proposal_iterations=len(settings.proposals),
        proposal_net_args_list=[
            {
                "hidden_dim": proposal.hidden_dim,
                "log2_hashmap_size": proposal.log2_hashmap_size,
                "num_levels": proposal.levels,
                "max_res": proposal.max_resolution,
                "use_linear": False,
            }
            for proposal in settings.proposals
        ],
        proposal_warmup=max(LEAST_PROPOSAL_WARMUP, settings.steps // 6),
        proposal_weights_anneal_max_num_iters=max(LEAST_ANNEALING, settings.steps // 4),
        use_appearance_embedding=settings.appearance_embedding,
        average_init_density=settings.average_init_density,
        distortion_loss_mult=settings.distortion_loss_mult,
    )


def _optimizer(settings: TrainSettings) -> dict[str, Any]:
    from nerfstudio.engine.optimizers import AdamOptimizerConfig
    from nerfstudio.engine.schedulers import ExponentialDecaySchedulerConfig

    return {
        "optimizer": AdamOptimizerConfig(lr=settings.learning_rate, eps=1e-15),
        "scheduler": ExponentialDecaySchedulerConfig(
            lr_final=settings.final_learning_rate, max_steps=max(LEAST_DECAY, settings.steps)
        ),
    }
