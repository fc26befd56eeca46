from dataclasses import replace

import pytest
import torch

from srheart_demo.scan.degradation import degrade
from srheart_demo.solver.search import best_shifts, search, shift_landscape
from srheart_demo.solver.settings import RECOMMENDED
from tests.problems import toy_problem


def test_the_landscape_is_the_likelihood_at_every_shift():
    p, z, _ = toy_problem()
    landscape = shift_landscape(p.decode(z).planes, p, reach=8.0)
    assert landscape.shape == (7, 9, 9)
    for row, column in ((0, 0), (-3, 2), (4, -1)):
        d = torch.tensor([row * 2.0, column * 2.0]).expand(1, 7, 2)
        log_p = degrade(p.G.decode(z), p.stack, d)[0].log_softmax(0)
        direct = log_p.gather(0, p.S_LR[None])[0].sum((1, 2))
        torch.testing.assert_close(landscape[:, 4 + row, 4 + column], direct, rtol=1e-3, atol=0.5)


@pytest.mark.parametrize("factor", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("shear", [0.0, 8.0])
def test_shifts_are_found_below_a_pixel(factor, shear):
    p, z, d = toy_problem(factor=factor, shear=shear)
    for apart in (0.0, 4.0):
        found = best_shifts(p.decode(z).planes, p, reach=24.0, apart=apart)
        assert (found - d).abs().max() < 0.5 + apart / 8


def test_pixels_that_stand_for_others_have_their_weight():
    p, z, _ = toy_problem(factor=2.0)
    planes = p.decode(z).planes
    some, all_ = (
        best_shifts(planes, p, reach=24.0, sd=0.5, tempering=0.01, apart=mm) for mm in (4.0, 0.0)
    )
    torch.testing.assert_close(some, all_, atol=0.3, rtol=0.1)


@pytest.mark.parametrize("empty", [slice(2), slice(None)])
def test_slices_without_tissue_stay_and_change_nothing(empty: slice):
    p, z, _ = toy_problem(factor=2.0)
    S_LR = p.S_LR.clone()
    S_LR[empty] = 0
    planes = p.decode(z).planes
    expected = best_shifts(planes, p)
    expected[:, empty] = 0
    torch.testing.assert_close(best_shifts(planes, replace(p, S_LR=S_LR)), expected)


def test_a_prior_draws_shifts_to_zero():
    p, z, _ = toy_problem(factor=2.0)
    planes = p.decode(z).planes
    assert best_shifts(planes, p, sd=0.05).norm() < best_shifts(planes, p).norm()


def test_one_look_at_the_heart_serves_slices_and_views(monkeypatch: pytest.MonkeyPatch):
    p, z, d = toy_problem(view=True)
    decode, decoded = p.G.decode, []
    monkeypatch.setattr(p.G, "decode", lambda z: decoded.append(z) or decode(z))
    found = search(p.decode(z), p, replace(RECOMMENDED, prior=False))
    assert len(decoded) == 1
    d_SA, d_LA = p.split(found)
    assert (d_SA - d).abs().max() < 0.5
    assert d_LA.abs().max() < 1.0
