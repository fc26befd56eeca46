"""Checks of lesson 4: Algorithm 1, when to stop, and what batch norm does to a start."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from srheart_demo.course.discs import disc_decoder
from srheart_demo.course.small import small_problem
from srheart_demo.course.verdict import NotYet, check, written
from srheart_demo.degradation import downsample, move
from srheart_demo.losses import cross_entropy
from srheart_demo.problem import Problem

LR_Z, LR_D, ITERATIONS = 0.05, 0.4, 3
WINDOW, LEAST = 10, 0.05


@check
def algorithm_1(mine: Callable[[Problem, float, float, int], tuple[Tensor, Tensor]]) -> str:
    """Exercise 1: Algorithm 1 by hand ends where the library's does."""
    p = small_problem(long_axis=False)
    z, d = written(mine(p, LR_Z, LR_D, ITERATIONS), "algorithm_1")
    if not z.any() and not d.any():
        raise NotYet("z and d are still at zero; in each iteration: loss, backward, step.")
    if not d.any():
        raise NotYet("d did not move; is it in the loss, and among the optimiser's parameters?")
    if not z.any():
        raise NotYet("z did not move; is it in the loss, and among the optimiser's parameters?")
    if _alike((z, d), _descend(p)):
        return "after three iterations z and d are where the library's Adam has them."
    for mistake, sentence in _MISTAKES.items():
        if _alike((z, d), _descend(p, mistake)):
            raise NotYet(sentence)
    raise NotYet(
        "z and d move, but not to where Algorithm 1 leads. The loss is Eq. 3: the cross-entropy of "
        "the displaced slices of G(z) with S_LR; both learning rates are given."
    )


_MISTAKES = {
    "accumulate": "the gradients of earlier iterations are still in there, because backward() "
    "adds; clear them with zero_grad() each time.",
    "uphill": "you go uphill; the optimiser minimises what you call backward() on.",
    "swap": "z moves by d's learning rate and d by z's.",
    "alternate": "d moves first and z follows at the new d. That is the public code's way; the "
    "paper takes both steps from one gradient.",
    "short": "you stop one iteration early.",
    "long": "you do one iteration too many.",
    "still": "z moves as if all slices lay still: the loss for z must have d in it too.",
}


def _descend(p: Problem, mistake: str = "") -> tuple[Tensor, Tensor]:
    """The way of the reference solution, with one typical mistake."""
    z = torch.zeros(1, p.G.latent_size, requires_grad=True)
    d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
    rates = (LR_D, LR_Z) if mistake == "swap" else (LR_Z, LR_D)
    steps = [torch.optim.Adam([x], lr) for x, lr in zip((z, d), rates, strict=True)]

    def loss(z: Tensor, d: Tensor) -> Tensor:
        value = cross_entropy(move(downsample(p.G.decode(z), p.stack), p.stack, d), p.S_LR).sum()
        return -value if mistake == "uphill" else value

    for _ in range(ITERATIONS + {"short": -1, "long": 1}.get(mistake, 0)):
        if mistake != "accumulate":
            z.grad = d.grad = None
        loss(z, d).backward()
        if mistake in ("alternate", "still"):
            steps[1].step()
            z.grad = None
            loss(z, torch.zeros_like(d) if mistake == "still" else d).backward()
            steps[0].step()
        else:
            for step in steps:
                step.step()
    return z.detach(), d.detach()


def _alike(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return all(
        x.shape == y.shape and torch.allclose(x, y, atol=0.02 * lr)
        for x, y, lr in zip(a, b, (LR_Z, LR_D), strict=True)
    )


def _falling(share: float, n: int, start: float = 1.0) -> list[float]:
    return [start * (1 - share) ** i for i in range(n)]


@check
def stops(mine: Callable[[Sequence[float]], bool]) -> str:
    """Exercise 2: the paper's rule to stop, as the library reads it."""
    written(mine(_falling(0.0, 30)), "stops")
    if mine(_falling(0.0, WINDOW)):
        raise NotYet(f"{WINDOW} losses hold only {WINDOW - 1} changes; wait for {WINDOW} of them.")
    if not mine(_falling(0.0, 30)):
        raise NotYet("a loss that does not change at all must stop the run.")
    if mine(_falling(0.2, 30, start=1e3)):
        raise NotYet(
            "a loss that falls by 20 % in every iteration must go on; take the size of each change "
            "without its sign."
        )
    if not mine(_falling(0.03, 30)):
        raise NotYet(
            "a loss that falls by 3 % in every iteration must stop; take the mean of the changes "
            "over the window, not their sum."
        )
    if not mine(_falling(0.03, 30, start=1e3)) or mine(_falling(0.2, 30, start=1e-3)):
        raise NotYet("your answer depends on the size of the loss; divide each change by the loss.")
    if not mine(_falling(0.5, 20) + [0.5**19] * WINDOW):
        raise NotYet(f"changes of long ago still count; take the last {WINDOW} only.")
    if mine([*_falling(0.2, 30), 0.8**29]) or not mine([1.0] * 20 + [0.7]):
        raise NotYet("you look at one change; the rule takes the mean over the window.")
    return "that is the paper's rule. It says that little changes, not that the answer is good."


@check
def influence(mine: Callable[[nn.Module, Tensor, Tensor, Tensor], float]) -> str:
    """Exercise 3: how far one code's picture depends on its neighbour in the batch."""
    network = disc_decoder(seed=3)
    this, other, another = torch.tensor([[[0.3, -1.0, 0.5]], [[1.5, 0.0, 0.0]], [[-1.5, 1.0, 0.0]]])
    with torch.no_grad():
        found = float(written(mine(network.train(), this, other, another), "influence"))
        pairs = [network(torch.cat([this, x])) for x in (other, another)]
        alone = float(mine(network.eval(), this, other, another))
    own, neighbours = ((pairs[0][i] - pairs[1][i]).abs().max().item() for i in (0, 1))
    if math.isclose(found, neighbours, rel_tol=1e-3):
        raise NotYet("you compare the neighbours' pictures; compare the first of each batch.")
    if alone > 1e-5:
        raise NotYet(
            "in eval mode it must be zero; both batches must hold the same first code, and only "
            "its neighbour may differ."
        )
    if not found:
        raise NotYet(
            "in train mode it must not be zero: both codes must go through the network in one "
            "batch, and you must leave the network's mode as it is."
        )
    if not math.isclose(found, own, rel_tol=1e-3):
        raise NotYet("give the largest absolute difference between the two first pictures.")
    return "in train mode a neighbour changes the picture; in eval mode it does not."
