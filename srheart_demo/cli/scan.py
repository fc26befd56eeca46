"""The options that say how a scan is read and placed."""

from __future__ import annotations

import argparse

from srheart_demo.cli.errors import BadInput
from srheart_demo.scan.labels import Convention, parse_convention
from srheart_demo.scan.placement import AUTOMATIC, ByHand
from srheart_demo.scan.read import HowToRead
from srheart_demo.scan.volume import InvalidVolume

REMEDIES = {
    "frame": "--frame N",
    "view_frame": "--view-frame N",
    "labels": "--labels LV=... MYO=... RV=...",
    "view_labels": "--view-labels LV=... MYO=... RV=...",
    "slice_axis": "--slice-axis N",
    "spacing": "--trust-spacing",
}
"""What would help (`InvalidVolume.remedy`) → the option for it, where a command has it."""


def chosen_convention(options: argparse.Namespace, of: str = "labels") -> Convention | None:
    """What ``--labels`` says, or ``--view-labels``; None where it was not given.

    Raises:
        BadInput: it is no mapping.
    """
    words = getattr(options, of)
    if words is None:
        return None
    try:
        return parse_convention(words)
    except ValueError as error:
        raise BadInput(f"--{of.replace('_', '-')}: {error}.") from error


def chosen_reading(options: argparse.Namespace) -> HowToRead:
    """What the options say of how files are read; a cohort has fewer of them."""
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


def refusal(error: InvalidVolume, options: argparse.Namespace) -> str:
    """Why a file cannot be used, with the option of this command that would help."""
    option = REMEDIES.get(error.remedy, "")
    known = option and hasattr(options, option.split()[0].removeprefix("--").replace("-", "_"))
    return f"{str(error).removesuffix('.')} ({option})." if known else str(error)
