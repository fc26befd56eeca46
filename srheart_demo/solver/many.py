"""Many subjects in one call.

A decoder that takes several hearts at once is no faster per core than one that takes them in turn,
so subjects are solved one by one, in as many processes as asked for.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from srheart_demo.solver.algorithm import Step, solve
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.workers import in_processes

Outcome = Step | Exception  # The last step of a subject's run, or why there is none


def solve_all(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int = 1,
    watch: Callable[[int, Outcome], None] = lambda subject, outcome: None,
) -> list[Outcome]:
    """Solve N subjects; each outcome is exactly that of `algorithm.solve`.

    A subject that fails leaves its exception in its place, and the others go on. One process is
    this one; for more, see `workers.in_processes`. `watch` is told index and outcome of each
    subject as it ends, in whatever order they end.
    """
    if processes < 1:
        raise ValueError(f"subjects are solved in one process or more, not in {processes}")
    here = ((i, _attempt(p, settings)) for i, p in enumerate(problems))
    work = partial(_attempt, settings=settings)
    outcomes: dict[int, Outcome] = {}
    with closing(here if processes == 1 else in_processes(work, problems, processes)) as ends:
        for i, outcome in ends:
            outcomes[i] = outcome
            watch(i, outcome)
    return [outcomes[i] for i in range(len(problems))]


def _attempt(p: Problem, settings: Settings) -> Outcome:
    try:
        return solve(p, settings)
    except Exception as error:
        return error
