import os
from pathlib import Path

import pytest

# Kernels and matrix products of tests share few cores; waiting threads must not spin on them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the real captures and trained scenes (../shared/data) are not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {"needs_cuda": _no_cuda(), "needs_nerfstudio": _no_nerfstudio()}
    for item in items:
        for marker, reason in missing.items():
            if reason and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


def _no_cuda() -> str:
    import torch

    return "" if torch.cuda.is_available() else "no CUDA device"


def _no_nerfstudio() -> str:
    import importlib.util

    found = importlib.util.find_spec("nerfstudio")
    return "" if found else "the extra 'nerfstudio' is not installed"
