"""What stays the same during a run: the subject, its scan, and what is known of the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo import metrics
from srheart_demo.baselines import nearest
from srheart_demo.degradation import HR_GRID, Stack, degrade, one_hot_field, simulate_stack
from srheart_demo.frame import hr_affine
from srheart_demo.gauge import common_translation, motion_error
from srheart_demo.problem import Generator, Problem
from srheart_demo.samples import load_sample
from srheart_demo.surface import Mesh, label_surface
from srheart_demo.views import Plane

GHOST = ("epicardium", "RV")
"""The surfaces of the truth that are drawn."""


@dataclass(frozen=True)
class Scan:
    """The settings of a simulated scan.

    Attributes:
        subject: name of a shipped sample.
        motion: factor on the subject's slice-wise motion; 0 none, 1 normal, 4 severe.
        long_axis: whether the solver is given the LA view.
    """

    subject: str
    motion: float = 1.0
    long_axis: bool = True


class Subject:
    """A shipped sample in the model's frame.

    Attributes:
        S_HR: (64, 128, 128) true labels.
        S_LA: (h, w) labels of the LA view, and `plane` where they lie.
    """

    def __init__(self, name: str) -> None:
        sample = load_sample(name)
        self.name = name
        self.S_HR = sample.S_HR.labels
        self.S_LA = sample.S_LA.labels[0]
        self.motion = sample.motion
        model_from_world = hr_affine() @ np.linalg.inv(sample.S_HR.affine)
        points = sample.S_LA.points()[0] @ model_from_world[:3, :3].T + model_from_world[:3, 3]
        self.plane = Plane(torch.tensor(points, dtype=torch.float32))

    @cached_property
    def field(self) -> Tensor:
        """The truth as a field (1, 4, 64, 128, 128)."""
        return one_hot_field(self.S_HR)

    @cached_property
    def slices(self) -> NDArray[np.uint8]:
        """The slices that a motionless scan shows."""
        stack = Stack.from_hr()
        return simulate_stack(self.S_HR, stack, torch.zeros(1, stack.K, 2))

    @cached_property
    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth, light enough to be drawn beside the estimate's."""
        return {name: label_surface(self.S_HR, hr_affine(), name, step=2) for name in GHOST}


class Scene:
    """A scan of a subject, as the solver is given it, with the truth beside it.

    Attributes:
        scan: the settings that it came from.
        S_LR: (K, h, w) what was scanned.
        problem: what the solver is given.
        d: (1, K, 2) true displacements, mm.
    """

    def __init__(self, scan: Scan, subject: Subject, generator: Generator) -> None:
        self.scan, self.subject = scan, subject
        stack = Stack.from_hr()
        self.d = subject.motion.displacement(scan.motion)
        self.S_LR = simulate_stack(subject.S_HR, stack, self.d)
        long_axis = scan.long_axis
        self.problem = Problem(
            G=generator,
            stack=stack,
            S_LR=torch.as_tensor(self.S_LR, dtype=torch.int64),
            plane=subject.plane if long_axis else None,
            S_LA=torch.as_tensor(subject.S_LA, dtype=torch.int64) if long_axis else None,
        )

    def gauge(self, d: Tensor) -> Tensor:
        """(2,) the translation that all estimated slices share beyond the true ones, mm.

        A heart moved by it, with all d moved likewise, explains the stack just as well. Moving
        the estimate back by it lays it over the truth.
        """
        return common_translation(d, self.d, self.problem.tissue)[0]

    def motion_error(self, d: Tensor) -> float:
        """RMS error of d after its common translation, mm."""
        return motion_error(d, self.d, self.problem.tissue)

    def dice(self, field: Tensor, d: Tensor) -> dict[str, float]:
        """Dice of a field with the truth, after the common translation of its d.

        Every HR plane moved by the same d is the moved heart, and `degrade` is separable: a
        quarter of the time of sampling the heart point by point.
        """
        moved = degrade(field, HR_GRID, self.gauge(d).expand(1, HR_GRID.K, 2))
        return metrics.dice(moved[0].argmax(0).numpy(), self.subject.S_HR)

    @cached_property
    def nearest(self) -> NDArray[np.uint8]:
        """Nearest-neighbour up-sampling of the stack, (64, 128, 128)."""
        return nearest.restore(self.S_LR, self.problem.stack, HR_GRID)

    @cached_property
    def nearest_dice(self) -> dict[str, float]:
        """Dice of nearest-neighbour up-sampling, scored as an estimate with d = 0."""
        return self.dice(one_hot_field(self.nearest), torch.zeros_like(self.d))
