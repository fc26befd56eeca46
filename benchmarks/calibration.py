"""Are voxels as often right as they are said to be, and volumes as near? On synthetic hearts.

``python -m benchmarks.calibration [FILES] [--hearts N] [--noise E] [--draws N] [--volumes]
[--picture FILE]`` restores each heart without, with normal and with severe motion and label noise,
and prints two Markdown tables. Of the voxels whose most probable label has about this probability,
the share that is right: a voxel counts after the translation common to all slices (see
`solver.gauge`); voxels above 0.99 are mostly far from any surface. And of the volumes of LV, MYO
and RV, the share that lies within 50 % and 90 % intervals, volume ± SD: of as many hearts of the
populations, and of as many odd ones, which no population holds; or of those of files.
"""

import argparse
import sys
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import numpy as np
import torch

from srheart_demo.experiments.cases import read_heart
from srheart_demo.frame import HR_SPACING
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.generator import load_generator, soft_volumes_ml, to_labels
from srheart_demo.heart.measures import reliability, volumes_ml
from srheart_demo.heart.population import POPULATIONS, SEEDS, TRAITS_SIZE, draw, shapes
from srheart_demo.lessons.truth import Truth
from srheart_demo.lessons.uncertainty import picture_reliability
from srheart_demo.scan.degradation import (
    MOTION_LEVELS,
    Motion,
    Stack,
    label_noise,
    simulate_stack,
)
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings, preset
from srheart_demo.solver.uncertainty import Posterior, laplace, measured_sd, probabilities

SEED = SEEDS["calibration"].start
"""Seeds of these hearts; none was trained on, and the constants were chosen on others."""
INTERVALS = {"50 %": 0.674, "90 %": 1.645}
"""How many standard deviations to either side."""


def usual_heart(i: int) -> np.ndarray:
    """A heart of one of the populations, labels on the HR grid."""
    population = list(POPULATIONS)[i % len(POPULATIONS)]
    return phantom.label_maps(draw(1, SEED + i, population))[0]


def odd_hearts() -> Iterator[np.ndarray]:
    """Hearts 1.5 times as far out as a population's, cut flat up to 20 mm below their tops.

    Of "healthy" and of "everyone" in turn, without those whose anatomy has a fault.
    """
    for seed in range(SEED + 1000, SEED + 2000):
        rng = torch.Generator().manual_seed(seed)
        epsilon = 1.5 * torch.randn(1, TRAITS_SIZE, generator=rng).double()
        labels = phantom.label_maps(shapes(epsilon, "healthy" if seed % 2 else "everyone"))[0]
        top = np.flatnonzero((labels == 1).any((1, 2))).max()
        labels[int(top - np.random.default_rng(seed).uniform(0, 10)) + 1 :] = 0
        if not anatomy.faults(labels):
            yield labels


def restored(
    truth: np.ndarray, i: int, level: str, settings: Settings, noise: float
) -> tuple[Posterior, torch.Tensor]:
    """What a run of a degraded heart leaves open, and the true d."""
    stack = Stack.from_hr()
    d = Motion.draw(stack.K, SEED + i).displacement(MOTION_LEVELS[level])
    S_LR = label_noise(simulate_stack(truth, stack, d), noise, i)
    p = Problem(load_generator(), stack, torch.as_tensor(S_LR).long()).crop()
    return laplace(solve(p, settings), p), d


def judged(
    posterior: Posterior, truth: np.ndarray, d: torch.Tensor, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of every HR voxel of a heart, and whether its label is right."""
    places = Truth(truth, d, posterior.problem).places(posterior.step.d)
    found = probabilities(posterior, places, draws).numpy()
    return found.max(0), found.argmax(0) == truth


def off(posterior: Posterior, truth: np.ndarray, draws: int) -> np.ndarray:
    """By how many standard deviations (3,) the volumes of LV, MYO and RV miss the true ones."""
    found = to_labels(answer(posterior.step, posterior.problem))
    true, ml = ([*volumes_ml(labels, HR_SPACING).values()] for labels in (truth, found))
    return (np.array(true) - ml) / measured_sd(posterior, soft_volumes_ml, draws)[1:].numpy()


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("files", type=Path, nargs="*", help="NIfTI files of HR hearts, in place")
    arguments.add_argument("--hearts", type=int, default=9)
    arguments.add_argument("--noise", type=float, default=0.03, help="ε of Eq. 1")
    arguments.add_argument("--draws", type=int, default=16)
    arguments.add_argument("--volumes", action="store_true", help="judge these only: quicker")
    arguments.add_argument("--preset", default="RECOMMENDED")
    arguments.add_argument("--picture", type=Path, help="PNG of the same")
    options = arguments.parse_args()
    hearts = {
        "of a population": [usual_heart(i) for i in range(options.hearts)],
        "odd": list(islice(odd_hearts(), options.hearts)),
    }
    if options.files:
        hearts = {"of files": [read_heart(path).labels for path in options.files]}
    voxels: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    volumes: dict[tuple[str, str], list[np.ndarray]] = {}
    how = preset(options.preset), options.noise
    for i, each in enumerate(zip(*hearts.values(), strict=True)):
        for (kind, truth), level in product(zip(hearts, each, strict=True), MOTION_LEVELS):
            posterior, d = restored(truth, i, level, *how)
            volumes.setdefault((kind, level), []).append(off(posterior, truth, options.draws))
            if kind != "odd" and not options.volumes:
                found = judged(posterior, truth, d, options.draws)
                voxels.setdefault(level, []).append(found)
            print(f"{i} {kind}, {level}: {volumes[kind, level][-1].round(2)}", file=sys.stderr)
    tables = {}
    if voxels:
        print("| motion | said | right | voxels |\n|---|---:|---:|---:|")
    for level, each in voxels.items():
        confidence, correct = (
            np.concatenate([x.ravel() for x in part]) for part in zip(*each, strict=True)
        )
        tables[level] = reliability(confidence, correct)
        for said, right, count in tables[level]:
            print(f"| {level} | {said:.3f} | {right:.3f} | {count} |")
    print(f"\n| hearts | motion | {' | '.join(INTERVALS)} | volumes |\n|---|---|---:|---:|---:|")
    for (kind, level), sds in volumes.items():
        within = [f"{(np.abs(sds) < most).mean():.3f}" for most in INTERVALS.values()]
        print(f"| {kind} | {level} | {' | '.join(within)} | {np.size(sds)} |")
    if options.picture and tables:
        picture_reliability(tables).savefig(options.picture, dpi=110)


if __name__ == "__main__":
    main()
