"""How often does a random start find the way? Share of starts near the best of them.

``python -m benchmarks.starts [--hearts N] [--starts N] [--level LEVEL ...]`` solves held-out
synthetic hearts (those of `benchmarks.solver`) from many draws z ~ N(0, I), and from the preset's
own start. A start succeeds whose mean Dice lies within 0.02 of the best of all. Prints a Markdown
table.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.solver import Case, case, judge
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings, preset

NEAR = 0.02


def dice_of(this: Case, settings: Settings) -> float:
    """Mean Dice of the answer."""
    p = Problem(load_generator(), this.stack, this.S_LR).crop()
    end = solve(p, settings)
    return judge(answer(end, p), end.d, this)[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hearts", type=int, default=3, help="per level (default: 3)")
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--level", nargs="+", default=[*MOTION_LEVELS], choices=MOTION_LEVELS)
    parser.add_argument("--preset", default="RECOMMENDED")
    options = parser.parse_args()
    settings = preset(options.preset)
    print("| motion | heart | own start | best | worst | within 0.02 of the best |")
    print("|---|---:|---:|---:|---:|---:|")
    successes = []
    for level in options.level:
        for i in range(options.hearts):
            this = case(i, level)
            own = dice_of(this, settings)
            found = np.array(
                [
                    dice_of(this, replace(settings, start="random", seed=seed))
                    for seed in range(options.starts)
                ]
            )
            good = found >= found.max() - NEAR
            successes += good.tolist()
            print(
                f"| {level} | {i} | {own:.3f} | {found.max():.3f} | {found.min():.3f} "
                f"| {good.sum()} of {len(good)} |",
                flush=True,
            )
    print(f"\nIn all {sum(successes)} of {len(successes)} ({100 * np.mean(successes):.1f} %).")


if __name__ == "__main__":
    main()
