"""Lesson 10: the library solves what is no heart; each typical mistake gets its sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from srheart_demo.lessons import toy as check
from srheart_demo.lessons.toy import PeaPod, cut_pod
from srheart_demo.scan.degradation import degrade
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.settings import RECOMMENDED


def test_pods_of_a_batch_do_not_depend_on_each_other() -> None:
    z = torch.randn(2, PeaPod.latent_size, generator=torch.Generator().manual_seed(0))
    together = PeaPod().decode(z)
    assert together.shape == (2, 3, 32, 64, 64)
    torch.testing.assert_close(together[1:], PeaPod().decode(z[1:]))


def test_the_solver_finds_a_pod_with_all_that_recommended_does() -> None:
    straight = cut_pod(seed=2, motion=0.0)
    end = solve(straight.p, RECOMMENDED)
    assert end.stopped == "converged"
    dice, error = straight.scores(answer(end, straight.p), end.d)
    assert min(dice) > 0.95
    assert error < 0.3


def test_a_view_along_the_pod_mends_what_sections_cannot_tell() -> None:
    errors = []
    for lengthwise in (False, True):
        given = cut_pod(seed=4, motion=4.0, lengthwise=lengthwise)
        end = solve(given.p, replace(RECOMMENDED, iterations=30))
        errors.append(given.scores(answer(end, given.p), end.d)[1])
    assert errors[1] < 0.5 * errors[0]


def wax(z, H, W, row=1, column=2):
    size = 20 + 4 * z[:, 0, None, None, None]
    row, column = (10 * z[:, i, None, None, None] for i in (row, column))
    return size - torch.hypot(H - row, W - column)


def candle(z, H, W, **more):
    a = wax(z, H, W, **more)
    return torch.stack([-a, a], dim=1)


def test_candle_is_right_at_any_steepness() -> None:
    assert check.candle(candle).right
    assert check.candle(lambda z, H, W: 3 * candle(z, H, W)).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (wax, "background is missing"),
        (lambda z, H, W: candle(z[:1], H, W), "(3, 2, 4, 24, 24)"),
        (lambda z, H, W: (candle(z, H, W) > 0).float(), "no gradient"),
        (lambda z, H, W: -candle(z, H, W), "inside and outside"),
        (lambda z, H, W: candle(z, H, W, row=2, column=1), "rows and columns"),
        (lambda z, H, W: candle(z[:1], H, W).expand(3, -1, -1, -1, -1), "the first"),
        (lambda z, H, W: candle(2 * z, H, W), "radius of 20 mm"),
    ],
)
def test_candle_names_the_mistake(answer, word) -> None:
    verdict = check.candle(answer)
    assert not verdict.right
    assert word in verdict.sentence


def labels(G, z, stack, d):
    return degrade(G.decode(z), stack, d)[0].argmax(0)


def test_scan_is_right() -> None:
    assert check.scan(labels).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda G, z, s, d: degrade(G.decode(z), s, d), "logits"),
        (lambda G, z, s, d: degrade(G.decode(z), s, d).argmax(1), "batch"),
        (lambda G, z, s, d: degrade(G.decode(z), s, d)[0].argmax(-1), "the labels are"),
        (lambda G, z, s, d: labels(G, z, s, d).byte(), "int64"),
        (lambda G, z, s, d: labels(G, z, s, 0 * d), "not displaced"),
        (lambda G, z, s, d: labels(G, z, s, -d), "wrong way"),
        (lambda G, z, s, d: labels(G, z, s, d.flip(-1)), "changed places"),
        (lambda G, z, s, d: labels(G, z, s, 2 * d), "labels differ"),
    ],
)
def test_scan_names_the_mistake(answer, word) -> None:
    verdict = check.scan(answer)
    assert not verdict.right
    assert word in verdict.sentence
