"""Everything that a session has computed: runs, where they parted, and what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

from srheart_demo.solver.algorithm import Change, Step
from srheart_demo.solver.settings import Settings

MOST = 3
"""Runs kept side by side; more lines cannot be told apart."""


@dataclass(eq=False)
class Run:
    """One run of Algorithm 1.

    Attributes:
        steps: all of them, from the start.
        changes: those made by hand, with the iteration after which each was made.
        parted: iteration at which it left an earlier run, or 0.
        colour: a number from 0, to tell it from the others.
    """

    steps: list[Step]
    changes: list[tuple[int, Change]] = field(default_factory=list)
    parted: int = 0
    colour: int = 0

    @property
    def settings(self) -> Settings:
        """Those at iteration 0."""
        return self.steps[0].state.settings

    def fork(self, at: int, colour: int) -> Run:
        """A run that has all of this one's past up to `at`."""
        past = [(i, change) for i, change in self.changes if i < at]
        return Run(self.steps[: at + 1], past, at, colour)


class History:
    """Up to `MOST` runs, of which one is active, and the iteration that is looked at.

    Attributes:
        runs: oldest first.
        active: the run that is looked at and goes on.
        at: index of the step that is looked at.
    """

    def __init__(self, *runs: Run) -> None:
        self.runs = [*runs]
        self.active, self.at = self.runs[0], 0

    @property
    def step(self) -> Step:
        """What is looked at."""
        return self.active.steps[self.at]

    @property
    def last(self) -> int:
        """Index of the active run's last step."""
        return len(self.active.steps) - 1

    @property
    def at_end(self) -> bool:
        """Whether what is looked at is the last step so far."""
        return self.at == self.last

    @property
    def path(self) -> list[Step]:
        """The active run up to what is looked at."""
        return self.active.steps[: self.at + 1]

    def start(self, step: Step) -> None:
        """Begin another run beside the others; one that never moved gives way to it."""
        if not self.last:
            self.runs.remove(self.active)
        self._add(Run([step], colour=self._free_colour()))

    def fork(self) -> None:
        """Begin another run at the step that is looked at."""
        self._add(self.active.fork(self.at, self._free_colour()))

    def append(self, step: Step, change: Change | None) -> None:
        """The active run's next step, after a change or without."""
        if change is not None:
            self.active.changes.append((self.at, change))
        self.active.steps.append(step)
        self.at = self.last

    def look(self, at: int) -> None:
        """Look at another step of the active run."""
        self.at = min(max(at, 0), self.last)

    def choose(self, index: int) -> None:
        """Look at the end of another run."""
        self.active = self.runs[index]
        self.at = self.last

    def _free_colour(self) -> int:
        used = {run.colour for run in self._kept()}
        return min(set(range(MOST)) - used)

    def _kept(self) -> list[Run]:
        """The runs that stay when one is added: the oldest gives way, but not the active one."""
        if len(self.runs) < MOST:
            return self.runs
        oldest = next(run for run in self.runs if run is not self.active)
        return [run for run in self.runs if run is not oldest]

    def _add(self, run: Run) -> None:
        self.runs = [*self._kept(), run]
        self.active, self.at = run, len(run.steps) - 1
