"""From a scan to a heart that can be looked at anywhere: baselines, and Algorithm 1."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.heart.generator import (
    OURS,
    HeartGenerator,
    available,
    load_generator,
    read_generator,
)
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


class Restoration(Protocol):
    """A restored heart, in the model's frame."""

    @property
    def d(self) -> Tensor:
        """(1, K, 2) displacements found, mm, in the file's order; zero where none are sought."""

    def on_grid(self, grid: Stack) -> Labels:
        """Its labels (K', h', w') on parallel slices."""

    def on_plane(self, plane: Plane) -> Labels:
        """Its labels (h, w) on a long-axis plane."""


Method = Callable[[Scan], Restoration]


@dataclass(frozen=True, eq=False)
class Moved:
    """A restored heart moved by `shift` (2,), mm along H and W."""

    heart: Restoration
    shift: Tensor

    @property
    def d(self) -> Tensor:
        """As the heart's."""
        return self.heart.d

    def on_grid(self, grid: Stack) -> Labels:
        """What the moved heart shows at x, the heart shows at x − shift."""
        return self.heart.on_grid(replace(grid, origin=grid.origin - self.shift))

    def on_plane(self, plane: Plane) -> Labels:
        """As `on_grid`."""
        points = plane.points.clone()
        points[..., 1:] -= self.shift
        return self.heart.on_plane(Plane(points))


@dataclass(frozen=True, eq=False)
class Interpolation:
    """A baseline's answer; nothing is computed before it is known where."""

    name: str
    scan: Scan

    @property
    def d(self) -> Tensor:
        """None is sought."""
        return torch.zeros(1, len(self.scan.looked_at), 2)

    def on_grid(self, grid: Stack) -> Labels:
        """Slices that nobody looked at do not show "no heart"."""
        placement, seen = self.scan.placement, self.scan.placement.from_apex(self.scan.looked_at)
        ordered = placement.apex_first(self.scan.stack)
        stack = stack_geometry(ordered, placement).slices(seen)
        return BASELINES[self.name](ordered.labels[seen], stack, grid)

    def on_plane(self, plane: Plane) -> Labels:
        """The HR map that it restores, sliced along the plane, as in the paper (section 3.2)."""
        return labels_at(self._S_SR, plane.points)

    @cached_property
    def _S_SR(self) -> Tensor:
        return one_hot_field(self.on_grid(HR_GRID))


@dataclass(frozen=True, eq=False)
class Solved:
    """The answer of Algorithm 1.

    Attributes:
        field: class logits over the HR box.
        d: as found.
        loss: L of Eq. 5 at (z, d).
        size_of_z: |z|/√M; of draws from N(0, I) it is near 1.
    """

    field: Tensor
    d: Tensor
    loss: float
    size_of_z: float

    def on_grid(self, grid: Stack) -> Labels:
        """The likeliest class at each voxel."""
        logits = degrade(self.field, grid, torch.zeros(1, grid.K, 2))
        return logits[0].argmax(0).numpy().astype(np.uint8)

    def on_plane(self, plane: Plane) -> Labels:
        """As `on_grid`."""
        return labels_at(self.field, plane.points)


@dataclass(frozen=True)
class LatentOptimisation:
    """Algorithm 1, as `enhance` runs it.

    Attributes:
        settings: how to run it.
        multi_view: whether it sees the LA view.
        generator: a shipped one's name, or a file of weights.
        latent_size: how many leading latents of it; all by default.
    """

    settings: Settings = RECOMMENDED
    multi_view: bool = False
    generator: str = OURS
    latent_size: int | None = None

    def __call__(self, scan: Scan) -> Restoration:
        """Solve to the end.

        Raises:
            ArithmeticError: the run diverged.
        """
        G = find_generator(self.generator, self.latent_size)
        problem = Problem.of(scan if self.multi_view else replace(scan, views=()), G)
        end = solve(problem, self.settings)
        if not math.isfinite(end.objective):
            raise ArithmeticError("the optimisation diverged")
        there = centred(end, problem)
        d = torch.zeros(1, len(scan.looked_at), 2)
        d[:, scan.looked_at] = there.d.flip(1) if scan.placement.flipped else there.d
        solved = Solved(answer(end, problem), d, end.loss, size_of(end.z))
        return Moved(solved, there.translation)


@cache
def find_generator(name: str, latent_size: int | None = None) -> HeartGenerator:
    """A shipped generator, or that of a file of weights."""
    if name in available():
        return load_generator(name, latent_size)
    return read_generator(Path(name), latent_size)


def size_of(z: Tensor) -> float:
    """|z|/√M."""
    return float(z.square().mean().sqrt())
