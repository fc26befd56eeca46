"""Ways to go downhill in (z, d): one update each, with all memory passed in and out.

A solver maps (settings, here, memory, eye, iteration) to the next point and its memory. `SOLVERS`
knows them by name. They are ours, not torch's, because a run must resume, fork and rewind exactly
from any of its steps: torch's optimisers keep their memory in themselves and change it in place,
and its L-BFGS goes as many iterations as it likes in a call.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.heart.generator import likeliest
from srheart_demo.solver.curvature import units
from srheart_demo.solver.losses import objective
from srheart_demo.solver.problem import Decoded, Problem
from srheart_demo.solver.settings import Settings


@dataclass(frozen=True, eq=False)
class Point:
    """The objective at one (z, d)."""

    z: Tensor  # (1, M)
    d: Tensor  # (1, K + V, 2), mm, of the slices, then of the views
    objective: float  # what is minimised; `losses` are its parts L, L_SA and L_LA
    losses: tuple[float, float, float]
    # gradient_z, gradient_d: of the objective; zero for planes that do not move. Where z and d take
    # turns, gradient_z is that which led here.
    gradient_z: Tensor
    gradient_d: Tensor
    whole: bool = False  # whether all of G(z) was decoded, not only what the slices show


@dataclass(frozen=True, eq=False)
class Memory:
    """What a solver remembers: tensors whose meaning is its own. Empty at the start."""

    tensors: tuple[Tensor, ...] = ()
    updates: int = 0


Along = Literal["z", "d", "both"]


class Eye:
    """Looks at the objective of a problem.

    It keeps all of G(z) for the next look at it: where z and d take turns, and where a search goes
    between, z is decoded once.
    """

    def __init__(self, p: Problem) -> None:
        self.p = p
        self._kept: tuple[Tensor, Decoded] | None = None  # z and all of G(z), with its graph
        self._last: tuple[Point, Decoded] | None = None  # the last point and what was decoded there
        self.units = cache(partial(units, p))
        self.shown = lru_cache(8)(self._shown)  # of the presets' longest window and to spare

    def look(
        self,
        settings: Settings,
        z: Tensor,
        d: Tensor,
        along: Along = "both",
        whole: bool = False,
        slopes: bool = True,
    ) -> Point:
        """The objective and its gradients at (z, d), along z, d or both.

        A gradient along one of them takes less; the other is then zero. `whole` decodes z for
        slices that may lie anywhere, as for a search before or after. Without `slopes` gradients
        are NaN. Where z or d are no numbers any more, neither is the objective.
        """
        if not (z.isfinite().all() and d.isfinite().all()):  # torch would end the process
            return Point(z, d, math.nan, (math.nan,) * 3, torch.zeros_like(z), torch.zeros_like(d))
        moves = self.p.sought(settings.seeks_views)[:, None]
        d = d.detach() * moves if self.p.held is None else self.p.held.clone()
        d.requires_grad_(along != "z")
        # A run that takes turns looks at another d next; and a resumed run must round alike.
        whole = whole or along != "both"
        if whole and self._kept and torch.equal(self._kept[0], z):
            z, heart = self._kept
        else:
            z = z.detach().requires_grad_()
            heart = self.p.decode(z, None if whole else self.p.split(d)[0])
        with torch.set_grad_enabled(slopes):
            value, losses = objective(z, d, self.p, settings, heart)
        at = {"z": z, "d": d}
        gradients = {name: torch.full_like(x, 0 if slopes else math.nan) for name, x in at.items()}
        if slopes:
            ends = {name: x for name, x in at.items() if along in (name, "both")}
            found = torch.autograd.grad(value.sum(), tuple(ends.values()), retain_graph=whole)
            gradients |= dict(zip(ends, found, strict=True))
        self._kept = (z, heart) if whole and along != "z" else None
        L, L_SA, L_LA = (part.item() for part in losses)
        here = Point(
            z=z.detach(),
            d=d.detach(),
            objective=value.item(),
            losses=(L, L_SA, L_LA),
            gradient_z=gradients["z"],
            gradient_d=gradients["d"] * moves,
            whole=whole,
        )
        field = None if heart.field is None else heart.field.detach()
        self._last = here, Decoded(heart.planes.detach(), field)
        return here

    def whole(self, here: Point) -> Decoded:
        """G(z) for slices that may lie anywhere; kept for the next look."""
        if here.whole and self._last and self._last[0] is here:
            return self._last[1]
        z = here.z.detach().requires_grad_()
        heart = self.p.decode(z)
        self._kept = z, heart
        return heart

    @torch.no_grad()
    def _shown(self, here: Point) -> tuple[NDArray[np.uint8], NDArray[np.bool_], int]:
        """Labels of G(z) on the slices' planes, (K, H', W'), where it was decoded, and classes."""
        if self._last and self._last[0] is here:
            planes = self._last[1].planes[0]
        else:
            d = None if here.whole else self.p.split(here.d)[0]
            planes = self.p.decode(here.z, d).planes[0]
        return likeliest(planes), planes.any(0).numpy(), len(planes)


Solver = Callable[[Settings, Point, Memory, Eye, int], tuple[Point, Memory]]


def adam(
    settings: Settings, here: Point, memory: Memory, eye: Eye, iteration: int
) -> tuple[Point, Memory]:
    """Adam (Kingma and Ba 2015), the paper's choice; lines 4 and 5 of Algorithm 1.

    With `settings.alternate` d moves first and z follows a gradient taken there.
    """
    zeros = (torch.zeros_like(here.z),) * 2 + (torch.zeros_like(here.d),) * 2
    z_mean, z_square, d_mean, d_square = memory.tensors or zeros
    halvings = iteration // settings.halve_every if settings.halve_every else 0
    updates = memory.updates + 1

    d_mean, d_square, towards = _adam_direction(here.gradient_d, d_mean, d_square, updates)
    d = here.d - settings.lr_d * 0.5**halvings * towards
    gradient_z = here.gradient_z
    if settings.alternate:
        gradient_z = eye.look(settings, here.z, d, "z").gradient_z
    z_mean, z_square, towards = _adam_direction(gradient_z, z_mean, z_square, updates)
    z = here.z - settings.lr_z * 0.5**halvings * towards
    memory = Memory((z_mean, z_square, d_mean, d_square), updates)
    if settings.alternate:
        return replace(eye.look(settings, z, d, "d"), gradient_z=gradient_z), memory
    return eye.look(settings, z, d), memory


def _adam_direction(
    gradient: Tensor, mean: Tensor, square: Tensor, updates: int
) -> tuple[Tensor, Tensor, Tensor]:
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    corrected = (square / (1 - 0.999**updates)).sqrt() + 1e-8
    return mean, square, mean / (1 - 0.9**updates) / corrected


PAIRS = 20  # Pairs of steps and gradient changes that L-BFGS keeps
SUFFICIENT = 1e-4
"""Armijo's constant: the least share of the promised decrease that a step must bring."""
MOST_HALVINGS = 12  # After so many shortenings of a step there is no way further down

RESOLUTION = 2**-23
"""Nor where a step promises less than float32 can tell, as a share of the objective."""


def lbfgs(
    settings: Settings, here: Point, memory: Memory, eye: Eye, iteration: int
) -> tuple[Point, Memory]:
    """L-BFGS (Nocedal 1980) with backtracking, for the curved valleys between z and d.

    z and d are measured in the eye's units, times `lr_z` and `lr_d`. The first step follows the
    gradient and is at most one unit long, but twice that and so on while the slope grows no less
    steep: there no curvature tells how far to go. Without a descent the point stays and the memory
    is cleared.
    """
    sizes = here.z.numel(), here.d.numel()
    rates = torch.tensor([settings.lr_z, settings.lr_d])
    units = eye.units(settings) * rates.repeat_interleave(torch.tensor(sizes))

    def gradient_at(point: Point) -> Tensor:
        return units @ torch.cat([point.gradient_z.flatten(), point.gradient_d.flatten()])

    gradient = gradient_at(here)
    steps, changes = memory.tensors or (gradient.new_zeros(0, len(gradient)),) * 2
    direction = _quasi_newton(gradient, steps, changes)
    slope = float(gradient @ direction)
    length = 1.0 if len(steps) else min(1.0, 1.0 / float(gradient.norm().clamp_min(1e-12)))

    def look(length: float) -> Point:
        of_z, of_d = (length * direction @ units).split(sizes)
        return eye.look(settings, here.z + of_z, here.d + of_d.view_as(here.d))

    for _ in range(MOST_HALVINGS):
        point = look(length)
        if point.objective <= here.objective + SUFFICIENT * length * slope:
            break
        length /= 2
        if -length * slope < RESOLUTION * abs(here.objective):
            return here, Memory()
    else:
        return here, Memory()
    change = gradient_at(point) - gradient
    while not len(steps) and direction @ change <= 0:
        further = look(2 * length)
        if not further.objective < point.objective:
            break
        point, length, change = further, 2 * length, gradient_at(further) - gradient
    step = length * direction
    if step @ change > 1e-10 * change.norm() * step.norm():
        steps = torch.cat([steps, step[None]])[-PAIRS:]
        changes = torch.cat([changes, change[None]])[-PAIRS:]
    return point, Memory((steps, changes), memory.updates + 1)


def _quasi_newton(gradient: Tensor, steps: Tensor, changes: Tensor) -> Tensor:
    """−H⁻¹ gradient by the two-loop recursion over the remembered pairs, oldest first."""
    direction = -gradient
    if not len(steps):
        return direction
    inverse = 1 / (steps * changes).sum(1)
    weights = []
    for i in reversed(range(len(steps))):
        weight = inverse[i] * (steps[i] @ direction)
        direction = direction - weight * changes[i]
        weights.append(weight)
    direction = direction * (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for i, weight in enumerate(reversed(weights)):
        direction = direction + (weight - inverse[i] * (changes[i] @ direction)) * steps[i]
    return direction


SOLVERS: dict[str, Solver] = {"adam": adam, "lbfgs": lbfgs}
