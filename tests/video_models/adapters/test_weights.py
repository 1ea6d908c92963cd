from pathlib import Path

import pytest
import torch
from merkwelt.video_models.adapters.weights import load_all_but, read_weights
from safetensors.torch import save_file
from torch import nn


def test_both_kinds_of_files_are_read(tmp_path):
    weights = {"weight": torch.arange(6.0).view(2, 3)}
    torch.save(weights, tmp_path / "net.pth")
    save_file(weights, tmp_path / "net.safetensors")
    for name in ("net.pth", "net.safetensors"):
        assert torch.equal(read_weights(tmp_path / name)["weight"], weights["weight"])


def test_a_file_that_would_run_code_is_refused(tmp_path):
    torch.save({"weight": Path("x")}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"nothing but tensors in net.pth"):
        read_weights(tmp_path / "net.pth")
    torch.save({"epoch": 3}, tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"named tensors in net.pth"):
        read_weights(tmp_path / "net.pth")


def test_a_damaged_file_is_named(tmp_path):
    weights = {"weight": torch.zeros(1000)}
    torch.save(weights, tmp_path / "net.pth")
    save_file(weights, tmp_path / "net.safetensors")
    for name in ("net.pth", "net.safetensors"):
        whole = (tmp_path / name).read_bytes()
        for part in (whole[: len(whole) // 2], b""):
            (tmp_path / name).write_bytes(part)
            with pytest.raises(ValueError, match=f"{name} is damaged or holds no weights"):
                read_weights(tmp_path / name)


def test_a_classifier_is_passed_over_and_all_else_must_fit():
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    fitting = {name: torch.ones_like(each) for name, each in net.state_dict().items()}
    load_all_but(net, {**fitting, "fc.weight": torch.zeros(9)}, ["fc"], network="net")
    assert bool((net[0].weight == 1).all())
    other = {**fitting, "0.bias": torch.zeros(5), "2.bias": torch.zeros(1)}
    del other["1.weight"], other["1.bias"]
    expected = (
        r"expected the weights of net, got a file with 2 missing \(1.weight, 1.bias\), "
        r"1 unknown \(2.bias\), 1 of another shape \(0.bias\)"
    )
    with pytest.raises(ValueError, match=expected):
        load_all_but(net, other, ["fc"], network="net")
