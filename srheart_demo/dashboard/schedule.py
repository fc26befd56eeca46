"""When to renew which part of the page, so that showing a run does not slow it down."""

from __future__ import annotations

import time

INTERVALS = {"frame": 0.05, "cuts": 0.05, "heart": 0.2, "scores": 1.0}
"""Least seconds between two updates of the curves, the slices, the 3-D view and the scores in a
run."""
SHARES = {"frame": 0.06, "cuts": 0.4, "heart": 0.08, "scores": 0.03}
"""Largest part of a run's time for which a thread beside the solver's may prepare each of them.
Slices more often (0.5) cost more iterations, and slowed the curves too, where the browser draws on
the same two cores."""


class Schedule:
    """What on the page is out of date, and whether its turn has come. For one thread only."""

    def __init__(self) -> None:
        self.stale: set[str] = set()
        self._urgent: set[str] = set()
        self._renewed = dict.fromkeys(INTERVALS, 0.0)
        self._cost = dict.fromkeys(INTERVALS, 0.0)

    def everything(self) -> None:
        """All is out of date."""
        self.stale |= set(INTERVALS)

    def at_once(self, *parts: str) -> None:
        """These are out of date, and somebody waits for them."""
        self.stale |= {*parts}
        self._urgent |= {*parts}

    def take(self, hurry: bool) -> list[str]:
        """What is due, and no longer out of date; in a hurry, whatever it costs the run."""
        due = [part for part in INTERVALS if part in self.stale and self._due(part, hurry)]
        self.stale.difference_update(due)
        self._urgent.difference_update(due)
        return due

    def _due(self, part: str, hurry: bool) -> bool:
        wait = max(INTERVALS[part], self._cost[part] / SHARES[part])
        return hurry or part in self._urgent or time.monotonic() - self._renewed[part] >= wait

    def renewed(self, part: str, cost: float) -> None:
        """`part` took `cost` seconds to prepare."""
        self._renewed[part], self._cost[part] = time.monotonic(), cost
