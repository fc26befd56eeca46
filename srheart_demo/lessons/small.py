"""A problem small enough for the exercises' checks to solve in no time."""

import torch

from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import Motion, Stack, degrade
from srheart_demo.scan.long_axis import Plane, long_axis_view
from srheart_demo.solver.problem import Problem


def small_problem(long_axis: bool) -> Problem:
    """Four slices of a drawn heart, all with tissue, displaced by normal motion; and an LA view."""
    G = load_generator()
    stack = Stack(
        z=torch.tensor([-25.0, -5.0, 10.0, 25.0]),
        origin=torch.tensor([-63.0, -63.0]),
        row_step=torch.tensor([3.0, 0.0]),
        column_step=torch.tensor([0.0, 3.0]),
        shape=(43, 43),
    )
    z = torch.randn(1, G.latent_size, generator=torch.Generator().manual_seed(4))
    field = G.decode(z)
    S_LR = degrade(field, stack, Motion.draw(stack.K, 4).displacement(1.0))[0].argmax(0)
    if not long_axis:
        return Problem(G, stack, S_LR)
    up, across = torch.arange(-50.0, 50.0, 3.0), torch.arange(-60.0, 60.0, 3.0)
    rows, columns = torch.meshgrid(up, across, indexing="ij")
    plane = Plane(torch.stack([rows, 0.3 * columns, columns], dim=-1))
    return Problem(G, stack, S_LR, plane, long_axis_view(field, plane)[0].argmax(0))
