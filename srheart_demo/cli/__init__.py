"""The command line: ``srheart sample``, ``degrade``, ``enhance``, ``cohort`` and more.

Exit status 0: done; 1: a check found something out of its tolerance, or a scan of a cohort failed;
2: the input, or this installation, cannot be used, one line on stderr says why; 130: stopped by
Ctrl-C. Only the command that runs is imported, so ``srheart --help`` is immediate.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module

from srheart_demo.cli.arguments import parse
from srheart_demo.cli.errors import BadInput
from srheart_demo.files import Damaged

__all__ = ["main"]

MANY_THREADS = ("train",)
"""Commands that run on as many threads as torch finds."""
BAD_INPUT = 2
STOPPED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parse(arguments)
    try:
        command = import_module(f"srheart_demo.cli.{options.command}")
        from srheart_demo.machine import one_thread
        from srheart_demo.scan.volume import InvalidVolume

        try:
            with nullcontext() if options.command in MANY_THREADS else one_thread():
                command.run(options)
        except (BadInput, Damaged) as error:
            print(f"srheart {options.command}: {error}", file=sys.stderr)
            return BAD_INPUT
        except InvalidVolume as error:
            from srheart_demo.cli.scan import refusal

            print(f"srheart {options.command}: {refusal(error, options)}", file=sys.stderr)
            return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped; no half-written file is left.", file=sys.stderr)
        return STOPPED
    return 0
