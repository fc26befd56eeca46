from dataclasses import replace
from itertools import islice, pairwise

import pytest
import torch

from srheart_demo.gauge import common_translation, motion_error
from srheart_demo.optimise import Change, last, latent_optimisation, objective, solve
from srheart_demo.presets import PAPER, PRESETS, preset
from srheart_demo.settings import Settings
from tests.problems import toy_problem

QUICK = Settings(lr_z=0.05, lr_d=0.3, iterations=150, halve_every=40)


def same(a, b) -> bool:
    """Whether two steps are equal bit for bit, times aside."""
    return (
        torch.equal(a.z, b.z)
        and torch.equal(a.d, b.d)
        and (a.iteration, a.loss, a.objective) == (b.iteration, b.loss, b.objective)
        and all(map(torch.equal, a.state.memory.tensors, b.state.memory.tensors))
        and a.state.settings == b.state.settings
        and a.state.objectives == b.state.objectives
    )


NEWTON = Settings(solver="lbfgs", lr_z=1.0, lr_d=1.0, iterations=40)


@pytest.mark.parametrize("settings", [QUICK, replace(QUICK, alternate=True), NEWTON])
def test_the_known_answer_is_recovered(settings):
    p, z_true, d_true = toy_problem()
    end = solve(p, settings)
    assert motion_error(end.d, d_true, p.tissue) < 0.2
    assert (end.z - z_true).abs().max() < 0.1
    assert end.loss < 0.5 * next(latent_optimisation(p, QUICK)).loss


def test_a_global_search_recovers_motion_that_descent_alone_does_not():
    p, _, d_true = toy_problem(factor=5.0)
    few = replace(QUICK, iterations=40, reach=30.0)
    searched = solve(p, replace(few, search_at=(0, 10)))
    assert motion_error(searched.d, d_true, p.tissue) < 0.4
    assert motion_error(solve(p, few).d, d_true, p.tissue) > 2.0


def test_a_joint_translation_of_slices_and_heart_leaves_the_loss_as_it_was():
    p, z, d = toy_problem()
    G = p.G

    class Moved:
        latent_size = 2

        def decode(self, z):
            # Two lattice cells along H, which is 5 mm.
            return torch.roll(G.decode(z), 2, dims=3)

    there = replace(p, G=Moved())
    d_there = d - torch.tensor([5.0, 0.0])
    with torch.no_grad():
        here = objective(z, d, p, QUICK)[0]
        torch.testing.assert_close(objective(z, d_there, there, QUICK)[0], here)
        assert objective(z, d, there, QUICK)[0] > 1.05 * here
    shift = common_translation(d_there, d, p.tissue)
    torch.testing.assert_close(shift, torch.tensor([[-5.0, 0.0]]))
    assert motion_error(d_there, d, p.tissue) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(
    "settings", [QUICK, replace(QUICK, alternate=True, search_at=(0, 7)), NEWTON]
)
def test_a_resumed_run_equals_an_uninterrupted_one(settings):
    p, _, _ = toy_problem(view=True)
    settings = replace(settings, iterations=20)
    straight = list(latent_optimisation(p, settings))
    half = list(islice(latent_optimisation(p, settings), 11))[-1]
    resumed = list(latent_optimisation(p, settings, start=half))
    assert len(resumed) == 11
    assert all(same(a, b) for a, b in zip(straight[10:], resumed, strict=True))


def test_restart_rewinds_exactly():
    p, _, _ = toy_problem()
    run = latent_optimisation(p, replace(QUICK, iterations=12))
    steps = [next(run) for _ in range(9)]
    rewound = run.send(Change(restart=steps[3]))
    assert rewound.iteration == 4
    assert torch.equal(rewound.z, steps[4].z)
    assert torch.equal(rewound.d, steps[4].d)


def test_gamma_acts_in_mid_run():
    p, _, _ = toy_problem(view=True)
    run = latent_optimisation(p, replace(QUICK, gamma=0.0))
    for _ in range(3):
        step = next(run)
    assert step.loss == pytest.approx(step.loss_sa)
    changed = run.send(Change(gamma=2.0))
    assert changed.loss == pytest.approx(changed.loss_sa + 2 * changed.loss_la, rel=1e-5)
    assert changed.state.settings.gamma == 2.0
    assert not torch.equal(changed.z, last(islice(latent_optimisation(p, QUICK), 4)).z)


def test_displacements_and_learning_rates_can_be_set_in_mid_run():
    p, _, _ = toy_problem()
    run = latent_optimisation(p, QUICK)
    next(run)
    d = torch.full((1, 7, 2), 3.0)
    step = run.send(Change(d=d, lr_d=0.0))
    torch.testing.assert_close(step.d, d)
    with pytest.raises(StopIteration):
        run.send(Change(stop=True))


def test_slices_without_tissue_keep_d_at_zero():
    p, _, _ = toy_problem()
    S_LR = p.S_LR.clone()
    S_LR[2] = 0
    blank = replace(p, S_LR=S_LR)
    assert blank.tissue.tolist() == [True, True, False, True, True, True, True]
    end = solve(blank, replace(QUICK, iterations=15, search_at=(0,)))
    assert not end.d[0, 2].any()
    assert end.d[0, 3].any()


def test_cropping_to_the_tissue_hardly_changes_the_sum_of_the_loss():
    p, z, d = toy_problem()
    small = p.crop(margin=8.0)
    assert small.S_LR.numel() < 0.8 * p.S_LR.numel()
    with torch.no_grad():
        whole = objective(z, d, p, QUICK)[0] * p.S_LR.numel()
        part = objective(z, d, small, QUICK)[0] * small.S_LR.numel()
    assert part == pytest.approx(whole, rel=0.05)


def test_the_papers_rule_stops_when_the_loss_hardly_changes():
    p, _, _ = toy_problem()
    end = solve(p, replace(QUICK, stop_change=0.05))
    assert end.stopped == "converged"
    assert end.iteration < QUICK.iterations
    assert solve(p, replace(QUICK, iterations=5)).stopped == "iterations"


def test_priors_hold_z_and_d_back():
    p, _, _ = toy_problem()
    few = replace(QUICK, iterations=60)
    free = solve(p, few)
    held = solve(p, replace(few, prior=True, patch_mm2=400.0))
    assert held.z.norm() < free.z.norm()
    assert held.d.norm() < free.d.norm()


def test_a_random_start_follows_the_seed():
    p, _, _ = toy_problem()
    starts = [
        next(latent_optimisation(p, replace(QUICK, start_sd=1.0, seed=seed))).z
        for seed in (1, 1, 2)
    ]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])
    assert not next(latent_optimisation(p, QUICK)).z.any()


def test_without_a_view_gamma_acts_on_nothing():
    p, _, _ = toy_problem()
    a, b = (solve(p, replace(QUICK, iterations=5, gamma=g)) for g in (0.0, 5.0))
    assert torch.equal(a.z, b.z)
    assert a.loss_la != a.loss_la


def test_presets_are_known_by_name():
    assert preset("paper") is PAPER
    assert set(PRESETS) == {"PAPER", "REFERENCE", "RECOMMENDED"}
    with pytest.raises(KeyError, match="PAPER, REFERENCE, RECOMMENDED"):
        preset("best")


@pytest.mark.parametrize("name", ["PAPER", "REFERENCE", "RECOMMENDED"])
def test_every_preset_lowers_its_objective(name):
    p, _, _ = toy_problem(view=True)
    settings = replace(preset(name), iterations=30)
    start = next(latent_optimisation(p, settings))
    assert solve(p, settings).objective < start.objective


def test_lbfgs_never_climbs():
    p, _, _ = toy_problem(view=True)
    values = [step.objective for step in latent_optimisation(p, NEWTON)]
    assert all(b <= a for a, b in pairwise(values))


def test_an_unknown_solver_lists_the_known_ones():
    p, _, _ = toy_problem()
    with pytest.raises(KeyError, match="adam, lbfgs"):
        next(latent_optimisation(p, replace(QUICK, solver="newton")))
