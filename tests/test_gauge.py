import pytest
import torch

from srheart_demo.degradation import Stack, degrade
from srheart_demo.frame import lattice_points
from srheart_demo.gauge import (
    centred,
    common_translation,
    labels_at,
    motion_error,
    unsheared_motion_error,
)
from srheart_demo.problem import Problem
from srheart_demo.views import Plane
from tests.problems import ToyHeart

TISSUE = torch.tensor([True, True, True, False])


def test_motion_error_ignores_a_common_translation_and_empty_slices():
    d_true = torch.tensor([[[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [0.0, 0.0]]])
    d = d_true + torch.tensor([4.0, -2.0])
    d[0, 3] = 100.0
    assert motion_error(d, d_true, TISSUE) == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(common_translation(d, d_true, TISSUE), torch.tensor([[4.0, -2.0]]))


def test_motion_error_is_the_rms_length():
    d = torch.zeros(1, 4, 2)
    d[0, 0] = torch.tensor([3.0, 4.0])
    d[0, 1] = torch.tensor([-3.0, -4.0])
    assert motion_error(d, torch.zeros_like(d), TISSUE) == pytest.approx((50 / 3) ** 0.5)


def test_a_shear_counts_until_it_is_removed_and_nothing_else_is():
    z = torch.tensor([0.0, 10.0, 20.0, 30.0])
    tissue = torch.ones(4, dtype=torch.bool)
    truth = torch.zeros(1, 4, 2)
    shear = torch.stack([0.1 * z + 3, -0.2 * z], dim=1)[None]
    assert motion_error(shear, truth, tissue) > 1
    assert unsheared_motion_error(shear, truth, z, tissue) < 1e-5
    bend = torch.tensor([[1.0, -1.0, -1.0, 1.0], [0.0] * 4]).T[None]
    assert unsheared_motion_error(shear + bend, truth, z, tissue) == pytest.approx(1, abs=1e-5)


def test_without_tissue_there_is_no_translation():
    d = torch.ones(1, 4, 2)
    nothing = torch.zeros(4, dtype=torch.bool)
    assert not common_translation(d, 0 * d, nothing).any()


def test_labels_follow_a_translation_of_the_heart():
    field = ToyHeart().decode(torch.zeros(1, 2))
    points = torch.tensor(lattice_points(), dtype=torch.float32)
    still = labels_at(field, points)
    moved = labels_at(field, points, torch.tensor([5 * 1.25, -2 * 1.25]))
    assert (moved[:, 5:, :-2] == still[:, :-5, 2:]).mean() > 0.9999


def test_centred_displacements_show_the_same_slices() -> None:
    G, stack = ToyHeart(), Stack.from_hr()
    field = G.decode(torch.zeros(1, 2))
    d = torch.randn(1, stack.K, 2, generator=torch.Generator().manual_seed(0)) + 4.0
    S_LR = degrade(field, stack, d)[0].argmax(0)
    p = Problem(G, stack, S_LR)
    there, shift = centred(d * p.tissue[:, None], p)
    assert there[0, p.tissue].mean(0).abs().max() < 1e-5
    assert not there[0, ~p.tissue].any()
    # The heart moved by the shift, seen under what is left of d, is the heart seen under d.
    seen = labels_at(field, stack.points(there)[0], shift)[p.tissue]
    assert (seen == S_LR[p.tissue].numpy()).mean() > 0.9999


def test_a_long_axis_view_fixes_the_gauge() -> None:
    G, stack = ToyHeart(), Stack.from_hr()
    S_LR = degrade(G.decode(torch.zeros(1, 2)), stack, torch.zeros(1, stack.K, 2))[0].argmax(0)
    plane = Plane(torch.zeros(2, 2, 3))
    p = Problem(G, stack, S_LR, plane, torch.zeros(2, 2, dtype=torch.long))
    d, shift = centred(torch.ones(1, stack.K, 2), p)
    assert (d == 1).all()
    assert not shift.any()
