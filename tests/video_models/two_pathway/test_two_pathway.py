import pytest
import torch
from merkwelt.video_models.two_pathway.oriented import OrientedConv3d
from merkwelt.video_models.two_pathway.two_pathway import (
    TwoPathway,
    TwoPathwayConfig,
    drop_clips,
)


def _encoder(**config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TwoPathway(TwoPathwayConfig(**config)).eval()


def _clips(eyes=2, frames=4, size=32):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(2, eyes, frames, 3, size, size, generator=generator)


@pytest.mark.parametrize(("paths", "published"), [(1, 0.304e6), (2, 0.154e6)])
def test_sizes_are_within_five_percent_of_the_published_ones(paths, published):
    count = sum(p.numel() for p in _encoder(paths=paths, eyes=1).parameters())
    assert abs(count / published - 1) < 0.05


def test_maps_are_those_of_the_paths_at_a_quarter_of_the_size():
    maps = _encoder()(_clips(size=64)).maps
    assert {name: tuple(each.shape[1:]) for name, each in maps.items()} == {
        "stem": (16, 4, 16, 16),
        "path1": (64, 4, 16, 16),
        "path2": (64, 4, 16, 16),
        "joined": (128, 4, 16, 16),
    }
    torch.testing.assert_close(maps["joined"], torch.cat([maps["path1"], maps["path2"]], dim=1))


def test_paths_do_not_touch():
    encoder, clips = _encoder(), _clips()
    before = encoder(clips).maps
    with torch.no_grad():
        for weight in encoder.paths[1].parameters():
            weight.mul_(2).add_(0.1)
    after = encoder(clips).maps
    assert torch.equal(before["path1"], after["path1"])
    assert not torch.equal(before["path2"], after["path2"])


def test_temporal_kernels_alternate():
    kernels = [block.residual[0].conv.kernel_size[0] for block in _encoder().paths[0]]
    assert kernels == [1, 3] * 5


def test_filters_stand_in_four_orientations():
    layer = OrientedConv3d(3, 8, 2, 5, 1, causal=True).double()
    video = torch.rand(
        1, 3, 3, 12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    assert layer.upright.conv.weight.shape[0] == 2
    answers, turned = layer(video), layer(video.rot90(1, (3, 4)))
    torch.testing.assert_close(turned, answers.rot90(1, (3, 4)).roll(2, dims=1))
    with pytest.raises(ValueError, match="4 orientations divide .* got 6"):
        OrientedConv3d(3, 6, 2, 5, 1, causal=True)


def test_residuals_are_dropped_by_clip_and_keep_their_mean():
    torch.manual_seed(0)
    dropped = drop_clips(torch.ones(20_000, 2, 1, 1, 1), 0.2)
    by_clip = dropped.flatten(1)
    assert torch.equal(by_clip[:, 0], by_clip[:, 1])
    assert set(by_clip.unique().tolist()) == {0.0, 1.25}
    # Its standard error is 0.0035.
    assert abs(float(dropped.mean()) - 1) < 0.015


def test_residuals_are_dropped_while_training_only():
    encoder, clips = _encoder(drop_share=0.5), _clips()
    still = encoder(clips).pooled
    torch.manual_seed(0)
    assert not torch.equal(encoder.train()(clips).pooled, still)
    assert torch.equal(encoder.eval()(clips).pooled, still)


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"drop_share in \[0, 1\), got 1.0"):
        TwoPathwayConfig(drop_share=1.0)
    with pytest.raises(ValueError, match=r"paths times bottleneck \(2 x 4\) divides, got 132"):
        TwoPathwayConfig(width=132)
    with pytest.raises(ValueError, match="4 orientations divide"):
        TwoPathway(TwoPathwayConfig(stem_width=12))
