"""The command line: ``srheart sample``, ``degrade``, ``enhance``, ``cohort`` and more.

Exit status 0: done; 1: a check found something out of its tolerance, or a scan of a cohort failed;
2: the input, or this installation, cannot be used, one line on stderr says why; 130: stopped by
Ctrl-C, or by whoever ends programs. What commands there are, their options, and when each ends with
1, stands in commands.toml. Each is a module of its name with `run`, imported when it is called, so
``srheart --help`` is immediate.
"""

import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib import import_module

from srheart_demo.cli.commands import parser
from srheart_demo.cli.errors import STOPPED
from srheart_demo.files import Unusable

__all__ = ["main", "parser"]

MANY_THREADS = ("train",)  # Commands that run on as many threads as torch finds
SERVERS = ("explore",)  # Those that know themselves how to end
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    _speak_anyhow()
    top = parser()
    options, others = top.parse_known_args(arguments)
    if others and not hasattr(options, "passed_on"):
        hint = "; give --long-axis before each view" * hasattr(options, "long_axis")
        top.prog = f"srheart {options.command}"
        top.error(f"unrecognized arguments: {' '.join(others)}{hint}")
    options.passed_on = others
    try:
        from srheart_demo.machine import one_thread

        command = import_module(f"srheart_demo.cli.{options.command}")
        try:
            with (
                nullcontext() if options.command in SERVERS else _ended_as_by_ctrl_c(),
                nullcontext() if options.command in MANY_THREADS else one_thread(),
            ):
                command.run(options)
        except BrokenPipeError:  # whoever read the answer has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (Unusable, OSError) as error:
            from srheart_demo.cli.chosen import refusal

            why = refusal(error, options) if isinstance(error, Unusable) else error
            print(f"srheart {options.command}: {why}", file=sys.stderr)
            return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped; no half-written file is left.", file=sys.stderr)
        return STOPPED
    return 0


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """A scheduler that ends a command, or a terminal that closes, leaves nothing half-written."""
    ends = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    here = threading.current_thread() is threading.main_thread()
    taken = [end for end in ends if here and signal.getsignal(end) == signal.SIG_DFL]
    for end in taken:
        signal.signal(end, signal.default_int_handler)
    try:
        yield
    finally:
        for end in taken:
            signal.signal(end, signal.SIG_DFL)


def _speak_anyhow() -> None:
    """No command fails for want of a sign that a terminal lacks, or of a terminal."""
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
