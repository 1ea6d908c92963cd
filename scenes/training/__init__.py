"""Training nerfacto scenes with nerfstudio (extra ``nerfstudio``)."""

from .settings import TrainSettings
from .train import TrainedRun, train_scene

__all__ = ["TrainSettings", "TrainedRun", "train_scene"]
