"""What short-axis slices can tell of their displacements at all: ``python -m benchmarks.lean``.

A heart that leans or bends shows slices displaced smoothly along the stack, as motion may displace
them too. Where a slice's tissue lies is the sum of both: of the heart's own line of centroids,
which varies from heart to heart, and of d. An estimator that knows the population, the motion's
spread and each slice without its position still has to part the sum. This measures the error of
the best linear one, which is the best of all if both are Gaussian.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from srheart_demo.experiments.cases import held_out_seeds
from srheart_demo.frame import HR_SPACING
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion, Stack

Floats = NDArray[np.float64]

STEP, FIRST = 5, 2
"""Every fifth HR slice, as in the paper's SA stacks."""
RIDGE = 1e-2


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hearts", type=int, default=800)
    parser.add_argument("--population", default="healthy")
    options = parser.parse_args()
    stack = Stack.from_hr(step=STEP)
    shown, looks = [], []
    for seed in held_out_seeds(options.hearts, 9):
        labels = phantom.label_maps(draw(1, seed, options.population).double())[0]
        lines, look = line_and_look(labels[FIRST::STEP])
        shown.append(lines)
        looks.append(look)
    lines, look = np.array(shown), np.array(looks)
    always = ~np.isnan(lines).any((0, 2))
    lines = lines[:, always] - lines[:, always].mean(1, keepdims=True)
    print(f"{options.hearts} {options.population} hearts, {always.sum()} slices that all show\n")
    print("| motion | where the slices lie | and what they show |\n|---|---:|---:|")
    unexplained = lines - predicted(look, lines)
    for level, amplitude in MOTION_LEVELS.items():
        if amplitude:
            errors = [
                least_error(own, motion_variance(stack.K, amplitude))
                for own in (lines, unexplained)
            ]
            print(f"| {level} | {errors[0]:.2f} mm | {errors[1]:.2f} mm |")


def line_and_look(labels: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Where each slice's left ventricle lies, and what the slice shows apart from that.

    Args:
        labels: (K, h, w).

    Returns:
        (K, 2) centroids of LV with MYO, mm, NaN where there is none; areas, first and second
        moments of the tissues about them, one flat vector.
    """
    sides = zip(labels.shape[1:], HR_SPACING[1:], strict=True)
    positions = [(np.arange(n) - (n - 1) / 2) * spacing for n, spacing in sides]
    points = np.stack(np.meshgrid(*positions, indexing="ij"), axis=-1)
    lines, look = np.full((len(labels), 2), np.nan), np.zeros((len(labels), 3, 6))
    for k, plane in enumerate(labels):
        left = np.isin(plane, (1, 2))
        if not left.any():
            continue
        lines[k] = points[left].mean(0)
        for tissue in (1, 2, 3):
            p = (points[plane == tissue] - lines[k]) / 20
            x, y = p.T
            look[k, tissue - 1] = [
                len(p) / 200,
                *(v.sum() / 200 for v in (x, y, x * x, x * y, y * y)),
            ]
    return lines, look.ravel()


def predicted(look: Floats, lines: Floats) -> Floats:
    """Ridge regression of the lines (n, K, 2) on the looks (n, F), each heart by the others'."""
    x = np.column_stack([np.ones(len(look)), (look - look.mean(0)) / (look.std(0) + 1e-9)])
    y = lines.reshape(len(lines), -1)
    gram = x.T @ x + RIDGE * len(x) * np.diag([0.0] + [1.0] * (x.shape[1] - 1))
    hat = x @ np.linalg.solve(gram, x.T)
    # Leaving one out needs no second fit: its residual is r / (1 − h).
    residual = (y - hat @ y) / (1 - np.diag(hat))[:, None]
    return (y - residual).reshape(lines.shape)


def motion_variance(K: int, amplitude: float) -> float:
    """Variance of a component of d, mm²."""
    draws = [Motion.draw(K, seed).displacement(amplitude).numpy() for seed in range(500)]
    return float(np.concatenate(draws).var())


def least_error(lines: Floats, variance: float) -> float:
    """RMS error of d, less its mean, of the best linear estimator from lines + d, mm.

    Args:
        lines: (n, K, 2) what is unknown of the hearts' lines, mm, each of mean zero along K.
        variance: of a component of d, mm².
    """
    K = lines.shape[1]
    centre = np.eye(K) - 1 / K
    total = 0.0
    for component in np.moveaxis(lines, -1, 0):
        heart, motion = np.cov(component.T), variance * centre
        total += np.trace(motion - motion @ np.linalg.pinv(heart + motion) @ motion) / K
    return float(np.sqrt(total))


if __name__ == "__main__":
    main()
