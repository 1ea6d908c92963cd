import pytest
from merkwelt.streams.live import KeepingUp


def _balance(**changes):
    settings = {"reuse": 4, "batch_size": 8, "step_s": 2.0, "rendered_per_s": 0.5}
    return KeepingUp.of(**(settings | changes))


def test_training_takes_a_batch_each_step_and_uses_each_clip_again():
    assert _balance().needed_per_s == pytest.approx(1.0)
    assert not _balance().keeps_up
    assert _balance(reuse=8).keeps_up


@pytest.mark.parametrize("rendered", [0.3, 0.5, 0.77, 3.0])
def test_the_reuse_that_is_named_keeps_up_and_one_less_does_not(rendered):
    would = _balance(rendered_per_s=rendered).reuse_that_would
    assert _balance(rendered_per_s=rendered, reuse=would).keeps_up
    if would > 1:
        assert not _balance(rendered_per_s=rendered, reuse=would - 1).keeps_up


def test_the_verdict_says_what_would_help():
    text = _balance().text
    assert "could not keep up: 0.5 clips a second" in text
    assert "It would at reuse 8" in text
    assert _balance(rendered_per_s=2.0).text.startswith("rendering kept up: 2 clips a second")
