"""What gsplat is asked to draw, checked by drawing it here: it was never run on a GPU.

The stand-in has gsplat's signature (1.4 and 1.5), insists on gsplat's shapes, and draws what its
arguments say by the splatting written in these tests, which knows nothing of our cameras.
"""

import math
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import torch
from merkwelt.render import Rays, RenderOptions, render_rays
from merkwelt.render.camera import PinholeCamera, rays_of
from merkwelt.render.rigid import look_at
from merkwelt.render.splats import gsplat_backend as backend
from merkwelt.scenes import Scene
from merkwelt.scenes.analytic import analytic_room
from merkwelt.scenes.card import SceneCard
from merkwelt.scenes.splats import GaussianConfig, GaussianField, Gaussians

from .ewa import ewa_picture, psnr

GSPLAT = RenderOptions(backend="gsplat")


def _rasterization(
    means, quats, scales, opacities, colors, viewmats, Ks, width, height,  # noqa: N803
    near_plane=0.01, far_plane=1e10, radius_clip=0.0, eps2d=0.3, sh_degree=None, packed=True,
    tile_size=16, backgrounds=None, render_mode="RGB", sparse_grad=False, absgrad=False,
    rasterize_mode="classic", channel_chunk=32, distributed=False, camera_model="pinhole",
):  # fmt: skip
    n, c = len(means), len(viewmats)
    assert means.shape == (n, 3)
    assert quats.shape == (n, 4)
    assert scales.shape == (n, 3)
    assert opacities.shape == (n,)
    assert colors.shape == (n, (sh_degree + 1) ** 2, 3)
    assert viewmats.shape == (c, 4, 4)
    assert Ks.shape == (c, 3, 3)
    for tensor in (means, quats, scales, opacities, colors, viewmats, Ks):
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
    assert render_mode == "RGB+ED"
    assert rasterize_mode == "antialiased"
    field = GaussianField(
        GaussianConfig(grain=1.0, far=1.0),
        Gaussians(
            positions=means, scales=scales, rotations=quats, opacities=opacities, harmonics=colors
        ),
    )
    pictures, alphas = [], []
    for view, k in zip(viewmats.double().numpy(), Ks.double().numpy(), strict=True):
        camera = PinholeCamera(
            width=width, height=height, fx=k[0, 0], fy=k[1, 1], cx=k[0, 2], cy=k[1, 2]
        )
        world_from_camera = np.linalg.inv(view)
        rgb, alpha = ewa_picture(field, camera, world_from_camera, dilation=eps2d, compensate=True)
        # All of the thing lies near one plane, whose z-depth is that of its middle.
        depth = np.where(alpha > 0, view[2, :3] @ means.double().numpy().mean(0) + view[2, 3], 0)
        pictures.append(np.concatenate([rgb, depth[..., None]], axis=-1))
        alphas.append(alpha[..., None])
    return (*(torch.from_numpy(np.stack(x)).float() for x in (pictures, alphas)), {})


@pytest.fixture
def fake_gsplat(monkeypatch):
    module = types.ModuleType("gsplat")
    module.rasterization = _rasterization
    monkeypatch.setitem(sys.modules, "gsplat", module)
    monkeypatch.setattr(backend, "_device", lambda: torch.device("cpu"))


@pytest.fixture
def scene():
    """Coloured blobs in a shallow slab, in a world of twice the field's size, turned and moved."""
    rng = np.random.default_rng(0)
    n = 60
    quaternion = rng.normal(size=(n, 4))
    quaternion /= np.linalg.norm(quaternion, axis=1, keepdims=True)
    parts = {
        "positions": rng.uniform(-0.5, 0.5, (n, 3)) * [1, 1, 0.01],
        "scales": rng.uniform(0.02, 0.08, (n, 3)),
        "rotations": quaternion,
        "opacities": rng.uniform(0.3, 1, n),
        "harmonics": rng.normal(0, 0.5, (n, 4, 3)),
    }
    gaussians = Gaussians(**{k: torch.from_numpy(v.astype(np.float32)) for k, v in parts.items()})
    turned = np.array([[0, 0, 2.0, 0.3], [2, 0, 0, -0.2], [0, 2, 0, 1.0], [0, 0, 0, 1]])
    card = SceneCard(
        name="s", licence="x", source="x", field_kind="gaussians",
        world_from_field=tuple(map(tuple, turned.tolist())),
    )  # fmt: skip
    return Scene(
        card, GaussianField(GaussianConfig(grain=0.1, far=9.0, background="white"), gaussians)
    )


def _rays(size=(48, 40)):
    camera = PinholeCamera.from_hfov(math.radians(40), size)
    eyes = np.array([[5.0, 0.1, 1.2], [5.0, 0.3, 1.2]])
    return rays_of(camera, look_at(eyes, np.array([0.3, -0.2, 1.0])))


def test_gsplat_is_asked_for_the_pictures_that_rays_see(scene, fake_gsplat):
    rays = _rays()
    drawn, seen = render_rays(scene, rays, GSPLAT), render_rays(scene, rays)
    assert float(seen.opacity.mean()) > 0.1
    # Blobs that cross each other are sorted as wholes by the one and ray by ray by the other:
    # 34 dB were measured; a picture off by a pixel has less than 27.
    assert psnr(drawn.rgb, seen.rgb) > 33
    picture = seen.rgb.view(2, 40, 48, 3)
    for axis in (1, 2):
        assert psnr(drawn.rgb.view_as(picture).roll(1, dims=axis), picture) < 27
    assert float((drawn.opacity - seen.opacity).abs().mean()) < 5e-3
    solid = seen.opacity > 0.6
    torch.testing.assert_close(drawn.depth[solid], seen.depth[solid], rtol=0.05, atol=0)
    torch.testing.assert_close(drawn.depth_median[solid], seen.depth[solid], rtol=0.05, atol=0)
    nothing = drawn.opacity == 0
    far = (9.0 * 2 * rays.z_per_distance)[nothing]
    torch.testing.assert_close(drawn.depth_median[nothing], far)


def test_many_pictures_are_drawn_in_parts(scene, fake_gsplat, monkeypatch):
    whole = render_rays(scene, _rays(), GSPLAT)
    monkeypatch.setattr(backend, "MOST_PIXELS", 1)
    torch.testing.assert_close(render_rays(scene, _rays(), GSPLAT).rgb, whole.rgb, atol=0, rtol=0)


def test_single_rays_are_refused(scene, fake_gsplat):
    rays = _rays()
    with pytest.raises(ValueError, match="whole pictures of pinhole cameras"):
        render_rays(scene, rays[:7], GSPLAT)
    loose = Rays(
        origins=rays.origins, directions=rays.directions, z_per_distance=rays.z_per_distance
    )
    with pytest.raises(ValueError, match="whole pictures of pinhole cameras"):
        render_rays(scene, loose, GSPLAT)


def test_without_gsplat_or_a_gpu_or_gaussians_it_says_so(scene, monkeypatch):
    monkeypatch.setitem(sys.modules, "gsplat", None)
    with pytest.raises(ImportError, match=r"merkwelt\[splats\]"):
        render_rays(scene, _rays(), GSPLAT)
    monkeypatch.setitem(sys.modules, "gsplat", types.ModuleType("gsplat"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="needs a CUDA GPU and there is none"):
        render_rays(scene, _rays(), GSPLAT)
    with pytest.raises(ValueError, match="gsplat draws Gaussians only"):
        render_rays(replace(analytic_room()), _rays(), GSPLAT)
