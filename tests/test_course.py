"""Checks of exercises: a learner's mistake becomes a sentence, never a traceback."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from srheart_demo.lessons import quickstart
from srheart_demo.lessons.results import NotYet
from srheart_demo.lessons.verdict import Mark, marked


def seven(answer: int) -> str:
    if answer != 7:
        raise NotYet("it is a prime between six and eight.")
    return "seven."


is_seven = partial(marked, seven)


def test_a_check_tells_right_from_wrong() -> None:
    assert is_seven(7) == Mark(True, "seven.")
    assert repr(is_seven(7)) == "Right: seven."
    assert repr(is_seven(8)) == "Not yet: it is a prime between six and eight."


@pytest.mark.parametrize("empty", [None, ...])
def test_an_empty_answer_is_told_so(empty: object) -> None:
    assert "still empty" in is_seven(empty).sentence


def test_an_error_in_the_answer_is_told_in_a_sentence() -> None:
    verdict = marked(lambda answer: answer(), lambda: 1 / 0)
    assert not verdict.right
    assert verdict.sentence == "your code stopped with ZeroDivisionError: division by zero."


def test_a_verdict_is_text_and_not_html() -> None:
    assert "&lt;b&gt;" in Mark(False, "<b>")._repr_html_()


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda M, K: M + K, "not one"),
        (lambda M, K: M + 3 * K, "not three"),
        (lambda M, K: 154, "82|128"),
        (lambda M, K: None, "empty"),
    ],
)
def test_unknowns_names_the_mistake(answer, word) -> None:
    verdict = quickstart.unknowns(answer)
    assert not verdict.right
    assert any(part in verdict.sentence for part in word.split("|"))


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda d: d, "differ"),
        (lambda d: d - d.mean(), "a mean each"),
        (lambda d: d - d.mean(1, keepdim=True), "axis 0"),
        (lambda d: d - d[0], "first slice"),
        (lambda d: torch.zeros_like(d), "more than that"),
        (lambda d: d.mean(0), "(9, 2)"),
    ],
)
def test_without_common_names_the_mistake(answer, word) -> None:
    verdict = quickstart.without_common(answer)
    assert not verdict.right
    assert word in verdict.sentence


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (lambda x, i, s: (x == i).sum() * np.prod(s), "mm³"),
        (lambda x, i, s: (x == i).sum(), "counts voxels"),
        (lambda x, i, s: (x > 0).sum() * np.prod(s) / 1000, "all tissues"),
        (lambda x, i, s: 0.0, "you find 0.00"),
    ],
)
def test_volume_names_the_mistake(answer, word) -> None:
    verdict = quickstart.volume_ml(answer)
    assert not verdict.right
    assert word in verdict.sentence
