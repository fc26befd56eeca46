"""Commands as a terminal's foreground runs them."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any


def in_foreground(*arguments: str, **kwargs: Any) -> subprocess.Popen[str]:
    """Python with these arguments, which Ctrl-C reaches also where it does not reach the tests.

    A shell has its background jobs ignore SIGINT, and so do all that they start.
    """
    return subprocess.Popen(
        [sys.executable, *arguments], preexec_fn=_obey_ctrl_c, text=True, **kwargs
    )


def _obey_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
