"""The Moving MNIST of `benchmarks/moving_digits.py`, on digits that are easy to follow."""

import gzip
import importlib.util
import json

import numpy as np
import pytest


@pytest.fixture(scope="module")
def made(repository):
    path = repository / "benchmarks" / "moving_digits.py"
    spec = importlib.util.spec_from_file_location("moving_digits", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_digits_keep_to_the_square_and_their_step(made):
    """Two full squares: what they cover tells where they are when they are far apart."""
    square = made.Digits(images=np.ones((1, 28, 28), np.float32), name="squares")
    video = made.moving(square, 20, 20, seed=0)
    assert video.shape == (20, 20, 64, 64)
    assert set(np.unique(video)) == {0.0, 1.0}, "overlaps are the brighter one, not the sum"
    covered = video.sum(axis=(2, 3))
    assert covered.min() >= 28 * 28
    assert covered.max() == 2 * 28 * 28
    # The left edge of all that is covered moves by at most a step, 3.6 px, rounded.
    left = (video.max(axis=2) > 0).argmax(axis=2)
    assert np.abs(np.diff(left, axis=1)).max() <= 4
    assert left.min() == 0
    assert left.max() > 20


def test_the_same_seed_gives_the_same_sequences(made):
    digits = made.Digits(images=np.random.default_rng(0).random((5, 28, 28), np.float32), name="")
    first, again = (made.moving(digits, 3, 5, seed=7) for _ in range(2))
    assert (first == again).all()
    assert (first != made.moving(digits, 3, 5, seed=8)).any()


def test_floors_are_sums_over_a_frame(made):
    draw = np.random.default_rng(0)
    training, held_out = (draw.random((2, 4, 64, 64), np.float32) for _ in range(2))
    mean = training.mean(axis=(0, 1))
    places = [(s, t) for s in range(2) for t in range(1, 4)]
    expected = {
        "next_frame_copy": [(held_out[s, t] - held_out[s, t - 1]) for s, t in places],
        "zeros": [held_out[s, t] for s, t in places],
        "mean_image": [held_out[s, t] - mean for s, t in places],
        "copy_last_ahead": [held_out[s, t] - held_out[s, 1] for s in range(2) for t in (2, 3)],
    }
    floors = made.floors(training, held_out, 2)
    assert set(floors) == set(expected)
    for name, errors in expected.items():
        value = sum(float(np.square(each.astype(float)).sum()) for each in errors) / len(errors)
        assert floors[name] == pytest.approx(value, rel=1e-5), name


def test_mnist_is_read_from_any_of_its_files(made, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
    header = np.array([0x803, 10, 28, 28], ">i4").tobytes()
    (tmp_path / "idx.gz").write_bytes(gzip.compress(header + images.tobytes()))
    np.savez(tmp_path / "mnist.npz", x_train=images)
    (tmp_path / "digits").mkdir()
    for digit, image in enumerate(images):
        content = json.dumps({"data": (image.reshape(-1) / 255).tolist()})
        (tmp_path / "digits" / f"{digit}.json").write_text(content)
    for name in ("idx.gz", "mnist.npz", "digits"):
        digits = made.read_digits(tmp_path / name)
        np.testing.assert_allclose(digits.images, images / 255, atol=1e-6)
        assert digits.name == "Moving MNIST of 10 digits"
    (tmp_path / "labels").write_bytes(np.array([0x801, 10, 0, 0], ">i4").tobytes())
    with pytest.raises(ValueError, match="expected an IDX file of pictures .* got 0x801"):
        made.read_digits(tmp_path / "labels")
    assert "not MNIST" in made.read_digits(None).name
