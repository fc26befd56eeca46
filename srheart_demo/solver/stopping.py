"""When a run has settled: the paper's rule, and nothing that could be seen."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from srheart_demo.heart.measures import class_dice
from srheart_demo.scan.degradation import downsample
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.solvers import Point


def hardly_changes(objectives: Sequence[float], settings: Settings) -> bool:
    """The paper's rule: the mean relative change over the last `stop_window` iterations is small.

    Args:
        objectives: at least the last `stop_window` + 1 of them, or as many as there are.
        settings: `stop_change` is what counts as small, 0 that nothing does.
    """
    last = objectives[-settings.stop_window - 1 :]
    if not settings.stop_change or len(last) <= settings.stop_window:
        return False
    change = sum(abs(b - a) / abs(a) for a, b in pairwise(last)) / settings.stop_window
    return change < settings.stop_change


@torch.no_grad()
def visibly_changed(a: Point, b: Point, p: Problem, settings: Settings) -> bool:
    """Whether two points differ by more than `stop_dice` or `stop_mm`."""
    if (a.d - b.d).norm(dim=-1).max() > settings.stop_mm:
        return True
    planes = [downsample(p.G.decode(x.z), p.stack) for x in (a, b)]
    before, after = (x.argmax(1).numpy() for x in planes)
    scores = class_dice(before, after, planes[0].shape[1])
    return sum(scores) / len(scores) < 1 - settings.stop_dice
