import pytest
import torch
import torch.nn.functional as F

from srheart_demo.frame import LATTICE_SHAPE, lattice_axes, lattice_points
from srheart_demo.scan.degradation import Motion, Stack, downsample, move
from srheart_demo.scan.evidence import evidence, lattice_stack, on_planes, reader_on_nodes
from tests.problems import rotated, sheared, toy_stack

PLANES = [3, 10, 21]


def scan() -> tuple[torch.Tensor, Stack]:
    z = torch.tensor([lattice_axes(LATTICE_SHAPE)[0][k] for k in PLANES], dtype=torch.float32)
    rng = torch.Generator().manual_seed(0)
    coarse = torch.randint(4, (3, 1, 8, 8), generator=rng).float()
    labels = F.interpolate(coarse, scale_factor=8, mode="nearest")[:, 0].long()
    return labels, lattice_stack(z)


def test_evidence_holds_the_slices_and_nothing_else():
    labels, stack = scan()
    seen = evidence(labels, stack)
    assert seen.shape == (1, 4, *LATTICE_SHAPE)
    indicators = F.one_hot(labels, 4).movedim(-1, 0).float()
    torch.testing.assert_close(seen[0][:, PLANES], indicators, atol=1e-5, rtol=0)
    others = [k for k in range(LATTICE_SHAPE[0]) if k not in PLANES]
    assert not seen[0][:, others].any()


def test_evidence_does_not_depend_on_how_a_picture_is_stored():
    labels, stack = scan()
    rows, columns = stack.shape
    turned = Stack(
        z=stack.z,
        origin=stack.origin + (rows - 1) * stack.row_step,
        row_step=stack.column_step,
        column_step=-stack.row_step,
        shape=(columns, rows),
    )
    turned_labels = labels.flip(1).transpose(1, 2)
    torch.testing.assert_close(
        evidence(turned_labels, turned), evidence(labels, stack), atol=1e-5, rtol=0
    )


def test_a_picture_may_be_cut_where_only_background_follows():
    labels, stack = scan()
    window = slice(16, 48)
    alone = torch.zeros_like(labels)
    alone[:, window, window] = labels[:, window, window]
    wider = slice(15, 49)
    part = evidence(alone[:, wider, wider], stack.crop(wider, wider))
    torch.testing.assert_close(part, evidence(alone, stack), atol=1e-5, rtol=0)


def test_slices_beyond_the_box_are_left_out():
    slices = torch.ones(1, 4, 2, 64, 64)
    planes = on_planes(slices, torch.tensor([0.0, 500.0]))
    assert planes.sum() == 4 * 64 * 64


@pytest.mark.parametrize(("degrees", "shear"), [(0.0, 0.0), (30.0, 0.0), (30.0, 8.0)])
def test_moved_pictures_are_read_where_their_slices_were(degrees, shear):
    """Compared within 40 mm of the axis, which every picture shows."""
    stack = sheared(rotated(toy_stack(), degrees), shear)
    d = Motion.draw(stack.K, seed=3).displacement(2.0)
    D, H, W = torch.tensor(lattice_points(LATTICE_SHAPE)).float().unbind(-1)
    planes = downsample(torch.stack([(H / 12).sin(), ((W + D) / 15).cos()])[None], stack)
    pictures = move(planes, stack, d)[0].transpose(0, 1)
    inside = (..., slice(16, 48), slice(16, 48))
    true = planes[0].transpose(0, 1)[inside]
    torch.testing.assert_close(
        reader_on_nodes(stack, d[0])(pictures)[inside], true, atol=0.02, rtol=0
    )
    assert (reader_on_nodes(stack)(pictures)[inside] - true).abs().max() > 0.2


def test_beyond_a_picture_its_border_goes_on():
    _, stack = scan()
    part = stack.crop(slice(16, 48), slice(16, 48))
    rows = torch.arange(32.0)[:, None].expand(3, 1, 32, 32)
    seen = reader_on_nodes(part)(rows)
    assert (seen[..., :16, :] == 0).all()
    assert (seen[..., 48:, :] == 31).all()
