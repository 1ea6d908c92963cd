import math

import pytest
import torch
from merkwelt.streams.depth import (
    FARTHEST,
    NEAREST,
    RELATIVE_ERROR,
    codes_to_depth,
    depth_to_codes,
)
from merkwelt.streams.video import decode_depth, encode_depth


def test_relative_error_is_bounded_over_eight_decades():
    depth = torch.logspace(math.log10(NEAREST), math.log10(FARTHEST), 400_001, dtype=torch.float64)
    back = codes_to_depth(depth_to_codes(depth)).double()
    error = ((back - depth).abs() / depth).max()
    assert error <= RELATIVE_ERROR + 1e-7
    assert pytest.approx(1.41e-4, rel=0.01) == RELATIVE_ERROR


def test_special_depths_come_back_as_they_were():
    depth = torch.tensor([0.0, math.inf, NEAREST, FARTHEST])
    back = codes_to_depth(depth_to_codes(depth))
    assert back.tolist() == pytest.approx(depth.tolist())
    assert depth_to_codes(depth).tolist() == [0, 65535, 1, 65534]


def test_depths_out_of_range_are_stored_as_its_ends():
    back = codes_to_depth(depth_to_codes(torch.tensor([1e-6, 1e9])))
    assert back.tolist() == pytest.approx([NEAREST, FARTHEST])


def test_every_code_survives_a_round_trip():
    codes = torch.arange(65536, dtype=torch.int32)
    assert torch.equal(depth_to_codes(codes_to_depth(codes)), codes)


def test_negative_and_undefined_depths_are_refused():
    with pytest.raises(ValueError, match="1 that are not a number and 2 negative"):
        depth_to_codes(torch.tensor([math.nan, -1.0, -math.inf, 3.0]))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 17, 23), (5, 64, 48)])
def test_depth_video_keeps_every_code(shape):
    depth = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 30
    depth.view(-1)[0] = 0
    depth.view(-1)[-1] = math.inf
    data = encode_depth(depth, frame_rate_hz=10)
    assert torch.equal(decode_depth(data), codes_to_depth(depth_to_codes(depth)))
    assert data == encode_depth(depth, frame_rate_hz=10)


def test_depth_of_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected depth \[time, height, width\]"):
        encode_depth(torch.ones(2, 2), frame_rate_hz=10)
