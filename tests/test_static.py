"""Pictures of the lessons: what is drawn can be read."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from problems import toy_problem

from srheart_demo.lessons.pictures import lines, slices
from srheart_demo.lessons.quickstart import picture_convergence
from srheart_demo.solver.algorithm import latent_optimisation
from srheart_demo.solver.settings import PAPER

RANGES = [(0.03, 0.52), (0.62, 0.9), (1e-5, 200), (0.9, 1.1), (0.019, 4.2)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_numbers_on_a_logarithmic_axis_stand_apart_and_are_at_least_two(
    low: float, high: float
) -> None:
    figure = lines({"lines": {"run": np.geomspace(high, low, 20)}, "yscale": "log"})
    figure.canvas.draw()
    axis = figure.axes[0].yaxis
    inside = figure.axes[0].get_window_extent()
    labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
    boxes = [label.get_window_extent() for label in labels if label.get_text()]
    shown = sorted(
        (b for b in boxes if inside.y0 <= (b.y0 + b.y1) / 2 <= inside.y1), key=lambda b: b.y0
    )
    assert len(shown) >= 2
    assert all(b.y0 > a.y1 for a, b in pairwise(shown))


def test_rows_of_slices_leave_out_the_empty_ones_and_keep_their_numbers() -> None:
    stack = np.zeros((13, 20, 20), np.uint8)
    stack[2:9, 5:15, 5:15] = 1
    moved = np.roll(stack, 1, axis=0)
    numbers = [axis.get_xlabel() for axis in slices({"scan": stack}).axes]
    assert numbers == ["3", "4", "5", "6", "7", "8", "9"]
    both = slices({"scan": stack, "moved": moved}, every=2).axes
    assert [axis.get_xlabel() for axis in both[len(both) // 2 :]] == ["3", "5", "7", "9"]


def test_a_slice_that_shows_tissue_is_drawn_though_its_d_is_0() -> None:
    """At the start of a run all are."""
    problem, _, d = toy_problem()
    start = next(latent_optimisation(problem, PAPER))
    assert not start.d.any()
    figure = picture_convergence([start], d[0].numpy(), problem.tissue.numpy())
    for axis in figure.axes[1:]:
        assert len(axis.lines) == int(problem.tissue.sum()) > 2
