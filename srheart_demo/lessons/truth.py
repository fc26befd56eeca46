"""Scans of subjects whose truth is known, and how near a run came to it."""

from dataclasses import dataclass

from torch import Tensor

from srheart_demo.explorer.subjects import Labels, ScanSettings, load_subject
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.degradation import HR_GRID
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.gauge import common_translation, labels_at, motion_error
from srheart_demo.solver.problem import Problem


@dataclass(frozen=True, eq=False)
class Truth:
    """What a simulated scan hides.

    Attributes:
        S_HR: (64, 128, 128) labels of the true heart.
        d: (1, K, 2) true displacements, mm.
        p: the problem that was made of them.
    """

    S_HR: Labels
    d: Tensor
    p: Problem

    def dice(self, step: Step) -> float:
        """Mean Dice of G(z) with the true heart, after their common translation."""
        common = common_translation(step.d, self.d, self.p.tissue)
        shift = self.p.stack.in_model_axes(common)[0]
        field = self.p.G.decode(step.z)
        return mean_dice(labels_at(field, HR_GRID.points(), shift), self.S_HR)

    def motion_error(self, step: Step) -> float:
        """RMS error of d after the common translation, mm."""
        return motion_error(step.d, self.d, self.p.tissue)


def known_scan(
    name: str, motion: float, long_axis: bool = False, noise: float = 0.0
) -> tuple[Problem, Truth]:
    """A scan of a shipped or random subject (`session.subjects`), cut to the heart.

    Args:
        name: of a shipped sample, or ``random_SEED``.
        motion: factor on the subject's motion; 0 none, 1 normal, 4 severe.
        long_axis: whether the solver is given the LA view.
        noise: ε of Eq. 1.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    subject = load_subject(name)
    scan, d = subject.take(ScanSettings(name, motion, long_axis, noise=noise))
    p = Problem.of(scan, load_generator())
    return p, Truth(subject.S_HR, d, p)
