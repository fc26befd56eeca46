"""Projector mode, for pictures that a whole room can read: ``make lab PROJECTOR=1`` sets it."""

import os

VARIABLE = "SRHEART_PROJECTOR"
ENLARGEMENT = 1.35


def scale() -> float:
    """How many times larger text and lines of a picture are to be, the picture staying as large."""
    return ENLARGEMENT if os.environ.get(VARIABLE, "") not in ("", "0") else 1.0
