"""Lesson 7: each typical mistake gets its own sentence."""

from __future__ import annotations

import numpy as np
import pytest

from srheart_demo.lessons import scores as check


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda a, b: (a & b).sum() / (a | b).sum(), "Jaccard"),
        (lambda a, b: (a & b).sum() / (a.sum() + b.sum()), "twice"),
        (lambda a, b: (a & b).sum() / a.sum(), "share of the estimate"),
        (lambda a, b: (a & b).sum() / b.sum(), "share of the truth"),
        (lambda a, b: (a == b).mean(), "background"),
        (lambda a, b: 2 * (a & b).sum(), "you find"),
    ],
)
def test_dice(mistake, word: str) -> None:
    verdict = check.overlap(mistake)
    assert not verdict.right
    assert word in verdict.sentence


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda t, b: max(t.max(), b.max()), "stray"),
        (lambda t, b: np.percentile(np.concatenate([t, b]), 95), "together"),
        (lambda t, b: (np.percentile(t, 95) + np.percentile(b, 95)) / 2, "mean of the two"),
        (lambda t, b: min(np.percentile(t, 95), np.percentile(b, 95)), "smaller"),
        (lambda t, b: np.percentile(b, 95), "one way only"),
        (lambda t, b: max(np.percentile(t, 5), np.percentile(b, 5)), "5th"),
        (lambda t, b: max(np.percentile(t, 0.95), np.percentile(b, 0.95)), "you 0"),
    ],
)
def test_hausdorff_distance(mistake, word: str) -> None:
    verdict = check.far_off(mistake)
    assert not verdict.right
    assert word in verdict.sentence


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda t: max(t, key=lambda n: max(t[n].values())), "a patient who moves"),
        (lambda t: max(t, key=lambda n: sum(t[n].values())), "a patient who moves"),
        (lambda t: max(t, key=lambda n: t[n]["severe"]), "severe motion only"),
        (lambda t: max(min(row.values()) for row in t.values()), "return the name"),
        (lambda t: sorted(t)[1] if next(iter(t)) == "A" else "A", "order"),
    ],
)
def test_worst_case(mistake, word: str) -> None:
    verdict = check.most_careful(mistake)
    assert not verdict.right
    assert word in verdict.sentence
