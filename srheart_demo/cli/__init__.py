"""The command line: ``srheart sample``, ``degrade``, ``enhance``, ``cohort`` and more.

Exit status 0: done; 1: a check found something out of its tolerance, or a scan of a cohort failed;
2: the input, or this installation, cannot be used, one line on stderr says why; 130: stopped by
Ctrl-C. What commands there are, and their options, stands in commands.toml. Each is a module of its
name with `run`, imported when it is called, so ``srheart --help`` is immediate.
"""

import io
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module

from srheart_demo.cli.commands import parser
from srheart_demo.cli.errors import STOPPED
from srheart_demo.files import Unusable

__all__ = ["main", "parser"]

MANY_THREADS = ("train",)  # Commands that run on as many threads as torch finds
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    _speak_anyhow()
    top = parser()
    options, others = top.parse_known_args(arguments)
    if others and not hasattr(options, "passed_on"):
        top.error(f"unrecognized arguments: {' '.join(others)}")
    options.passed_on = others
    try:
        from srheart_demo.machine import one_thread

        command = import_module(f"srheart_demo.cli.{options.command}")
        try:
            with nullcontext() if options.command in MANY_THREADS else one_thread():
                command.run(options)
        except (Unusable, OSError) as error:
            from srheart_demo.cli.chosen import refusal

            why = refusal(error, options) if isinstance(error, Unusable) else error
            print(f"srheart {options.command}: {why}", file=sys.stderr)
            return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped; no half-written file is left.", file=sys.stderr)
        return STOPPED
    return 0


def _speak_anyhow() -> None:
    """No command fails for want of a sign that a terminal lacks, or of a terminal."""
    if sys.stderr is None:
        sys.stderr = io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
