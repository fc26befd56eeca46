import math
from dataclasses import fields, is_dataclass, replace
from itertools import islice, pairwise
from typing import Any

import pytest
import torch

from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import Motion, Stack, degrade
from srheart_demo.scan.evidence import evidence
from srheart_demo.scan.samples import load_sample
from srheart_demo.solver.algorithm import (
    Change,
    algorithm_1,
    latent_optimisation,
    solve,
)
from srheart_demo.solver.gauge import common_translation, motion_error
from srheart_demo.solver.losses import negative_log_prior, objective
from srheart_demo.solver.motion_prior import motion_precision
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import (
    PAPER,
    PRESETS,
    RECOMMENDED,
    REFERENCE,
    STEPS,
    Settings,
    preset,
)
from srheart_demo.solver.solvers import Memory, Point, lbfgs
from tests.problems import ToyHeart, toy_problem

QUICK = Settings(lr_z=0.05, lr_d=0.3, iterations=150, halve_every=40)


def same(a: Any, b: Any) -> bool:
    """Whether two steps, or what they hold, are equal bit for bit, times aside."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a.isnan(), b.isnan()) and torch.equal(a.nan_to_num(), b.nan_to_num())
    if is_dataclass(a):
        return all(
            same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name != "seconds"
        )
    if isinstance(a, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


NEWTON = Settings(solver="lbfgs", lr_z=1.0, lr_d=1.0, iterations=40)


@pytest.mark.parametrize(
    ("settings", "shear"),
    [(QUICK, 0.0), (replace(QUICK, alternate=True), 0.0), (NEWTON, 0.0), (NEWTON, 8.0)],
)
def test_the_known_answer_is_recovered(settings, shear):
    p, z_true, d_true = toy_problem(shear=shear)
    end = solve(p, settings)
    assert motion_error(end.d, d_true, p.tissue) < 0.2
    assert (end.z - z_true).abs().max() < 0.1
    assert end.loss < 0.5 * next(latent_optimisation(p, QUICK)).loss


@pytest.mark.parametrize("rates", [{"lr_z": 1e300}, {"lr_d": 1e300}])
@pytest.mark.parametrize("settings", [PAPER, REFERENCE])
def test_steps_beyond_all_numbers_end_the_run_and_not_the_process(settings, rates):
    p = Problem.of(load_sample("healthy_1").scan("none"), load_generator(latent_size=8))
    end = solve(p, replace(settings, iterations=9, **rates))
    assert (end.iteration, end.stopped) == (1, "diverged")


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
    assert same(tuple(straight[10:]), tuple(resumed))


VISIBLE = replace(NEWTON, stop_dice=0.01, stop_mm=0.1, stop_window=3)


class Flat(ToyHeart):
    """Far from its heart nothing tells which way it lies."""

    def decode(self, z):
        return 6 * torch.tanh(super().decode(z) / 6)


def astray(settings):
    """A run whose fourth slice starts far off, and the true d."""
    p, _, d = toy_problem()
    p = replace(p, G=Flat())
    run = latent_optimisation(p, settings)
    start = next(run).d.clone()
    start[0, 3] = torch.tensor([60.0, 0.0])
    run.send(Change(d=start))
    return p, run, d


def test_the_last_search_frees_a_slice_that_is_stuck():
    p, run, d = astray(VISIBLE)
    *_, stuck = run
    assert stuck.stopped == "converged"
    assert (stuck.d - d)[0, 3].norm() > 20.0
    p, run, d = astray(replace(VISIBLE, search_last=True))
    *_, freed = run
    assert freed.stopped == "converged"
    assert motion_error(freed.d, d, p.tissue) < 0.2


def test_a_last_search_that_finds_nothing_leaves_the_run_as_it_was():
    p, _, _ = toy_problem()
    end, searched = (solve(p, replace(VISIBLE, search_last=last)) for last in (False, True))
    assert searched.state.searched
    assert same((end.iteration, end.state.point), (searched.iteration, searched.state.point))


def test_runs_with_a_last_search_resume_exactly_before_and_after_it():
    p, run, _ = astray(replace(VISIBLE, search_last=True))
    straight = list(run)
    searched = [step.state.searched for step in straight].index(True)
    assert 3 < searched < len(straight) - 1
    for i in (searched - 2, searched):
        resumed = latent_optimisation(p, QUICK, start=straight[i])
        assert same(tuple(straight[i:]), tuple(resumed))


def test_restart_rewinds_exactly():
    p, _, _ = toy_problem()
    run = latent_optimisation(p, replace(QUICK, iterations=12))
    steps = [next(run) for _ in range(9)]
    rewound = run.send(Change(restart=steps[3]))
    assert rewound.iteration == 4
    assert torch.equal(rewound.z, steps[4].z)
    assert torch.equal(rewound.d, steps[4].d)


@pytest.mark.parametrize("view", [False, True])
def test_a_run_with_paper_does_what_algorithm_1_as_printed_does(view):
    p, _, _ = toy_problem(view=view)
    faster = replace(PAPER, lr_z=0.05, lr_d=0.1, iterations=60)
    for settings in (PAPER, faster, replace(faster, stop_change=0.02)):
        z, d = algorithm_1(p, settings)
        end = solve(p, settings)
        torch.testing.assert_close(end.z, z, rtol=1e-3, atol=1e-5)
        torch.testing.assert_close(end.d, d, rtol=1e-3, atol=1e-4)
    assert end.iteration < 60


def test_with_the_shipped_generator_the_fast_way_is_that_of_algorithm_1_too():
    scan = load_sample("healthy_1").scan("severe")
    p = Problem.of(scan, load_generator())
    p = replace(p, stack=p.stack.slices(p.tissue), S_LR=p.S_LR[p.tissue])
    settings = replace(PAPER, lr_z=0.05, lr_d=1.0, iterations=12)
    z, d = algorithm_1(p, settings)
    end = solve(p, settings)
    torch.testing.assert_close(end.z, z, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(end.d, d, rtol=1e-3, atol=1e-2)


def test_gamma_acts_in_mid_run():
    p, _, _ = toy_problem(view=True)
    run = latent_optimisation(p, replace(QUICK, gamma=0.0))
    for _ in range(3):
        step = next(run)
    assert step.loss == pytest.approx(step.loss_sa)
    changed = run.send(Change(gamma=2.0))
    assert changed.loss == pytest.approx(changed.loss_sa + 2 * changed.loss_la, rel=1e-5)
    assert changed.state.settings.gamma == 2.0
    *_, unchanged = islice(latent_optimisation(p, QUICK), 4)
    assert not torch.equal(changed.z, unchanged.z)


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


def test_a_run_stops_once_no_slice_moves_visibly():
    p, _, _ = toy_problem()
    iterations = []
    for mm in (0.1, 0.3, 1.0):
        steps = list(latent_optimisation(p, replace(VISIBLE, stop_dice=1.0, stop_mm=mm)))
        assert steps[-1].stopped == "converged"
        moves = [(b.d - a.d).norm(dim=-1).max() for a, b in zip(steps, steps[3:], strict=False)]
        assert moves[-1] <= mm < min(moves[:-1])
        iterations.append(steps[-1].iteration)
    # Any three iterations may stand still, not only those up to the third, the sixth and so on.
    assert any(n % 3 for n in iterations)


def test_a_run_stops_once_the_heart_stays_as_it_is():
    p, _, _ = toy_problem()
    still = replace(QUICK, lr_d=0.0, stop_mm=1.0, stop_window=5)
    loose, tight = (solve(p, replace(still, stop_dice=share)) for share in (0.05, 0.005))
    assert loose.stopped == tight.stopped == "converged"
    assert 5 <= loose.iteration < tight.iteration


def test_where_all_can_be_seen_a_run_goes_on():
    p, _, _ = toy_problem()
    settings = replace(QUICK, iterations=30, stop_dice=0.05, stop_mm=0.0, stop_window=5)
    assert solve(p, settings).stopped == "iterations"


def test_nothing_stops_a_run_before_a_whole_window():
    """Not even one that stands still, nor one that was changed within the window."""
    p, _, _ = toy_problem(view=True)
    still = replace(QUICK, lr_z=0.0, lr_d=0.0, stop_dice=0.01, stop_mm=0.1, stop_window=4)
    assert solve(p, still).iteration == 4
    run = latent_optimisation(p, still)
    for _ in range(3):
        next(run)
    run.send(Change(gamma=2.0))
    *_, end = run
    assert end.iteration == 6


def test_nothing_stops_a_run_before_its_last_search_and_a_window_after_it():
    p, _, _ = toy_problem()
    still = replace(QUICK, lr_z=0.0, lr_d=0.0, stop_dice=0.01, stop_mm=0.1, stop_window=4)
    assert solve(p, replace(still, search_at=(0, 6))).iteration == 10


def test_after_a_search_lbfgs_remembers_what_it_knew_of_the_curvature():
    p, _, _ = toy_problem()
    settings = replace(RECOMMENDED, search_at=(4,), iterations=5)
    steps = list(latent_optimisation(p, settings))
    before, after = (step.state.memory for step in steps[-2:])
    assert before.updates == 4
    assert after.updates == 5
    assert all(
        torch.equal(old, new[: len(old)])
        for old, new in zip(before.tensors, after.tensors, strict=True)
    )


def test_priors_hold_z_and_d_back():
    p, _, _ = toy_problem()
    few = replace(QUICK, iterations=60)
    free = solve(p, few)
    held = solve(p, replace(few, prior=True, patch_mm2=400.0))
    assert held.z.norm() < free.z.norm()
    assert held.d.norm() < free.d.norm()


def test_a_prior_holds_what_it_is_of():
    p, z, d = toy_problem(factor=2.0)
    both = negative_log_prior(z, d, p, QUICK)
    of_z, of_d = (negative_log_prior(z, d, p, replace(QUICK, prior_of=x)) for x in "zd")
    torch.testing.assert_close(of_z, (z**2).sum(1) / 2)
    torch.testing.assert_close(of_z + of_d, both)
    assert float(of_d) > 0


def test_the_priors_precision_is_its_curvature_at_the_motions_own_scale():
    """A Gaussian of that precision pulls at d as the prior does."""
    p, z, d = toy_problem(factor=2.0)
    d = d.requires_grad_()
    (pull,) = torch.autograd.grad(negative_log_prior(0 * z, d, p, QUICK).sum(), d)
    precision = motion_precision(d.detach(), p, QUICK)
    torch.testing.assert_close(precision @ d.detach().flatten(), pull.flatten())


def first(p, **settings):
    """Where z starts."""
    return next(latent_optimisation(p, replace(QUICK, **settings))).z


def test_a_random_start_follows_the_seed():
    p, _, _ = toy_problem()
    one, again, two = (first(p, start="random", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, two)


class Guessing(ToyHeart):
    """Its encoder tells how much LV and RV there is."""

    def encode(self, probabilities):
        shares = probabilities.mean((2, 3, 4))
        return 100 * shares[:, [1, 3]], shares.new_zeros(1, 2)


def test_z_starts_at_the_encoders_guess_or_at_zero():
    p, _, _ = toy_problem()
    encoding = replace(p, G=Guessing())
    guess, _ = encoding.G.encode(evidence(p.S_LR, p.stack))
    assert guess.all()
    assert torch.equal(first(encoding, start="encoder"), guess)
    assert not first(encoding).any()
    assert not first(p, start="encoder").any()
    short = replace(encoding, stack=p.stack.slices(range(6)), S_LR=p.S_LR[:6])
    assert not first(short, start="encoder").any(), "it would take the last slice for the base"
    whole = Guessing()
    whole.reads_scans = False  # It knows whole hearts only.
    assert not first(replace(p, G=whole), start="encoder").any()


def test_a_run_may_take_longer_where_no_encoder_tells_where_to_start():
    p, _, _ = toy_problem()
    encoding = replace(p, G=Guessing())
    short = replace(encoding, stack=p.stack.slices(range(6)), S_LR=p.S_LR[:6])
    settings = replace(QUICK, iterations=3, far_iterations=5, start="encoder")
    assert [solve(each, settings).iteration for each in (encoding, short, p)] == [3, 5, 5]
    assert solve(short, replace(settings, start="zero")).iteration == 3


def test_without_a_view_gamma_acts_on_nothing():
    p, _, _ = toy_problem()
    a, b = (solve(p, replace(QUICK, iterations=5, gamma=g)) for g in (0.0, 5.0))
    assert torch.equal(a.z, b.z)
    assert a.loss_la != a.loss_la


def test_presets_are_known_by_name():
    assert preset("paper") is PAPER
    assert all(settings.name == name for name, settings in PRESETS.items())
    with pytest.raises(KeyError, match="PAPER, REFERENCE, RECOMMENDED, INTERACTIVE"):
        preset("best")


def test_the_steps_lead_from_the_papers_method_to_ours():
    assert STEPS[0] is REFERENCE
    assert replace(STEPS[-1], name=RECOMMENDED.name) == RECOMMENDED
    assert all(step.name.startswith("+ ") for step in STEPS[1:])
    assert len({replace(step, name="") for step in STEPS}) == len(STEPS)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_lowers_its_objective(name):
    p, _, _ = toy_problem(view=True)
    settings = replace(preset(name), iterations=30)
    start = next(latent_optimisation(p, settings))
    assert solve(p, settings).objective < start.objective


def test_lbfgs_never_climbs():
    p, _, _ = toy_problem(view=True)
    values = [step.objective for step in latent_optimisation(p, NEWTON)]
    assert all(b <= a for a, b in pairwise(values))


def test_lbfgs_goes_on_where_no_curvature_tells_how_far():
    """Far out in a well its slope grows no less steep: steps of one length would take hundreds."""

    class Well:
        def units(self, settings: Settings) -> torch.Tensor:
            return torch.eye(4)

        def look(self, settings: Settings, z: torch.Tensor, d: torch.Tensor) -> Point:
            x = torch.cat([z.flatten(), d.flatten()])
            value = 1 - torch.exp(-(x @ x) / 200)
            of_z, of_d = ((1 - value) * x / 100).split(2)
            return Point(
                z, d, float(value), (float(value),) * 3, of_z.view(1, 2), of_d.view(1, 1, 2)
            )

    well: Any = Well()
    here, memory = well.look(NEWTON, torch.full((1, 2), 15.0), torch.zeros(1, 1, 2)), Memory()
    for iteration in range(6):
        here, memory = lbfgs(NEWTON, here, memory, well, iteration)
    assert here.objective < 0.01


def test_lbfgs_knows_from_the_information_how_far_each_latent_reaches():
    """One latent's effect is thirty times as large as it was."""
    p, _, _ = toy_problem()
    known, unknown = ToyHeart(), ToyHeart()
    for G in (known, unknown):
        G.basis[1] *= 30
    unknown.information = torch.zeros(2, 2)
    solved = 1.001 * solve(p, NEWTON).objective

    def iterations(G):
        run = latent_optimisation(replace(p, G=G), replace(NEWTON, iterations=60))
        return next(step.iteration for step in run if step.objective < solved)

    assert 3 * iterations(known) < iterations(unknown)


def test_an_unknown_solver_lists_the_known_ones():
    p, _, _ = toy_problem()
    with pytest.raises(KeyError, match="adam, lbfgs"):
        next(latent_optimisation(p, replace(QUICK, solver="newton")))


def test_an_unknown_start_lists_the_known_ones():
    p, _, _ = toy_problem()
    with pytest.raises(KeyError, match="zero, random, encoder"):
        first(p, start="best")


class Counting(ToyHeart):
    decoded = 0

    def decode(self, z):
        self.decoded += 1
        return super().decode(z)


def test_where_z_and_d_take_turns_each_heart_is_decoded_once():
    p, _, _ = toy_problem()
    p = replace(p, G=Counting())
    run = latent_optimisation(p, replace(QUICK, alternate=True))
    # At the start the decoder's graph is used up by the gradients along both.
    next(run), next(run)
    before = p.G.decoded
    steps = list(islice(run, 6))
    assert p.G.decoded == before + 6
    assert all(step.gradient_z > 0 and step.gradient_d > 0 for step in steps)


def test_a_heart_that_a_search_looks_at_is_decoded_once():
    p, _, _ = toy_problem()
    p = replace(p, G=Counting())
    run = latent_optimisation(p, replace(QUICK, search_at=(0, 2)))
    start, after = next(run), next(run)
    assert p.G.decoded == 2  # that of the start, and the next
    assert math.isnan(start.gradient_z)  # which a search does not need
    assert after.gradient_z > 0
    next(run), next(run)
    # And all of the one that is searched for in mid-run, of which a look decodes what is shown.
    assert p.G.decoded == 5


@pytest.mark.parametrize("name", ["REFERENCE", "INTERACTIVE"])
def test_a_run_with_the_shipped_generator_resumes_exactly(name):
    G, stack = load_generator(), Stack.from_hr()
    d = Motion.draw(stack.K, 1).displacement(4.0)
    S_LR = degrade(G.decode(torch.zeros(1, G.latent_size)), stack, d)[0].argmax(0)
    p = Problem(G, stack, S_LR).crop()
    straight = list(islice(latent_optimisation(p, preset(name)), 6))
    for i in (0, 2):  # before the search of the start too, which leaves its heart for the next look
        resumed = latent_optimisation(replace(p), preset(name), start=straight[i])
        assert same(tuple(straight[i:]), tuple(islice(resumed, 6 - i)))
