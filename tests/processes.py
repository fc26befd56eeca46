"""Programs that tests start, and waiting for what they do."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 300
"""For what takes seconds on a quiet machine: a fault should end a test, a busy machine not."""


def wait_until(holds: Callable[[], object], why: Callable[[], str] = str) -> None:
    """Return as soon as something holds.

    Args:
        holds: asked again and again.
        why: says what is known, if it never does.
    """
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"waited {PATIENCE_S} s: {why()}"
        time.sleep(0.02)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_foreground(*arguments: str, **kwargs: Any) -> subprocess.Popen[str]:
    """Python with these arguments, which Ctrl-C reaches also where it does not reach the tests.

    A shell has its background jobs ignore SIGINT, and so do all that they start.
    """
    return subprocess.Popen(
        [sys.executable, *arguments], preexec_fn=_obey_ctrl_c, text=True, **kwargs
    )


def _obey_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
