import numba
import pytest
import torch
from merkwelt.render.nerfacto.kernel import render_nerfacto
from merkwelt.render.volume import render_field
from random_nerfacto import random_field, rays


@pytest.mark.parametrize("background", ["last_sample", "white", "black"])
@pytest.mark.parametrize("opaque", [-3.0, 0.0, 5.0])
def test_any_sizes_and_backgrounds_equal_the_reference(background, opaque):
    field = random_field(background, opaque=opaque)
    origins, directions = rays(300)
    ours = render_nerfacto(field, origins, directions)
    with torch.no_grad():
        expected = render_field(field, origins, directions)
    # Round-off moves edges, and with them colours; samples of weight below 1e-5 are left out.
    torch.testing.assert_close(ours[:, [0, 1, 2, 5]], expected[:, [0, 1, 2, 5]], atol=5e-4, rtol=0)
    torch.testing.assert_close(ours[:, 3], expected[:, 3], atol=0, rtol=1e-2)
    # The median jumps where half of the light is reached at an interval's very end.
    assert ((ours[:, 4] - expected[:, 4]).abs() < 1e-3 * expected[:, 4]).float().mean() > 0.98


def test_a_ray_does_not_depend_on_its_company():
    field = random_field()
    origins, directions = rays(600)
    whole = render_nerfacto(field, origins, directions)
    torch.testing.assert_close(
        whole[117:125],
        render_nerfacto(field, origins[117:125], directions[117:125]),
        atol=0,
        rtol=0,
    )
    threads = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        alone = render_nerfacto(field, origins, directions)
    finally:
        numba.set_num_threads(threads)
    torch.testing.assert_close(whole, alone, atol=0, rtol=0)


def test_no_rays_give_no_picture():
    assert render_nerfacto(random_field(), torch.zeros(0, 3), torch.zeros(0, 3)).shape == (0, 6)
