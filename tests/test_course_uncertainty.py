"""Lesson 8: each typical mistake gets a sentence of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from problems import toy_problem
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.lessons import uncertainty as course
from srheart_demo.lessons.truth import Truth

Rows = list[tuple[float, float, int]]


def between(x: Tensor, low: float = 0.05, high: float = 0.95) -> tuple[Tensor, Tensor]:
    return x.quantile(low), x.quantile(high)


def around(x: Tensor, half: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean() - half, x.mean() + half


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda x: None, "still empty"),
        (lambda x: x.sort().values, "two numbers"),
        (lambda x: between(x, 0.95, 0.05), "exchanged"),
        (lambda x: (x.min(), x.max()), "100 %"),
        (lambda x: between(x, 0.025, 0.975), "2.5 and 97.5"),
        (lambda x: between(x, 0.1, 0.9), "80 %"),
        (lambda x: around(x, x.std()), "two thirds"),
        (lambda x: around(x, 1.645 * x.std() / 20), "how sure the mean is"),
        (lambda x: around(x, 1.645 * x.std()), "skewed"),
        (lambda x: between(x, 0.2, 0.95), "75 % lie in yours"),
        (lambda x: (x.quantile(5), x.quantile(95)), "stopped with"),
    ],
)
def test_interval_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.interval(between).right
    verdict = course.interval(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


def gaps(rows: Rows) -> list[tuple[float, int]]:
    return [(said - right, voxels) for said, right, voxels in rows]


def total(rows: Rows) -> int:
    return sum(voxels for *_, voxels in rows)


def error(rows: Rows) -> float:
    return sum(abs(gap) * voxels for gap, voxels in gaps(rows)) / total(rows)


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda rows: None, "still empty"),
        (lambda rows: sum(abs(gap) for gap, _ in gaps(rows)) / len(rows), "count alike"),
        (lambda rows: sum(g * n for g, n in gaps(rows)) / total(rows), "cancel"),
        (lambda rows: -sum(g * n for g, n in gaps(rows)) / total(rows), "bin by bin"),
        (lambda rows: error(rows) * total(rows), "divide by their number"),
        (lambda rows: max(abs(gap) for gap, _ in gaps(rows)), "worst bin"),
        (lambda rows: sum(g**2 * n for g, n in gaps(rows)) / total(rows), "mean square"),
        (lambda rows: error(rows) + 0.1, "off by +0.1"),
    ],
)
def test_calibration_error_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.calibration_error(error).right
    verdict = course.calibration_error(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


def unseen(heights: Tensor, z: Tensor, reach: float) -> Tensor:
    return (heights[:, None] - z).abs().amin(1) > reach


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda h, z, r: None, "still empty"),
        (lambda h, z, r: (h[:, None] - z).abs() > r, "one answer for each"),
        (lambda h, z, r: ~unseen(h, z, r), "other way round"),
        (lambda h, z, r: (h[:, None] - z).abs().amax(1) > r, "farthest slice"),
        (lambda h, z, r: (h < z.min() - r) | (h > z.max() + r), "gaps within"),
        (lambda h, z, r: (h[:, None] - z).amin(1) > r, "abs()"),
        (lambda h, z, r: unseen(h, z, 2 * r), "is unseen"),
    ],
)
def test_unseen_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.unseen(unseen).right
    verdict = course.unseen(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


def test_an_answer_is_laid_over_the_truth_whatever_the_stacks_common_translation() -> None:
    p, _, d_true = toy_problem()
    field = p.G.decode(torch.zeros(1, 2))
    truth = Truth(np.zeros(0, np.uint8), d_true, p)
    assert field.shape[2:] == LATTICE_SHAPE
    there = truth.over(field, d_true)
    # 5 mm are two of the lattice's nodes and four of the truth's voxels.
    moved = field.roll((2, -2), dims=(3, 4))
    inner = (..., slice(20, -20), slice(20, -20))
    against, along = torch.tensor([-5.0, 5.0]), torch.tensor([5.0, -5.0])
    back = truth.over(moved, d_true + against)
    torch.testing.assert_close(there[inner], back[inner], atol=1e-3, rtol=0)
    wrong = truth.over(moved, d_true + along)
    assert not torch.allclose(there[inner], wrong[inner], atol=1.0)
