"""Lesson 11: its checks."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.lessons.truth import known_scan as known_scan
from srheart_demo.lessons.verdict import Cases, exercise

_Values = NDArray[np.float64]


def _ways() -> Cases:
    rng = torch.Generator().manual_seed(11)

    def case(n: int, M: int) -> tuple[Tensor, Tensor, Tensor]:
        way, start, end = (torch.randn(k, M, generator=rng) for k in (n, 1, 1))
        return way, start[0], end[0]

    return {"seven points of five numbers": case(7, 5), "four of nine": case(4, 9)}


@exercise(_ways)
def how_far(way: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Exercise 1: how far each point (n, M) is along the line from start to end, as a share."""
    line = end - start
    return (way - start) @ line / line.square().sum()


def _scores() -> Cases:
    rng = np.random.default_rng(11)
    before = rng.uniform(0.8, 0.95, 30)
    better = before + rng.normal(0.02, 0.03, 30) * (np.arange(30) % 10 > 0)  # some stay
    return {"thirty hearts": (better, before), "twelve": (before[:12], better[:12])}


@exercise(_scores)
def gain(after: _Values, before: _Values) -> tuple[float, float]:
    """Exercise 2: the mean gain, and the share of hearts that gained."""
    return float((after - before).mean()), float((after > before).mean())
