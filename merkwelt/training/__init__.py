"""Training: from an experiment and clips to a run folder, and back to what was learned."""

from .clips import ClipSource, MemoryClips, StoredClips, TrainingClip
from .experiment import Experiment, OptimiserConfig
from .loop import RunSummary, train
from .run_folder import LoadedRun, load_experiment, load_run
from .stream_clips import StreamClips

__all__ = [
    "ClipSource",
    "Experiment",
    "LoadedRun",
    "MemoryClips",
    "OptimiserConfig",
    "RunSummary",
    "StoredClips",
    "StreamClips",
    "TrainingClip",
    "load_experiment",
    "load_run",
    "train",
]
