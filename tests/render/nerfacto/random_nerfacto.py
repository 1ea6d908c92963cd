"""A small nerfacto that was never trained, and rays through it."""

import torch
from merkwelt.scenes.nerfacto import GridConfig, NerfactoConfig, NerfactoField


def random_field(background="last_sample", *, hidden=18, opaque=0.0):
    """Return a small nerfacto of random weights whose sizes are no multiples of anything."""
    config = NerfactoConfig(
        grid=GridConfig(levels=3, base_resolution=4, max_resolution=60),
        proposal_grids=(
            GridConfig(levels=2, base_resolution=4, max_resolution=20),
            GridConfig(levels=3, base_resolution=4, max_resolution=40),
        ),
        proposal_samples=(21, 10),
        samples=9,
        average_init_density=1.0,
        far=50.0,
        background=background,
    )
    generator = torch.Generator().manual_seed(5)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    weights = {"grid.table": normal(3 * 256, 2)}
    sizes = {"base": (6, hidden, 16), "head": (31, 10, 14, 3)}
    sizes |= {"proposal.0": (4, 5, 1), "proposal.1": (6, 7, 1)}
    for name, widths in sizes.items():
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False)):
            weights[f"{name}.{i}.weight"] = normal(outputs, inputs) / inputs**0.5
            weights[f"{name}.{i}.bias"] = normal(outputs) * 0.3
    for i, rows in enumerate((2 * 64, 3 * 128)):
        weights[f"proposal.{i}.table"] = normal(rows, 2)
    weights["base.1.bias"][0] += opaque
    return NerfactoField(config, weights)


def rays(count):
    generator = torch.Generator().manual_seed(6)
    directions = torch.randn(count, 3, generator=generator)
    directions = directions / directions.norm(dim=1, keepdim=True)
    return torch.rand(count, 3, generator=generator) - 0.5, directions
