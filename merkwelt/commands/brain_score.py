"""``merkwelt brain-score``."""

from pathlib import Path
from typing import Literal

from tyro.conf import Positional

from ..console import OUT


def brain_score(
    model: Positional[str],
    /,
    *,
    out: Path,
    kind: Literal["video", "image"] = "video",
    identifier: str | None = None,
    fps: float = 25.0,
    frames: int | None = None,
    size: int | None = None,
    layers: tuple[str, ...] = (),
    regions: dict[str, str] | None = None,
) -> None:
    """Write a model as a Brain-Score plug-in: OUT/models/IDENTIFIER. Brain-Score is not needed.

    A model is a run's folder; or, with --kind image, efficientnet-lite0, 1 or 2, timm:NAME or
    torchvision:NAME with @pretrained or @random behind it.

    Args:
        model: what is exported.
        out: folder of the plug-in, such as brainscore_vision in a checkout of Brain-Score.
        kind: video, or image: pictures as still clips, the only kind of an image network.
        identifier: the model's name in Brain-Score; by default its own.
        fps: frames a second of the videos that the run was trained on.
        frames: frames of a clip; by default the model's own number.
        size: side of frames in pixels; by default the model's own.
        layers: what is read; by default all feature maps of a run and the pooled features. Of an
            image network, names of its modules.
        regions: regions of the visual cortex and the layer that stands for each, such as
            V1 layers.first IT layers.last; by default laid out by depth.
    """
    from ..brain_score import BrainScoreRequest, export_brain_score

    request = BrainScoreRequest(
        kind=kind,
        identifier=identifier,
        fps=fps,
        frames=frames,
        size=size,
        layers=layers,
        regions=regions or {},
    )
    done = export_brain_score(model, out, request)
    for line in done.lines:
        OUT.print(line, markup=False)
    OUT.print(f"plug-in: {done.folder}", markup=False)
