"""What any baseline must do, and what each of them does."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from srheart_demo.frame import HR_SHAPE
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import mean_dice
from srheart_demo.heart.population import draw
from srheart_demo.scan.degradation import HR_GRID, Stack
from srheart_demo.solver.baselines import Restore, nearest_neighbour, shape_based
from tests.problems import rotated, sheared, toy_stack

HEART = draw(1, seed=5)
FINE = replace(
    toy_stack(),
    z=torch.linspace(-42, 42, 25),
    origin=torch.tensor([-63.5, -63.5]),
    row_step=torch.tensor([1.0, 0.0]),
    column_step=torch.tensor([0.0, 1.0]),
    shape=(128, 128),
)
"""Planes 3.5 mm apart over the toy stack's extent, four pixels for each of its pixels."""

Labels = NDArray[np.uint8]

each = pytest.mark.parametrize("restore", [nearest_neighbour, shape_based])


def noise(stack: Stack, *labels: int) -> Labels:
    rng = np.random.default_rng(0)
    return rng.choice(labels or range(4), (stack.K, *stack.shape)).astype(np.uint8)


def heart_on(stack: Stack) -> Labels:
    points = stack.points().float().unbind(-1)
    return phantom.nearest_labels(phantom.signed_distances(HEART, *points))[0]


def disks(stack: Stack, slope: float) -> Labels:
    """An LV of 15 mm radius at D = 0 inside 8 mm of myocardium; it widens by `slope` along D."""
    D, H, W = stack.points().unbind(-1)
    radius = 15 + slope * D
    rho = torch.hypot(H - 4.3, W + 6.2)
    return (1 * (rho < radius) + 2 * ((rho >= radius) & (rho < radius + 8))).byte().numpy()


@each
@pytest.mark.parametrize(("degrees", "shear"), [(0.0, 0.0), (33.0, 0.0), (33.0, 8.0)])
def test_a_slice_is_given_back_on_its_own_plane(
    restore: Restore, degrees: float, shear: float
) -> None:
    stack = sheared(rotated(toy_stack(), degrees), shear)
    S_LR = noise(stack)
    np.testing.assert_array_equal(restore(S_LR, stack, stack), S_LR)
    turned = replace(stack, origin=stack.origin + 63 * stack.row_step, row_step=-stack.row_step)
    assert torch.allclose(turned.pixels(), stack.pixels().flip(0), atol=1e-4)
    np.testing.assert_array_equal(restore(S_LR, stack, turned), S_LR[:, ::-1])


@each
@pytest.mark.parametrize(
    "pixels", [0.0, 2.0, -1.0], ids="{} pixels of shear from slice to slice".format
)
def test_what_does_not_change_along_the_stack_is_restored_exactly(
    restore: Restore, pixels: float
) -> None:
    upright = toy_stack()
    steps = torch.arange(-3.0, 4.0)[:, None] * pixels
    stack = replace(upright, offset=steps * (upright.row_step - upright.column_step))
    planes = replace(upright, z=torch.linspace(-48.9, 48.9, 31))
    np.testing.assert_array_equal(restore(disks(stack, 0.0), stack, planes), disks(planes, 0.0))
    np.testing.assert_array_equal(restore(disks(planes, 0.0), planes, stack), disks(stack, 0.0))


@each
def test_what_the_stack_does_not_cover_is_background(restore: Restore) -> None:
    stack = Stack.from_hr(slices=4).crop(slice(30, 60), slice(20, 80))
    restored = restore(np.ones((4, 30, 60), np.uint8), stack, HR_GRID)
    assert (restored > 0).sum() == 20 * 30 * 60
    assert (restored[:20, 30:60, 20:80] == 1).all()


@each
def test_a_slice_that_was_left_out_leaves_no_hole(restore: Restore) -> None:
    stack = toy_stack()
    sparse = replace(stack, z=stack.z[[0, 1, 2, 4, 5, 6]])
    np.testing.assert_array_equal(restore(disks(sparse, 0.0), sparse, stack), disks(stack, 0.0))


@each
def test_one_slice_covers_its_own_plane(restore: Restore) -> None:
    stack = toy_stack()
    one = replace(stack, z=stack.z[3:4])
    restored = restore(disks(one, 0.0), one, stack)
    np.testing.assert_array_equal(restored[3:4], disks(one, 0.0))
    assert not np.delete(restored, 3, axis=0).any()


@each
def test_no_label_appears_that_the_stack_lacks(restore: Restore) -> None:
    stack = toy_stack()
    assert not restore(noise(stack, 0), stack, FINE).any()
    for labels in ((0, 2), (1, 3), (0, 2, 3), (3,)):
        assert set(np.unique(restore(noise(stack, *labels), stack, FINE))) == {*labels}


@each
def test_what_one_slice_shows_ends_half_way_to_empty_ones(restore: Restore) -> None:
    stack = toy_stack()
    S_LR = disks(stack, 0.0)
    S_LR[[0, 1, 2, 4, 5, 6]] = 0
    z = torch.arange(-13.5, 14.0)
    areas = (restore(S_LR, stack, replace(FINE, z=z)) > 0).sum((1, 2))
    assert not areas[z.abs() > 7].any()
    assert areas[z.abs() < 6].all()
    assert (np.diff(areas[14:]) <= 0).all()
    np.testing.assert_array_equal(areas, areas[::-1])


@each
def test_a_restored_heart_moves_with_its_scan(restore: Restore) -> None:
    stack = toy_stack()
    S_LR = heart_on(stack)
    restored = restore(S_LR, stack, FINE)
    by = torch.tensor([6.0, -4.0])
    moved = replace(stack, origin=stack.origin + by)
    shifted = restore(S_LR, moved, replace(FINE, origin=FINE.origin + by))
    np.testing.assert_array_equal(shifted, restored)
    expected = np.roll(restored, (6, -4), (1, 2))[:, 6:-4, :-4]
    np.testing.assert_array_equal(restore(S_LR, moved, FINE)[:, 6:-4, :-4], expected)
    turned = restore(S_LR, rotated(stack, 40.0), rotated(FINE, 40.0))
    # Where two classes are equally deep, rounding decides.
    assert mean_dice(turned, restored) > 0.998


@each
def test_the_order_of_the_slices_does_not_matter(restore: Restore) -> None:
    stack = toy_stack()
    S_LR = heart_on(stack)
    planes = replace(FINE, z=FINE.z[1:-1] + 0.3)
    restored = restore(S_LR, stack, planes)
    backwards = replace(stack, z=stack.z.flip(0))
    np.testing.assert_array_equal(restore(S_LR[::-1], backwards, planes), restored)
    upside_down, mirrored = replace(stack, z=-stack.z), replace(planes, z=-planes.z)
    np.testing.assert_array_equal(restore(S_LR, upside_down, mirrored), restored)


@each
def test_a_turned_grid_of_other_pixels_sees_the_same_heart(restore: Restore) -> None:
    stack = replace(toy_stack(), z=torch.linspace(-45, 45, 19))
    grid = rotated(replace(FINE, z=stack.z), 25.0)
    assert mean_dice(restore(heart_on(stack), stack, grid), heart_on(grid)) > 0.95


def test_nearest_repeats_each_slice_to_its_neighbours() -> None:
    S_HR = np.random.default_rng(0).integers(0, 4, HR_SHAPE).astype(np.uint8)
    restored = nearest_neighbour(S_HR[2::5], Stack.from_hr(), HR_GRID)
    for k in range(13):
        for plane in range(5 * k, min(5 * k + 5, 64)):
            np.testing.assert_array_equal(restored[plane], S_HR[5 * k + 2])


@pytest.mark.parametrize("slope", [0.2, -0.6])
def test_shape_based_outlines_of_a_cone_change_linearly(slope: float) -> None:
    stack = replace(FINE, z=torch.linspace(-14, 14, 3))
    planes = replace(FINE, z=torch.linspace(-14, 14, 29))
    smooth, steps = (
        b(disks(stack, slope), stack, planes) for b in (shape_based, nearest_neighbour)
    )
    for tissue, radius in ((1, 15.0), (2, 23.0)):

        def errors(labels: Labels, tissue: int = tissue, radius: float = radius) -> NDArray:
            area = ((labels > 0) & (labels <= tissue)).sum((1, 2))
            return abs(np.sqrt(area / np.pi) - radius - slope * planes.z.numpy())

        # Less than a pixel, though the wall is thinner than its outlines move.
        assert errors(smooth).max() < 0.9
        assert errors(smooth).mean() < 0.35
        assert errors(steps).mean() > 3 * abs(slope)


def test_shape_based_is_nearer_to_a_heart_than_nearest() -> None:
    stack, truth = Stack.from_hr(), phantom.label_maps(HEART)[0]
    smooth, steps = (
        1 - mean_dice(baseline(truth[2::5], stack, HR_GRID), truth)
        for baseline in (shape_based, nearest_neighbour)
    )
    assert smooth < 0.8 * steps
