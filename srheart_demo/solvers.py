"""Ways to go downhill in (z, d): one update each, with all memory passed in and out.

A solver maps (settings, here, memory, look, iteration) to the next point and its memory; `look`
evaluates the objective and its gradients elsewhere. `SOLVERS` knows them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from srheart_demo.settings import Settings


@dataclass(frozen=True)
class Point:
    """The objective at one (z, d).

    Attributes:
        z: (1, M).
        d: (1, K, 2), mm.
        objective: what is minimised; `losses` are its parts L, L_SA and L_LA.
        gradient_z, gradient_d: of the objective; zero for slices without tissue.
    """

    z: Tensor
    d: Tensor
    objective: float
    losses: tuple[float, float, float]
    gradient_z: Tensor
    gradient_d: Tensor


@dataclass(frozen=True)
class Memory:
    """What a solver remembers: tensors whose meaning is its own. Empty at the start."""

    tensors: tuple[Tensor, ...] = ()
    updates: int = 0


Look = Callable[[Tensor, Tensor], Point]
Solver = Callable[[Settings, Point, Memory, Look, int], tuple[Point, Memory]]


def adam(
    settings: Settings, here: Point, memory: Memory, look: Look, iteration: int
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
    gradient_z = look(here.z, d).gradient_z if settings.alternate else here.gradient_z
    z_mean, z_square, towards = _adam_direction(gradient_z, z_mean, z_square, updates)
    z = here.z - settings.lr_z * 0.5**halvings * towards
    return look(z, d), Memory((z_mean, z_square, d_mean, d_square), updates)


def _adam_direction(
    gradient: Tensor, mean: Tensor, square: Tensor, updates: int
) -> tuple[Tensor, Tensor, Tensor]:
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    corrected = (square / (1 - 0.999**updates)).sqrt() + 1e-8
    return mean, square, mean / (1 - 0.9**updates) / corrected


PAIRS = 20
"""Pairs of steps and gradient changes that L-BFGS keeps."""
SUFFICIENT = 1e-4
"""Armijo's constant: the least share of the promised decrease that a step must bring."""
MOST_HALVINGS = 12
"""After so many shortenings of a step there is no way further down."""


def lbfgs(
    settings: Settings, here: Point, memory: Memory, look: Look, iteration: int
) -> tuple[Point, Memory]:
    """L-BFGS (Nocedal 1980) with backtracking, for the curved valleys between z and d.

    z and d are measured in units of `lr_z` and `lr_d`. The first step follows the gradient and is
    at most one unit long. Without a descent the point stays and the memory is cleared.
    """
    size = here.z.numel()
    scale = torch.cat(
        [torch.full((size,), settings.lr_z), torch.full((here.d.numel(),), settings.lr_d)]
    )

    def flat(z: Tensor, d: Tensor) -> Tensor:
        return torch.cat([z.flatten(), d.flatten()])

    x = flat(here.z, here.d) / scale
    gradient = flat(here.gradient_z, here.gradient_d) * scale
    steps, changes = memory.tensors or (x.new_zeros(0, len(x)), x.new_zeros(0, len(x)))
    direction = _quasi_newton(gradient, steps, changes)
    slope = float(gradient @ direction)
    length = 1.0 if len(steps) else min(1.0, 1.0 / float(gradient.norm().clamp_min(1e-12)))
    for _ in range(MOST_HALVINGS):
        there = x + length * direction
        z, d = (there * scale).split([size, here.d.numel()])
        point = look(z.view_as(here.z), d.view_as(here.d))
        if point.objective <= here.objective + SUFFICIENT * length * slope:
            break
        length /= 2
    else:
        return here, Memory()
    step = length * direction
    change = flat(point.gradient_z, point.gradient_d) * scale - gradient
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
