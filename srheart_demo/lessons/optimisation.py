"""Lesson 4: checks (Algorithm 1, when to stop, batch norm), and a decoder of discs."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

from srheart_demo.dashboard.theme import BACKGROUND, RUNS
from srheart_demo.lessons.pictures import finish, grid, outline
from srheart_demo.lessons.results import same
from srheart_demo.lessons.truth import known_scan as known_scan
from srheart_demo.lessons.truth import small_problem
from srheart_demo.lessons.verdict import Cases, exercise
from srheart_demo.scan.degradation import downsample, move
from srheart_demo.solver.losses import cross_entropy
from srheart_demo.solver.problem import Problem

WINDOW, LEAST = 10, 0.05
PIXELS = 32
RADIUS, PER_SD = 7.0, 2.0
"""A disc's mean radius, and what one standard deviation of each latent changes, pixels."""


@cache
def _descend(mistake: str, lr_z: float, lr_d: float, iterations: int) -> tuple[Tensor, Tensor]:
    """Where the solution ends on the cases' problem, with one typical mistake."""
    p = small_problem(long_axis=False)
    z, d = (x.requires_grad_() for x in p.zero())
    kind = torch.optim.SGD if mistake == "sgd" else torch.optim.Adam

    def optimisers() -> list[torch.optim.Optimizer]:
        return [kind([z], lr_z), kind([d], lr_d)]

    def loss(z: Tensor, d: Tensor) -> Tensor:
        logits = move(downsample(p.G.decode(z), p.stack), p.stack, d)
        value = cross_entropy(logits.softmax(1) if mistake == "softmax" else logits, p.S_LR).sum()
        return -value if mistake == "uphill" else value

    steps = optimisers()
    for _ in range(iterations):
        if mistake == "renew":
            steps = optimisers()
        if mistake != "accumulate":
            z.grad = d.grad = None
        loss(z, d).backward()
        if mistake in ("alternate", "still", "z first"):
            first, second = steps if mistake == "z first" else steps[::-1]
            first.step()
            z.grad = d.grad = None
            loss(z, torch.zeros_like(d) if mistake == "still" else d).backward()
            second.step()
        else:
            for step in steps:
                step.step()
    return z.detach(), d.detach()


def _ends_alike(a: Any, b: tuple[Tensor, Tensor]) -> bool:
    if not isinstance(a, tuple | list) or len(a) != 2:
        return False
    far = (max(0.02 * float(y.abs().max()), 1e-9) for y in b)
    return all(same(x, y, atol) for x, y, atol in zip(a, b, far, strict=True))


@exercise(
    lambda: {
        "one iteration": (small_problem(long_axis=False), 0.02, 0.1, 1),
        "three iterations at other rates": (small_problem(long_axis=False), 0.2, 0.4, 3),
    },
    same=_ends_alike,
)
def algorithm_1(p: Problem, lr_z: float, lr_d: float, iterations: int) -> tuple[Tensor, Tensor]:
    """Exercise 1: Algorithm 1 by hand ends where the library's does."""
    return _descend("", lr_z, lr_d, iterations)


def _falling(share: float, n: int = 30, start: float = 1.0) -> list[float]:
    return [start * (1 - share) ** i for i in range(n)]


def _losses() -> Cases:
    fell = [*_falling(0.5, 20), *[0.5**19] * 10]
    lists = {
        "a loss that does not change at all": _falling(0.0),
        "a loss that falls by 20 % in every iteration": _falling(0.2, start=1e3),
        "ten equal losses, which hold only 9 changes": _falling(0.0, WINDOW),
        "eleven equal losses": _falling(0.0, WINDOW + 1),
        "a single loss": [1.0],
        "a loss that falls by 3 % in every iteration": _falling(0.03, start=1e3),
        "a small loss that falls by 20 % in every iteration": _falling(0.2, start=1e-3),
        "a small loss that falls by 4.9 % in every iteration": _falling(0.049, start=0.1),
        "a loss that falls by 5.1 % in every iteration": _falling(0.051),
        "a loss that rises by 5.1 % in every iteration": _falling(-0.051),
        "a loss that goes up and down by a fifth": [1.0, 1.2] * 15,
        "a loss that fell and has been still for ten changes": fell,
        "a loss that falls by 20 % but in the last iteration": [*_falling(0.2), 0.8**29],
        "a loss that is still but in the last iteration": [*[1.0] * 20, 0.7],
        "a loss that fell by 60 % ten changes ago": [*[1.0] * 12, *[0.4] * 10],
        "a loss that was still and falls by 20 % since": [*[1.0] * 12, *_falling(0.2, 10)],
        "a loss that fell by half five changes ago, by 5 % on average": [*[1.0] * 12, *[0.5] * 5],
        "a loss that fell by 80 % eleven changes ago": [*[1.0] * 12, *[0.2] * 11],
    }
    return {label: (losses,) for label, losses in lists.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


@exercise(_losses)
def stops(
    losses: Sequence[float],
    *,
    change: Callable[[float, float], float] = lambda a, b: abs(b - a) / abs(a),
    window: int = WINDOW,
    wait: int = WINDOW,
    of: Callable[[Sequence[float]], float] = _mean,
    least: float = LEAST,
) -> bool:
    """Exercise 2: the paper's rule to stop, as the library reads it."""
    changes = [change(a, b) for a, b in pairwise(losses)]
    return len(changes) >= wait and of(changes[-window:]) < least


def _batches() -> Cases:
    codes = torch.tensor([[[0.3, -1.0, 0.5]], [[1.5, 0.0, 0.0]], [[-1.5, 1.0, 0.0]]])
    return {
        "a network in eval mode": (disc_decoder(seed=3).eval(), *codes),
        "a network in train mode": (disc_decoder(seed=3).train(), *codes),
    }


@exercise(_batches, same=partial(same, absolute=1e-5))
def influence(
    network: nn.Module,
    this: Tensor,
    other: Tensor,
    another: Tensor,
    *,
    which: int = 0,
    of: Callable[[Tensor], Tensor] = lambda apart: apart.abs().max(),
) -> float:
    """Exercise 3: how far one code's picture depends on its neighbour in the batch."""
    with torch.no_grad():
        one, two = (network(torch.cat([this, beside]))[which] for beside in (other, another))
    return float(of(one - two))


def discs(z: Tensor) -> Tensor:
    """Distance (B, 32, 32) from the borders of discs of codes (B, 3), pixels; positive inside."""
    axis = torch.arange(PIXELS) - (PIXELS - 1) / 2
    size, row, column = (PER_SD * z).T[..., None, None]
    return RADIUS + size - torch.sqrt((axis[:, None] - row) ** 2 + (axis - column) ** 2)


def disc_decoder(seed: int) -> nn.Sequential:
    """Codes (B, 3) → logits (B, 1, 32, 32), untrained: linear, then transposed convolutions with
    batch norm between them, as in the reference implementation."""
    torch.manual_seed(seed)
    up = partial(nn.ConvTranspose2d, kernel_size=4, stride=2, padding=1)
    first = [nn.Linear(3, 32 * 16), nn.Unflatten(1, (32, 4, 4))]
    second = [up(32, 16), nn.BatchNorm2d(16), nn.LeakyReLU(0.2)]
    return nn.Sequential(*first, *second, up(16, 8), nn.BatchNorm2d(8), nn.LeakyReLU(0.2), up(8, 1))


def taught(network: nn.Sequential, seed: int, steps: int = 300) -> nn.Sequential:
    """Teach the network discs of z ~ N(0, I); it is left in training mode."""
    rng = torch.Generator().manual_seed(seed)
    adam = torch.optim.Adam(network.train().parameters(), lr=2e-3)
    for _ in range(steps):
        z = torch.randn(32, 3, generator=rng)
        loss = F.binary_cross_entropy_with_logits(network(z)[:, 0], (2 * discs(z)).sigmoid())
        adam.zero_grad()
        loss.backward()
        adam.step()
    return network.requires_grad_(False)


def picture_discs(rows: Mapping[str, Sequence[NDArray[np.floating]]], of: Sequence[str]) -> Figure:
    """Discs in rows, each with its area and with the border of the first row's disc.

    `rows` are title → signed pictures (h, w), positive inside; `of` are the columns' titles.
    """
    areas = {title: [f"{int((x > 0).sum())} pixels" for x in row] for title, row in rows.items()}
    inside = {title: [(x > 0).astype(np.uint8) for x in row] for title, row in rows.items()}
    figure, axes = grid(inside, 1.5, of, areas, (BACKGROUND, RUNS[0]))
    for line in axes:
        for axis, asked_for in zip(line, next(iter(rows.values())), strict=True):
            outline(axis, asked_for > 0, linestyles="--")
    return finish(figure)
