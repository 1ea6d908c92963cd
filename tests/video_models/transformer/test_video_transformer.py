from dataclasses import replace

import pytest
import torch
from merkwelt.video_models.transformer.attention import (
    Attention,
    causal_mask,
    grid_positions,
    rotate,
    rotation_angles,
    written_out_attention,
)
from merkwelt.video_models.transformer.config import VideoTransformerConfig, transformer_small
from merkwelt.video_models.transformer.video_transformer import VideoTransformer

SMALL = VideoTransformerConfig(width=48, depth=2)


def _encoder(config):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return VideoTransformer(config).eval()


def _clips(frames=4, size=(32, 32)):
    return torch.rand(2, 2, frames, 3, *size, generator=torch.Generator().manual_seed(1))


def _random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_written_out_attention_against_a_loop():
    queries, keys, values = _random(3, 1, 2, 6, 4)
    mask = causal_mask(3, 2, device=queries.device)
    found = written_out_attention(queries, keys, values, attn_mask=mask)
    for head in range(2):
        for row in range(6):
            seen = [column for column in range(6) if column // 2 <= row // 2]
            weights = torch.stack([queries[0, head, row] @ keys[0, head, i] / 2 for i in seen])
            expected = sum(
                weight * values[0, head, i]
                for weight, i in zip(weights.softmax(0), seen, strict=True)
            )
            torch.testing.assert_close(found[0, head, row], expected)


@pytest.mark.parametrize("attend", ["joint", "factorised"])
def test_the_fused_kernel_says_the_same(attend):
    config = replace(SMALL, attend=attend)
    math, fused = _encoder(config), _encoder(replace(config, attention="fused"))
    torch.testing.assert_close(math(_clips()).pooled, fused(_clips()).pooled, rtol=0, atol=1e-5)


def test_rotated_attention_depends_on_differences_of_positions():
    queries, keys = _random(2, 1, 2, 12, 8)
    here = grid_positions(3, 4, device=queries.device).double()
    scores = [
        rotate(queries, angles) @ rotate(keys, angles).transpose(-1, -2)
        for angles in (rotation_angles(here, 4), rotation_angles(here + torch.tensor([5, -2]), 4))
    ]
    torch.testing.assert_close(*scores)
    assert (scores[0] - queries @ keys.transpose(-1, -2)).abs().max() > 0.1


def test_rotation_keeps_lengths_and_leaves_what_is_over():
    angles = rotation_angles(grid_positions(2, 3, 4, device=torch.device("cpu")), 8)
    assert angles.shape == (24, 8)
    assert angles[:, 6:].abs().max() == 0
    assert angles[-1].tolist() == pytest.approx([1, 0.1, 2, 0.2, 3, 0.3, 0, 0])
    vectors = _random(1, 1, 24, 16)
    torch.testing.assert_close(rotate(vectors, angles.double()).norm(dim=-1), vectors.norm(dim=-1))


def test_one_head_is_torchs_own():
    ours = Attention(8, 2, kind="math").double()
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.to_parts.weight)
        theirs.in_proj_bias.copy_(ours.to_parts.bias)
        theirs.out_proj.weight.copy_(ours.to_out.weight)
        theirs.out_proj.bias.copy_(ours.to_out.bias)
    tokens = _random(2, 5, 8)
    torch.testing.assert_close(ours(tokens), theirs(tokens, tokens, tokens)[0])


def test_maps_are_spread_over_the_depth():
    features = _encoder(replace(SMALL, depth=6))(_clips(size=(32, 48)))
    assert list(features.maps) == ["embedding", "block2", "block3", "block4", "block6"]
    assert features.maps["block6"].shape == (2, 48, 4, 4, 6)


def test_tubelets_are_time_steps():
    encoder = _encoder(replace(SMALL, tubelet_frames=2))
    features = encoder(_clips())
    assert features.frames_per_step == 2
    assert features.pooled.shape == (2, 2, 48)
    with pytest.raises(ValueError, match="number of frames that 2 divides, got 3"):
        encoder(_clips(frames=3))


def test_frames_go_on_with_their_border_where_patches_do_not_divide_them():
    clips = _clips(size=(28, 30))
    longer = torch.nn.functional.pad(clips.flatten(0, 2), (0, 2, 0, 4), mode="replicate")
    encoder = _encoder(SMALL)
    whole = encoder(longer.unflatten(0, clips.shape[:3]))
    torch.testing.assert_close(encoder(clips).pooled, whole.pooled)


def test_learned_positions_follow_the_size_and_not_the_length():
    encoder = _encoder(replace(SMALL, positions="learned", learned_grid=(4, 4, 4)))
    assert encoder(_clips(size=(64, 48))).pooled.isfinite().all()
    with torch.no_grad():
        placed = encoder._placed(torch.zeros(1, 2, 16, 48), 4, 4)
    learned = encoder.time_positions[:2] + encoder.space_positions.flatten(2).transpose(1, 2)
    torch.testing.assert_close(placed[0], learned)
    with pytest.raises(ValueError, match="at most 4 time steps, .* got 5"):
        encoder(_clips(frames=5))


def test_sizes():
    for config, count in ((VideoTransformerConfig(), 606_576), (transformer_small(), 21_589_440)):
        with torch.device("meta"):
            net = VideoTransformer(config)
        assert sum(p.numel() for p in net.parameters()) == count


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match=r"twice the heads \(8\) divides, got 100"):
        VideoTransformerConfig(width=100)
    with pytest.raises(ValueError, match="only positive numbers, got depth 0"):
        VideoTransformerConfig(depth=0)
    for attend, least in (("factorised", 16), ("joint", 24)):
        VideoTransformerConfig(width=least, attend=attend)
        with pytest.raises(ValueError, match=f"width of at least {least}, .* got {least - 8}"):
            VideoTransformerConfig(width=least - 8, attend=attend)
