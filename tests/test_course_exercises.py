"""Every exercise: no wrong answer is accepted, and each gets a sentence that is true."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache, partial, wraps
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.heart.generator import load_generator
from srheart_demo.lessons.results import same
from srheart_demo.lessons.verdict import Cases, Exercise, sections
from srheart_demo.scan.degradation import Stack, degrade, downsample, move
from srheart_demo.solver.losses import cross_entropy

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
    "steps",
)


def copied(cases: Callable[[], Cases]) -> Callable[[], Cases]:
    """The same anew at each call, of which only the first simulates scans."""
    once = cache(cases)

    def anew() -> Cases:
        G = load_generator()
        return deepcopy(once(), {id(G): G})

    return anew


EXERCISES = {
    f"{lesson}.{name}": replace(value, cases=copied(value.cases))
    for lesson in LESSONS
    for name, value in vars(import_module(f"srheart_demo.lessons.{lesson}")).items()
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
    assert len(EXERCISES) == 33


@each
def test_the_solution_is_right_and_says_what_it_shows(exercise: Exercise) -> None:
    verdict = exercise(exercise.right)
    assert verdict.right, verdict
    assert verdict.sentence == exercise.said["right"]


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
def test_a_comma_too_many_is_told(exercise: Exercise) -> None:
    right = exercise.right(*next(iter(exercise.cases().values())))
    if not isinstance(right, tuple | str):
        said = exercise(like(exercise, lambda x: (x,))).sentence
        assert "is wanted, and you return a tuple of 1 (is there a comma too many?)" in said


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


def descending(
    order: str = "clear backward step",
    loss: Callable[..., Any] = lambda planes, z, d, p: cross_entropy(
        move(planes, p.stack, d), p.S_LR
    ),
    inside: bool = True,
) -> Callable[..., Any]:
    """Exercise 1 of lesson 4 as a learner may write it."""

    def algorithm_1(p, lr_z, lr_d, iterations):
        z = torch.zeros(1, p.G.latent_size, requires_grad=True)
        d = torch.zeros(1, p.stack.K, 2, requires_grad=True)
        adam = torch.optim.Adam([{"params": [z], "lr": lr_z}, {"params": [d], "lr": lr_d}])
        planes = downsample(p.G.decode(z), p.stack)
        for _ in range(iterations):
            if inside:
                planes = downsample(p.G.decode(z), p.stack)
            L = loss(planes, z, d, p)
            calls = {"clear": adam.zero_grad, "backward": L.backward, "step": adam.step}
            for call in order.split():
                calls[call]()
        return z.detach(), d.detach()

    return algorithm_1


def logits_of(wax: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Of a distance to the candle's surface, (row, column, radius) → mm, two classes."""

    def candle(z: Tensor, H: Tensor, W: Tensor) -> Tensor:
        size, row, column = z.T[..., None, None, None]
        a = wax(H - 10 * row, W - 10 * column, 20 + 4 * size)
        return torch.stack([-a, a], dim=1)

    return candle


def candle(z: Tensor, H: Tensor, W: Tensor) -> Tensor:
    return logits_of(lambda h, w, r: r - torch.hypot(h, w))(z, H, W)


def halves(planes: Tensor, stack: Stack, d: Tensor, half: float) -> Tensor:
    grid = ((stack.pixels() - d[0][:, None, None]) / half).flip(-1)
    images = planes[0].transpose(0, 1)
    return F.grid_sample(images, grid, align_corners=False).transpose(0, 1)[None]


def pixels_as(order: tuple[int, int, int]) -> Callable[..., Any]:
    def plane_points(affine, h, w, model_from_world):
        i, j = np.meshgrid(np.arange(h), np.arange(w), indexing="ij")
        index = np.stack([*((0 * i, i, j)[axis] for axis in order), 0 * i + 1], axis=-1)
        return (index @ affine.T @ model_from_world.T)[..., :3]

    return plane_points


def changes(losses: Any, by: Callable[[float, float], float]) -> list[float]:
    return [abs(b - a) / by(a, b) for a, b in pairwise(losses)][-10:]


WRONG: dict[str, list[tuple[Callable[..., Any], str]]] = {
    "start.length_mm": [
        (lambda K, gap: 120.0, "does not depend on `K` and `gap`"),
        (lambda K, gap: (K - 1) * 10, "does not depend on `gap`"),
        (lambda K, gap: f"{(K - 1) * gap} mm", "a number is wanted, and you return a string"),
    ],
    "quickstart.unknowns": [
        (lambda M, K: 154, "for M = 64 and K = 9 it should be 82, and you find 154"),
    ],
    "quickstart.without_common": [(lambda d: d.sub_(d.mean(0)), "`d` is changed too")],
    "quickstart.volume_ml": [
        (lambda x, i, s: (x == i).sum() * 2 * 1.25 * 1.25 / 1000, "use `spacing`"),
        (lambda x, i, s: (x == i).sum() * 2 * 1.25**2, "mm³"),
        (lambda x, i, s: round(float((x == i).sum() * np.prod(s) / 1000)), "result is rounded"),
    ],
    "degradation.downsample": [
        (lambda field, stack: field[:, :, stack.z], "heights in mm are no indices"),
        (lambda field, stack: field[:, :, stack.z.long()], "take no mm for an index"),
    ],
    "degradation.move": [
        (partial(halves, half=64), "divide mm by 80, not by 64"),
        (partial(halves, half=160), "divide mm by 80, not by 160"),
        (partial(halves, half=90), "divide mm by half the box, 80"),
    ],
    "prior.along": [(lambda z, v, a: z - (a - z @ v)[:, None] * v, "the sign is wrong")],
    "prior.surprise": [
        (lambda z: abs(float(z.square().sum()) - z.numel()) / (2 * z.numel()) ** 0.5, "abs()"),
    ],
    "optimisation.algorithm_1": [
        (descending("backward clear step"), "zero_grad() after backward() takes away"),
        (descending("clear backward"), "no step was taken"),
        (
            descending(
                loss=lambda planes, z, d, p: cross_entropy(
                    move(planes, p.stack, d).argmax(1), p.S_LR
                )
            ),
            "no argmax",
        ),
        (
            descending(
                loss=lambda planes, z, d, p: (
                    (move(planes, p.stack, d).argmax(1) != p.S_LR).float().mean()
                )
            ),
            "Labels (argmax)",
        ),
        (
            descending(
                loss=lambda planes, z, d, p: cross_entropy(
                    move(planes, p.stack, d), p.S_LR
                ).detach()
            ),
            "detach()",
        ),
        (
            descending(
                loss=lambda planes, z, d, p: cross_entropy(
                    move(planes, p.stack, d.detach()), p.S_LR
                )
            ),
            "d did not move: it must be in the loss, not detached",
        ),
        (
            descending(
                loss=lambda planes, z, d, p: cross_entropy(p.S_LR, move(planes, p.stack, d))
            ),
            "wants the logits first",
        ),
        (
            descending(
                loss=lambda planes, z, d, p: cross_entropy(move(planes, d, p.stack), p.S_LR)
            ),
            "`move(planes, stack, d)` wants a Stack as `stack`, and you hand it a tensor",
        ),
        (descending(inside=False), "inside the loop"),
    ],
    "optimisation.stops": [
        (
            lambda x: len(x) > 10 and sum(changes(x, lambda a, b: abs(b))) < 0.5,
            "divide by the one before",
        ),
        (lambda x: len(x) > 10 and abs(x[-1] / x[-11] - 1) < 0.05, "take each change on its own"),
        (lambda x: True, "does not depend on `losses`"),
        (
            lambda x: any(sum(changes(x[:n], lambda a, b: a)) < 0.5 for n in range(11, len(x) + 1)),
            "only the last ten count",
        ),
    ],
    "gauge.shift_scores": [
        (
            lambda p, y: (
                -torch.fft.irfft2(
                    (torch.fft.rfft2(y) * torch.fft.rfft2(p).conj()).sum(0), s=y.shape[-2:]
                )
            ),
            "the sign of all scores",
        )
    ],
    "gauge.without_drift": [
        (lambda e, z: e - e[:1], "entry ["),
        (lambda e, z: e - e.mean(0) - (z[:, None] * e).mean(0), "entry ["),
        (lambda e, z: 0 * e, "does not depend on `e`"),
        (lambda e, z: e - e.mean(1, keepdim=True), "entry ["),
    ],
    "multi_view.plane_points": [
        (pixels_as((1, 2, 0)), "you put it last"),
        (pixels_as((0, 2, 1)), "rows and columns have changed places"),
    ],
    "scores.far_off": [
        (lambda t, b: max(np.percentile(t, 0.95), np.percentile(b, 0.95)), "counts to 100"),
        (lambda t, b: 6.68, "it should be"),
    ],
    "scores.most_careful": [
        (
            lambda t: min(t, key=lambda n: max(t[n].values()) - min(t[n].values())),
            "varies least",
        ),
        (lambda t: "B", "in another table there is no B"),
    ],
    "uncertainty.interval": [
        (lambda x: (x.quantile(5), x.quantile(95)), "counts from 0 to 1"),
        (lambda x: x.quantile(0.9), "two numbers, low and high"),
    ],
    "own_scan.volume_ml": [
        (
            lambda x, i, A: (x == i).sum() * np.prod(np.linalg.norm(A[:3, :3], axis=0)) / 1000,
            "right angles",
        ),
    ],
    "toy.candle": [
        (lambda z, H, W: candle(z, H, W).softmax(1), "these are probabilities"),
        (lambda z, H, W: (candle(z, H, W) / 20).softmax(1), "these are probabilities"),
        (lambda z, H, W: candle(z, H, W).sigmoid(), "these are probabilities"),
        (lambda z, H, W: candle(z, H, W).tanh(), "off a straight line"),
        (logits_of(lambda h, w, r: r**2 - h**2 - w**2), "squared distances"),
        (logits_of(lambda h, w, r: 1 - torch.hypot(h, w) / r), "the same for all"),
        (lambda z, H, W: candle(z.detach(), H, W), "no gradient"),
    ],
    "toy.scan": [
        (
            lambda G, z, stack, d: degrade(
                F.one_hot(G.decode(z).argmax(1), 3).movedim(-1, 1).float(), stack, d
            )[0].argmax(0),
            "argmax comes last",
        ),
        (lambda G, z, stack, d: degrade(G.decode(z), stack, 2 * d)[0].argmax(0), "labels differ"),
    ],
}


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [(name, answer, words) for name, table in WRONG.items() for answer, words in table],
)
def test_a_wrong_answer_is_refused_with_the_mistake(
    name: str, answer: Callable[..., Any], words: str
) -> None:
    verdict = EXERCISES[name](answer)
    assert not verdict.right
    assert words in verdict.sentence
    assert not contradicts(verdict.sentence)


def test_logits_are_taken_at_any_steepness_and_less_what_classes_share() -> None:
    for right in (candle, lambda *given: 3 * candle(*given), lambda *g: candle(*g).log_softmax(1)):
        assert EXERCISES["toy.candle"](right).right


def test_each_section_of_known_mistakes_belongs_to_an_exercise() -> None:
    found = {section.split("(")[0] for section in sections()}
    assert found == {*EXERCISES, "errors"}
    assert all(exercise.mistakes for exercise in EXERCISES.values())


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
