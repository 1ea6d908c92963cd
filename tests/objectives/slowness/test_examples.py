import doctest
import importlib

import pytest


@pytest.mark.parametrize(
    "name", ["slow_features", "moments", "expansion", "expanded", "incremental"]
)
def test_examples_say_what_happens(name):
    found = doctest.testmod(importlib.import_module(f"merkwelt.objectives.slowness.{name}"))
    assert found.attempted > 0
    assert found.failed == 0
