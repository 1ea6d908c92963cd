"""The command line: every verb is a thin layer over a public function.

Exit status: 0; 2 for bad input; 1 when something asked for could not be done. An error is one
message; ``--debug`` shows where it came from.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from .commands import GROUPS, VERBS
from .console import ERR

BAD_INPUT = (ValueError, TypeError, FileNotFoundError, FileExistsError, NotADirectoryError)
COULD_NOT = (RuntimeError, OSError, MemoryError, ImportError)
DESCRIPTION = (
    "Render stereo egocentric video from neural radiance fields, learn from it by slowness and "
    "prediction, and measure how human the result sees."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _heed_threads()
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        _dispatch(words)
    except SystemExit as leave:
        return leave.code if isinstance(leave.code, int) else int(leave.code is not None)
    except KeyboardInterrupt:
        ERR.print("interrupted; the same command goes on where it stopped")
        return 130
    except (*BAD_INPUT, *COULD_NOT) as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            return 1
        if debug:
            traceback.print_exc()
        ERR.print(f"[bold red]error:[/] {_escaped(error)}")
        return 2 if isinstance(error, BAD_INPUT) else 1
    return 0


def _dispatch(words: list[str]) -> None:
    import tyro

    if words[:1] == ["--version"]:
        from . import __version__

        ERR.print(f"merkwelt {__version__}")
        return
    commands: dict[str, Callable[..., None]] = dict(VERBS)
    prog, description = "merkwelt", DESCRIPTION
    if words and words[0] in GROUPS:
        prog = f"merkwelt {words[0]}"
        group = GROUPS[words.pop(0)]
        commands, description = dict(group.commands), group.summary
    else:
        commands |= {name: _group_entry(group.summary) for name, group in GROUPS.items()}
    tyro.extras.subcommand_cli_from_dict(
        commands, prog=prog, description=description, args=words, sort_subcommands=False
    )


def _group_entry(summary: str) -> Callable[[], None]:
    def entry() -> None: ...

    entry.__doc__ = summary
    return entry


def _heed_threads() -> None:
    """Let compiled kernels use no more threads than ``OMP_NUM_THREADS`` says.

    numba does not know it: it starts a thread on every core, and torch then uses as many.
    """
    if os.environ.get("OMP_NUM_THREADS"):
        import torch

        from .streams.crew import limit_threads

        limit_threads(torch.get_num_threads())


def _nobody_reads() -> bool:
    """Return whether the output's reader has gone, as ``head`` goes; what is left is dropped."""
    try:
        print(flush=True)  # noqa: T201 - an error may have come from another pipe, as a worker's
    except BrokenPipeError:
        # Python flushes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _escaped(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.replace("[", r"\[")
