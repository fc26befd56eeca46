"""Progress with an estimate of the time left, in plain text on stderr."""

import math
import sys
import time
from contextlib import AbstractContextManager
from typing import TextIO

TERMINAL_INTERVAL, LOG_INTERVAL = 0.1, 5.0  # Least time between two updates, s


class ProgressLine(AbstractContextManager["ProgressLine"]):
    """One line that renews itself on a terminal; elsewhere a new line every few seconds.

    Use as a context manager, so that the terminal's line is ended whatever happens.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.phase, self.width = "", 0

    def __exit__(self, *_: object) -> None:
        self._end_line()

    def update(self, phase: str, done: int, total: int, detail: str = "") -> None:
        """Show that `done` of `total` steps of a phase are through; the last is always shown."""
        now, terminal = time.monotonic(), self.stream.isatty()
        if phase != self.phase:
            self._end_line()
            self.phase, self.began, self.first, self.shown = phase, now, done, -math.inf
        if now - self.shown < (TERMINAL_INTERVAL if terminal else LOG_INTERVAL) and done < total:
            return
        self.shown = now
        seconds = now - self.began
        parts = [f"{phase} {done}/{total}", detail, duration(seconds)]
        if self.first < done < total:
            parts.append(f"about {duration(seconds * (total - done) / (done - self.first))} left")
        line = " · ".join(filter(None, parts))
        self._write(f"\r{line:{self.width}}" if terminal else f"{line}\n")
        self.width = len(line) if terminal else 0

    def say(self, text: str) -> None:
        """Print a line of its own between those of progress."""
        self._end_line()
        self._write(f"{text}\n")

    def _end_line(self) -> None:
        if self.width:
            self._write("\n")
        self.width = 0

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def duration(seconds: float) -> str:
    """``7 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    minutes, s = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {s:02d} s" if minutes else f"{s} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
