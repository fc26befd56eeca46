from dataclasses import replace

import pytest
import torch
from scipy.ndimage import maximum_filter, minimum_filter

from srheart_demo.scan.degradation import downsample, move, move_at
from srheart_demo.solver.fast import EVERY, _near_a_border, thin
from srheart_demo.solver.losses import short_axis_loss
from srheart_demo.solver.problem import Problem
from tests.problems import rotated, sheared, toy_problem, toy_stack


@pytest.mark.parametrize(("degrees", "shear"), [(0.0, 0.0), (33.0, 0.0), (33.0, 8.0)])
def test_some_pixels_move_as_all_do(degrees, shear):
    rng = torch.Generator().manual_seed(0)
    stack = sheared(rotated(toy_stack(torch.float64), degrees), shear)
    planes = torch.randn(2, 3, 7, 16, 16, generator=rng, dtype=torch.float64).requires_grad_()
    d = (20 * torch.randn(2, 7, 2, generator=rng, dtype=torch.float64)).requires_grad_()
    some = torch.rand(7, *stack.shape, generator=rng) < 0.2
    k, row, column = some.nonzero().unbind(1)
    pairs = [
        (values, *torch.autograd.grad((values**2).sum(), (planes, d)))
        for values in (
            move(planes, stack, d)[:, :, some],
            move_at(planes, stack, d, k, stack.pixels()[row, column]),
        )
    ]
    for of_all, of_some in zip(*pairs, strict=True):
        torch.testing.assert_close(of_some, of_all)


def test_voxels_near_a_border_are_all_kept_and_the_others_stand_for_more():
    S_LR = torch.zeros(2, 64, 64, dtype=torch.int64)
    S_LR[0, :, 40:] = 2
    voxels = thin(S_LR, replace(toy_stack(), z=torch.zeros(2)))
    weight = torch.zeros(2, 64, 64)
    row, column = ((voxels.pixels + 63) / 2).round().long().unbind(1)
    weight[voxels.k, row, column] = voxels.weights
    near = weight[0, :, 38:42]
    assert (near == near[0, 0]).all()
    assert near[0, 0] > 0
    assert (voxels.labels == S_LR[voxels.k, row, column]).all()
    assert len(voxels.k) < 0.2 * S_LR.numel()
    assert float(weight.sum()) == pytest.approx(1.0, abs=1e-5)
    far = weight[1][weight[1] > 0]
    torch.testing.assert_close(far, far[0].expand(64 // EVERY * 64 // EVERY))
    assert float(far[0] / near[0, 0]) == pytest.approx(EVERY**2, rel=0.05)


@pytest.mark.parametrize("mm", [(1.0, 3.0), (1.25, 1.25), (2.0, 12.0)])
def test_near_a_border_is_where_a_window_holds_two_labels(mm):
    rng = torch.Generator().manual_seed(1)
    S_LR = (torch.rand(3, 40, 30, generator=rng) > 0.995).long() * 3
    row, column = mm
    stack = replace(
        toy_stack(), row_step=torch.tensor([row, 0.0]), column_step=torch.tensor([0.0, column])
    )
    labels, size = S_LR.numpy(), (1, *(2 * round(5 / side) + 1 for side in mm))
    expected = maximum_filter(labels, size) != minimum_filter(labels, size)
    assert expected.any()
    assert not expected.all()
    assert (_near_a_border(S_LR, stack).numpy() == expected).all()


def test_fewer_voxels_say_what_all_say():
    p, z, d = toy_problem()
    for there in (z, z + 0.5):
        field = there.clone().requires_grad_()
        loss, slope = [], []
        for thinned in (False, True):
            planes = downsample(p.G.decode(field), p.stack)
            value = short_axis_loss(planes, d + 2.0, p, thinned)
            loss.append(value.detach())
            slope.append(torch.autograd.grad(value.sum(), field)[0])
        torch.testing.assert_close(loss[1], loss[0], rtol=0.01, atol=0)
        assert (slope[1] - slope[0]).norm() < 0.05 * slope[0].norm()


def test_a_stack_without_a_border_is_thinned_evenly():
    p, _, _ = toy_problem()
    blank = Problem(p.G, p.stack, torch.zeros_like(p.S_LR))
    assert blank.voxels.weights.unique().numel() == 1
