"""Scans whose truth is known, what answers look like over it, and a small problem for checks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor

from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.measures import mean_dice
from srheart_demo.lessons.pictures import Labels
from srheart_demo.scan.degradation import HR_GRID, Motion, Stack, degrade, one_hot_field, sample
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.scan.samples import Sample, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.simulate import stack_volume, where_it_is_known, world_from_model
from srheart_demo.solver import gauge
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.baselines import nearest_neighbour
from srheart_demo.solver.problem import Problem, View

HR_VOXELS = HR_GRID.points()


@dataclass(frozen=True, eq=False)
class Truth:
    """What a simulated scan hides."""

    S_HR: Labels  # (D, H, W) of the truth
    d: Tensor  # (1, K, 2) true displacements, mm
    p: Problem  # made of them
    voxels: Tensor = HR_VOXELS  # (D, H, W, 3) where the labels lie in the model's frame, mm

    @classmethod
    def of(cls, subject: Sample, level: str, scan: Scan, p: Problem) -> Self:
        """What the scan of a shipped subject hides, wherever it was placed."""
        voxels = torch.as_tensor(scan.placement.to_model(subject.S_HR.points())).float()
        return cls(subject.S_HR.labels, torch.as_tensor(subject.d(level))[None], p, voxels)

    def places(self, d: Tensor) -> Tensor:
        """Where the truth's voxels lie in a heart found with d (1, K, 2), (D, H, W, 3), mm: after
        their common translation (see `gauge`)."""
        shift = self.p.stack.in_model_axes(gauge.common_translation(d, self.d, self.p.tissue))[0]
        return torch.cat([self.voxels[..., :1], self.voxels[..., 1:] - shift], dim=-1)

    def over(self, fields: Tensor, d: Tensor) -> Tensor:
        """Fields (n, C, D', H', W') found with d at the truth's voxels, (n, C, D, H, W)."""
        return sample(fields, self.places(d))

    def labels(self, field: Tensor, d: Tensor) -> Labels:
        """A field (1, C, D', H', W') as labels of the truth's voxels; see `over`."""
        return self.over(field, d)[0].argmax(0).byte().numpy()

    def as_scanned(self) -> Labels:
        """The slices as they were scanned, by nearest neighbours, at the truth's voxels."""
        return self.labels(nearest(self.p), torch.zeros_like(self.d))

    def aligned(self, d: Tensor) -> Tensor:
        """The true displacements (1, K, 2) with the common translation of others, mm."""
        return self.d + gauge.common_translation(d, self.d, self.p.tissue)

    def dice(self, step: Step) -> float:
        """Mean Dice of G(z) with the true heart, after their common translation."""
        return mean_dice(self.labels(self.p.G.decode(step.z), step.d), self.S_HR)

    def motion_error(self, d: Tensor) -> float:
        """RMS error of d (1, K, 2) after the common translation, mm."""
        return gauge.motion_error(d, self.d, self.p.tissue)

    def motion_errors(self, d: Tensor) -> tuple[float, float, float]:
        """RMS error of d (1, K, 2), mm: after the common translation, less the drift along the
        stack too, and as it stands."""
        tissue, z = self.p.tissue, self.p.stack.z
        drift = gauge.unsheared_motion_error(d, self.d, z, tissue)
        return self.motion_error(d), drift, gauge.raw_motion_error(d, self.d, tissue)


def known_scan(
    name: str, level: str, views: Sequence[str] = (), displaced: str = "none"
) -> tuple[Problem, Truth]:
    """The scan of a shipped subject, as `Sample.scan` has it; KeyError for an unknown name.

    It is stored in the model's frame, so that no number is rounded on the way through the
    scanner's.
    """
    subject = load_sample(name)
    stack = stack_volume(subject.stacks[level].labels, Stack.from_hr(), np.eye(4))
    model_from_world = np.linalg.inv(world_from_model(subject.S_HR))
    chosen = [subject.views[view, displaced] for view in views]
    seen = [replace(view, affine=model_from_world @ view.affine) for view in chosen]
    p = Problem.of(where_it_is_known(stack, *seen, world=np.eye(4)), load_generator())
    return p, Truth(subject.S_HR.labels, torch.as_tensor(subject.d(level))[None], p)


def nearest(p: Problem) -> Tensor:
    """The slices as they were scanned, by nearest neighbours: a field (1, 4, 64, 128, 128)."""
    return one_hot_field(nearest_neighbour(p.S_LR.numpy(), p.stack, HR_GRID))


def small_problem(long_axis: bool) -> Problem:
    """Small enough for checks to solve in no time: four slices of a drawn heart, all with tissue,
    displaced by normal motion; and an LA view."""
    G = load_generator()
    heights = torch.tensor([-25.0, -5.0, 10.0, 25.0])
    stack = Stack.upright(heights, (-63.0, -63.0), (3.0, 3.0), (43, 43))
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(4))
    field = G.decode(z)
    S_LR = degrade(field, stack, Motion.draw(stack.K, 4).displacement(1.0))[0].argmax(0)
    if not long_axis:
        return Problem(G, stack, S_LR)
    up, across = torch.arange(-50.0, 50.0, 3.0), torch.arange(-60.0, 60.0, 3.0)
    rows, columns = torch.meshgrid(up, across, indexing="ij")
    plane = Plane(torch.stack([rows, 0.3 * columns, columns], dim=-1))
    return Problem(G, stack, S_LR, (View(plane, long_axis_view(field, plane)[0].argmax(0)),))
