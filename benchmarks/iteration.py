"""Time of one iteration of latent optimisation, beside the reference method's.

Everything is timed in one run on one 13 × 128 × 128 stack, batch 1, in turns: each round runs a
few iterations of every contender, so what else the machine does hits all alike. Medians are
printed as a markdown table. Run with ``make bench`` or ``python -m benchmarks.iteration``.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

import torch

from benchmarks.reference import ReferenceLoop
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.phantom import nearest_labels, on_lattice
from srheart_demo.heart.population import draw
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion, Stack, simulate_stack
from srheart_demo.solver.algorithm import latent_optimisation
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import PRESETS, Settings

BASE = "reference, bilinear"
"""The contender that every ratio refers to: the method as the paper describes it."""

BLOCK = 10
"""Iterations of one contender in a row, as in use; the caches are then its own."""

RUN = 30
"""Iterations of a run: at its end none is like those in use any more."""


def stack_of_a_heart(seed: int = 0) -> tuple[Stack, torch.Tensor]:
    """A synthetic heart's SA stack under normal motion: its geometry and (13, 128, 128) labels."""
    stack = Stack.from_hr()
    d = Motion.draw(stack.K, seed).displacement(MOTION_LEVELS["normal"])
    labels = simulate_stack(nearest_labels(on_lattice(draw(1, seed)))[0], stack, d)
    return stack, torch.as_tensor(labels, dtype=torch.int64)


def iterations(problem: Problem, settings: Settings) -> Iterator[object]:
    """The library's iterations without end: its stop rules are off, its runs begin anew."""
    on = replace(settings, stop_change=0.0, stop_dice=0.0, search_last=False)
    start = next(latent_optimisation(problem, on))
    while True:
        yield from islice(latent_optimisation(problem, on, start), 1, 1 + RUN)


def contenders() -> dict[str, Callable[[], object]]:
    """Name to a function that runs one iteration."""
    stack, S_LR = stack_of_a_heart()
    loops = {
        BASE: ReferenceLoop(S_LR, stack),
        "reference, nearest (its demonstration)": ReferenceLoop(S_LR, stack, mode="nearest"),
        "reference, bilinear, weights frozen": ReferenceLoop(S_LR, stack, frozen=True),
    }
    problem = Problem(load_generator(), stack, S_LR)
    runs = {
        f"srheart, {name}{suffix}": iterations(p, settings)
        for suffix, p in (("", problem), (", cropped to the heart", problem.crop()))
        for name, settings in PRESETS.items()
    }
    return {name: loop.iterate for name, loop in loops.items()} | {
        name: run.__next__ for name, run in runs.items()
    }


def measure(rounds: int) -> dict[str, float]:
    """Median processor seconds of each contender's iteration; the first round warms up."""
    field = contenders()
    seconds: dict[str, list[float]] = {name: [] for name in field}
    for turn in range(1 + rounds):
        for name, iterate in field.items():
            began = time.thread_time()
            for _ in range(BLOCK):
                iterate()
            if turn > 0:
                seconds[name].append((time.thread_time() - began) / BLOCK)
    return {name: statistics.median(times) for name, times in seconds.items()}


def table(medians: dict[str, float]) -> str:
    """The medians as a markdown table, with each one's ratio to `BASE`."""
    lines = ["| Method | ms an iteration | times faster |", "|---|---:|---:|"]
    lines += [
        f"| {name} | {1e3 * median:.1f} | {medians[BASE] / median:.1f} |"
        for name, median in medians.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure with each number of threads and print the tables."""
    parser = argparse.ArgumentParser(prog="benchmarks.iteration", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns of each (default: 15)")
    options = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {platform.machine()}, 13 × 128 × 128 stack, batch 1")
    torch.set_num_threads(1)  # For the reference too.
    print(f"\none thread, median of {options.rounds} turns of {BLOCK} iterations\n")
    print(table(measure(options.rounds)), flush=True)


if __name__ == "__main__":
    main()
