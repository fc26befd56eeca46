"""Lesson 3: each typical mistake gets a sentence of its own."""

from __future__ import annotations

import numpy as np
import pytest
from simple_heart import heart_labels
from torch import Tensor

from srheart_demo.explorer.why import along
from srheart_demo.frame import lattice_points
from srheart_demo.heart.anatomy import LV, MYO, RV, faults
from srheart_demo.lessons import prior as course


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    return 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)


def surprise(z: Tensor) -> float:
    return float((z.square().sum() - z.numel()) / (2 * z.numel()) ** 0.5)


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda m, v: None, "still empty"),
        (lambda m, v: kl(m, v).mean(), "one number for each of 3"),
        (lambda m, v: kl(m, v) / m.shape[1], "a sum over the latents"),
        (lambda m, v: 2 * kl(m, v), "the half"),
        (lambda m, v: -kl(m, v), "sign"),
        (lambda m, v: kl(m, 2 * v), "not ln σ"),
        (lambda m, v: kl(m, v.log()), "exp, not log"),
        (lambda m, v: 0.5 * (m**2 + v.exp() - v).sum(1), "−1 is missing"),
        (lambda m, v: kl(0 * m, v), "the mean takes no part"),
        (lambda m, v: 0.5 * (m**2 - 1 - v).sum(1), "σ² itself"),
        (lambda m, v: kl(m * (-v / 2).exp(), -v), "the other way round"),
        (lambda m, v: kl(m, v) + 1, "off by +1 everywhere"),
    ],
)
def test_kl_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.kl(kl).right
    verdict = course.kl(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda z, v, a: None, "still empty"),
        (lambda z, v, a: along(z, v, a)[0], "a code is (1, M)"),
        (lambda z, v, a: z + a * v, "adds 2"),
        (lambda z, v, a: a * v[None], "the rest of z is gone"),
        (lambda z, v, a: along(z, v, 0.0), "put the amount in"),
        (lambda z, v, a: along(z, v, -a), "sign"),
        (lambda z, v, a: along(z, v, a / 2), "it is 1.00"),
        (lambda z, v, a: along(2 * z, v, a), "across it changed"),
    ],
)
def test_along_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.along(along).right
    verdict = course.along(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


@pytest.mark.parametrize(
    ("mistake", "hint"),
    [
        (lambda z: None, "still empty"),
        (lambda z: z.square().mean().sqrt(), "|z|/√M"),
        (lambda z: z.square().mean(), "|z|²/M"),
        (lambda z: surprise(z) / 200**0.5, "not by the variance"),
        (lambda z: surprise(z) * 2**0.5, "not √M"),
        (lambda z: surprise(z) * 200**0.5, "in units of"),
        (lambda z: -surprise(z), "sign"),
        (lambda z: z.square().sum() / 200**0.5, "off first"),
        (lambda z: 3.0, "you find 3.00"),
    ],
)
def test_surprise_tells_mistakes_apart(mistake, hint: str) -> None:
    assert course.surprise(surprise).right
    verdict = course.surprise(mistake)
    assert not verdict.right
    assert hint in verdict.sentence


def test_a_septal_defect_joins_the_ventricles_and_changes_nothing_else() -> None:
    heart = heart_labels(lattice_points())
    holed = course.septal_defect(heart, radius=8.0)
    changed = holed != heart
    assert set(heart[changed]) == {MYO}
    assert set(holed[changed]) == {LV}
    extent = np.ptp(lattice_points()[changed], axis=0)
    assert (extent <= 16.0).all()
    beside = np.zeros_like(changed)
    for axis in range(3):
        for step in (-1, 1):
            beside |= np.roll(changed, step, axis)
    assert {LV, RV} <= set(heart[beside])
    assert any("closed" in fault for fault in faults(holed))
