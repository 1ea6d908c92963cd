"""Our renderers against nerfstudio's own pictures of a run that nerfstudio trained."""

import numpy as np
import pytest
import torch
from merkwelt.render import Rays, RenderOptions, render_rays
from merkwelt.scenes.import_options import ImportOptions
from merkwelt.scenes.nerfstudio.run import import_run


@pytest.fixture(scope="module")
def fox(shared_data):
    run = shared_data / "trained" / "fox_nerfacto"
    return import_run(run, ImportOptions(name="fox")), np.load(run / "nerfstudio_renders_128.npz")


def _rays(scene, reference, view, every):
    scale = scene.card.world_units_per_field_unit
    origins, directions = (
        torch.from_numpy(reference[name][view].reshape(-1, 3)[::every])
        for name in ("ray_origins", "ray_directions")
    )
    return Rays(
        origins=origins * scale, directions=directions, z_per_distance=torch.ones(len(origins))
    )


def _psnr(found, expected):
    return -10 * np.log10(np.mean((found - expected) ** 2))


@pytest.mark.parametrize(
    ("backend", "view", "every"),
    [("torch", 0, 8), ("torch", 3, 8), *[("compiled", view, 1) for view in range(5)]],
)
def test_colours_depths_and_opacity_are_nerfstudios(fox, backend, view, every):
    # Round-off alone gives about 104 dB; 90 leaves room for another processor's arithmetic and
    # is far above what any deviation in sampling would leave (a near plane of 0.05: 40 dB).
    scene, reference = fox
    rendered = render_rays(
        scene, _rays(scene, reference, view, every), RenderOptions(backend=backend)
    )
    expected = {
        name: reference[name][view].reshape(128 * 128, -1)[::every]
        for name in ("rgb", "depth_expected", "depth_median", "accumulation")
    }
    scale = scene.card.world_units_per_field_unit
    assert _psnr(rendered.rgb.numpy(), expected["rgb"]) > 90
    np.testing.assert_allclose(rendered.opacity, expected["accumulation"][:, 0], atol=2e-3)
    depth = rendered.depth.numpy() / scale
    assert np.quantile(np.abs(depth / expected["depth_expected"][:, 0] - 1), 0.999) < 1e-3
    median = rendered.depth_median.numpy() / scale
    # Where the cumulated weight meets one half within round-off the median may jump a sample.
    same = np.isclose(median, expected["depth_median"][:, 0], rtol=1e-4)
    assert same.mean() > 0.99


def test_compiled_and_reference_renderers_agree(fox):
    scene, reference = fox
    rays = _rays(scene, reference, 2, 16)
    a, b = (render_rays(scene, rays, RenderOptions(backend=k)) for k in ("torch", "compiled"))
    assert _psnr(a.rgb.numpy(), b.rgb.numpy()) > 90


def test_chunks_change_nothing(fox):
    scene, reference = fox
    rays = _rays(scene, reference, 1, 32)
    whole = render_rays(scene, rays, RenderOptions(backend="torch"))
    parts = render_rays(scene, rays, RenderOptions(backend="torch", rays_per_chunk=100))
    torch.testing.assert_close(whole.rgb, parts.rgb, atol=1e-6, rtol=0)
    first = render_rays(scene, rays[:1100], RenderOptions(backend="compiled"))
    assert len(first.rgb) == min(1100, len(rays))
