"""Many subjects in one call.

A decoder that takes several hearts at once is no faster per core than one that takes them in turn,
so subjects are solved one by one, in as many processes as asked for.
"""

import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

import torch

from srheart_demo.optimise import Step, solve
from srheart_demo.problem import Generator, Problem
from srheart_demo.settings import Settings

Outcome = Step | Exception
"""The last step of a subject's run, or why there is none."""


def solve_all(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int = 1,
    watch: Callable[[int, Outcome], None] | None = None,
) -> list[Outcome]:
    """Solve N subjects; each outcome is exactly that of `optimise.solve` on one torch thread.

    A subject that fails leaves its exception in its place, and the others go on. A process that
    dies, say for want of memory, ends the call: no later subject has more than its exception.

    Args:
        problems: the subjects; for several processes, of generators that can be pickled.
        settings: how to run each.
        processes: how many at a time, each on one torch thread; 1 solves here, on as many threads
            as torch has. A script that asks for more needs ``if __name__ == "__main__":``.
        watch: told index and outcome of each subject as it ends, in whatever order they end.

    Returns:
        The outcomes, in the order of the problems.

    Raises:
        ValueError: fewer than one process.
    """
    if processes < 1:
        raise ValueError(f"subjects are solved in one process or more, not in {processes}")
    outcomes: dict[int, Outcome] = {}

    def ended(i: int, outcome: Outcome) -> None:
        outcomes[i] = outcome
        if watch:
            watch(i, outcome)

    if processes == 1:
        for i, p in enumerate(problems):
            ended(i, _attempt(p, settings))
    else:
        _in_processes(problems, settings, processes, ended)
    return [outcomes[i] for i in range(len(problems))]


def _attempt(p: Problem, settings: Settings) -> Outcome:
    try:
        return solve(p, settings)
    except Exception as error:
        return error


def _in_processes(
    problems: Sequence[Problem],
    settings: Settings,
    processes: int,
    ended: Callable[[int, Outcome], None],
) -> None:
    # Tensors cross as plain bytes: torch's own way holds a file open for each as long as it lives.
    # Generators are large, so they cross once per process; a scan goes without.
    generators = pickle.dumps({id(p.G): p.G for p in problems})
    scans = [pickle.dumps((p.stack, p.S_LR, p.plane, p.S_LA)) for p in problems]
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _prepare, (generators,))
    try:
        index = {
            pool.submit(_solve, id(p.G), scan, settings): i
            for i, (p, scan) in enumerate(zip(problems, scans, strict=True))
        }
        for future in as_completed(index):
            ended(index[future], _outcome(future))
    finally:
        pool.shutdown(cancel_futures=True)


_generators: dict[int, Generator] = {}
"""Within a process of the pool: generators by their ids where they came from."""


def _prepare(generators: bytes) -> None:
    torch.set_num_threads(1)
    _generators.update(pickle.loads(generators))


def _solve(generator: int, scan: bytes, settings: Settings) -> bytes:
    return pickle.dumps(_attempt(Problem(_generators[generator], *pickle.loads(scan)), settings))


def _outcome(future: Future[bytes]) -> Outcome:
    """What a process sent, or why nothing came: it died, or its exception cannot be pickled."""
    try:
        outcome: Outcome = pickle.loads(future.result())
    except Exception as error:
        return error
    return outcome
