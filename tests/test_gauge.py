import pytest
import torch

from srheart_demo.frame import lattice_points
from srheart_demo.gauge import (
    common_translation,
    labels_at,
    motion_error,
    unsheared_motion_error,
)
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
