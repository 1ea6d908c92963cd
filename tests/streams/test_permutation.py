import numpy as np
import pytest
from merkwelt.streams.permutation import permute


@pytest.mark.parametrize("size", range(1, 201))
def test_every_small_size_is_shuffled_to_itself(size):
    shuffled = permute(np.arange(size), size=size, key="7/0")
    assert sorted(shuffled.tolist()) == list(range(size))


def test_large_prime_size_has_no_collisions_in_a_sample():
    size = 1_000_003
    places = np.random.default_rng(0).choice(size, 200_000, replace=False)
    shuffled = permute(places, size=size, key="7/0")
    assert len(np.unique(shuffled)) == len(places)
    assert shuffled.min() >= 0
    assert shuffled.max() < size
    # Uniform: the mean of n draws without replacement lies within five standard errors.
    assert abs(shuffled.mean() / size - 0.5) < 5 / np.sqrt(12 * len(places))


def test_one_index_at_a_time_gives_the_same_as_all_at_once():
    together = permute(np.arange(37), size=37, key="a")
    alone = [int(permute(np.array(i), size=37, key="a")) for i in range(37)]
    assert together.tolist() == alone


def test_keys_and_sizes_give_unrelated_shuffles():
    first, second = (permute(np.arange(1000), size=1000, key=key) for key in ("0/0", "0/1"))
    assert (first == second).sum() < 20
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15
    assert abs(np.corrcoef(first, np.arange(1000))[0, 1]) < 0.15


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_place_is_equally_likely_in_small_sets(size):
    counts = np.zeros((size, size))
    trials = 500
    for trial in range(trials):
        counts[np.arange(size), permute(np.arange(size), size=size, key=str(trial))] += 1
    expected = trials / size
    chi_squared = ((counts - expected) ** 2 / expected).sum()
    # (size - 1)^2 degrees of freedom; five standard deviations above the mean.
    freedom = (size - 1) ** 2
    assert chi_squared < freedom + 5 * np.sqrt(2 * freedom)


def test_shuffle_stays_what_it_is_for_ever():
    assert permute(np.arange(10), size=10, key="0/0").tolist() == PINNED


def test_indices_outside_are_refused():
    with pytest.raises(ValueError, match="expected indices from 0 to 4, got 0 to 5"):
        permute(np.arange(6), size=5, key="")
    with pytest.raises(ValueError, match="expected something to shuffle"):
        permute(np.arange(0), size=0, key="")


PINNED = [6, 4, 7, 5, 2, 0, 1, 3, 9, 8]
