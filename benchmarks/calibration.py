"""Are voxels as often right as they are said to be? On synthetic hearts.

``python -m benchmarks.calibration [--hearts N] [--draws N] [--picture FILE]`` restores each heart
without, with normal and with severe motion and 3 % label noise, and prints a Markdown table: of the
voxels whose most probable label has about this probability, the share that is right. A voxel counts
after the translation common to all slices (see `solver.gauge`); voxels above 0.99 are mostly far
from any surface.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from srheart_demo.frame import HR_SHAPE, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.measures import reliability
from srheart_demo.heart.population import POPULATIONS, SEEDS, draw
from srheart_demo.lessons.uncertainty import picture_reliability
from srheart_demo.scan.degradation import (
    MOTION_LEVELS,
    Motion,
    Stack,
    label_noise,
    sample,
    simulate_stack,
)
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.gauge import common_translation
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings, preset
from srheart_demo.solver.uncertainty import laplace, probabilities

SEED = SEEDS["calibration"].start
"""Seeds of these hearts; none was trained on, and the constants were chosen on others."""
NOISE = 0.03


def judged(i: int, level: str, settings: Settings, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of every HR voxel of a heart, and whether its label is right."""
    population = list(POPULATIONS)[i % len(POPULATIONS)]
    truth = phantom.label_maps(draw(1, SEED + i, population))[0]
    stack = Stack.from_hr()
    d = Motion.draw(stack.K, SEED + i).displacement(MOTION_LEVELS[level])
    S_LR = label_noise(simulate_stack(truth, stack, d), NOISE, i)
    p = Problem(load_generator(), stack, torch.as_tensor(S_LR).long()).crop()
    end = solve(p, settings)
    points = torch.as_tensor(lattice_points(HR_SHAPE)).float()
    shift = p.stack.in_model_axes(common_translation(end.d, d, p.tissue))[0]
    at = torch.cat([points[..., :1], points[..., 1:] - shift], dim=-1)
    found = sample(probabilities(laplace(end, p), draws), at)[0].numpy()
    return found.max(0), found.argmax(0) == truth


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--hearts", type=int, default=9)
    arguments.add_argument("--draws", type=int, default=16)
    arguments.add_argument("--preset", default="RECOMMENDED")
    arguments.add_argument("--picture", type=Path, help="PNG of the same")
    options = arguments.parse_args()
    n = options.hearts
    print("| motion | said | right | voxels |\n|---|---:|---:|---:|")
    tables = {}
    for level in MOTION_LEVELS:
        hearts = [judged(i, level, preset(options.preset), options.draws) for i in range(n)]
        confidence, correct = (
            np.concatenate([x.ravel() for x in part]) for part in zip(*hearts, strict=True)
        )
        tables[level] = reliability(confidence, correct)
        for said, right, voxels in tables[level]:
            print(f"| {level} | {said:.3f} | {right:.3f} | {voxels} |", flush=True)
    if options.picture:
        picture_reliability(tables).savefig(options.picture, dpi=110)


if __name__ == "__main__":
    main()
