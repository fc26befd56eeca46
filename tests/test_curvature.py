"""Gauss-Newton matrices against autograd, and what a generator's information is made of."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import degrade
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.curvature import (
    CERTAIN,
    coupling,
    gauss_newton,
    information,
    units,
    whitening,
)
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import RECOMMENDED, Settings
from tests.problems import ToyHeart, rotated, toy_stack

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


class _Coupled(ToyHeart):
    """The toy, that knows how displacements are told."""

    def __init__(self) -> None:
        super().__init__()
        self.coupling = coupling(self, torch.zeros(1, 2))


def _toy_problem(degrees: float = 0.0) -> Problem:
    G = _Coupled()
    stack = rotated(toy_stack(), degrees)
    still = torch.zeros(1, stack.K, 2)
    return Problem(G, stack, degrade(G.decode(torch.zeros(1, 2)), stack, still)[0].argmax(0))


def test_a_coupling_is_the_curvature_of_z_with_the_displacement_of_one_plane() -> None:
    """Held against the Hessian of the cross-entropy with labels as probable as the heart says."""
    G, plane = ToyHeart(), LATTICE_SHAPE[0] // 2
    z = torch.zeros(1, 2)
    target = G.decode(z)[:, :, plane].softmax(1)
    shift = torch.zeros(4)

    def loss(x: Tensor) -> Tensor:
        picture = G.decode(x[None, :2])[:, :, plane]
        # A heart moved by d, to first order: what lies at x − d is seen at x.
        rows, columns = torch.gradient(picture.detach(), spacing=2.5, dim=(2, 3))
        return F.cross_entropy(picture - x[2] * rows - x[3] * columns, target, reduction="sum")

    H = torch.autograd.functional.hessian(loss, shift)
    found = coupling(G, z)[plane]
    torch.testing.assert_close(found[:2], H[:2, 2:], rtol=0.15, atol=0.02 * float(H.abs().max()))
    torch.testing.assert_close(found[2:], H[2:, 2:], rtol=0.15, atol=0.02 * float(H.abs().max()))


@pytest.mark.parametrize("degrees", [0.0, 35.0])
def test_units_measure_displacements_along_the_slices_own_axes(degrees: float) -> None:
    """However a stack is turned, what a displacement costs in the heart's axes is the same."""
    settings = Settings(patch_mm2=100.0, motion_mm=1e3)
    of_d = []
    for turned in (0.0, degrees):
        p = _toy_problem(turned)
        U = units(p, settings)
        H = torch.linalg.inv(U.T @ U)[2:, 2:]
        k = p.stack.K // 2
        block = H[2 * k : 2 * k + 2, 2 * k : 2 * k + 2]
        of_d.append(p.carried[k].T @ block @ p.carried[k])
    torch.testing.assert_close(*of_d, rtol=1e-3, atol=1e-3)


def test_without_a_coupling_z_and_d_are_measured_apart() -> None:
    p = replace(_toy_problem(), G=ToyHeart())
    U = units(p, Settings())
    assert not U[2:, :2].any()
    assert not U[:2, 2:].any()


def test_a_heart_that_leans_is_found_in_fewer_iterations() -> None:
    """The shipped generator's coupling, against itself without."""
    G = load_generator()
    assert G.coupling.any()
    stack = toy_stack()
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(2))
    d = 8 * torch.randn(1, stack.K, 2, generator=torch.Generator().manual_seed(1))
    p = Problem(G, stack, degrade(G.decode(z), stack, d)[0].argmax(0)).crop()
    ends = []
    for coupled in (G.coupling, torch.zeros_like(G.coupling)):
        without = type(G)(G.architecture, G.name)
        without.load_state_dict(G.state_dict() | {"coupling": coupled})
        without.eval().requires_grad_(False)
        ends.append(solve(replace(p, G=without), replace(RECOMMENDED, iterations=15)).objective)
    assert ends[0] < ends[1]
