"""The prior on displacements, and what it is for: breath-holds that went astray."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from srheart_demo.scan.long_axis import long_axis_view
from srheart_demo.solver.algorithm import latent_optimisation, solve
from srheart_demo.solver.motion_prior import motion_precision, motion_prior
from srheart_demo.solver.problem import Problem, View
from srheart_demo.solver.search import search
from srheart_demo.solver.settings import RECOMMENDED, Settings
from tests.problems import oblique_plane, toy_problem

PRIOR = Settings(prior=True, motion_mm=2.0, astray=0.02, moving_views=True)
GAUSSIAN = replace(PRIOR, astray=0.0)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return toy_problem(view=True)[0]


def some_d(p: Problem, mm: float, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    d = mm * torch.randn(1, len(p.carried), 2, generator=rng, dtype=torch.float64)
    return d * p.moves(views=True)[:, None]


@pytest.mark.parametrize("settings", [PRIOR, GAUSSIAN])
def test_a_straight_stack_costs_nothing_wherever_it_lies(
    settings: Settings, problem: Problem
) -> None:
    moved = (problem.carried.double() @ torch.tensor([7.0, -4.0]).double())[None]
    for d in (torch.zeros_like(moved), moved):
        assert float(motion_prior(d, problem, settings)) == pytest.approx(0.0, abs=1e-4)
    assert float(motion_prior(some_d(problem, 1.0), problem, settings)) > 1.0


@pytest.mark.parametrize("settings", [PRIOR, GAUSSIAN])
def test_the_priors_gradient_is_right(settings: Settings, problem: Problem) -> None:
    """Although translation and variance are found by a loop that no gradient passes."""
    d = some_d(problem, 3.0)
    d[0, 2] += 18.0
    d.requires_grad_()
    moves = problem.moves(views=True)
    (slope,) = torch.autograd.grad(motion_prior(d, problem, settings).sum(), d)
    step = 1e-3
    for plane, axis in ((0, 0), (2, 1), (len(moves) - 1, 0)):
        change = torch.zeros_like(d)
        change[0, plane, axis] = step
        up, down = (
            float(motion_prior(d.detach() + s * change, problem, settings)) for s in (1, -1)
        )
        expected = (up - down) / (2 * step) * bool(moves[plane])
        assert float(slope[0, plane, axis]) == pytest.approx(expected, abs=2e-3)


def test_without_breath_holds_astray_the_variance_is_integrated_out(problem: Problem) -> None:
    """A Gaussian of unknown variance with an inverse-gamma prior is Student's t: its logarithm."""
    slices_only = replace(problem, views=())
    d = some_d(slices_only, 4.0)
    seen = d[0, slices_only.tissue]
    T, squares = len(seen), (seen - seen.mean(0)).square().sum()
    expected = (T + 1) * torch.log1p(squares / (2 * GAUSSIAN.motion_mm**2))
    assert float(motion_prior(d, slices_only, GAUSSIAN)) == pytest.approx(float(expected), rel=1e-4)


def test_one_astray_says_nothing_of_the_others(problem: Problem) -> None:
    """Its neighbours are held as tightly as if it were not there."""
    straight = torch.zeros(1, len(problem.carried), 2)
    astray = straight.clone()
    astray[0, 3] = torch.tensor([16.0, 12.0])
    tight, held, loose = (
        motion_precision(d, problem, settings)[0, 0]
        for d, settings in ((straight, PRIOR), (astray, PRIOR), (astray, GAUSSIAN))
    )
    assert held > 0.5 * tight
    assert loose < 0.1 * tight


def test_the_precision_is_the_priors_curvature_and_no_translation_has_any(
    problem: Problem,
) -> None:
    d = some_d(problem, 3.0).requires_grad_()
    (pull,) = torch.autograd.grad(motion_prior(d, problem, PRIOR).sum(), d)
    moves = problem.moves(views=True)
    precision = motion_precision(d.detach(), problem, PRIOR)
    at = d.detach()[:, moves].flatten()
    torch.testing.assert_close(precision @ at, pull[:, moves].flatten(), atol=5e-3, rtol=1e-2)
    moved = (problem.carried.double() @ torch.tensor([2.0, 3.0]).double())[moves].flatten()
    torch.testing.assert_close(precision @ moved, torch.zeros_like(moved), atol=1e-6, rtol=0)


def displaced(*views: tuple[float, float], lacks: tuple[int, ...] = ()) -> tuple[Problem, Tensor]:
    """A toy scan whose views have displacements of their own, and its z."""
    p, z, _ = toy_problem()
    field, plane = p.G.decode(z), oblique_plane(size=48)
    seen = []
    for d in views:
        S_LA = long_axis_view(field, plane, torch.tensor([d]))[0].argmax(0)
        for label in lacks:
            S_LA[label == S_LA] = 0
        seen.append(View(plane, S_LA, lacks))
    return replace(p, views=tuple(seen)), z


@pytest.mark.parametrize("lacks", [(), (3,)])
def test_the_search_finds_where_a_view_lies(lacks: tuple[int, ...]) -> None:
    p, z = displaced((6.0, -9.0), (0.0, 0.0), lacks=lacks)
    found = p.split(search(p.decode(z), p, replace(RECOMMENDED, prior=False)))[1]
    true = torch.tensor([[[6.0, -9.0], [0.0, 0.0]]])
    torch.testing.assert_close(found, true, atol=0.8, rtol=0)


def test_a_run_finds_what_views_have_of_their_own_and_the_papers_form_does_not_look() -> None:
    p, _ = displaced((7.0, 4.0))
    own = replace(RECOMMENDED, residual=False, start="zero", iterations=30)
    found, paper = (solve(p, replace(own, moving_views=moving)) for moving in (True, False))
    straight = toy_problem()[0]
    rest = solve(straight, own)
    assert not paper.d_LA.any()
    assert float(found.z.sub(rest.z).norm()) < 0.15 < float(paper.z.sub(rest.z).norm())
    common = (found.d - rest.d)[0, p.tissue].mean(0)
    there = found.d_LA[0, 0] - p.carried[-1] @ p.stack.in_model_axes(common)
    torch.testing.assert_close(there, torch.tensor([7.0, 4.0]), atol=1.0, rtol=0)


def test_a_run_with_views_resumes_exactly() -> None:
    p, _ = displaced((3.0, -2.0))
    settings = replace(RECOMMENDED, start="zero", iterations=6)
    steps = list(latent_optimisation(p, settings))
    again = list(latent_optimisation(p, settings, steps[3]))
    assert torch.equal(again[-1].d_LA, steps[-1].d_LA)
    assert torch.equal(again[-1].z, steps[-1].z)


def test_what_a_view_lacks_may_be_its_background(problem: Problem) -> None:
    (view,) = problem.views
    logits = torch.randn(1, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    told = replace(view, S_LA=0 * view.S_LA, lacks=(3,)).told(logits).softmax(1)
    plain = logits.softmax(1)
    torch.testing.assert_close(told[:, 0], plain[:, 0] + plain[:, 3])
    torch.testing.assert_close(told[:, 1:3], plain[:, 1:3])
    assert not told[:, 3].any()


def test_a_displaced_view_shows_what_lies_displaced() -> None:
    """`long_axis_view` under d is the undisplaced view of a heart moved by d in the plane."""
    p, z, _ = toy_problem()
    field, plane = p.G.decode(z), oblique_plane()
    d = torch.tensor([[4.0, -3.0]], requires_grad=True)
    seen = long_axis_view(field, plane, d)
    moved = replace(plane, points=plane.points - d.detach()[0] @ plane.directions)
    torch.testing.assert_close(seen, long_axis_view(field, moved), atol=1e-4, rtol=1e-4)
    assert torch.autograd.grad(seen.square().sum(), d)[0].abs().min() > 0


def test_what_a_view_lacks_it_does_not_show(problem: Problem) -> None:
    with pytest.raises(ValueError, match="lacks"):
        replace(problem.views[0], lacks=(3,))
