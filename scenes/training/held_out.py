"""How well a field in training shows photographs that it was not trained on."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

MOST_VIEWS = 16
RAYS_PER_VIEW = 256


@dataclass(frozen=True, kw_only=True)
class HeldOutRays:
    """A fixed choice of pixels of held-out photographs."""

    camera_indices: Tensor
    coordinates: Tensor
    """Pixel centres, row then column."""
    colours: Tensor
    """``[n, 3]`` or, with alpha, ``[n, 4]``."""


def choose_rays(dataset: Any, *, seed: int) -> HeldOutRays:  # noqa: ANN401 - nerfstudio's dataset
    """Return the same few thousand pixels of up to 16 photographs at every call with one seed."""
    generator = torch.Generator().manual_seed(seed)
    count = len(dataset)
    cameras = sorted({round(i * (count - 1) / max(1, MOST_VIEWS - 1)) for i in range(MOST_VIEWS)})
    indices, coordinates, colours = [], [], []
    for camera in (c for c in cameras if c < count):
        image = dataset.get_image_float32(camera)
        rows = torch.randint(image.shape[0], (RAYS_PER_VIEW,), generator=generator)
        columns = torch.randint(image.shape[1], (RAYS_PER_VIEW,), generator=generator)
        indices.append(torch.full((RAYS_PER_VIEW, 1), camera))
        coordinates.append(torch.stack([rows, columns], dim=-1) + 0.5)
        colours.append(image[rows, columns])
    return HeldOutRays(
        camera_indices=torch.cat(indices),
        coordinates=torch.cat(coordinates),
        colours=torch.cat(colours),
    )


@torch.no_grad()
def held_out_psnr_db(pipeline: Any, rays: HeldOutRays) -> float:  # noqa: ANN401
    """Return the PSNR over the chosen pixels, pictures with alpha being laid over white."""
    dataset, model = pipeline.datamanager.eval_dataset, pipeline.model
    bundle = dataset.cameras.generate_rays(
        camera_indices=rays.camera_indices, coords=rays.coordinates
    ).to(model.device)
    model.eval()
    try:
        outputs = model(bundle)
    finally:
        model.train()
    colours, accumulation = outputs["rgb"].cpu(), outputs["accumulation"].cpu()
    truth = rays.colours
    if truth.shape[-1] == 4:
        truth = truth[:, :3] * truth[:, 3:] + 1.0 - truth[:, 3:]
    if model.config.background_color == "random":
        colours = colours + 1.0 - accumulation
    error = torch.mean((colours - truth) ** 2).item()
    return -10.0 * math.log10(max(error, 1e-12))
