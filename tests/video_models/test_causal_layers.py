import pytest
import torch
from merkwelt.video_models.causal_layers import CausalConv3d, FrameNorm, TimeConv3d, repeat_ends


def _video(frames=5, dtype=torch.float64):
    return torch.rand(2, 3, frames, 9, 9, generator=torch.Generator().manual_seed(0), dtype=dtype)


@pytest.mark.parametrize(("kernel", "causal", "past"), [(3, True, 2), (3, False, 1), (4, False, 2)])
def test_each_frame_is_answered_from_frames_around_it(kernel, causal, past):
    layer = TimeConv3d(3, 4, kernel, 3, 2, causal=causal).double()
    video = _video()
    answers = layer(video)
    assert answers.shape == (2, 4, 5, 5, 5)
    weight = layer.conv.weight - layer.conv.weight.mean(dim=(1, 2, 3, 4), keepdim=True)
    for now in range(5):
        expected = sum(
            torch.nn.functional.conv2d(
                video[:, :, min(max(now + k - past, 0), 4)], weight[:, :, k], stride=2, padding=1
            )
            for k in range(kernel)
        )
        torch.testing.assert_close(answers[:, :, now], expected)


def test_a_causal_layer_is_one_that_looks_back():
    torch.manual_seed(0)
    one = CausalConv3d(3, 4, 3, 5, 2)
    torch.manual_seed(0)
    other = TimeConv3d(3, 4, 3, 5, 2, causal=True)
    video = _video(dtype=torch.float32)
    assert torch.equal(one(video), other(video))


def test_ends_are_repeated():
    longer = repeat_ends(torch.arange(3.0).view(1, 1, 3, 1, 1), 2, 1)
    assert longer.flatten().tolist() == [0, 0, 0, 1, 2, 2]


def test_norm_takes_statistics_of_half_precision_in_full():
    norm = FrameNorm(4, 2)
    video = 100 + torch.randn(1, 4, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    rough = norm(video.bfloat16())
    assert rough.dtype == torch.bfloat16
    # Around 100 bfloat16 has steps of 0.5; the exact norm of those numbers is rounded once.
    torch.testing.assert_close(rough.float(), norm(video.bfloat16().float()), rtol=8e-3, atol=8e-3)
