"""Lesson 8: its checks, and an answer laid over the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.degradation import sample
from srheart_demo.frame import lattice_points
from srheart_demo.gauge import common_translation
from srheart_demo.problem import Problem


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


@check
def interval(mine: Callable[[Tensor], tuple[float, float]]) -> str:
    """Exercise 1: the central 90 % interval of draws."""
    x = 100 + 20 * torch.randn(400, generator=torch.Generator().manual_seed(0)).exp()
    found = written(mine(x), "the interval")
    if len(found) != 2:
        raise NotYet(f"two numbers, low and high, and yours are {len(found)}.")
    low, high = (float(end) for end in found)
    mean, sd, n = float(x.mean()), float(x.std()), len(x)
    known = {
        "the ends are exchanged; low comes first.": _quantiles(x, 0.95, 0.05),
        "from the least to the greatest is 100 %, and grows with the number of draws.": (
            float(x.min()),
            float(x.max()),
        ),
        "between 2.5 and 97.5 % lie 95 %; 90 % leave 5 % on either side.": (
            _quantiles(x, 0.025, 0.975)
        ),
        "between 10 and 90 % lie 80 %; 90 % leave 5 % on either side.": _quantiles(x, 0.1, 0.9),
        "mean ± SD holds some two thirds of a Gaussian, not 90 %.": (mean - sd, mean + sd),
        "that is how sure the mean is, and shrinks with more draws; the volume does not.": (
            mean - 1.645 * sd / n**0.5,
            mean + 1.645 * sd / n**0.5,
        ),
        "mean ± 1.645 SD supposes a Gaussian, and these draws are skewed; count them instead.": (
            mean - 1.645 * sd,
            mean + 1.645 * sd,
        ),
    }
    for why, wrong in known.items():
        if _near((low, high), wrong):
            raise NotYet(why)
    inside = float(((x >= low) & (x <= high)).float().mean())
    if not _near((low, high), _quantiles(x, 0.05, 0.95)):
        raise NotYet(
            f"of 400 test draws {100 * inside:.0f} % lie in yours; 5 % are to lie on each side."
        )
    return "nine draws of ten lie inside, whatever their shape."


@check
def calibration_error(mine: Callable[[Sequence[tuple[float, float, int]]], float]) -> str:
    """Exercise 2: mean |said − right| over voxels, from bins."""
    rows = [(0.4, 0.5, 100), (0.6, 0.55, 300), (0.8, 0.9, 600), (0.95, 0.9, 4000)]
    found = float(written(mine(rows), "the result"))
    n = sum(voxels for *_, voxels in rows)
    gaps = [(said - right, voxels) for said, right, voxels in rows]
    known = {
        "bins count alike in yours; a bin of 4000 voxels weighs more than one of 100.": (
            sum(abs(gap) for gap, _ in gaps) / len(gaps)
        ),
        "gaps of opposite sign cancel in yours; take their size.": (
            sum(gap * voxels for gap, voxels in gaps) / n
        ),
        "the sign is to go, bin by bin.": -sum(gap * voxels for gap, voxels in gaps) / n,
        "that is the sum over voxels; divide by their number.": (
            sum(abs(gap) * voxels for gap, voxels in gaps)
        ),
        "that is the worst bin; take the mean over voxels.": max(abs(gap) for gap, _ in gaps),
        "that is the mean square; take the mean size.": (
            sum(gap**2 * voxels for gap, voxels in gaps) / n
        ),
    }
    for why, wrong in known.items():
        if abs(found - wrong) < 1e-6:
            raise NotYet(why)
    right = sum(abs(gap) * voxels for gap, voxels in gaps) / n
    if abs(found - right) > 1e-6:
        raise NotYet(f"for the test's bins it is {right:.3f}, and yours is {found:.3f}.")
    return "0 where everything is as often right as said."


@check
def unseen(mine: Callable[[Tensor, Tensor, float], Tensor]) -> str:
    """Exercise 3: which heights no slice is near to."""
    z = torch.tensor([-10.0, 0.0, 10.0, 30.0])
    heights = torch.tensor([-18.0, -13.0, -4.0, 1.0, 14.0, 19.0, 33.0, 41.0])
    found = written(mine(heights, z, 3.5), "the result")
    if tuple(found.shape) != (8,):
        raise NotYet(f"one answer for each of 8 heights, and yours is {tuple(found.shape)}.")
    found = found.bool()
    gaps = (heights[:, None] - z).abs()
    right = gaps.amin(1) > 3.5
    known = {
        "you marked what a slice is near to; the other way round, please.": ~right,
        "that is far from the farthest slice; each height asks for its nearest.": (
            gaps.amax(1) > 3.5
        ),
        "you marked only what lies beyond the stack; there are gaps within it, too.": (
            (heights < z.min() - 3.5) | (heights > z.max() + 3.5)
        ),
        "without abs() a slice far above counts as near.": (heights[:, None] - z).amin(1) > 3.5,
    }
    for why, wrong in known.items():
        if torch.equal(found, wrong):
            raise NotYet(why)
    if not torch.equal(found, right):
        h = int((found != right).nonzero()[0])
        raise NotYet(
            f"at {heights[h]:g} mm the nearest slice is {gaps[h].min():g} mm off; with a reach of "
            f"3.5 mm this is {'unseen' if right[h] else 'seen'}."
        )
    return "it needs no truth: this can be told of any scan."


def _quantiles(x: Tensor, *at: float) -> tuple[float, float]:
    low, high = torch.quantile(x, torch.tensor(at)).tolist()
    return low, high


def _near(a: tuple[float, float], b: tuple[float, float]) -> bool:
    # There are many ways to interpolate quantiles.
    return all(abs(x - y) < 0.75 for x, y in zip(a, b, strict=True))
