"""Lesson 7: each typical mistake gets its own sentence."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from srheart_demo.experiments.summary import StripPlot
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


@pytest.mark.parametrize(("tiny", "right"), [(1e-6, True), (1e-3, False)])
def test_a_guard_against_nought_by_nought_is_no_mistake(tiny: float, right: bool) -> None:
    verdict = check.overlap(lambda a, b: (2 * (a & b).sum() + tiny) / (a.sum() + b.sum() + tiny))
    assert verdict.right == right
    assert "1 times" not in verdict.sentence


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


def test_where_every_subject_failed_there_is_a_picture_still() -> None:
    figure = check.picture_strips(StripPlot("", "Dice", {"none": {"NN": np.array([])}}))
    FigureCanvasAgg(figure).draw()


@pytest.mark.parametrize(
    "names", [("NN", "SBI", "EDSR"), ("NN", "LO (paper)", "LO (paper, as printed)", "LO (ours)")]
)
def test_names_of_methods_do_not_run_into_one_another(names: tuple[str, ...]) -> None:
    values = dict.fromkeys(names, np.array([0.8, 0.9]))
    figure = check.picture_strips(StripPlot("", "Dice", {"none": values, "severe": values}))
    FigureCanvasAgg(figure).draw()
    for axis in figure.axes:
        labels = axis.get_xticklabels()
        boxes = [label.get_window_extent() for label in labels]
        aslant = [label.get_rotation() for label in labels]
        # Boxes around aslant words overlap; lines of one slant run into one another only if the
        # distance between their ends is less than a line's height.
        for one, other, angle in zip(boxes, boxes[1:], aslant, strict=False):
            apart = (other.x1 - one.x1) * np.sin(np.deg2rad(angle)) if angle else other.x0 - one.x1
            assert apart > (labels[0].get_fontsize() * figure.dpi / 72 if angle else 0)
