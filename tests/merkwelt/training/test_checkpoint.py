import json

import pytest
import safetensors.torch
import torch

from merkwelt.training.checkpoint import (
    Checkpoint,
    checkpoint_paths,
    newest_readable,
    read_checkpoint,
    save_checkpoint,
)
from merkwelt.training.metrics_log import MetricsLog


def _checkpoint(step):
    tensors = {
        "encoder.weight": torch.arange(6.0).view(2, 3) + step,
        "objective.updates": torch.tensor(step),
        "empty": torch.zeros(0),
    }
    return Checkpoint(step=step, tensors=tensors, state={"seed": 3})


def test_a_checkpoint_comes_back(tmp_path):
    path = save_checkpoint(tmp_path, _checkpoint(5), keep=2)
    read = read_checkpoint(path)
    assert (read.step, read.state) == (5, {"seed": 3})
    for name, each in _checkpoint(5).tensors.items():
        assert torch.equal(read.tensors[name], each)
        assert read.tensors[name].dtype == each.dtype


def test_only_the_newest_are_kept_and_nothing_else_stays(tmp_path):
    for step in (1, 20, 3):
        save_checkpoint(tmp_path, _checkpoint(step), keep=2)
    assert [path.name for path in checkpoint_paths(tmp_path)] == [
        "step-00000003.safetensors",
        "step-00000020.safetensors",
    ]
    assert len(list((tmp_path / "checkpoints").iterdir())) == 2


@pytest.mark.parametrize("length", [0, 4, 60, -1])
def test_a_truncated_file_is_named(tmp_path, length):
    path = save_checkpoint(tmp_path, _checkpoint(1), keep=2)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RuntimeError, match="step-00000001.safetensors is truncated"):
        read_checkpoint(path)


def test_a_changed_byte_is_found(tmp_path):
    path = save_checkpoint(tmp_path, _checkpoint(1), keep=2)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(RuntimeError, match="is damaged: its checksum"):
        read_checkpoint(path)


def test_a_pickle_is_not_opened(tmp_path):
    path = tmp_path / "checkpoints" / "step-00000001.safetensors"
    path.parent.mkdir()
    torch.save({"encoder.weight": torch.zeros(2)}, path)
    with pytest.raises(RuntimeError, match="truncated or not a checkpoint"):
        read_checkpoint(path)


def test_another_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "step-00000001.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(RuntimeError, match="of version 1, got None"):
        read_checkpoint(path)
    with pytest.raises(FileNotFoundError, match="expected a checkpoint at"):
        read_checkpoint(tmp_path / "step-00000002.safetensors")


def test_the_newest_readable_one_is_taken(tmp_path):
    assert newest_readable(tmp_path) == (None, [])
    for step in (1, 2, 3):
        path = save_checkpoint(tmp_path, _checkpoint(step), keep=3)
    path.write_bytes(b"")
    checkpoint, skipped = newest_readable(tmp_path)
    assert checkpoint is not None
    assert checkpoint.step == 2
    assert len(skipped) == 1


def test_metrics_are_lines_that_can_be_cut(tmp_path):
    log = MetricsLog(tmp_path)
    assert log.lines() == []
    for step in (1, 2, 3):
        log.append(step, "train", {"loss": 1 / step, "bad": float("nan")}, seconds=0.5)
    with log.path.open("a") as file:
        file.write('{"step": 4, "spl')
    assert len(log.lines()) == 3
    log.cut_after(2)
    whole = [json.loads(line) for line in log.path.read_text().splitlines()]
    first = {"step": 1, "split": "train", "seconds": 0.5, "train/loss": 1.0, "train/bad": None}
    assert whole[0] == first
    assert [line["step"] for line in whole] == [1, 2]
