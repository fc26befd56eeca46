"""Solving takes one thread, and freed memory goes back to the system."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from srheart_demo import cli
from srheart_demo.heart.generator import read_generator, weights_file
from srheart_demo.scan.samples import load_sample
from srheart_demo.solver.algorithm import Change, latent_optimisation, solve, solve_all
from srheart_demo.solver.answer import answer
from srheart_demo.solver.best_code import Ceiling
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE
from srheart_demo.solver.uncertainty import laplace, multi_start, probabilities
from tests.problems import ToyHeart, toy_problem

THEIRS = 3
"""Threads that the user asked torch for."""
TARGET = ToyHeart().decode(torch.zeros(1, 2)).softmax(1)
QUICK = replace(INTERACTIVE, iterations=3, start="zero", residual=False)

CODE = """
import re
from srheart_demo.machine import give_back

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1e3

kept = [bytes(100_000) for _ in range(1000)]
last = kept.pop()
full = resident()
del kept
before = resident()
give_back()
print(full, before, resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do it by themselves")
def test_what_is_freed_is_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], check=True, capture_output=True, text=True)
    full, before, after = map(float, told.stdout.split())
    assert before > full - 10, "what is freed is given back anyway"
    assert after < before - 50


class Counting(ToyHeart):
    """Notes on how many threads it is decoded."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []

    def decode(self, z: Tensor) -> Tensor:
        self.threads.append(torch.get_num_threads())
        return super().decode(z)


class Failing(ToyHeart):
    def decode(self, z: Tensor) -> Tensor:
        raise ArithmeticError("no heart")


@pytest.fixture
def p() -> Iterator[Problem]:
    """A problem whose generator counts, in a process whose user has set the threads."""
    before, problem = torch.get_num_threads(), replace(toy_problem()[0], G=Counting())
    torch.set_num_threads(THEIRS)
    yield problem
    torch.set_num_threads(before)


def a_posterior(p: Problem) -> Tensor:
    return probabilities(laplace(solve(p, QUICK), p), p.stack.points(), n=2)


@pytest.mark.parametrize(
    "work",
    [
        lambda p: solve(p, QUICK),
        lambda p: solve_all([p], QUICK),
        lambda p: solve(p, QUICK, z=torch.zeros(1, 2)),
        lambda p: answer(solve(p, QUICK), p),
        a_posterior,
        lambda p: multi_start(p, QUICK, 2),
        lambda p: Ceiling(p.G).best_code(TARGET),
    ],
    ids=["solve", "many", "start", "answer", "posterior", "starts", "best code"],
)
def test_solving_takes_one_thread_and_gives_the_users_back(
    p: Problem, work: Callable[[Problem], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("srheart_demo.solver.best_code.BANK", 3)
    monkeypatch.setattr("srheart_demo.solver.best_code.ITERATIONS", 1)
    monkeypatch.setattr("srheart_demo.solver.best_code.SCOUTING", 1)
    work(p)
    assert isinstance(p.G, Counting)
    assert p.G.threads
    assert set(p.G.threads) == {1}
    assert torch.get_num_threads() == THEIRS


@contextmanager
def doubles() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("theirs", [doubles, torch.no_grad, torch.inference_mode])
def test_a_heart_is_the_same_whatever_the_user_has_set_and_that_stays(
    theirs: Callable[[], AbstractContextManager[None]],
) -> None:
    """From weights to the answer; random numbers too are where they were."""

    def solved() -> Tensor:
        problem = Problem.of(scan, read_generator(weights_file("traits")))
        assert (len(problem.views), problem.G.latent_size) == (1, 128)
        return answer(solve(problem, replace(INTERACTIVE, iterations=2)), problem)

    scan = load_sample("healthy_1").scan("severe", views=["4ch"])
    usual, random = solved(), torch.get_rng_state()
    with theirs():
        set_before = torch.get_default_dtype(), torch.is_grad_enabled()
        assert torch.equal(solved(), usual)
        assert (torch.get_default_dtype(), torch.is_grad_enabled()) == set_before
    assert torch.equal(torch.get_rng_state(), random)


def test_threads_are_the_users_between_two_iterations_however_the_run_goes_on(p: Problem) -> None:
    run = latent_optimisation(p, QUICK)
    first = next(run)
    assert torch.get_num_threads() == THEIRS
    for change in (Change(gamma=2.0), Change(d=first.d + 1), Change(restart=first)):
        run.send(change)
        assert torch.get_num_threads() == THEIRS
    torch.set_num_threads(THEIRS + 1)
    next(run)
    assert torch.get_num_threads() == THEIRS + 1
    run.close()
    assert torch.get_num_threads() == THEIRS + 1
    assert isinstance(p.G, Counting)
    assert set(p.G.threads) == {1}


def test_a_run_that_fails_gives_the_users_threads_back(p: Problem) -> None:
    with pytest.raises(ArithmeticError):
        solve(replace(p, G=Failing()), QUICK)
    assert torch.get_num_threads() == THEIRS


@pytest.mark.parametrize(("command", "threads"), [("sample", 1), ("train traits -o runs", THEIRS)])
def test_commands_take_one_thread_but_for_training(
    p: Problem, command: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command.split()
    seen: list[int] = []
    monkeypatch.setattr(
        f"srheart_demo.cli.{arguments[0]}.run", lambda options: seen.append(torch.get_num_threads())
    )
    assert cli.main(arguments) == 0
    assert seen == [threads]
    assert torch.get_num_threads() == THEIRS


def test_a_lesson_computes_on_one_thread() -> None:
    code = "import torch; torch.set_num_threads(2); import srheart_demo.lessons"
    code += "; print(torch.get_num_threads())"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "1"
