"""Clips in which what comes can be told from what was seen."""

import torch


def drifting(*, frames, batch=4, size=24, speed=3, seed=0):
    """Return clips of one eye of smooth noise that moves left by ``speed`` pixels each frame."""
    generator = torch.Generator().manual_seed(seed)
    width = size + speed * frames
    world = torch.rand(batch, 3, size // 4, width // 4, generator=generator)
    world = torch.nn.functional.interpolate(world, size=(size, width), mode="bilinear")
    video = torch.stack([world[..., speed * t : speed * t + size] for t in range(frames)], dim=1)
    return video.unsqueeze(1).contiguous()
