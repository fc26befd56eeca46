"""Lesson 5: each typical mistake gets a sentence of its own; the landscape is the loss's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.fft import fftshift, irfft2, rfft2

from srheart_demo.explorer.why import LossMap, shift_map
from srheart_demo.lessons import gauge as check
from srheart_demo.lessons.gauge import descend, local_minima
from srheart_demo.lessons.truth import known_scan
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.settings import INTERACTIVE


def scores(log_p, seen):
    return irfft2((rfft2(seen) * rfft2(log_p).conj()).sum(0), s=seen.shape[-2:])


def test_shift_scores_by_fourier_transform_are_right() -> None:
    assert check.shift_scores(scores).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda p, y: scores(y, p), "wrong sign"),
        (lambda p, y: irfft2((rfft2(y) * rfft2(p)).sum(0), s=y.shape[-2:]), "convolution"),
        (lambda p, y: fftshift(scores(p, y)), "fftshift"),
        (lambda p, y: scores(p, y) / y[0].numel(), "means"),
        (lambda p, y: irfft2(rfft2(y) * rfft2(p).conj(), s=y.shape[-2:]), "classes"),
        (lambda p, y: irfft2((rfft2(y) * rfft2(p).conj()).sum(0)), "odd width"),
        (lambda p, y: torch.fft.ifft2((torch.fft.fft2(y)).sum(0)), "real numbers"),
        (lambda p, y: 2 * scores(p, y), "entry [i, j]"),
    ],
)
def test_shift_scores_names_the_mistake(answer, word) -> None:
    verdict = check.shift_scores(answer)
    assert not verdict.right
    assert word in verdict.sentence


def test_compensate_is_right() -> None:
    assert check.compensate(lambda d, z, t, lean: d - t - z[:, None] * lean).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda d, z, t, lean: d, "d has not"),
        (lambda d, z, t, lean: d + t + z[:, None] * lean, "lose t"),
        (lambda d, z, t, lean: d - t, "lean is missing"),
        (lambda d, z, t, lean: d - z[:, None] * lean, "translation is missing"),
        (lambda d, z, t, lean: d - t - lean, "multiply it by the height"),
        (lambda d, z, t, lean: d - t - (z - z.mean())[:, None] * lean, "about height 0"),
        (lambda d, z, t, lean: d - (t + z[:, None] * lean).flip(-1), "changed places"),
        (lambda d, z, t, lean: (d - t)[0], "(1, 7, 2)"),
        (lambda d, z, t, lean: d - 2 * t, "at each height"),
    ],
)
def test_compensate_names_the_mistake(answer, word) -> None:
    verdict = check.compensate(answer)
    assert not verdict.right
    assert word in verdict.sentence


def slope(e, a):
    return (a[:, None] * e).sum(0) / (a**2).sum() * a[:, None]


def test_without_drift_is_right() -> None:
    assert check.without_drift(lambda e, z: e - e.mean(0) - slope(e, z - z.mean())).right


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda e, z: e - e.mean(0), "lean is still there"),
        (lambda e, z: e - slope(e, z - z.mean()), "translation is still there"),
        (lambda e, z: e - slope(e, z), "through zero"),
        (lambda e, z: e - e.mean(0) - slope(e - e.mean(0), z), "less their mean too"),
        (
            lambda e, z: (
                e - e.mean(0) - slope(e, z - z.mean()) / (z - z.mean())[:, None] * z[:, None]
            ),
            "moves all slices",
        ),
        (lambda e, z: e - e.mean(), "a + b × height"),
    ],
)
def test_without_drift_names_the_mistake(answer, word) -> None:
    verdict = check.without_drift(answer)
    assert not verdict.right
    assert word in verdict.sentence


def test_local_minima_are_the_hollows_of_a_map() -> None:
    x = np.linspace(-3, 3, 25, dtype=np.float32)
    y = np.linspace(-2, 2, 17, dtype=np.float32)
    L = np.minimum((x - 1.5) ** 2, (x + 1) ** 2 + 0.1)[None] + (y[:, None] - 0.5) ** 2
    found = local_minima(LossMap(x, y, L, np.zeros((1, 2), np.float32), (0.0, 0.0)))
    assert found.tolist() == [[-1.0, 0.5], [1.5, 0.5]]


def test_descent_ends_in_the_deepest_hollow_of_its_landscape() -> None:
    p, _ = known_scan("healthy_1", "severe")
    end = solve(p, replace(INTERACTIVE, iterations=4))
    found = shift_map(p, [end], 6, None, reach=30.0)
    (lowest,) = local_minima(found)
    way = descend(p, end.z, 6, (12.0, -9.0), steps=60)
    assert way[0].tolist() == [-9.0, 12.0]
    assert np.abs(way[-1] - lowest).max() < 1.25
