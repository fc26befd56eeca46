"""Progress with an estimate of the time left, in plain text on stderr."""

from __future__ import annotations

import math
import sys
import time
from typing import TextIO

TERMINAL_INTERVAL = 0.1
LOG_INTERVAL = 5.0


class Progress:
    """One line that renews itself on a terminal; elsewhere a new line every few seconds.

    Use as a context manager, so that the terminal's line is ended whatever happens.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.phase = ""
        self.width = 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_line()

    def update(self, phase: str, done: int, total: int, detail: str = "") -> None:
        """Show that `done` of `total` steps of a phase are through; the last is always shown."""
        now = time.monotonic()
        if phase != self.phase:
            self._end_line()
            self.phase, self.began, self.first, self.shown = phase, now, done, -math.inf
        terminal = self.stream.isatty()
        interval = TERMINAL_INTERVAL if terminal else LOG_INTERVAL
        if now - self.shown < interval and done < total:
            return
        self.shown = now
        line = self._line(done, total, now - self.began, detail)
        if terminal:
            self.stream.write("\r" + line.ljust(self.width))
            self.width = len(line)
        else:
            self.stream.write(line + "\n")
        self.stream.flush()

    def say(self, text: str) -> None:
        """Print a line of its own between those of progress."""
        self._end_line()
        self.stream.write(text + "\n")
        self.stream.flush()

    def _line(self, done: int, total: int, seconds: float, detail: str) -> str:
        parts = [f"{self.phase} {done}/{total}", detail, duration(seconds)]
        if self.first < done < total:
            parts.append(f"about {duration(seconds * (total - done) / (done - self.first))} left")
        return " · ".join(part for part in parts if part)

    def _end_line(self) -> None:
        if self.width:
            self.stream.write("\n")
        self.width = 0


def duration(seconds: float) -> str:
    """``7 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
