"""Gauss-Newton matrices against autograd, and what a generator's information is made of."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.solver.curvature import CERTAIN, gauss_newton, information, whitening
from tests.problems import ToyHeart

X = torch.tensor([[0.8, -1.1, 0.4]])
STEP = torch.tensor([1e-3, 2e-3, 5e-4])
WEIGHTS = torch.randn(3, 4, 50, generator=torch.Generator().manual_seed(0))


def curved(x: Tensor) -> Tensor:
    """Class logits (1, 4, 5, 10) that are not linear in x (1, 3)."""
    return torch.einsum("bn,ncv->bcv", x, WEIGHTS).sin().view(-1, 4, 5, 10)


def test_it_is_the_hessian_of_the_cross_entropy_where_prediction_and_target_agree() -> None:
    target = curved(X).softmax(1)

    def cross_entropy(x: Tensor) -> Tensor:
        return F.cross_entropy(curved(x[None]), target, reduction="sum")

    H = torch.autograd.functional.hessian(cross_entropy, X[0])
    torch.testing.assert_close(gauss_newton(curved, X, STEP), H, rtol=1e-2, atol=1e-2)


def test_voxels_left_out_as_certain_hardly_count(monkeypatch: pytest.MonkeyPatch) -> None:
    G, z = ToyHeart(), torch.zeros(1, 2)
    border = G.decode(z).softmax(1).amax(1) < CERTAIN
    assert border.float().mean() < 0.5
    bordering = information(G, z)
    monkeypatch.setattr("srheart_demo.solver.curvature.CERTAIN", 1.1)
    torch.testing.assert_close(bordering, information(G, z), rtol=0.02, atol=0)


def test_steps_of_unit_curvature() -> None:
    H = gauss_newton(curved, X, STEP)
    U = whitening(H)
    torch.testing.assert_close(U @ H @ U.T, torch.eye(3), atol=1e-4, rtol=0)


def test_information_is_the_mean_over_codes() -> None:
    G = ToyHeart()
    codes = torch.tensor([[0.8, -0.6], [-1.0, 0.5]])
    a, b = (information(G, z) for z in codes.split(1))
    assert not torch.allclose(a, b, rtol=0.05)
    torch.testing.assert_close(information(G, codes), (a + b) / 2)
