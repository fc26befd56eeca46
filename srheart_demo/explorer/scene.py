"""What stays the same during a run: a scan, and what is known of the truth."""

from collections.abc import Callable, Hashable
from copy import copy
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from srheart_demo.explorer.subjects import Scannable, ScanSettings
from srheart_demo.heart.generator import likeliest
from srheart_demo.heart.measures import dice
from srheart_demo.scan.degradation import HR_GRID, degrade
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.baselines import nearest_neighbour
from srheart_demo.solver.gauge import common_translation, motion_error
from srheart_demo.solver.problem import Generator, Problem

_T = TypeVar("_T")

AT_ONCE = 8  # HR planes that are scored at once


class Scene:
    """A scan of a subject, as the solver is given it, with the truth beside it."""

    def __init__(self, settings: ScanSettings, subject: Scannable, generator: Generator) -> None:
        self.settings, self.subject = settings, subject
        # What came of it, and true displacements, mm, of slices (1, K, 2) and views (1, V, 2); None
        # where nobody knows.
        self.scan, self.d, self.d_LA = subject.take(settings)
        self.problem = Problem.of(self.scan, generator)
        ordered = self.scan.placement.apex_first(self.scan.stack)
        taken = self.scan.placement.from_apex(self.scan.looked_at)
        # Where the slices that were taken lie; those of `problem` are cut to the tissue.
        self.stack = stack_geometry(ordered, self.scan.placement).slices(taken)
        self.S_LR = ordered.labels[taken]  # (K, h, w) what they show
        there = taken[subject.there]
        self.slices, self.of = np.flatnonzero(there), len(there)  # (K,) which, from 0 at the apex
        self.has_view = bool(self.scan.views)
        self.view_names = subject.view_names(self.scan)
        self._truth = subject, self.d, self.d_LA
        self.simulated = self.d is not None  # whether the truth is there, be it hidden or not
        self._kept: dict[Hashable, Any] = {}

    @property
    def truth_hidden(self) -> bool:
        """Whether it is as if nobody knew the truth."""
        return self.simulated and self.d is None

    def with_truth(self, shown: bool) -> "Scene":
        """The same scan with the truth beside it; or without, as if nobody knew it."""
        if not self.simulated or shown != self.truth_hidden:
            return self
        scene = copy(self)
        scene.subject, scene.d, scene.d_LA = self._truth
        if not shown:
            scene.subject, scene.d, scene.d_LA = scene.subject.untold, None, None
        scene._kept = {}  # of what is known otherwise
        return scene

    def once(self, what: Hashable, find: Callable[[], _T]) -> _T:
        """`find()`, kept under this name for as long as the scene is there, and no longer."""
        if what not in self._kept:
            self._kept[what] = find()
        return self._kept[what]

    def gauge(self, d: Tensor) -> Tensor:
        """(2,) the translation that all estimated slices share beyond the true ones, mm.

        A heart moved by it, with all d moved likewise, explains the stack just as well. Moving
        the estimate back by it lays it over the truth.
        """
        if self.d is None:
            return torch.zeros(2)
        return common_translation(d, self.d, self.problem.tissue)[0]

    @property
    def views_may_move(self) -> bool:
        """Whether long-axis views may be displaced by hand; else they lie where files have them, as
        in the paper."""
        return not self.simulated or self.settings.views_move

    def slices_back(self, d: Tensor) -> Tensor:
        """(K, 2) mm along (H, W) from where an estimate d puts each slice to where it was
        scanned."""
        return self.stack.in_model_axes(d)[0] - self.gauge(d)

    def view_back(self, step: Step, v: int) -> Tensor:
        """(2,) mm along the rows and columns of view v from where an estimate puts it to where it
        was scanned."""
        along = self.problem.views[v].plane.directions
        return step.d_LA[0, v] - along[:, 1:] @ self.gauge(step.d)

    def motion_error(self, d: Tensor) -> float:
        """RMS error of d after its common translation, mm; NaN where the truth is not known."""
        return float("nan") if self.d is None else motion_error(d, self.d, self.problem.tissue)

    def dice(self, field: Tensor, d: Tensor) -> dict[str, float]:
        """Dice of a field with the truth, after the common translation of its d; or nothing.

        Every HR plane moved by the same d is the moved heart, and `degrade` is separable: a
        quarter of the time of sampling the heart point by point. Some planes at a time, so that
        a kernel's memory does not grow by the logits of all of them.
        """
        if self.subject.S_HR is None:
            return {}
        shift, labels = self.gauge(d), []
        for z in HR_GRID.z.split(AT_ONCE):
            moved = degrade(field, replace(HR_GRID, z=z), shift.expand(1, len(z), 2))
            labels.append(likeliest(moved[0]))
        return dice(np.concatenate(labels), self.subject.S_HR)

    @property
    def nearest_dice(self) -> dict[str, float]:
        """Dice of nearest-neighbour up-sampling, scored as an estimate with d = 0."""
        d, S_HR = self.d, self.subject.S_HR
        if d is None or S_HR is None:
            return {}
        grid = replace(HR_GRID, origin=HR_GRID.origin - self.gauge(torch.zeros_like(d)))
        return self.once(
            "nearest", lambda: dice(nearest_neighbour(self.S_LR, self.stack, grid), S_HR)
        )
