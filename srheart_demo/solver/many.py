"""Many subjects in one call.

A decoder that takes several hearts at once is no faster per core than one that takes them in turn,
so subjects are solved one by one, in as many processes as asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from typing import Any

from srheart_demo.solver.algorithm import Step, solve
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.workers import in_processes

Outcome = Step | Exception
"""The last step of a subject's run, or why there is none."""


def solve_all(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int = 1,
    watch: Callable[[int, Outcome], None] | None = None,
) -> list[Outcome]:
    """Solve N subjects; each outcome is exactly that of `algorithm.solve`.

    A subject that fails leaves its exception in its place, and the others go on.

    Args:
        problems: the subjects; for several processes, of generators that can be pickled.
        settings: how to run each.
        processes: how many at a time; 1 solves here. For more, see `workers.in_processes`.
        watch: told index and outcome of each subject as it ends, in whatever order they end.

    Returns:
        The outcomes, in the order of the problems.

    Raises:
        ValueError: fewer than one process.
    """
    if processes < 1:
        raise ValueError(f"subjects are solved in one process or more, not in {processes}")
    # Generators are large, so they cross once per process; a scan goes without.
    generators = {id(p.G): p.G for p in problems}
    scans = [(id(p.G), p.stack, p.S_LR, p.plane, p.S_LA) for p in problems]
    work = partial(_solve, generators, settings)
    here = ((i, _attempt(work, scan)) for i, scan in enumerate(scans))
    outcomes: dict[int, Outcome] = {}
    with closing(here if processes == 1 else in_processes(work, scans, processes)) as ends:
        for i, outcome in ends:
            outcomes[i] = outcome
            if watch:
                watch(i, outcome)
    return [outcomes[i] for i in range(len(problems))]


def _attempt(work: Callable[[Any], Step], scan: Any) -> Outcome:
    try:
        return work(scan)
    except Exception as error:
        return error


def _solve(generators: Mapping[int, Generator], settings: Settings, scan: Any) -> Step:
    number, *seen = scan
    return solve(Problem(generators[number], *seen), settings)
