"""Everything that a session has computed: runs, where they parted, and what is looked at."""

from dataclasses import dataclass, field, replace

from srheart_demo.heart.generator import load_generator
from srheart_demo.solver.algorithm import Change, Step
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import Settings, title

MOST = 3  # Runs kept side by side; more lines cannot be told apart


@dataclass(eq=False)
class Run:
    """One run of Algorithm 1."""

    problem: Problem  # what it solves, with the generator that must explain it
    steps: list[Step]  # all of them, from the start
    # those made by hand, with the iteration after which each was made
    changes: list[tuple[int, Change]] = field(default_factory=list)
    parted: int = 0  # iteration at which it left an earlier run, or 0
    colour: int = 0  # a number from 0, to tell it from the others

    @property
    def settings(self) -> Settings:
        """Those at iteration 0."""
        return self.steps[0].state.settings

    @property
    def name(self) -> str:
        """What it is called at its end."""
        return called(self.steps[-1].state.settings, self.problem.G)


def generator_name(G: Generator) -> str:
    """What a shipped generator is called; of any other, its kind."""
    return str(getattr(G, "name", type(G).__name__))


def called(settings: Settings, G: Generator) -> str:
    """What a run is called: its settings, and its generator where that is not the usual one."""
    usual = G is load_generator()
    return title(settings) + ("" if usual else f" on {generator_name(G)}")


class History:
    """Up to `MOST` runs, of which one is active, and the iteration that is looked at."""

    def __init__(self, *runs: Run) -> None:
        self.runs = [*runs]  # oldest first
        self.active = self.runs[0]  # the run that is looked at and goes on
        self.at = 0  # index of the step that is looked at

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

    def start(self, run: Run) -> None:
        """Begin another run beside the others; one that never moved gives way to it."""
        if not self.last:
            self.runs.remove(self.active)
        self._add(run)

    def fork(self) -> None:
        """Begin another run at the step that is looked at."""
        changes = [(i, change) for i, change in self.active.changes if i < self.at]
        self._add(replace(self.active, steps=self.path, changes=changes, parted=self.at))

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
        """Look at the end of another run, if there is one of that number."""
        if index < len(self.runs):
            self.active = self.runs[index]
            self.at = self.last

    def _add(self, run: Run) -> None:
        """Where there are too many, the oldest gives way, but not the active one."""
        if len(self.runs) == MOST:
            self.runs.remove(next(old for old in self.runs if old is not self.active))
        run.colour = min({*range(MOST)} - {kept.colour for kept in self.runs})
        self.runs.append(run)
        self.active, self.at = run, len(run.steps) - 1
