from dataclasses import replace

import pytest
import torch

from srheart_demo.solver.algorithm import Outcome, Step, solve, solve_all
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from tests.problems import ToyHeart, toy_problem

SETTINGS = Settings(solver="lbfgs", lr_z=1.0, lr_d=1.0, iterations=5, prior=True, search_at=(0,))


class Failing(ToyHeart):
    """A generator that decodes nothing."""

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        raise FloatingPointError("nothing to see")


class Unsendable(Exception):
    """An exception that pickle cannot make anew."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{what} {where}")


class FailingOddly(ToyHeart):
    """A generator whose exception cannot leave its process."""

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        raise Unsendable("nothing", "here")


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    """Subjects that can be solved beside two that cannot; two share a generator."""
    first, second = (toy_problem(seed=seed)[0] for seed in (3, 4))
    return [
        first,
        replace(first, G=Failing()),
        replace(second, G=first.G),
        replace(first, G=FailingOddly()),
        toy_problem(z=(-0.5, 0.3), view=True)[0],
    ]


def same(a: Outcome, b: Step) -> bool:
    """Whether two steps are equal bit for bit, times aside."""
    return (
        isinstance(a, Step)
        and torch.equal(a.z, b.z)
        and torch.equal(a.d, b.d)
        and (a.iteration, a.objective, a.stopped) == (b.iteration, b.objective, b.stopped)
        and all(map(torch.equal, a.state.memory.tensors, b.state.memory.tensors))
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_subjects_together_equal_subjects_alone_whoever_fails(
    problems: list[Problem], processes: int
):
    told: dict[int, Outcome] = {}
    outcomes = solve_all(problems, SETTINGS, processes, told.__setitem__)
    assert all(same(outcomes[i], solve(problems[i], SETTINGS)) for i in (0, 2, 4))
    assert isinstance(outcomes[1], FloatingPointError)
    assert isinstance(outcomes[3], Exception)
    assert [told[i] for i in range(5)] == outcomes


def test_no_process_is_too_few(problems: list[Problem]):
    with pytest.raises(ValueError, match="one process or more"):
        solve_all(problems, SETTINGS, processes=0)
