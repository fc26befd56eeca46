"""Lesson 8: its checks, and an answer laid over the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from srheart_demo.frame import lattice_points
from srheart_demo.lessons.verdict import Cases, exercise, same
from srheart_demo.scan.degradation import sample
from srheart_demo.solver.gauge import common_translation
from srheart_demo.solver.problem import Problem


def over_the_truth(field: Tensor, d: Tensor, d_true: Tensor, p: Problem) -> Tensor:
    """Fields at the HR voxels of the truth, less the stack's common translation (see `gauge`).

    Args:
        field: (n, C, 32, 64, 64) logits or probabilities.
        d, d_true: (1, K, 2) displacements as found and as they were, mm.
        p: what was solved.

    Returns:
        (n, C, 64, 128, 128).
    """
    shift = p.stack.in_model_axes(common_translation(d, d_true, p.tissue))[0]
    points = torch.as_tensor(lattice_points()).float()
    points[..., 1:] -= shift
    return sample(field, points)


def _draws() -> Cases:
    rng = torch.Generator().manual_seed(0)

    def skewed(n: int) -> Tensor:
        return 100 + 20 * torch.randn(n, generator=rng).exp()

    return {"400 draws": (skewed(400),), "250 draws": (skewed(250),)}


def _between(low: float, high: float) -> Callable[[Tensor], tuple[float, float]]:
    return lambda x: tuple(torch.quantile(x, torch.tensor([low, high])).tolist())


def _around(
    sds: float, middle: Callable[[Tensor], Tensor] = torch.mean
) -> Callable[[Tensor], tuple[float, float]]:
    def ends(x: Tensor) -> tuple[float, float]:
        half = sds * float(x.std()) if sds > 0 else -sds * float(x.std()) / len(x) ** 0.5
        return float(middle(x)) - half, float(middle(x)) + half

    return ends


def _share(found: tuple[float, float], right: tuple[float, float], x: Tensor) -> str:
    low, high = (float(end) for end in found)
    inside = ((x >= low) & (x <= high)).float().mean()
    return (
        f"of {len(x)} test draws {100 * float(inside):.0f} % lie in yours; 5 % are to lie on each "
        "side"
    )


@exercise(
    _draws,
    "nine draws of ten lie inside, whatever their shape.",
    shape="two numbers, low and high, are wanted",
    otherwise=_share,
    # There are many ways to interpolate quantiles.
    same=partial(same, absolute=0.75),
)
def interval(volumes: Tensor) -> tuple[float, float]:
    """Exercise 1: the central 90 % interval of draws."""
    return _between(0.05, 0.95)(volumes)


Rows = Sequence[tuple[float, float, int]]


def _bins() -> Cases:
    return {
        "the test's bins": (
            [(0.4, 0.5, 100), (0.6, 0.55, 300), (0.8, 0.9, 600), (0.95, 0.9, 4000)],
        ),
        "other bins": ([(0.3, 0.5, 1000), (0.7, 0.4, 20), (0.9, 0.95, 700)],),
    }


def _over(
    rows: Rows,
    gap: Callable[[float], float] = abs,
    weight: Callable[[int], float] = float,
) -> float:
    """The mean over voxels of some measure of said − right."""
    weights = [weight(n) for *_, n in rows]
    return sum(w * gap(s - r) for w, (s, r, _) in zip(weights, rows, strict=True)) / sum(weights)


def _voxels(rows: Rows) -> int:
    return sum(n for *_, n in rows)


@exercise(
    _bins,
    "0 where everything is as often right as said.",
)
def calibration_error(rows: Rows) -> float:
    """Exercise 2: mean |said − right| over voxels, from bins."""
    return _over(rows)


def _heights() -> Cases:
    heights = torch.tensor([-18.0, -13.0, -4.0, 1.0, 14.0, 19.0, 33.0, 41.0])
    return {
        "slices 10 and 20 mm apart": (heights, torch.tensor([-10.0, 0.0, 10.0, 30.0]), 3.5),
        "five slices": (heights[2:] - 6, torch.tensor([-9.0, -2.0, 8.0, 13.0, 21.0]), 5.5),
    }


def _gaps(heights: Tensor, z: Tensor) -> Tensor:
    return (heights[:, None] - z).abs()


def _nearest(found: Tensor, right: Tensor, heights: Tensor, z: Tensor, reach: float) -> str:
    h = int((found.bool() != right).nonzero()[0])
    return (
        f"at {heights[h]:g} mm the nearest slice is {_gaps(heights, z)[h].min():g} mm off; with a "
        f"reach of {reach:g} mm this is {'unseen' if right[h] else 'seen'}"
    )


@exercise(
    _heights,
    "it needs no truth: this can be told of any scan.",
    shape="one answer for each height",
    otherwise=_nearest,
)
def unseen(heights: Tensor, z: Tensor, reach: float) -> Tensor:
    """Exercise 3: which heights no slice is near to."""
    return _gaps(heights, z).amin(1) > reach
