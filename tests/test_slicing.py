import pytest
import torch

from srheart_demo.heart.generator import Architecture, EncodedGenerator
from srheart_demo.scan.degradation import Stack, downsample, move
from srheart_demo.solver.fast import Slicer
from tests.problems import rotated, sheared

SMALL = Architecture(latent_size=5, widths=(4, 3, 2), encoder_widths=(4, 3, 2))


def generator() -> EncodedGenerator:
    torch.manual_seed(0)
    return EncodedGenerator(SMALL).double().requires_grad_(False)


def stack(first_mm: float, degrees: float = 0.0) -> Stack:
    """Slices on nodes, between them and out of the box; a window that begins at `first_mm`."""
    upright = Stack(
        z=torch.tensor([-70.0, -62.0, -20.7, -17.0, 0.0, 1.9, 33.3, 62.0, 63.5]),
        origin=torch.tensor([first_mm, first_mm + 3.1]),
        row_step=torch.tensor([1.7, 0.0]),
        column_step=torch.tensor([0.0, 2.3]),
        shape=(25, 17),
    ).to(torch.float64)
    return rotated(upright, degrees) if degrees else upright


def codes(shape: tuple[int, ...], sd: float, seed: int) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return sd * torch.randn(shape, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("first_mm", [-100.0, -79.0, -31.0, -3.3, 41.0, 90.0])
@pytest.mark.parametrize(("degrees", "shear"), [(0.0, 0.0), (33.0, 0.0), (33.0, 20.0)])
def test_slices_show_the_same_as_of_the_whole_field(first_mm, degrees, shear):
    G, there = generator(), sheared(stack(first_mm, degrees), shear)
    z, d = codes((2, 5), 1.0, 1), codes((2, there.K, 2), 4.0, 2)
    whole = move(downsample(G.decode(z), there), there, d)
    torch.testing.assert_close(move(Slicer(G.decoder, there).planes(z, d), there, d), whole)
    torch.testing.assert_close(Slicer(G.decoder, there).planes(z), downsample(G.decode(z), there))


def test_its_gradients_are_those_of_the_whole_field():
    G, there = generator(), stack(-25.0, 12.0)
    z, d = codes((1, 5), 1.0, 1).requires_grad_(), codes((1, there.K, 2), 4.0, 2).requires_grad_()
    weights = codes((4, there.K, *there.shape), 1.0, 3)
    gradients = [
        torch.autograd.grad((move(planes, there, d) * weights).sum(), (z, d))
        for planes in (Slicer(G.decoder, there).planes(z, d), downsample(G.decode(z), there))
    ]
    torch.testing.assert_close(*gradients)


def test_motion_that_is_no_number_does_not_fail():
    G, there = generator(), stack(-25.0)
    d = codes((1, there.K, 2), 4.0, 2)
    d[0, 0, 0], d[0, 1, 1] = torch.nan, torch.inf
    assert Slicer(G.decoder, there).planes(codes((1, 5), 1.0, 1), d).isfinite().all()
