"""The commands and their options, from commands.toml; help needs no heavy import."""

import argparse
import math
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from srheart_demo.files import read_toml

Number = TypeVar("Number", int, float)
Entry = Mapping[str, Any]

COMMANDS: dict[str, dict[str, Any]] = read_toml(__file__, "commands.toml")
SHARED, DESCRIPTION = COMMANDS.pop("shared"), COMMANDS.pop("srheart")["description"]


def _number(
    kind: type[Number], wanted: str, accept: Callable[[Number], bool]
) -> Callable[[str], Number]:
    """Reads an option's value, or says what is wanted."""

    def read(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        if value is None or not accept(value):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return read


weight = _number(float, "a number, 0 or more", lambda x: 0 <= x < math.inf)
KINDS: Mapping[str, Callable[[str], Any]] = {
    "path": Path,
    "integer": int,
    "whole": _number(int, "a whole number, 0 to 2³¹ − 1", lambda n: 0 <= n < 2**31),
    "positive": _number(int, "a whole number, 1 or more", lambda n: n >= 1),
    "weight": weight,
    "degrees": _number(float, "an angle, -360 to 360", lambda x: -360 <= x <= 360),
    "probability": _number(float, "a number between 0 and 1", lambda x: 0 <= x <= 1),
}
"""What the value of an option must be."""


def parser() -> argparse.ArgumentParser:
    """The parser of ``srheart``; `passed_on` takes what another program is to be told."""
    top = _Parser("srheart", description=DESCRIPTION)
    said = f"srheart {version('srheart-demo')}"
    top.add_argument("--version", action="version", version=said, help="show the version and exit")
    _add_commands(top, "command COMMAND", COMMANDS)
    return top


def _add_commands(parent: argparse.ArgumentParser, choose: str, entries: Entry) -> None:
    dest, metavar = choose.split()
    commands = parent.add_subparsers(dest=dest, metavar=metavar, required=True)
    for name, entry in entries.items():
        description = entry["description"].strip()
        command = commands.add_parser(name, help=entry["help"], description=description)
        if entry.get("passes_on"):
            command.allow_abbrev = False
            command.set_defaults(passed_on=[])
        _add_options(command, entry.get("options", {}))
        if "commands" in entry:
            _add_commands(command, entry["choose"], entry["commands"])


def _add_options(command: argparse._ActionsContainer, options: Entry) -> None:
    groups: dict[str, argparse._ActionsContainer] = {"": command}
    for name, entry in options.items():
        how = {"help": entry} if isinstance(entry, str) else dict(entry)
        group = how.pop("one_of", "")
        if group not in groups:
            groups[group] = command.add_mutually_exclusive_group()
        if name in SHARED:
            _add_options(groups[group], SHARED[name])
        else:
            _add_option(groups[group], name, **how)


def _add_option(
    command: argparse._ActionsContainer,
    name: str,
    kind: str = "",
    usual: object = None,
    **more: Any,
) -> None:
    flags, _, value = name.partition(" ")
    more.setdefault("help", argparse.SUPPRESS)
    if usual is not None:
        more["default"] = usual
        said = f"{usual:g}" if isinstance(usual, float) else usual
        more["help"] += f" (default: {said})"
    if value:
        more["metavar"] = value
    if kind:
        more["type"] = KINDS[kind]
    if not (value or kind or "choices" in more):
        more["action"] = "store_true"
    command.add_argument(*flags.split(","), **more)


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without the usage block."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help.\n")
