"""Lesson 4: each typical mistake gets a sentence of its own."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from srheart_demo.lessons import optimisation as check
from srheart_demo.lessons.optimisation import disc_decoder, discs, taught
from srheart_demo.lessons.truth import known_scan
from srheart_demo.scan.degradation import degrade
from srheart_demo.solver.algorithm import latent_optimisation, solve
from srheart_demo.solver.losses import cross_entropy
from srheart_demo.solver.settings import Settings


def library(p, lr_z, lr_d, iterations, **more):
    end = solve(p, Settings(lr_z=lr_z, lr_d=lr_d, iterations=iterations, **more))
    return end.z, end.d


def by_hand(p, lr_z, lr_d, iterations, sign=1, clear=True):
    z = torch.zeros(1, p.G.latent_size, requires_grad=True)
    d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
    adam = torch.optim.Adam([{"params": [z], "lr": lr_z}, {"params": [d], "lr": lr_d}])
    for _ in range(iterations):
        if clear:
            adam.zero_grad()
        (sign * cross_entropy(degrade(p.G.decode(z), p.stack, d), p.S_LR)).backward()
        adam.step()
    return z.detach(), d.detach()


def test_algorithm_1_is_the_library_s() -> None:
    assert check.algorithm_1(library).right
    assert check.algorithm_1(by_hand).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda p, a, b, n: by_hand(p, a, b, n, clear=False), "backward() adds"),
        (lambda p, a, b, n: by_hand(p, a, b, n, sign=-1), "uphill"),
        (lambda p, a, b, n: by_hand(p, b, a, n), "d's learning rate"),
        (lambda p, a, b, n: library(p, a, b, n, alternate=True), "public code"),
        (lambda p, a, b, n: by_hand(p, a, b, n - 1), "early"),
        (lambda p, a, b, n: by_hand(p, a, b, n + 1), "too many"),
        (lambda p, a, b, n: by_hand(p, a, 0.0, n), "d did not move"),
        (lambda p, a, b, n: by_hand(p, 0.0, b, n), "z did not move"),
        (lambda p, a, b, n: by_hand(p, 0.0, 0.0, n), "still at zero"),
        (lambda p, a, b, n: by_hand(p, a, 3 * b, n), "Eq. 3"),
    ],
)
def test_algorithm_1_names_the_mistake(answer, word) -> None:
    verdict = check.algorithm_1(answer)
    assert not verdict.right
    assert word in verdict.sentence


def changes(losses):
    return [abs(b - a) / abs(a) for a, b in pairwise(losses)]


def mean(values):
    return sum(values) / max(len(values), 1)


def test_the_paper_s_rule_is_the_library_s() -> None:
    p, _ = known_scan("healthy_1", "none")
    settings = Settings(lr_z=1e-4, lr_d=0.01, iterations=15, stop_change=check.LEAST)
    losses = [step.loss for step in latent_optimisation(p, settings)]
    assert len(losses) == 1 + check.WINDOW
    assert check.stops(lambda x: len(x) > 10 and mean(changes(x)[-10:]) < 0.05).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda x: mean(changes(x)[-10:]) < 0.05, "only 9 changes"),
        (lambda x: len(x) > 10 and mean([b / a - 1 for a, b in pairwise(x)]) < 0.05, "sign"),
        (lambda x: len(x) > 10 and sum(changes(x)[-10:]) < 0.05, "sum"),
        (lambda x: len(x) > 10 and mean([abs(b - a) for a, b in pairwise(x)]) < 0.05, "size"),
        (lambda x: len(x) > 10 and mean(changes(x)) < 0.05, "long ago"),
        (lambda x: len(x) > 10 and changes(x)[-1] < 0.05, "one change"),
        (lambda x: False, "not change at all"),
        (lambda x: None, "empty"),
    ],
)
def test_stops_names_the_mistake(answer, word) -> None:
    verdict = check.stops(answer)
    assert not verdict.right
    assert word in verdict.sentence


def beside(network, this, neighbour, which=0):
    return network(torch.cat([this, neighbour]))[which]


def largest(x):
    return float(x.abs().max())


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda n, t, a, b: largest(beside(n, t, a, 1) - beside(n, t, b, 1)), "neighbours'"),
        (lambda n, t, a, b: largest(n(t) - n(t)), "one batch"),
        (lambda n, t, a, b: largest(beside(n.eval(), t, a) - beside(n, t, b)), "mode as it is"),
        (lambda n, t, a, b: largest(beside(n, t, a) - beside(n, a, t)), "eval mode"),
        (lambda n, t, a, b: float((beside(n, t, a) - beside(n, t, b)).mean()), "largest"),
    ],
)
def test_influence_names_the_mistake(answer, word) -> None:
    verdict = check.influence(answer)
    assert not verdict.right
    assert word in verdict.sentence


def test_batch_norm_in_train_mode_forgets_sizes() -> None:
    network = taught(disc_decoder(seed=0), seed=0, steps=150)
    sizes = torch.tensor([[-1.5, 0.0, 0.0], [1.5, 0.0, 0.0]])

    def areas():
        return [int((network(code[None]) > 0).sum()) for code in sizes]

    small, large = ((discs(sizes) > 0).flatten(1).sum(1)).tolist()
    network.eval()
    learned = areas()
    network.train()
    alone = areas()
    assert learned == pytest.approx([small, large], rel=0.25)
    assert alone[1] - alone[0] < 0.85 * (learned[1] - learned[0])
