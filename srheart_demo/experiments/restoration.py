"""From a scan to a heart that can be looked at anywhere: baselines, and Algorithm 1."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.heart.generator import OURS, load_generator
from srheart_demo.scan.degradation import HR_GRID, Stack, degrade, one_hot_field
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.baselines import BASELINES
from srheart_demo.solver.gauge import centred, labels_at
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import RECOMMENDED, Settings

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored heart, in the model's frame."""

    d: Tensor  # (1, K, 2) found, mm, in the file's order; zero where none is sought
    on_grid: Callable[[Stack], Labels]  # gives its labels (K', h', w') on parallel slices
    on_plane: Callable[[Plane], Labels]  # gives its labels (h, w) on a long-axis plane
    loss: float | None = None  # L of Eq. 5 at (z, d), where Algorithm 1 found it
    size_of_z: float | None = None  # |z|/√M there; of draws from N(0, I) it is near 1

    def moved(self, shift: Tensor) -> Self:
        """The heart moved by `shift` (2,), mm along H and W: what lay at x − shift lies at x."""

        def on_plane(plane: Plane) -> Labels:
            points = plane.points.clone()
            points[..., 1:] -= shift
            return self.on_plane(Plane(points))

        def on_grid(grid: Stack) -> Labels:
            return self.on_grid(replace(grid, origin=grid.origin - shift))

        return replace(self, on_grid=on_grid, on_plane=on_plane)


Method = Callable[[Scan], Restoration]


def interpolated(name: str, scan: Scan) -> Restoration:
    """A baseline's answer; nothing is computed before it is known where.

    Slices that nobody looked at do not show "no heart". On a plane it is the HR map that it
    restores, sliced along the plane, as in the paper (section 3.2).
    """
    placement, seen = scan.placement, scan.placement.from_apex(scan.looked_at)
    ordered = placement.apex_first(scan.stack)
    stack = stack_geometry(ordered, placement).slices(seen)

    def on_grid(grid: Stack) -> Labels:
        return BASELINES[name](ordered.labels[seen], stack, grid)

    S_SR = cache(lambda: one_hot_field(on_grid(HR_GRID)))
    no_d = torch.zeros(1, len(scan.looked_at), 2)
    return Restoration(no_d, on_grid, lambda plane: labels_at(S_SR(), plane.points))


def solved(field: Tensor, d: Tensor, loss: float, z: Tensor) -> Restoration:
    """Algorithm 1's answer, class logits over the HR box: the likeliest class at each voxel."""

    def on_grid(grid: Stack) -> Labels:
        logits = degrade(field, grid, torch.zeros(1, grid.K, 2))
        return logits[0].argmax(0).numpy().astype(np.uint8)

    size = float(z.square().mean().sqrt())
    return Restoration(d, on_grid, lambda plane: labels_at(field, plane.points), loss, size)


@dataclass(frozen=True)
class LatentOptimisation:
    """Algorithm 1, as `enhance` runs it."""

    settings: Settings = RECOMMENDED
    multi_view: bool = False  # whether it sees the LA view
    generator: str = OURS  # a shipped one's name, or a file of weights
    latent_size: int | None = None  # how many leading latents of it; all by default

    def __call__(self, scan: Scan) -> Restoration:
        """Solve to the end, or raise `ArithmeticError`: the run diverged."""
        G = load_generator(self.generator, self.latent_size)
        problem = Problem.of(scan if self.multi_view else replace(scan, view=None), G)
        end = solve(problem, self.settings)
        if not math.isfinite(end.objective):
            raise ArithmeticError("the optimisation diverged")
        there, shift = centred(end.d, problem)
        d = torch.zeros(1, len(scan.looked_at), 2)
        d[:, scan.looked_at] = there.flip(1) if scan.placement.flipped else there
        return solved(answer(end, problem), d, end.loss, end.z).moved(shift)
