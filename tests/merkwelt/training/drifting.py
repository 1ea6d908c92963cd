"""Small clips of drifting textures, in memory."""

from dataclasses import replace

import torch
from merkwelt.video_models import StereoCNNConfig

from merkwelt.recipes import recipe
from merkwelt.training import MemoryClips


def drifting_clips(*, clips=10, eyes=2, frames=6, size=24):
    """Return clips of smooth textures that drift left or right; the right eye sees them lag."""
    generator = torch.Generator().manual_seed(0)
    videos = []
    for clip in range(clips):
        coarse = torch.rand(1, 3, 8, 24, generator=generator)
        world = torch.nn.functional.interpolate(coarse, size=(size, 3 * size), mode="bicubic")
        world = (world[0].clamp(0, 1) * 255).round().to(torch.uint8)
        speed = 1 if clip % 2 else -1
        starts = [[size + speed * t + eye for t in range(frames)] for eye in range(eyes)]
        video = [torch.stack([world[..., s : s + size] for s in each]) for each in starts]
        videos.append(torch.stack(video))
    return MemoryClips(videos, frame_rate_hz=10.0)


def small_experiment(name, **changes):
    """Return a recipe that trains in seconds."""
    settings = {
        "encoder": StereoCNNConfig(widths=(4, 8, 8, 12)),
        "steps": 6,
        "batch_size": 4,
        "validate_every": 3,
        "checkpoint_every": 2,
    }
    return replace(recipe(name), **(settings | changes))


def slow_and_fast_clips(*, clips=24, frames=10, size=24):
    """Return clips in which a coarse pattern changes slowly and a fine one from frame to frame."""
    generator = torch.Generator().manual_seed(0)
    columns = torch.arange(size)
    coarse = torch.sin(2 * torch.pi * columns / size).expand(size, size)
    fine = (1 - 2 * ((columns // 2) % 2)).expand(size, size).float()
    videos = []
    for _ in range(clips):
        phase = 6 * torch.rand((), generator=generator)
        slow = torch.cos(0.25 * torch.arange(frames) + phase)
        fast = torch.rand(frames, generator=generator) * 2 - 1
        frame = 0.5 + 0.2 * slow.view(-1, 1, 1) * coarse + 0.2 * fast.view(-1, 1, 1) * fine
        video = (frame * 255).round().to(torch.uint8)
        videos.append(video[None, :, None].expand(2, -1, 3, -1, -1).contiguous())
    return MemoryClips(videos, frame_rate_hz=10.0)
