import math
from types import SimpleNamespace

import pytest
import torch
from merkwelt.objectives import TemporalContrast, TemporalContrastConfig, probe_shapes
from merkwelt.objectives.temporal.moments import drawn_starts, spans_of, stills_at
from merkwelt.objectives.temporal.ntxent import nt_xent, partner_found
from torch import nn

from ..linear_encoder import LinearEncoder, noisy_walks


def _reference(one, other, temperature, usable):
    """Pair by pair, in plain Python."""
    views = [v / v.norm() for v, u in zip(one, usable, strict=True) if u]
    views += [v / v.norm() for v, u in zip(other, usable, strict=True) if u]
    pairs = len(views) // 2
    errors = []
    for i, anchor in enumerate(views):
        partner = (i + pairs) % (2 * pairs)
        scores = [math.exp(float(anchor @ v) / temperature) for v in views]
        others = sum(score for k, score in enumerate(scores) if k != i)
        errors.append(-math.log(scores[partner] / others))
    return sum(errors) / len(errors)


@pytest.mark.parametrize("pairs", [1, 2, 5])
@pytest.mark.parametrize("channels", [2, 16])
@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
def test_the_loss_is_that_of_a_double_loop(pairs, channels, temperature):
    generator = torch.Generator().manual_seed(pairs + channels)
    one, other = torch.randn(2, pairs, channels, generator=generator)
    expected = _reference(one, other, temperature, [True] * pairs)
    assert float(nt_xent(one, other, temperature=temperature)) == pytest.approx(expected, rel=1e-5)


def test_what_is_not_usable_is_neither_anchor_nor_candidate():
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 6, 4, generator=generator)
    usable = torch.tensor([True, False, True, True, False, True])
    expected = _reference(one, other, 0.5, usable.tolist())
    loss = nt_xent(one, other, temperature=0.5, usable=usable)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(nt_xent(one, other, temperature=0.5, usable=torch.zeros(6).bool())) == 0


@pytest.mark.parametrize("pairs", [2, 7])
def test_embeddings_that_are_alike_have_the_loss_of_chance(pairs):
    alike = torch.ones(pairs, 3)
    assert float(nt_xent(alike, alike, temperature=1.0)) == pytest.approx(math.log(2 * pairs - 1))
    assert float(partner_found(alike, alike)) == 0
    apart = torch.eye(pairs)
    assert float(partner_found(apart, apart)) == 1
    assert float(nt_xent(apart, apart, temperature=0.01)) < 1e-6


def test_gradients_are_right():
    one, other = torch.randn(
        2, 3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    step, direction = 1e-2, torch.ones(3, 4, dtype=torch.float64) * torch.arange(4)
    moved = one.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(nt_xent(moved, other, temperature=0.5), moved)
    ends = [nt_xent(one + s * direction, other, temperature=0.5) for s in (-step, step)]
    slope = float(ends[1] - ends[0]) / (2 * step)
    # Cosines are taken in float32: the slope has an error of about 1e-7 / step.
    assert float((gradient * direction).sum()) == pytest.approx(slope, abs=1e-3)


def test_spans_lie_within_valid_pairs():
    pairs = torch.tensor([[True, True, False, True, True, True]])
    assert spans_of(pairs, 2).tolist() == [[True, False, False, True, True]]
    starts, usable = drawn_starts(spans_of(pairs, 2), 4)
    assert set(starts[0, :3].tolist()) == {0, 3, 4}
    assert usable.tolist() == [[True, True, True, False]]


def test_draws_follow_torchs_random_state_and_reach_everything():
    spans = torch.ones(1, 6, dtype=torch.bool)
    seen = set()
    with torch.random.fork_rng(devices=[]):
        for seed in range(60):
            torch.manual_seed(seed)
            drawn = int(drawn_starts(spans, 1)[0])
            torch.manual_seed(seed)
            assert int(drawn_starts(spans, 1)[0]) == drawn
            seen.add(drawn)
    assert seen == set(range(6))


def test_stills_are_the_frames_themselves():
    clips = torch.rand(2, 2, 5, 1, 3, 4, generator=torch.Generator().manual_seed(0))
    stills = stills_at(clips, torch.tensor([[1, 4], [0, 2]]), frames=3)
    assert stills.shape == (4, 2, 3, 1, 3, 4)
    for place, (clip, time) in enumerate([(0, 1), (0, 4), (1, 0), (1, 2)]):
        for frame in range(3):
            assert torch.equal(stills[place, :, frame], clips[clip, :, time])


class _Counts(nn.Module):
    """Features that are the number of frames the encoder was shown, and their mean."""

    eyes, causal = 1, True

    def forward(self, clips):
        means = clips.mean(dim=(1, 3, 4, 5))
        pooled = torch.stack([torch.full_like(means, clips.shape[2]), means], dim=-1)
        return SimpleNamespace(maps={"all": pooled.transpose(1, 2)[..., None, None]}, pooled=pooled)


@pytest.mark.parametrize(("views", "frames"), [("stills", 1), ("clip", 6)])
def test_views_are_seen_alone_or_in_their_clip(views, frames):
    encoder = _Counts()
    config = TemporalContrastConfig(views=views, span=2, pairs_per_clip=1)
    objective = TemporalContrast(config, probe_shapes(encoder, eyes=1, size_px=16))
    clips = torch.arange(6.0).view(1, 1, 6, 1, 1, 1).expand(2, -1, -1, 1, 16, 16)
    one, other, _ = objective._seen(encoder, clips, torch.tensor([[1], [3]]))
    assert one.tolist() == [[frames, 1], [frames, 3]]
    assert other.tolist() == [[frames, 3], [frames, 5]]


def _walking():
    clips = noisy_walks(clips=12, frames=8).float()
    return torch.nn.functional.pad(clips, (0, 12, 0, 12))


@pytest.mark.parametrize("views", ["stills", "clip"])
def test_it_learns_to_tell_moments_apart(views):
    encoder = LinearEncoder()
    config = TemporalContrastConfig(views=views, temperature=0.2, hidden=32, outputs=8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        objective = TemporalContrast(config, probe_shapes(encoder, eyes=1, size_px=16))
        clips = _walking()
        before = objective.evaluate(encoder, [], [(clips, {})])
        optimiser = torch.optim.Adam(objective.parameters(), lr=1e-2)
        for _ in range(60):
            loss, measures = objective(encoder, clips, {})
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        after = objective.evaluate(encoder, [], [(clips, {})])
    assert float(measures["alike_loss"]) == pytest.approx(math.log(47))
    assert after["loss"] < before["loss"] < after["loss_if_alike"] * 1.2
    assert after["loss_if_alike"] == pytest.approx(math.log(23))
    assert after["top_1_chance"] == pytest.approx(1 / 23)
    assert after["top_1"] > 5 * after["top_1_chance"]
    assert after["top_1_features"] == before["top_1_features"]


def test_saccades_leave_clips_out():
    encoder = LinearEncoder()
    config = TemporalContrastConfig(pairs_per_clip=3)
    objective = TemporalContrast(config, probe_shapes(encoder, eyes=1, size_px=16))
    pairs = torch.zeros(12, 7, dtype=torch.bool)
    pairs[:3, 2] = True
    loss, measures = objective(encoder, _walking(), {"valid_pairs": pairs})
    assert float(measures["alike_loss"]) == pytest.approx(math.log(5))
    one, other, _ = objective._seen(encoder, _walking()[:3], torch.full((3, 1), 2))
    projected = objective.project(one), objective.project(other)
    expected = _reference(*(each.detach() for each in projected), 1.0, [True] * 3)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)
    told = objective.evaluate(encoder, [], [(_walking(), {"valid_pairs": pairs})])
    assert told["loss"] == pytest.approx(expected, rel=1e-5)


def test_batches_without_two_moments_measure_nothing():
    encoder = LinearEncoder()
    objective = TemporalContrast(
        TemporalContrastConfig(span=2), probe_shapes(encoder, eyes=1, size_px=16)
    )
    pairs = torch.ones(12, 7, dtype=torch.bool)
    pairs[:, 1::2] = False
    none = (_walking(), {"valid_pairs": pairs})
    with pytest.raises(ValueError, match="two moments objective.span 2 apart"):
        objective.evaluate(encoder, [], [none])
    some = (_walking(), {})
    assert objective.evaluate(encoder, [], [some, none]) == objective.evaluate(encoder, [], [some])


def test_what_cannot_be_is_refused():
    encoder = LinearEncoder()
    shapes = probe_shapes(encoder, eyes=1, size_px=16)
    long = TemporalContrast(TemporalContrastConfig(span=8), shapes)
    with pytest.raises(ValueError, match="longer than objective.span 8, got 8 moments"):
        long(encoder, _walking(), {})
    with pytest.raises(ValueError, match="at least one batch of held-out"):
        long.evaluate(encoder, [], [])
    with pytest.raises(ValueError, match="at least 1 for span, outputs"):
        TemporalContrastConfig(span=0, outputs=0)
    with pytest.raises(ValueError, match="temperature above 0"):
        TemporalContrastConfig(temperature=0.0)
