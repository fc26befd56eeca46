import torch
import torch.nn.functional as F

from srheart_demo.degradation import Stack
from srheart_demo.encoding import evidence, lattice_stack, on_planes
from srheart_demo.frame import LATTICE_SHAPE, lattice_axes

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


def test_outside_the_picture_is_background():
    labels, stack = scan()
    part = stack.crop(slice(16, 48), slice(16, 48))
    seen = evidence(labels[:, 16:48, 16:48], part)
    assert (seen[0, 0, PLANES, :14] == 1).all()
    torch.testing.assert_close(
        seen[..., 18:46, 18:46], evidence(labels, stack)[..., 18:46, 18:46], atol=1e-5, rtol=0
    )


def test_slices_beyond_the_box_are_left_out():
    slices = torch.ones(1, 4, 2, 64, 64)
    planes = on_planes(slices, torch.tensor([0.0, 500.0]))
    assert planes.sum() == 4 * 64 * 64
