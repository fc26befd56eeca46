"""The command line: ``srheart sample``, ``degrade``, ``enhance``, ``cohort`` and more.

Exit status 0: done; 1: a check found something out of its tolerance, or a scan of a cohort failed;
2: the input, or this installation, cannot be used, one line on stderr says why; 130: stopped by
Ctrl-C. Each command is a module with its help, its options, and `run`, which alone imports what
computes, so ``srheart --help`` is immediate.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib.metadata import version
from typing import NoReturn

from srheart_demo.cli import (
    check,
    cohort,
    degrade,
    enhance,
    evaluate,
    experiment,
    explore,
    population,
    sample,
    train,
)
from srheart_demo.cli.errors import STOPPED, BadInput
from srheart_demo.cli.options import refusal
from srheart_demo.files import Damaged

__all__ = ["main", "parser"]

COMMANDS = {
    module.__name__.rpartition(".")[2]: module
    for module in (
        sample, degrade, enhance, cohort, check, train, evaluate, experiment, population, explore
    )
}  # fmt: skip
MANY_THREADS = (train,)
"""Commands that run on as many threads as torch finds."""
BAD_INPUT = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    top = parser()
    options, others = top.parse_known_args(arguments)
    if others and not hasattr(options, "passed_on"):
        top.error(f"unrecognized arguments: {' '.join(others)}")
    options.passed_on = others
    command = COMMANDS[options.command]
    try:
        from srheart_demo.machine import one_thread
        from srheart_demo.scan.volume import InvalidVolume

        try:
            with nullcontext() if command in MANY_THREADS else one_thread():
                command.run(options)
        except (BadInput, Damaged, InvalidVolume) as error:
            why = refusal(error, options) if isinstance(error, InvalidVolume) else error
            print(f"srheart {options.command}: {why}", file=sys.stderr)
            return BAD_INPUT
    except KeyboardInterrupt:
        print("\nStopped; no half-written file is left.", file=sys.stderr)
        return STOPPED
    return 0


def parser() -> argparse.ArgumentParser:
    """The parser of ``srheart``; `passed_on` takes what another program is to be told."""
    top = _Parser(
        prog="srheart",
        description="Joint motion correction and super-resolution of cardiac segmentations by "
        "latent optimisation (Wang et al., MICCAI 2021). Labels: 0 background, 1 LV, 2 MYO, 3 RV.",
    )
    top.add_argument("--version", action=_Version)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.DESCRIPTION)
        module.add_options(command)
    return top


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without the usage block."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")


class _Version(argparse.Action):
    """Looks the version up only when asked."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version and exit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        print(f"srheart {version('srheart-demo')}")
        parser.exit()
