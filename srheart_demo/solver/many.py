"""Many subjects in one call.

A decoder that takes several hearts at once is no faster per core than one that takes them in turn,
so subjects are solved one by one, in as many processes as asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial

from torch import Tensor

from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.algorithm import Step, solve
from srheart_demo.solver.problem import Generator, Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.workers import Ends, in_processes

Outcome = Step | Exception
"""The last step of a subject's run, or why there is none."""
Scan = tuple[int, Stack, Tensor, Plane | None, Tensor | None]
"""A problem with a number in place of its generator."""


def solve_all(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int = 1,
    watch: Callable[[int, Outcome], None] | None = None,
) -> list[Outcome]:
    """Solve N subjects; each outcome is exactly that of `optimise.solve`.

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
    solve_each = _here if processes == 1 else partial(_in_processes, processes=processes)
    outcomes: dict[int, Outcome] = {}
    with closing(solve_each(problems, settings)) as ends:
        for i, outcome in ends:
            outcomes[i] = outcome
            if watch:
                watch(i, outcome)
    return [outcomes[i] for i in range(len(problems))]


def _here(problems: Sequence[Problem], settings: Settings) -> Ends[Step]:
    for i, p in enumerate(problems):
        try:
            yield i, solve(p, settings)
        except Exception as error:
            yield i, error


def _in_processes(problems: Sequence[Problem], settings: Settings, processes: int) -> Ends[Step]:
    # Generators are large, so they cross once per process; a scan goes without.
    generators = {id(p.G): p.G for p in problems}
    scans = [(id(p.G), p.stack, p.S_LR, p.plane, p.S_LA) for p in problems]
    return in_processes(partial(_solve, generators, settings), scans, processes)


def _solve(generators: Mapping[int, Generator], settings: Settings, scan: Scan) -> Step:
    number, stack, S_LR, plane, S_LA = scan
    return solve(Problem(generators[number], stack, S_LR, plane, S_LA), settings)
