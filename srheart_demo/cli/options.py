"""Options that several commands share, and what they choose; help needs no heavy import."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from srheart_demo.cli.errors import BadInput

if TYPE_CHECKING:
    from srheart_demo.heart.generator import HeartGenerator
    from srheart_demo.scan.labels import Convention
    from srheart_demo.scan.read import HowToRead
    from srheart_demo.scan.volume import InvalidVolume
    from srheart_demo.solver.settings import Settings

Number = TypeVar("Number", int, float)

REMEDIES = {
    "frame": "--frame N",
    "view_frame": "--view-frame N",
    "labels": "--labels LV=... MYO=... RV=...",
    "view_labels": "--view-labels LV=... MYO=... RV=...",
    "slice_axis": "--slice-axis N",
    "spacing": "--trust-spacing",
}
"""What would help (`InvalidVolume.remedy`) → the option for it, where a command has it."""


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


whole = _number(int, "a whole number, 0 or more", lambda n: n >= 0)
positive = _number(int, "a whole number, 1 or more", lambda n: n >= 1)
several = _number(int, "a whole number, 2 or more", lambda n: n >= 2)
weight = _number(float, "a number, 0 or more", lambda x: 0 <= x < math.inf)
degrees = _number(float, "an angle, -360 to 360", lambda x: -360 <= x <= 360)
probability = _number(float, "a number between 0 and 1", lambda x: 0 <= x <= 1)


def option(
    command: argparse._ActionsContainer,
    name: str,
    what: str,
    kind: Callable[[str], object] | None = None,
    usual: object = None,
    **more: Any,
) -> None:
    """Add an option or an argument to a command.

    Args:
        command: or a group of it.
        name: with a word for its value behind, such as ``--frame N``; one without is a switch,
            if neither `kind` nor choices say otherwise.
        what: its help, to which the default is added.
        kind: reads its value.
        usual: its default, if help is to say so.
        more: as argparse has it.
    """
    flags, _, value = name.partition(" ")
    if usual is not None:
        what += f" (default: {usual:g})" if isinstance(usual, float) else f" (default: {usual})"
        more["default"] = usual
    if value:
        more["metavar"] = value
    if kind:
        more["type"] = kind
    if not (value or kind or "choices" in more):
        more["action"] = "store_true"
    command.add_argument(*flags.split(","), help=what, **more)


_MEANING = "what the values{} mean, such as LV=1 MYO=2 RV=3 (default: recognised)"
SHARED: Mapping[str, Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "output": {"-o,--output OUT": ("folder for the results", {"kind": Path, "required": True})},
    "view": {"--long-axis LA.nii.gz": ("LA label map of the same scan", {"kind": Path})},
    "frame": {"--frame N": ("which frame of a file with several, from 0", {"kind": whole})},
    "labels": {
        "--labels TISSUE=VALUE": (_MEANING.format(""), {"nargs": 3}),
        "--view-labels TISSUE=VALUE": (_MEANING.format(" of the long-axis view"), {"nargs": 3}),
    },
    "view's frame": {
        "--view-frame N": (
            "which frame of the long-axis view, from 0 (default: that of the stack); with --frames "
            "all and a view of one frame, the frame of the stack that it shows",
            {"kind": whole},
        )
    },
    "stack": {
        "--slice-axis": (
            "which axis of the stack's array runs across its slices (default: found)",
            {"kind": int, "choices": (0, 1, 2)},
        ),
        "--unlabelled": (
            "slices without labels beyond the labelled ones: the heart ends there (empty), nobody "
            "looked (unknown), or what the labelled ones tell (auto, the default)",
            {"choices": ("auto", "empty", "unknown"), "default": "auto"},
        ),
        "--trust-spacing": ("the spacing is right, although no heart is so long or so short", {}),
    },
    "place": {
        "--turn DEGREES": (
            "turn the heart in-plane by so much more than its placement does",
            {"kind": degrees, "default": 0.0},
        ),
        "--flip": ("take the other end of the stack for the apex", {}),
        "--mirror": ("read the columns of the slices the other way", {}),
    },
    "no check": {
        "--no-check": ("do not ask whether the heart is to be trusted: saves some 2 s a scan", {})
    },
    "generator": {
        "--generator NAME": (
            "what must explain the scan: a shipped generator's name, or a file of weights",
            {"usual": "traits"},
        )
    },
    "preset": {"--preset NAME": ("settings", {"usual": "recommended"})},
    "solver": {
        "--gamma G": ("weight of the long-axis loss (default: preset)", {"kind": weight}),
        "--start": ("where z starts (default: preset)", {"choices": ("zero", "random", "encoder")}),
        "--seed N": ("of a random start", {"kind": whole}),
        "--no-residual": ("give G(z) alone, without what the slices show beyond it", {}),
    },
}
"""Options of several commands by groups: name → help, and how else `option` adds it."""
READING = ("labels", "view's frame", "stack", "place")


def shared(command: argparse._ActionsContainer, *groups: str) -> None:
    """Add groups of the shared options to a command."""
    for name, (what, more) in (item for group in groups for item in SHARED[group].items()):
        option(command, name, what, **more)


def chosen_generator(name: str) -> HeartGenerator:
    """The generator of ``--generator``: shipped, or of a file of weights.

    Raises:
        BadInput: an unknown name, with the known ones, or a file that holds no generator.
    """
    from safetensors import SafetensorError

    from srheart_demo.files import Damaged
    from srheart_demo.heart.generator import load_generator, weights_file

    try:
        return load_generator(name)
    except Damaged:
        raise
    except (KeyError, ValueError, RuntimeError, SafetensorError) as error:
        weights = weights_file(name)
        if not weights.is_file():
            raise BadInput(f"--generator: {error.args[0]}.") from error
        raise BadInput(
            f"{weights}: this holds no generator ({error}); give weights of srheart train."
        ) from error


def chosen_preset(options: argparse.Namespace) -> Settings:
    """The settings of ``--preset``.

    Raises:
        BadInput: an unknown name.
    """
    from srheart_demo.solver.settings import preset

    try:
        return preset(options.preset)
    except KeyError as error:
        raise BadInput(f"--preset: {error.args[0]}.") from error


def chosen_settings(options: argparse.Namespace) -> Settings:
    """The preset, with what the options beside it change in it.

    Raises:
        BadInput: an unknown preset, or a seed for a start that is not random.
    """
    from dataclasses import replace  # Help would wait for it.

    settings = chosen_preset(options)
    given = {name: getattr(options, name) for name in ("gamma", "start", "seed")}
    settings = replace(settings, **{name: x for name, x in given.items() if x is not None})
    if options.seed is not None and settings.start != "random":
        raise BadInput("--seed: only a random start needs one; add --start random.")
    return replace(settings, residual=False) if options.no_residual else settings


def chosen_reading(options: argparse.Namespace) -> HowToRead:
    """What the options say of how files are read; a cohort has fewer of them."""
    from srheart_demo.scan.placement import AUTOMATIC, ByHand
    from srheart_demo.scan.read import HowToRead

    corrected = hasattr(options, "turn")
    return HowToRead(
        convention=chosen_convention(options),
        view_convention=chosen_convention(options, "view_labels"),
        frame=getattr(options, "frame", None),
        view_frame=getattr(options, "view_frame", None),
        slice_axis=options.slice_axis,
        by_hand=ByHand(options.turn, options.flip, options.mirror) if corrected else AUTOMATIC,
        unlabelled=options.unlabelled,
        sure=options.trust_spacing,
    )


def chosen_convention(options: argparse.Namespace, of: str = "labels") -> Convention | None:
    """What ``--labels`` says, or ``--view-labels``; None where it was not given.

    Raises:
        BadInput: it is no mapping.
    """
    from srheart_demo.scan.labels import parse_convention

    words = getattr(options, of)
    if words is None:
        return None
    try:
        return parse_convention(words)
    except ValueError as error:
        raise BadInput(f"--{of.replace('_', '-')}: {error}.") from error


def refusal(error: InvalidVolume, options: argparse.Namespace) -> str:
    """Why a file cannot be used, with the option of this command that would help."""
    option = REMEDIES.get(error.remedy, "")
    known = option and hasattr(options, option.split()[0].removeprefix("--").replace("-", "_"))
    return f"{str(error).removesuffix('.')} ({option})." if known else str(error)
