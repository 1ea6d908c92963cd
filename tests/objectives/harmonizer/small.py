"""A small network with a harmonised objective, and clips and stills to show it."""

import torch
from merkwelt.objectives import (
    HarmonisedConfig,
    PredictionConfig,
    SlownessConfig,
    probe_shapes,
)
from merkwelt.objectives.build import build_objective
from merkwelt.video_models import StereoCNN3D, StereoCNNConfig

BASES = {"sfa": SlownessConfig(outputs=3), "predict": PredictionConfig(width=8), "none": None}


def built(encoder=None, *, seed=0, **settings):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = encoder or StereoCNN3D(StereoCNNConfig(widths=(4, 8, 8, 12)))
        shapes = probe_shapes(encoder, eyes=encoder.eyes)
        config = HarmonisedConfig(**({"classes": 3, "still_frames": 2} | settings))
        return encoder, build_objective(config, shapes, encoder)


def clips(seed=0):
    return torch.rand(3, 2, 5, 3, 24, 24, generator=torch.Generator().manual_seed(seed))


def stills(count=4, seed=1, size=24):
    """Images with a bright patch, whose place is the human map and whose colour is the label."""
    generator = torch.Generator().manual_seed(seed)
    images = 0.3 * torch.rand(count, 3, size, size, generator=generator)
    maps = torch.zeros(count, size, size)
    labels = torch.arange(count) % 3
    for i in range(count):
        row, column = torch.randint(size - 8, (2,), generator=generator).tolist()
        images[i, labels[i], row : row + 8, column : column + 8] += 0.7
        maps[i, row : row + 8, column : column + 8] = 1 + torch.rand(8, 8, generator=generator)
    return {"stills": images, "still_labels": labels, "still_maps": maps}
