import doctest

import pytest
from merkwelt.streams.live import held_out, keeping_up, schedule


@pytest.mark.parametrize("module", [held_out, keeping_up, schedule])
def test_examples_in_docstrings_are_true(module):
    found = doctest.testmod(module)
    assert found.attempted > 0
    assert found.failed == 0
