"""The command line as a process among others: pipes that close, cores that are shared."""

import os
import subprocess
import sys

from merkwelt.cli import main


def test_a_reader_that_leaves_is_no_error(repository):
    words = [sys.executable, "-m", "merkwelt", "experiment", "stream", "--help"]
    reads, writes = os.pipe()
    os.close(reads)  # before anything is told
    told = subprocess.run(words, stdout=writes, stderr=subprocess.PIPE, cwd=repository, timeout=60)
    os.close(writes)
    assert (told.returncode, told.stderr) == (1, b"")


KERNEL = """
import numba, torch
from merkwelt.cli import main
@numba.njit(parallel=True)
def kernel(out):
    for i in numba.prange(len(out)):
        out[i] = i
main(["--version"])
kernel(torch.zeros(9).numpy())
print(numba.get_num_threads(), torch.get_num_threads())
"""


def test_compiled_kernels_heed_the_number_of_threads(repository):
    """Without a limit numba's kernels leave torch with as many threads as there are cores."""
    told = subprocess.run(
        [sys.executable, "-c", KERNEL],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["1", "1"]


def test_another_pipe_that_breaks_is_an_error(monkeypatch, capsys):
    def broken(words):
        raise BrokenPipeError("a worker has gone")

    monkeypatch.setattr("merkwelt.cli._dispatch", broken)
    assert main(["train"]) == 1
    assert "error: a worker has gone" in capsys.readouterr().err
