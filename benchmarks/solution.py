"""Time to a solution: the reference method's 500 iterations beside whole solves by preset.

``python -m benchmarks.solution [--threads N] [--level LEVEL ...]`` takes the shipped samples. The
reference's network and loop are timed on the same stack in the same run (20 of its 500 equal
iterations); Dice is that of the same loop's settings, preset REFERENCE, with our generator. Times
include the start, all searches and the answer.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.reference import ReferenceLoop
from benchmarks.samples import score, shipped
from srheart_demo.beyond import answer
from srheart_demo.degradation import MOTION_LEVELS, Stack
from srheart_demo.generator import load_generator
from srheart_demo.optimise import solve
from srheart_demo.presets import PRESETS
from srheart_demo.problem import Problem

TIMED, ITERATIONS = 20, 500


def seconds(work: Callable[[], object]) -> float:
    """Wall time."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Print a Markdown table of means over subjects."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--level", nargs="+", default=["normal"], choices=MOTION_LEVELS)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    print("| motion | method | mean Dice | seconds | times faster |\n|---|---|---:|---:|---:|")
    for level in options.level:
        rows: dict[str, list[tuple[float, float]]] = {}
        for case in shipped(level):
            S_LR = torch.as_tensor(case.stack.labels).long()
            loop = ReferenceLoop(S_LR)
            loop.iterate()
            reference = ITERATIONS / TIMED * seconds(lambda: [loop.iterate() for _ in range(TIMED)])  # noqa: B023
            problem = Problem(load_generator(), Stack.from_hr(), S_LR).crop()
            for name in ("REFERENCE", "RECOMMENDED", "INTERACTIVE"):
                settings = PRESETS[name]
                taken = seconds(lambda: answer(solve(problem, settings), problem))  # noqa: B023
                dice, _ = score(case, settings, long_axis=False)[name]
                rows.setdefault(name, []).append((float(np.mean([*dice.values()])), taken))
            rows.setdefault("reference method", []).append((np.nan, reference))
        base = np.mean([t for _, t in rows["reference method"]])
        for name, values in rows.items():
            d, t = np.mean(values, axis=0)
            print(f"| {level} | {name} | {d:.3f} | {t:.2f} | {base / t:.0f} |", flush=True)


if __name__ == "__main__":
    main()
