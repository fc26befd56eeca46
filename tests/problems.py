"""A small inverse problem with a known answer, and helpers that several tests share."""

import math
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.scan.degradation import Motion, Stack, degrade
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.solver.curvature import information
from srheart_demo.solver.problem import Problem, View


class ToyHeart:
    """G with two latents: z0 widens a heart of nested cones, z1 shifts its RV. Linear in z."""

    latent_size = 2

    def __init__(self, dtype: torch.dtype = torch.float32) -> None:
        D, H, W = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=dtype).unbind(-1)
        rho = torch.sqrt(H**2 + (W - 10) ** 2 + 1)
        endo, epi = 20 + 0.15 * D - rho, 30 + 0.15 * D - rho
        rv = 25 + 0.1 * D - torch.sqrt((H + 5) ** 2 + (W + 25) ** 2 + 1)
        zero = torch.zeros_like(rho)
        # Shallow slopes leave the likelihood smooth enough for a quick solve.
        self.mean = torch.stack([zero, 2 * endo + epi, epi, rv.minimum(-epi)])
        widen = torch.stack([zero, 3 + zero, 1 + zero, zero])
        self.basis = torch.stack([widen, torch.stack([zero, zero, zero, 3 + zero])])

    @cached_property
    def information(self) -> Tensor:
        return information(self, torch.zeros(1, 2))

    def decode(self, z: Tensor) -> Tensor:
        return self.mean + torch.einsum("bm,mcdhw->bcdhw", z, self.basis)


def toy_stack(dtype: torch.dtype = torch.float32) -> Stack:
    """Seven slices 14 mm apart, 64 × 64 pixels of 2 mm."""
    return Stack(
        z=torch.linspace(-42, 42, 7, dtype=dtype),
        origin=torch.tensor([-63.0, -63.0], dtype=dtype),
        row_step=torch.tensor([2.0, 0.0], dtype=dtype),
        column_step=torch.tensor([0.0, 2.0], dtype=dtype),
        shape=(64, 64),
    )


def rotated(stack: Stack, degrees: float) -> Stack:
    """The same stack turned in-plane."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = torch.tensor([[c, s], [-s, c]], dtype=stack.origin.dtype)
    return Stack(
        stack.z,
        stack.origin @ turn,
        stack.row_step @ turn,
        stack.column_step @ turn,
        stack.shape,
        None if stack.offset is None else stack.offset @ turn,
    )


def sheared(stack: Stack, degrees: float = 8.0) -> Stack:
    """The same pixels, each slice further off along (H, W) the higher it lies."""
    direction = torch.tensor([0.8, -0.6], dtype=stack.z.dtype)
    return replace(
        stack, offset=math.tan(math.radians(degrees)) * (stack.z + 10)[:, None] * direction
    )


def oblique_plane(dtype: torch.dtype = torch.float32, size: int = 24) -> Plane:
    """A plane that cuts through the box at an angle to all axes."""
    offsets = torch.linspace(-40, 40, size, dtype=dtype)
    along = torch.tensor([0.8, 0.5, 0.33166], dtype=dtype)
    across = torch.tensor([-0.5, 0.8, 0.0], dtype=dtype)
    across = across - along * (across @ along)
    across = across / across.norm()
    centre = torch.tensor([3.0, 1.0, 2.0], dtype=dtype)
    return Plane(centre + offsets[:, None, None] * along + offsets[None, :, None] * across)


def toy_problem(
    z: tuple[float, float] = (0.8, -0.6),
    factor: float = 1.0,
    seed: int = 3,
    view: bool = False,
    shear: float = 0.0,
) -> tuple[Problem, Tensor, Tensor]:
    """A problem made from known z and d: (problem, z, d)."""
    G, stack = ToyHeart(), toy_stack()
    stack = sheared(stack, shear) if shear else stack
    z_true = torch.tensor([z])
    d_true = Motion.draw(stack.K, seed).displacement(factor)
    field = G.decode(z_true)
    S_LR = degrade(field, stack, d_true)[0].argmax(0)
    if not view:
        return Problem(G, stack, S_LR), z_true, d_true
    plane = oblique_plane()
    S_LA = long_axis_view(field, plane)[0].argmax(0)
    return Problem(G, stack, S_LR, (View(plane, S_LA),)), z_true, d_true
