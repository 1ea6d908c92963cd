import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["ceilings", "ranks"])
def test_examples_in_docstrings_run(name):
    module = import_module(f"merkwelt.alignment.scores.{name}")
    outcome = doctest.testmod(module)
    assert outcome.attempted > 0
    assert outcome.failed == 0
