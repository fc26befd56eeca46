"""The options that say how a scan is read and placed."""

from __future__ import annotations

import argparse

from srheart_demo.cli.errors import BadInput
from srheart_demo.conventions import Convention, parse_convention
from srheart_demo.placement import ByHand


def chosen_convention(options: argparse.Namespace) -> Convention | None:
    """What ``--labels`` says; None where it was not given.

    Raises:
        BadInput: it is no mapping.
    """
    if options.labels is None:
        return None
    try:
        return parse_convention(options.labels)
    except ValueError as error:
        raise BadInput(f"--labels: {error}.") from error


def chosen_by_hand(options: argparse.Namespace) -> ByHand:
    """What ``--turn``, ``--flip`` and ``--mirror`` say."""
    return ByHand(options.turn, options.flip, options.mirror)
