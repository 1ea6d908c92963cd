import os
import subprocess
import sys

import numpy as np
import pytest
from merkwelt.render import steady
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtr, ndtri
from scipy.stats import kstest

ULPS = 4e-16


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_sines_and_cosines_are_those_of_the_libraries(rng):
    x = np.concatenate([rng.uniform(-10, 10, 5000), rng.uniform(-6000, 6000, 5000), [0.0]])
    sine, cosine = steady.sin_cos(x)
    assert_allclose(sine, np.sin(x), rtol=0, atol=ULPS)
    assert_allclose(cosine, np.cos(x), rtol=0, atol=ULPS)


def test_exponentials_and_logarithms_are_those_of_the_libraries(rng):
    x = rng.uniform(-50, 50, 10000)
    assert_allclose(steady.exp(x), np.exp(x), rtol=2e-15)
    assert steady.exp(-1e4) == 0
    positive = np.concatenate([np.exp(x), [1.0, 2.0, 0.5, 1e-300]])
    assert_allclose(steady.log(positive), np.log(positive), rtol=ULPS, atol=ULPS)
    assert_allclose(steady.power(positive, 0.5), np.sqrt(positive), rtol=2e-14)
    assert steady.power(0.0, 0.5) == 0


def test_angles_are_those_of_the_libraries_in_all_quadrants(rng):
    y, x = rng.normal(size=(2, 10000))
    assert_allclose(steady.atan2(y, x), np.arctan2(y, x), rtol=0, atol=2 * ULPS)
    ends = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 0.0]])
    assert_allclose(steady.atan2(*ends.T), np.arctan2(*ends.T), atol=ULPS)
    assert_allclose(steady.atan(y), np.arctan(y), atol=ULPS)


def test_products_are_those_of_linear_algebra(rng):
    a, b, v = rng.normal(size=(7, 3, 4)), rng.normal(size=(7, 4, 2)), rng.normal(size=(7, 4))
    assert_allclose(steady.product(a, b), a @ b, atol=1e-14)
    assert_allclose(steady.rotate(a, v), np.einsum("nij,nj->ni", a, v), atol=1e-14)
    assert_allclose(steady.length(v), np.linalg.norm(v, axis=1), rtol=1e-15)


def test_interpolation_and_smoothing_are_those_of_numpy_and_scipy(rng):
    x, y = np.cumsum(rng.random(20) + 0.01), rng.normal(size=20)
    at = rng.uniform(-2, 14, 200)
    assert_allclose(steady.interpolate(at, x, y), np.interp(at, x, y), atol=1e-14)
    assert np.all(steady.interpolate(at, x[:1], y[:1]) == y[0])
    values = rng.normal(size=(50, 2))
    expected = gaussian_filter1d(values, 3.7, axis=0, mode="nearest")
    assert_allclose(steady.smooth(values, 3.7), expected, atol=1e-14)
    assert_allclose(steady.smooth(values, 0.05), values)


def test_normal_draws_are_normal(rng):
    assert kstest(steady.normal(rng, 20000), "norm").pvalue > 0.01


def test_the_normal_distribution_is_scipys():
    x = np.linspace(-6.9, 6.9, 501)
    assert_allclose(steady.normal_share(x), ndtr(x), rtol=0, atol=1e-14)
    share = [1e-9, 1e-4, 0.02, 0.3, 0.5, 0.77, 0.999, 1 - 1e-9]
    found = [steady.normal_quantile(p) for p in share]
    assert_allclose(found, ndtri(share), rtol=1e-7, atol=1e-12)


OTHER_MACHINE = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-AVX,-FMA4",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL "
    "AVX512_ICL",
    "OPENBLAS_CORETYPE": "Nehalem",
    "ATEN_CPU_CAPABILITY": "default",
}
PLAN = """
import hashlib, sys
from merkwelt.render.key import ClipKey
from merkwelt.render.motion import plan_motion
from merkwelt.render.observer import PRESETS
from merkwelt.scenes.scene import Scene
from merkwelt.scenes.analytic import analytic_room
for scene in (analytic_room(), Scene.load("living_room")):
    for name, make in PRESETS.items():
        digest = hashlib.sha256()
        for clip in range(1):
            key = ClipKey(dataset_seed=0, scene=scene.card.name, clip=clip)
            motion = plan_motion(scene, make(), key, frames=12, frame_rate_hz=10.0)
            for array in motion.course.to_arrays().values():
                digest.update(array.tobytes())
        print(scene.card.name, name, digest.hexdigest())
"""


def test_poses_are_bit_identical_on_a_processor_without_fused_or_wide_instructions():
    """An older machine is played by libraries told to do without what newer ones have."""
    printed = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", PLAN],
            env={**os.environ, **more},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ({}, OTHER_MACHINE)
    ]
    assert printed[0] == printed[1]
    assert printed[0].count("\n") >= 4
