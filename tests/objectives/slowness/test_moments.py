import tracemalloc

import numpy as np
import pytest
import scipy.linalg
from merkwelt.objectives import SfaMoments, fit_sfa
from merkwelt.objectives.slowness import moments as moments_module

from .oracles import walks


def _reference_moments(clips, valid_pairs, covariance):
    """Return mean, C and A by the definition, one frame after the other."""
    used_frames, changes = [], []
    for clip, pairs in zip(clips, valid_pairs, strict=True):
        used = [
            t for t in range(len(clip)) if (t > 0 and pairs[t - 1]) or (t < len(pairs) and pairs[t])
        ]
        used_frames.append([clip[t].astype(np.float64) for t in used])
        changes += [clip[t + 1].astype(np.float64) - clip[t] for t in range(len(pairs)) if pairs[t]]
    everything = np.array([frame for frames in used_frames for frame in frames])
    mean = everything.mean(axis=0)
    variance = 0
    for frames in used_frames:
        if frames:
            centre = np.mean(frames, axis=0) if covariance == "within" else mean
            variance = variance + sum(np.outer(f - centre, f - centre) for f in frames)
    speed = sum(np.outer(c, c) for c in changes) / len(changes)
    return mean, variance / len(everything), speed


def _uneven_clips():
    rng = np.random.default_rng(5)
    lengths = (2, 40, 7, 61, 3, 12)
    clips = [
        (rng.normal(size=(n, 5)).cumsum(axis=0) + 300 * rng.normal(size=5)).astype(np.float32)
        for n in lengths
    ]
    pairs = [rng.random(n - 1) < 0.7 for n in lengths]
    pairs[4][:] = False  # a clip of which nothing is left
    return clips, pairs


@pytest.mark.parametrize("covariance", ["within", "total"])
@pytest.mark.parametrize("block_frames", [4, 16, 1000])
@pytest.mark.parametrize("masked", [False, True])
def test_moments_are_those_of_the_definition(monkeypatch, covariance, block_frames, masked):
    monkeypatch.setattr(moments_module, "BLOCK_BYTES", 1)
    monkeypatch.setattr(moments_module, "LEAST_BLOCK_FRAMES", block_frames)
    clips, pairs = _uneven_clips()
    everything = [np.ones(len(clip) - 1, bool) for clip in clips]
    mean, variance, speed = _reference_moments(clips, pairs if masked else everything, covariance)
    moments = SfaMoments()
    moments.update_all(clips, pairs if masked else None)
    np.testing.assert_allclose(moments.mean(), mean, rtol=1e-12)
    # Clip means lie 300 apart: 1e-10 of their square is 1e-5 of the variance within clips.
    np.testing.assert_allclose(
        moments.variance(covariance), variance, rtol=1e-10, atol=1e-12 * np.abs(variance).max()
    )
    np.testing.assert_allclose(moments.speed(), speed, rtol=1e-10, atol=1e-12)


def test_clips_one_by_one_or_merged_give_what_all_at_once_do():
    clips, pairs = _uneven_clips()
    together = fit_sfa(clips, covariance="total", valid_pairs=pairs)
    first, second = SfaMoments(), SfaMoments()
    for i in (5, 0, 3):
        first.update(clips[i], pairs[i])
    for i in (1, 4, 2):
        second.update(clips[i], pairs[i])
    second.merge(SfaMoments())
    first.merge(second)
    assert first.frames == sum(
        int((np.append(p, False) | np.append(False, p)).sum()) for p in pairs
    )
    assert first.pairs == sum(int(p.sum()) for p in pairs)
    merged = first.solve(covariance="total")
    np.testing.assert_allclose(merged.delta, together.delta, rtol=1e-9)
    np.testing.assert_allclose(merged.mean, together.mean, rtol=1e-12)
    empty = SfaMoments()
    empty.merge(first)
    np.testing.assert_allclose(empty.solve(covariance="total").delta, merged.delta, rtol=1e-12)


def test_float32_far_from_zero_loses_no_digits():
    # A large mean, and signals that differ by it only in the last digits that float32 has.
    walk = walks(clips=1, frames=20_000)[0] * 0.01
    signals = (walk + [1e4, -3e3, 1e3, 0]).astype(np.float32)
    exact = signals.astype(np.float64)
    centred, change = exact - exact.mean(axis=0), np.diff(exact, axis=0)
    expected = scipy.linalg.eigh(
        change.T @ change / len(change), centred.T @ centred / len(centred), eigvals_only=True
    )
    np.testing.assert_allclose(fit_sfa([signals]).delta, expected, rtol=1e-9)


def test_signals_are_left_alone_and_never_copied_as_a_whole():
    signals = np.random.default_rng(0).standard_normal((150_000, 40), dtype=np.float32)
    before = signals[::1000].copy()
    fit_sfa([signals[:1000]])
    tracemalloc.start()
    try:
        fit_sfa([signals])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # 24 MB of signals; in float64 they would be 48 MB, and their differences as much again.
    assert peak < 30e6
    np.testing.assert_array_equal(signals[::1000], before)
    double = walks(clips=1, frames=2000)
    kept = double.copy()
    fit_sfa(double)
    fit_sfa([np.ascontiguousarray(double[0])] * 3)
    np.testing.assert_array_equal(double, kept)


def test_signals_on_disk_are_read_in_place(tmp_path):
    signals = walks(clips=2, frames=3000)
    stored = np.memmap(tmp_path / "signals", dtype=np.float32, mode="w+", shape=signals.shape)
    stored[:] = signals
    np.testing.assert_allclose(
        fit_sfa(stored).delta, fit_sfa(signals.astype(np.float32)).delta, rtol=1e-12
    )


def test_noise_in_expectation_is_noise_on_average():
    signals = walks(clips=1, frames=200)
    moments = SfaMoments()
    moments.update(signals[0])
    expected = moments.solve(noise_variance=4.0).delta
    noisy, rng = SfaMoments(), np.random.default_rng(1)
    for _ in range(400):
        noisy.update(signals[0] + 2 * rng.normal(size=signals[0].shape))
    # 400 draws of 200 frames leave about 1 % of the noise's variance.
    np.testing.assert_allclose(noisy.solve().delta, expected, rtol=0.03)
    assert expected[0] > 1.5 * moments.solve().delta[0]


def test_integers_are_signals_too():
    counts = np.random.default_rng(2).integers(0, 255, size=(3, 50, 4), dtype=np.uint8)
    np.testing.assert_allclose(
        fit_sfa(counts).delta, fit_sfa(counts.astype(np.float64)).delta, rtol=1e-12
    )


def test_wrong_moments_are_refused():
    moments = SfaMoments()
    with pytest.raises(ValueError, match="at least one valid pair"):
        moments.solve()
    with pytest.raises(ValueError, match="at least one clip"):
        moments.update_all([])
    moments.update(walks()[0])
    with pytest.raises(ValueError, match="the same signals"):
        moments.update(np.zeros((4, 3)))
    with pytest.raises(ValueError, match="finite"):
        moments.update(np.full((4, 4), np.inf))
    with pytest.raises(ValueError, match="valid_pairs to be bool"):
        moments.update(np.zeros((4, 4)), np.ones(3))
    with pytest.raises(ValueError, match="valid_pairs of 1 clips, got 2"):
        moments.update_all([np.zeros((4, 4))], [np.ones(3, bool)] * 2)
    with pytest.raises(ValueError, match="noise variance"):
        moments.solve(noise_variance=-1.0)
    with pytest.raises(ValueError, match="at least 1 output"):
        moments.solve(outputs=0)
    other = SfaMoments()
    other.update(np.random.default_rng(0).normal(size=(5, 2)))
    with pytest.raises(ValueError, match="moments of 4 signals, got 2"):
        moments.merge(other)
