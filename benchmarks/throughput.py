"""Hearts per minute and core: ``python -m benchmarks.throughput [--hearts N] [--processes P]``.

Synthetic hearts under normal motion, 13 slices of 128 × 128 cropped to the heart, solved to the end
by `solve_all`, in one process and in P, each on one torch thread. Starting processes is counted, so
give them hearts enough; what `answer` takes beside is told apart.
"""

import argparse
import platform
import time

import torch

from srheart_demo.heart import phantom
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.population import SEEDS, draw
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion, Stack, simulate_stack
from srheart_demo.solver.algorithm import Step, solve_all
from srheart_demo.solver.answer import answer
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings

FIRST_SEED = SEEDS["samples"].start
"""Hearts of this seed and above were never trained on."""


def problem(seed: int) -> Problem:
    """A heart of the population that the generator learned, scanned under normal motion."""
    stack = Stack.from_hr()
    d = Motion.draw(stack.K, seed).displacement(MOTION_LEVELS["normal"])
    S_HR = phantom.label_maps(draw(1, seed, "everyone"))[0]
    S_LR = torch.as_tensor(simulate_stack(S_HR, stack, d)).long()
    return Problem(load_generator(), stack, S_LR).crop()


def solved(problems: list[Problem], settings: Settings, processes: int) -> tuple[list[Step], float]:
    """The ends of all runs, and the seconds that they took together; a run that failed raises."""
    began = time.perf_counter()
    outcomes = solve_all(problems, settings, processes)
    seconds = time.perf_counter() - began
    ends = []
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
        ends.append(outcome)
    return ends, seconds


def main() -> None:
    """Print a Markdown table, a line for each preset and number of processes."""
    parser = argparse.ArgumentParser(prog="benchmarks.throughput", description=__doc__)
    parser.add_argument("--hearts", type=int, default=20, help="(default: 20)")
    parser.add_argument("--processes", type=int, default=2, help="(default: 2)")
    options = parser.parse_args()
    problems = [problem(FIRST_SEED + i) for i in range(options.hearts)]
    solve_all(problems[:1], INTERACTIVE)  # The first run warms up.

    print(f"PyTorch {torch.__version__}, {platform.machine()}, {options.hearts} hearts\n")
    print("| preset | processes | hearts a minute | a minute and core | iterations a heart |")
    print("|---|---:|---:|---:|---:|")
    for settings in (INTERACTIVE, RECOMMENDED):
        for processes in sorted({1, options.processes}):
            ends, seconds = solved(problems, settings, processes)
            rate = 60 * len(ends) / seconds
            iterations = sum(end.iteration for end in ends) / len(ends)
            print(
                f"| {settings.name} | {processes} | {rate:.1f} | {rate / processes:.1f} |"
                f" {iterations:.0f} |",
                flush=True,
            )

    began = time.perf_counter()
    for end, p in zip(ends, problems, strict=True):
        answer(end, p)
    spent = (time.perf_counter() - began) / len(ends)
    print(f"\n`answer`, the residual with it, takes {1e3 * spent:.0f} ms a heart more.")


if __name__ == "__main__":
    main()
