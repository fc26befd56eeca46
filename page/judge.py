"""How well the small decoder stands for the library's own: figures of its card.

    python -m page.judge [--hearts N] [WEIGHTS]

Hearts that no training saw, under severe motion, without a long-axis view, are solved as the page
does it with the small decoder, and with the default generator of as many latents and of all.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from page.build import WEIGHTS
from page.graphs import SETTINGS
from srheart_demo.heart import population
from srheart_demo.heart.generator import OURS, HeartGenerator, load_generator
from srheart_demo.heart.measures import dice
from srheart_demo.scan.degradation import HR_GRID, MOTION_LEVELS, degrade
from srheart_demo.scan.simulate import (
    simulate,
    synthetic_heart,
    where_it_is_known,
    world_from_model,
)
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.gauge import common_translation, motion_error
from srheart_demo.solver.problem import Problem

POPULATIONS = ("healthy", "everyone")
SEEDS = population.SEEDS["evaluation"]


def solved(G: HeartGenerator, hearts: int) -> Iterator[tuple[float, float]]:
    """Mean Dice of the three tissues and motion error, mm, of each heart."""
    for i in range(hearts):
        seed = SEEDS[i]
        heart = synthetic_heart(POPULATIONS[i % len(POPULATIONS)], seed)
        scanned = simulate(heart, MOTION_LEVELS["severe"], seed)
        scan = where_it_is_known(scanned.stack, world=world_from_model(heart))
        p = Problem.of(scan, G)
        step = solve(p, SETTINGS)
        shift = common_translation(step.d, scanned.d, p.tissue)
        field = degrade(G.decode(step.z), HR_GRID, shift.expand(1, HR_GRID.K, 2))
        labels = field[0].numpy().argmax(0).astype(np.uint8)
        scores = dice(labels, heart.labels)
        yield float(np.mean([*scores.values()])), motion_error(step.d, scanned.d, p.tissue)


def main() -> None:
    """Print a row for each generator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", nargs="?", default=str(WEIGHTS))
    parser.add_argument("--hearts", type=int, default=10)
    options = parser.parse_args()
    small = load_generator(options.weights)
    generators = {
        "small decoder": small,
        f"{OURS}, {small.latent_size} latents": load_generator(OURS, small.latent_size),
        f"{OURS}, all latents": load_generator(OURS),
    }
    print("| generator | mean Dice | motion error, mm |\n|---|---|---|")
    for name, G in generators.items():
        found = np.array([*solved(G, options.hearts)])
        print(f"| {name} | {found[:, 0].mean():.3f} | {found[:, 1].mean():.2f} |", flush=True)


if __name__ == "__main__":
    main()
