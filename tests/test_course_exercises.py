"""Every exercise: no wrong answer is accepted, and each gets a sentence that is true."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from srheart_demo.course.verdict import Exercise, same

LESSONS = (
    "start",
    "quickstart",
    "degradation",
    "prior",
    "optimisation",
    "gauge",
    "multi_view",
    "scores",
    "uncertainty",
    "own_scan",
    "toy",
)
EXERCISES = {
    f"{lesson}.{name}": value
    for lesson in LESSONS
    for name, value in vars(import_module(f"srheart_demo.course.{lesson}")).items()
    if isinstance(value, Exercise)
}
each = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


def like(exercise: Exercise, what: Callable[[Any], Any]) -> Callable[..., Any]:
    """The solution with something done to its results."""

    @wraps(exercise.right)
    def mine(*given: Any) -> Any:
        return what(exercise.right(*given))

    return mine


def test_all_exercises_are_here() -> None:
    assert len(EXERCISES) == 30


@each
def test_the_solution_is_right_and_says_what_it_shows(exercise: Exercise) -> None:
    verdict = exercise(exercise.right)
    assert verdict.right, verdict
    assert verdict.sentence == exercise.praise


@each
def test_each_known_mistake_is_named_by_its_own_sentence(exercise: Exercise) -> None:
    for wrong, sentence in exercise.mistakes:
        found = exercise(wrong)
        assert not found.right, sentence
        assert found.sentence == sentence


@each
def test_an_exercise_has_cases_that_no_single_number_fits(exercise: Exercise) -> None:
    """But for two: the step of a grid is one number, and candles are three in one batch."""
    cases = list(exercise.cases().values())
    if exercise.right.__name__ in ("linspace_step", "candle"):
        return
    assert len(cases) > 1
    first = exercise.right(*cases[0])
    assert any(not exercise.same(first, exercise.right(*case)) for case in cases[1:])


@each
def test_what_stays_the_same_whatever_is_given_is_refused(exercise: Exercise) -> None:
    if exercise.right.__name__ == "linspace_step":
        return
    first = exercise.right(*next(iter(exercise.cases().values())))
    constant = first[:1].expand_as(first) if exercise.right.__name__ == "candle" else first

    @wraps(exercise.right)
    def mine(*given: Any) -> Any:
        return constant

    verdict = exercise(mine)
    assert not verdict.right
    assert "stopped" not in verdict.sentence


@each
def test_a_forgotten_return_is_told(exercise: Exercise) -> None:
    @wraps(exercise.right)
    def forgotten(*given: Any) -> None:
        exercise.right(*given)

    @wraps(exercise.right)
    def prints(*given: Any) -> None:
        return print("the result", end="")

    assert exercise(forgotten).sentence == "your function returns nothing: is `return` missing?"
    assert "print()" in exercise(prints).sentence


@each
def test_an_exercise_that_is_not_begun_is_told_so(exercise: Exercise) -> None:
    @wraps(exercise.right)
    def empty(*given: Any) -> Any: ...

    @wraps(exercise.right)
    def begun(*given: Any) -> Any:
        first = given[:1]
        ...  # noqa: PIE790
        del first

    for mine in (empty, begun):
        assert "still empty; replace the three dots" in exercise(mine).sentence


@each
def test_the_line_that_stops_is_shown(exercise: Exercise) -> None:
    @wraps(exercise.right)
    def stops(*given: Any) -> Any:
        return {}["of no use"]

    said = exercise(stops).sentence
    assert """KeyError in the line `return {}["of no use"]`""" in said


@each
def test_a_function_of_other_arguments_is_told_what_it_is_called_with(exercise: Exercise) -> None:
    def mine(just_this, that, more, and_more, too_many):
        return just_this

    assert "is called with (" in exercise(mine).sentence


@each
@pytest.mark.parametrize(
    ("value", "word"),
    [("a word", "string"), ({}, "dictionary"), (len, "function"), ((), "tuple of 0")],
    ids=["string", "dictionary", "function", "tuple"],
)
def test_a_result_of_a_wrong_kind_is_told(exercise: Exercise, value: object, word: str) -> None:
    said = exercise(like(exercise, lambda right: value)).sentence
    assert word in said or str(value) in said


@each
def test_the_function_s_result_in_place_of_the_function_is_told(exercise: Exercise) -> None:
    if exercise.right.__name__ != "linspace_step":
        assert "hand over the function itself" in exercise(3.0).sentence


@each
def test_arrays_of_the_other_library_are_refused(exercise: Exercise) -> None:
    right = exercise.right(*next(iter(exercise.cases().values())))
    if isinstance(right, Tensor) and right.numel() > 1:
        said = exercise(like(exercise, lambda x: x.detach().numpy())).sentence
        assert "a tensor is wanted, and you return a numpy array" in said
    elif isinstance(right, np.ndarray):
        said = exercise(like(exercise, torch.as_tensor)).sentence
        assert "a numpy array is wanted, and you return a tensor" in said


@each
def test_a_wrong_shape_is_refused_with_both_shapes(exercise: Exercise) -> None:
    right = exercise.right(*next(iter(exercise.cases().values())))
    if isinstance(right, Tensor | np.ndarray) and len(right.shape) and math_size(right) > 1:
        verdict = exercise(like(exercise, lambda x: x[None, None]))
        assert not verdict.right
        assert str(tuple(right.shape)) in verdict.sentence
        assert str((1, 1, *right.shape)) in verdict.sentence


def math_size(x: Any) -> int:
    return int(np.prod(x.shape))


@each
def test_a_changed_sign_a_factor_and_an_offset_are_told(exercise: Exercise) -> None:
    right = exercise.right(*next(iter(exercise.cases().values())))
    number = isinstance(right, int | float) and not isinstance(right, bool)
    if not number and not (isinstance(right, Tensor | np.ndarray) and right.dtype not in LABELS):
        return
    for change in (lambda x: -x, lambda x: 3.7 * x, lambda x: x + 0.6):
        verdict = exercise(like(exercise, change))
        if exercise.right.__name__ == "candle" and "Right" in repr(verdict):
            continue  # logits of any steepness will do
        assert not verdict.right
        assert not contradicts(verdict.sentence)


LABELS = (torch.bool, torch.int64, np.uint8)


@each
def test_an_argument_that_is_changed_is_told(exercise: Exercise) -> None:
    if exercise.right.__name__ in ("algorithm_1", "candle", "scan", "multi_view"):
        return
    given = next(iter(exercise.cases().values()))
    arrays = [i for i, x in enumerate(given) if isinstance(x, Tensor | np.ndarray)]
    if not arrays:
        return

    @wraps(exercise.right)
    def mine(*given: Any) -> Any:
        result = exercise.right(*given)
        given[arrays[0]][...] = 0
        return result

    said = exercise(mine).sentence
    assert "is changed too" in said


def contradicts(sentence: str) -> bool:
    """Whether a sentence says of two things that they differ and shows the same."""
    words = sentence.replace(",", " ").split()
    if "should" in words and "find" in words:
        return words[words.index("be") + 1] == words[words.index("find") + 1].rstrip(".;")
    return False


def test_two_results_that_differ_by_little_are_shown_with_enough_digits() -> None:
    exercise = EXERCISES["uncertainty.calibration_error"]
    bent = exercise(like(exercise, lambda x: x + 0.003 * x**2))
    assert "it should be" in bent.sentence
    assert not contradicts(bent.sentence)


def test_results_are_the_same_to_rounding_and_of_one_shape() -> None:
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    assert same(x.double() + 1e-6, x)
    assert same((x, 1.0), (x, torch.tensor(1.0)))
    assert not same(x[None], x)
    assert not same(x + 1e-2, x)
    assert not same("B", 3.0)
