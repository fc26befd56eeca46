"""What a run of Algorithm 1 yields and takes: steps, and changes in mid-run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.solvers import Memory, Point


def hardly_changes(objectives: Sequence[float], settings: Settings) -> bool:
    """The paper's rule to stop: the mean relative change over the last `stop_window` iterations is
    below `stop_change`; not before there are as many."""
    last = objectives[-settings.stop_window - 1 :]
    if not settings.stop_change or len(last) <= settings.stop_window:
        return False
    change = sum(abs(b - a) / abs(a) for a, b in pairwise(last)) / settings.stop_window
    return change < settings.stop_change


@dataclass(frozen=True, eq=False)
class RunState:
    """What the next iteration needs besides z and d."""

    settings: Settings  # how the run goes on
    point: Point  # where it is
    memory: Memory  # the solver's
    objectives: tuple[float, ...]  # the last of them, for the paper's rule to stop
    # where it was in the last `stop_window` iterations, and whether what could be seen has changed
    marks: tuple[Point, ...]
    changed: bool = True
    searched: bool = False  # whether the last search was done

    @classmethod
    def fresh(cls, settings: Settings, point: Point, memory: Memory | None = None) -> "RunState":
        """A start, from which the rules to stop count; without a past, but for the memory."""
        return cls(settings, point, memory or Memory(), (point.objective,), (point,))

    @property
    def settled(self) -> bool:
        """Whether one of the rules says that nothing happens any more."""
        seen_still = bool(self.settings.stop_dice) and not self.changed
        return seen_still or hardly_changes(self.objectives, self.settings)

    def most(self, p: Problem) -> int:
        """How many iterations are done at most."""
        settings = self.settings
        untold = settings.start == "encoder" and not p.encoder
        far = untold or (settings.seeks_views and p.views)
        return max(settings.iterations, settings.far_iterations if far else 0)

    def reason_to_stop(self, iteration: int, p: Problem) -> str | None:
        """Why a run ends here, if it does."""
        if not math.isfinite(self.point.objective):
            return "diverged"
        if iteration >= self.most(p):
            return "iterations"
        to_search = any(iteration <= at for at in self.settings.searches(len(p.views)))
        return "converged" if self.settled and not to_search else None


@dataclass(frozen=True, eq=False)
class Step:
    """Where the optimisation stands after `iteration` updates.

    >>> step.z.shape, step.d.shape, step.stopped is not None
    (torch.Size([1, 128]), torch.Size([1, 13, 2]), True)

    Attributes:
        iteration: 0 is the start.
        z: (1, M).
        d: (1, K, 2) of the slices, mm along rows and columns.
        d_LA: (1, V, 2) of the long-axis views, as d; zero where they lie where their files say.
        loss, loss_sa, loss_la: L, L_SA, L_LA of Eqs. 3-5 here, nats per voxel; L_LA is NaN
            without an LA view.
        objective: what is minimised: L, or with priors L less the log-priors.
        gradient_z, gradient_d: norms of the objective's gradients; NaN at a start that a search
            follows, which needs none.
        seconds: computing time so far; waiting for the caller is not counted.
        most: iterations that the run has at most.
        stopped: why the run ended, on its last step.
        state: for an exact resume.
    """

    iteration: int
    z: Tensor
    d: Tensor
    d_LA: Tensor
    loss: float
    loss_sa: float
    loss_la: float
    objective: float
    gradient_z: float
    gradient_d: float
    seconds: float
    state: RunState
    most: int
    stopped: str | None = None

    @classmethod
    def at(cls, p: Problem, state: RunState, iteration: int, seconds: float) -> "Step":
        """The step of a run that has come to a state."""
        here = state.point
        norms = here.gradient_z.norm().item(), here.gradient_d.norm().item()
        shown = (iteration, here.z, *p.split(here.d), *here.losses, here.objective, *norms)
        return cls(*shown, seconds, state, state.most(p), state.reason_to_stop(iteration, p))


@dataclass(frozen=True, eq=False)
class Change:
    """What may be changed in mid-run; None leaves things as they are.

    >>> run = sr.latent_optimisation(problem, sr.PAPER)
    >>> next(run).iteration
    0
    >>> run.send(sr.Change(lr_z=0.05)).state.settings.lr_z
    0.05

    Attributes:
        gamma, lr_z, lr_d: as in `Settings`.
        d, d_LA: (1, K, 2) and (1, V, 2) new displacements of slices and of views, mm.
        restart: an earlier step to go on from.
        stop: end the run.
    """

    gamma: float | None = None
    lr_z: float | None = None
    lr_d: float | None = None
    d: Tensor | None = None
    d_LA: Tensor | None = None
    restart: Step | None = None
    stop: bool = False
