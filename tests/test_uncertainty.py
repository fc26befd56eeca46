from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, lattice_axes, lattice_points
from srheart_demo.heart.generator import soft_volumes_ml
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.degradation import degrade
from srheart_demo.solver import answer as beyond
from srheart_demo.solver import uncertainty
from srheart_demo.solver.algorithm import (
    Change,
    latent_optimisation,
    solve,
)
from srheart_demo.solver.answer import answer, kriging_variance, residual_field
from srheart_demo.solver.losses import objective, observations
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.uncertainty import (
    ALIKE,
    Posterior,
    excess,
    laplace,
    measured_sd,
    missed,
    multi_start,
    probabilities,
    surface_spread,
    unexplained_variance,
)
from tests.problems import toy_problem

SETTINGS = Settings(
    solver="lbfgs",
    lr_z=1.0,
    lr_d=1.0,
    iterations=4,
    prior=True,
    patch_mm2=100.0,
    motion_mm=1.0,
    residual=True,
)
LOWER = [0, 1, 2, 3]
"""Slices up to the middle of the box."""
NODES = torch.tensor(lattice_points(LATTICE_SHAPE)).float()


def around(p: Problem, d: Tensor, settings: Settings = SETTINGS) -> Posterior:
    """The posterior around z = 0 and d, as if a run had ended there."""
    run = latent_optimisation(p, replace(settings, solver="adam", lr_z=0.0, lr_d=0.0))
    next(run)
    return laplace(run.send(Change(d=d)), p)


def part(p: Problem, slices: list[int]) -> Problem:
    """The same scan with these slices only."""
    return replace(p, stack=replace(p.stack, z=p.stack.z[slices]), S_LR=p.S_LR[slices])


def covariance(posterior: Posterior) -> Tensor:
    return posterior.spread.T @ posterior.spread


@pytest.fixture(scope="module")
def scan() -> tuple[Problem, Tensor]:
    """A scan of G(0) with a view, and its d."""
    p, _, d = toy_problem(z=(0.0, 0.0), view=True)
    return p, d


@pytest.fixture(scope="module")
def slices(scan: tuple[Problem, Tensor]) -> Problem:
    """The same without its view."""
    return replace(scan[0], views=())


@pytest.fixture(scope="module")
def posterior(slices: Problem, scan: tuple[Problem, Tensor]) -> Posterior:
    return around(slices, scan[1])


def test_a_run_without_a_prior_has_no_posterior(scan):
    with pytest.raises(ValueError, match="prior=True"):
        around(*scan, replace(SETTINGS, prior=False))


def test_the_precision_of_z_is_the_curvature_of_the_objective(scan):
    """The toy is linear in z, so Gauss-Newton is exact but for voxels that are certain."""
    p, d = scan
    settings = replace(SETTINGS, gamma=0.5)

    def nats(z: Tensor) -> Tensor:
        still = torch.cat([d, torch.zeros(1, 1, 2)], dim=1)
        return observations(p, settings) * objective(z[None], still, p, settings)[0].squeeze()

    curvature = torch.autograd.functional.hessian(nats, torch.zeros(2))
    precision = torch.linalg.inv(covariance(around(p, d, settings)))
    torch.testing.assert_close(precision[:2, :2], curvature, rtol=0.02, atol=0)


def test_more_slices_and_a_view_tell_more(scan, slices, posterior):
    thinned = [0, 3, 6]
    few = around(part(slices, thinned), scan[1][:, thinned])
    sds = [covariance(q).diagonal()[:2].sqrt() for q in (few, posterior, around(*scan))]
    assert all((more < 0.9 * less).all() for less, more in pairwise(sds))


def test_where_data_weigh_nothing_z_is_as_before(scan):
    silent = around(*scan, replace(SETTINGS, patch_mm2=1e8))
    torch.testing.assert_close(covariance(silent)[:2, :2], torch.eye(2), atol=0.01, rtol=0)


def test_draws_spread_as_the_posterior_says(slices):
    """Of few data; slices go astray, but not all together, which no SA stack could tell."""
    posterior = around(slices, torch.zeros(1, 7, 2), replace(SETTINGS, patch_mm2=2000.0))
    z, d = posterior.draw(20000)
    deviations = torch.cat([z - posterior.step.z, (d - posterior.step.d).flatten(1)], dim=1)
    expected = covariance(posterior)
    sd = expected.diagonal().sqrt()
    assert sd[2:].min() > 0.05
    assert (d - posterior.step.d).mean(1).abs().max() < 0.1
    assert ((deviations.T.cov() - expected) / sd.outer(sd)).abs().max() < 0.04
    assert (deviations.mean(0) / sd).abs().max() < 0.04


def test_slices_without_tissue_stay_at_zero(scan, slices):
    S_LR = slices.S_LR.clone()
    S_LR[2] = 0
    _, d = around(replace(slices, S_LR=S_LR), scan[1]).draw(5)
    assert not d[:, 2].any()
    assert (d[:, [0, 1, 3, 4, 5, 6]].std(0) > 0).all()


@pytest.mark.parametrize("residual", [False, True])
def test_hearts_are_answers_of_draws_that_explain_the_scan(scan, slices, residual):
    posterior = around(slices, scan[1], replace(SETTINGS, residual=residual))
    fields, (z, d) = posterior.hearts(2, seed=1), posterior.draw(2, seed=1)
    for field, z_n, d_n in zip(fields.split(1), z.split(1), d.split(1), strict=True):
        expected = slices.G.decode(z_n)
        if residual:
            expected = expected + residual_field(expected, d_n, slices)
        torch.testing.assert_close(field, expected)
        shown = degrade(field, slices.stack, d_n)[0].argmax(0)
        assert mean_dice(shown.numpy(), slices.S_LR.numpy()) > 0.95
    assert not torch.equal(fields, posterior.hearts(2, seed=2))


def test_a_draw_is_not_taken_for_a_heart_that_g_does_not_hold(scan, slices, monkeypatch):
    """It misses the slices because it is a draw; interpolated instead, all draws would be one."""
    posterior = around(slices, scan[1], replace(SETTINGS, patch_mm2=2000.0))
    monkeypatch.setattr(uncertainty, "missed", lambda *_: 0.0)  # by the run's own end
    expected = posterior.hearts(3)
    monkeypatch.setattr(beyond, "TRUST", 1e9)
    torch.testing.assert_close(posterior.hearts(3), expected)
    z, d = posterior.draw(3)
    alone = posterior.problem.G.decode(z[:1])
    alone = alone + residual_field(alone, d[:1], slices)
    assert not torch.allclose(alone, expected[:1])


def test_hearts_without_a_spread_are_the_answer_views_and_all(scan):
    p, d = scan
    run = latent_optimisation(p, replace(SETTINGS, residual=True, moving_views=True))
    next(run)
    step = run.send(Change(d=d, d_LA=torch.tensor([[[7.0, 0.0]]])))
    posterior = laplace(step, p)
    sure = replace(posterior, spread=0 * posterior.spread)
    found = answer(step, p)
    torch.testing.assert_close(sure.hearts(1), found)
    still = found - p.G.decode(step.z) - residual_field(p.G.decode(step.z), step.d, p)
    assert still.abs().max() > 0.5


def test_probabilities_are_less_sure_where_nobody_looked(scan, slices, monkeypatch):
    monkeypatch.setattr(uncertainty, "misfit", lambda *_: 1.0)  # z = 0 fits some slices better
    whole = around(slices, scan[1])
    lower = around(part(slices, LOWER), scan[1][:, LOWER])
    doubts = []
    for q in (whole, lower):
        # The toy's two latents are known from any slices; what no draw tells is looked at.
        p = probabilities(replace(q, spread=0 * q.spread), NODES, n=1)
        torch.testing.assert_close(p.sum(0), torch.ones(LATTICE_SHAPE))
        doubts.append(1 - p.amax(0).mean((1, 2)))
    D = torch.tensor(lattice_axes(LATTICE_SHAPE)[0])
    more = doubts[1] / doubts[0]
    unseen, looked_at = (D > 25) & (D < 45), (D > -45) & (D < -12)
    assert more[unseen].min() > 1.2
    assert more[looked_at].max() < more[unseen].min()


def test_a_class_is_as_sure_as_its_surface_is_near(scan, slices, monkeypatch):
    """Wherever between two nodes of the lattice, 2.5 mm apart, the toy's endocardium lies."""
    monkeypatch.setattr(uncertainty, "unexplained_variance", lambda *_: torch.full((32,), 0.25))
    q = around(slices, scan[1], replace(SETTINGS, residual=False, patch_mm2=2000.0))
    for D in (-3.0, 0.0, 1.5):
        surface = 10 + ((20 + 0.15 * D) ** 2 - 1) ** 0.5
        off = torch.linspace(-1.5, 1.5, 31)
        points = torch.stack([D + 0 * off, 0 * off, surface + off], dim=1)
        LV = probabilities(replace(q, spread=0 * q.spread), points, n=2)[1]
        torch.testing.assert_close(LV, torch.special.ndtr(-off / 0.5), atol=0.04, rtol=0)
        # Less sure by what draws spread: z0 moves this surface by 1 mm a unit.
        apart = q.hearts(8), 1, points[15:16], torch.full((32,), 0.25)
        spread = torch.special.ndtr(-off / surface_spread(*apart))
        torch.testing.assert_close(probabilities(q, points, n=8)[1], spread, atol=0.04, rtol=0)
        assert (spread - LV).abs().max() > 0.05


def test_less_is_known_of_a_heart_that_misses_its_slices(scan, slices):
    def variance(z0: float) -> Tensor:
        run = latent_optimisation(slices, SETTINGS)
        step = replace(next(run), z=torch.tensor([[z0, 0.0]]))
        return unexplained_variance(step, slices)

    near, far = variance(0.5), variance(2.0)
    assert near.min() > 0
    assert (far > 1.5 * near).all()


def test_slices_tell_less_where_g_misses_them(scan, slices, posterior, monkeypatch):
    """Of z, as less of them would; not beyond the prior."""
    monkeypatch.setattr(uncertainty, "misfit", lambda *_: 1.0)
    missed = covariance(around(slices, scan[1])).diagonal()[:2]
    monkeypatch.undo()
    patch = SETTINGS.patch_mm2 * (1 + uncertainty.TEMPER)
    fewer = around(slices, scan[1], replace(SETTINGS, patch_mm2=patch))
    torch.testing.assert_close(missed, covariance(fewer).diagonal()[:2])
    assert (missed > 2 * covariance(posterior).diagonal()[:2]).all()


def test_the_level_of_motion_is_that_of_d_and_of_what_is_open_of_it(scan, slices):
    """A straight stack's slices are known to be straight, whatever motion a run allows for."""

    def open_of_d(d: Tensor, motion_mm: float) -> float:
        spread = covariance(around(slices, d, replace(SETTINGS, motion_mm=motion_mm)))
        return float(spread.diagonal()[2:].mean().sqrt())

    straight = open_of_d(0 * scan[1], 2.0)
    assert straight == pytest.approx(open_of_d(0 * scan[1], 1.0), rel=1e-3)
    assert straight < 0.8 * open_of_d(scan[1], 2.0)


def test_the_surface_is_least_known_beyond_the_slices(slices):
    D = torch.tensor([0.0, 14.0, 60.0])
    # The toy's endocardium, which z0 moves by 1 mm a unit.
    points = torch.stack([D, 0 * D, 10 + ((20 + 0.15 * D) ** 2 - 1).sqrt()], dim=1)

    variance = 0.09 + 0.64 * kriging_variance(slices.stack)

    def spread(z0: float) -> Tensor:
        z = torch.tensor([[z0, 0.0], [-z0, 0.0]])
        return surface_spread(slices.G.decode(z), 1, points, variance)

    alike, apart = spread(0.0), spread(0.7)
    assert alike.min() > 0.3
    assert alike[2] > 1.2 * alike[:2].max()
    torch.testing.assert_close(apart**2 - alike**2, torch.full((3,), 2 * 0.7**2))


def test_volumes_err_by_draws_and_by_what_is_alike_all_over(scan, slices, monkeypatch):
    monkeypatch.setattr(uncertainty, "excess", lambda *_: 4.0)
    monkeypatch.setattr(uncertainty, "kriging_variance", lambda stack: torch.ones(32))
    posterior = around(slices, scan[1], replace(SETTINGS, residual=False))
    alike = measured_sd(replace(posterior, spread=0 * posterior.spread), soft_volumes_ml, n=2)
    # The toy's z0 moves its endocardium by 1 mm a unit.
    LV = [
        soft_volumes_ml(slices.G.decode(torch.tensor([[z0, 0.0]])))[0, 1]
        for z0 in (2 * ALIKE, -2 * ALIKE)
    ]
    torch.testing.assert_close(alike[1], (LV[0] - LV[1]) / 2, rtol=0.02, atol=0)
    drawn = soft_volumes_ml(posterior.hearts(8)).var(0)
    assert drawn[1] > 0
    torch.testing.assert_close(measured_sd(posterior, soft_volumes_ml, n=8) ** 2, drawn + alike**2)
    monkeypatch.setattr(uncertainty, "excess", lambda *_: 0.0)
    torch.testing.assert_close(measured_sd(posterior, soft_volumes_ml, n=8) ** 2, drawn)


def test_it_is_the_middle_slices_that_tell_whether_g_holds_a_heart(scan, slices):
    S_LR = slices.S_LR.clone()
    S_LR[0] = S_LR[0].roll(6, 0)
    at_an_end = replace(slices, S_LR=S_LR)
    step = around(slices, scan[1]).step
    wider = replace(step, z=torch.tensor([[2.0, 0.0]]))
    assert missed(step, at_an_end) > missed(step, slices) + 0.5
    assert excess(step, at_an_end) == excess(step, slices) == 0
    # The endocardium is 2 mm off, a third of all outlines.
    assert excess(wider, slices) > 0.5


def test_many_starts_are_seeded_and_the_best_comes_first():
    p, _, _ = toy_problem()
    ends = multi_start(p, replace(SETTINGS, seed=5), 3)
    assert all(a.objective <= b.objective for a, b in pairwise(ends))
    alone = [solve(p, replace(SETTINGS, start="random", seed=seed)) for seed in (5, 6, 7)]
    assert {end.objective for end in ends} == {end.objective for end in alone}
    assert len({end.objective for end in ends}) == 3
