import math

import pytest
import torch

from srheart_demo.scan.degradation import downsample
from srheart_demo.solver.losses import (
    cross_entropy,
    long_axis_loss,
    multi_view_loss,
    short_axis_loss,
)
from tests.problems import toy_problem


def test_cross_entropy_of_known_probabilities():
    logits = torch.log(torch.tensor([[[0.5, 0.25], [0.25, 0.5], [0.25, 0.25]]]))
    value = cross_entropy(logits, torch.tensor([0, 0]))
    torch.testing.assert_close(value, torch.tensor([(math.log(2) + math.log(4)) / 2]))


def test_losses_combine_as_in_equation_5():
    p, z, d = toy_problem(view=True)
    field = p.G.decode(z)
    L, L_SA, L_LA = multi_view_loss(p.decode(z), d, p, gamma=0.7)
    torch.testing.assert_close(L_SA, short_axis_loss(downsample(field, p.stack), d, p))
    torch.testing.assert_close(L_LA, long_axis_loss(field, p))
    torch.testing.assert_close(L, L_SA + 0.7 * L_LA)


def test_the_long_axis_loss_does_not_depend_on_d():
    p, z, d = toy_problem(view=True)
    d = d.requires_grad_()
    L_LA = multi_view_loss(p.decode(z), d, p, gamma=1.0)[2]
    assert not L_LA.requires_grad


def test_without_a_view_there_is_no_long_axis_loss():
    p, z, d = toy_problem()
    L, L_SA, L_LA = multi_view_loss(p.decode(z), d, p, gamma=1.0)
    assert torch.equal(L, L_SA)
    assert L_LA.isnan().all()
    with pytest.raises(ValueError, match="no long-axis view"):
        long_axis_loss(p.G.decode(z), p)


def test_each_subject_of_a_batch_has_its_own_loss():
    p, z, d = toy_problem(view=True)
    batch = torch.cat([z, 0 * z]), torch.cat([d, 2 * d])

    def losses(z, d):
        return multi_view_loss(p.decode(z, d), d, p, 1.0)

    together = losses(*batch)
    alone = [losses(batch[0][i : i + 1], batch[1][i : i + 1]) for i in (0, 1)]
    for i, part in enumerate(together):
        torch.testing.assert_close(part, torch.cat([alone[0][i], alone[1][i]]))
