"""Checks of lesson 4: Algorithm 1, when to stop, and what batch norm does to a start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from srheart_demo.lessons.discs import disc_decoder
from srheart_demo.lessons.small import small_problem
from srheart_demo.lessons.verdict import Cases, exercise, same
from srheart_demo.scan.degradation import downsample, move
from srheart_demo.solver.losses import cross_entropy
from srheart_demo.solver.problem import Problem

LR_Z, LR_D, ITERATIONS = 0.05, 0.4, 3
WINDOW, LEAST = 10, 0.05


def _descend(
    mistake: str, p: Problem, lr_z: float, lr_d: float, iterations: int
) -> tuple[Tensor, Tensor]:
    """The way of the reference solution, with one typical mistake; p is `small_problem`."""
    return _way(mistake, lr_z, lr_d, iterations)


@cache
def _way(mistake: str, lr_z: float, lr_d: float, iterations: int) -> tuple[Tensor, Tensor]:
    p = small_problem(long_axis=False)
    z = torch.zeros(1, p.G.latent_size, requires_grad=True)
    d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
    rates = {"swap": (lr_d, lr_z), "lr_z": (lr_z, lr_z), "lr_d": (lr_d, lr_d)}
    kind = torch.optim.SGD if mistake == "sgd" else torch.optim.Adam

    def optimisers() -> list[torch.optim.Optimizer]:
        pairs = zip((z, d), rates.get(mistake, (lr_z, lr_d)), strict=True)
        return [kind([x], lr) for x, lr in pairs]

    def loss(z: Tensor, d: Tensor) -> Tensor:
        logits = move(downsample(p.G.decode(z), p.stack), p.stack, d)
        value = cross_entropy(logits.softmax(1) if mistake == "softmax" else logits, p.S_LR).sum()
        return -value if mistake == "uphill" else value

    steps = optimisers()
    for _ in range(iterations + {"short": -1, "long": 1}.get(mistake, 0)):
        if mistake == "renew":
            steps = optimisers()
        if mistake != "accumulate":
            z.grad = d.grad = None
        loss(z, d).backward()
        if mistake in ("alternate", "still", "z first"):
            first, second = (0, 1) if mistake == "z first" else (1, 0)
            steps[first].step()
            z.grad = d.grad = None
            loss(z, torch.zeros_like(d) if mistake == "still" else d).backward()
            steps[second].step()
        else:
            for step in steps:
                step.step()
    ends = z.detach(), d.detach()
    return ends[::-1] if mistake == "exchanged" else ends


def _unmoved(
    found: tuple[Tensor, Tensor], right: Any, p: Problem, lr_z: float, lr_d: float, n: int
) -> str:
    for x, name in zip(found, "zd", strict=True):
        if not x.any():
            return (
                f"{name} did not move: it must be in the loss, not detached, and among the "
                "optimiser's parameters"
            )
    return (
        "z and d move, but not to where Algorithm 1 leads. The loss is Eq. 3: the cross-entropy of "
        "the displaced slices of G(z) with S_LR; both learning rates are given"
    )


def _ends_alike(a: Any, b: tuple[Tensor, Tensor]) -> bool:
    if not isinstance(a, tuple | list) or len(a) != 2:
        return False
    far = (max(0.02 * float(y.abs().max()), 1e-9) for y in b)
    return all(same(x, y, atol) for x, y, atol in zip(a, b, far, strict=True))


@exercise(
    lambda: {
        "one iteration": (small_problem(long_axis=False), 0.02, 0.1, 1),
        "three iterations at other rates": (small_problem(long_axis=False), LR_Z, LR_D, ITERATIONS),
    },
    "after three iterations z and d are where the library's Adam has them.",
    shape="z and d, two tensors, are wanted",
    otherwise=_unmoved,
    same=_ends_alike,
)
def algorithm_1(p: Problem, lr_z: float, lr_d: float, iterations: int) -> tuple[Tensor, Tensor]:
    """Exercise 1: Algorithm 1 by hand ends where the library's does."""
    return _descend("", p, lr_z, lr_d, iterations)


def _falling(share: float, n: int = 30, start: float = 1.0) -> list[float]:
    return [start * (1 - share) ** i for i in range(n)]


def _losses() -> Cases:
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
        "a loss that fell and has been still for ten changes": [
            *_falling(0.5, 20),
            *[0.5**19] * 10,
        ],
        "a loss that falls by 20 % but in the last iteration": [*_falling(0.2), 0.8**29],
        "a loss that is still but in the last iteration": [*[1.0] * 20, 0.7],
        "a loss that fell by 60 % ten changes ago": [*[1.0] * 12, *[0.4] * 10],
        "a loss that fell by 80 % eleven changes ago": [*[1.0] * 12, *[0.2] * 11],
    }
    return {label: (losses,) for label, losses in lists.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


def _rule(
    losses: Sequence[float],
    change: Callable[[float, float], float] = lambda a, b: abs(b - a) / abs(a),
    window: int = WINDOW,
    wait: int = WINDOW,
    of: Callable[[Sequence[float]], float] = _mean,
    least: float = LEAST,
) -> bool:
    """The paper's rule, with room for mistakes."""
    changes = [change(a, b) for a, b in pairwise(losses)]
    return len(changes) >= wait and of(changes[-window:]) < least


def _over_all(losses: Sequence[float], share: float = 1.0) -> bool:
    return len(losses) > WINDOW and abs(losses[-1] / losses[-1 - WINDOW] - 1) < share * LEAST


@exercise(
    _losses,
    "that is the paper's rule. It says that little changes, not that the answer is good.",
)
def stops(losses: Sequence[float]) -> bool:
    """Exercise 2: the paper's rule to stop, as the library reads it."""
    return _rule(losses)


def _batches() -> Cases:
    codes = torch.tensor([[[0.3, -1.0, 0.5]], [[1.5, 0.0, 0.0]], [[-1.5, 1.0, 0.0]]])
    return {
        "a network in eval mode": (disc_decoder(seed=3).eval(), *codes),
        "a network in train mode": (disc_decoder(seed=3).train(), *codes),
    }


def _beside(network: nn.Module, codes: tuple[Tensor, ...], which: int = 0) -> Tensor:
    """How the pictures of one place in the batch differ, of `this` with either neighbour."""
    this, *others = codes
    with torch.no_grad():
        one, two = (network(torch.cat([this, other]))[which] for other in others)
    return one - two


def _not_zero(found: Any, right: float, network: nn.Module, *codes: Tensor) -> str:
    if right:
        return ""
    return (
        "in eval mode it must be zero; both batches must hold the same first code, and only its "
        "neighbour may differ"
    )


_LARGEST = "give the largest absolute difference between the two first pictures."


@exercise(
    _batches,
    "in train mode a neighbour changes the picture; in eval mode it does not.",
    otherwise=_not_zero,
    hint=_LARGEST[:-1],
    same=partial(same, absolute=1e-5),
)
def influence(network: nn.Module, this: Tensor, other: Tensor, another: Tensor) -> float:
    """Exercise 3: how far one code's picture depends on its neighbour in the batch."""
    return float(_beside(network, (this, other, another)).abs().max())
