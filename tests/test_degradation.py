from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from srheart_demo.frame import HALF_EXTENT, HR_SHAPE, hr_affine, lattice_points
from srheart_demo.scan.degradation import (
    AMPLITUDE_MEAN,
    AMPLITUDE_SD,
    Motion,
    Stack,
    degrade,
    downsample,
    label_noise,
    move,
    one_hot_field,
    sample,
    simulate_stack,
)
from tests.problems import rotated, sheared, toy_stack


def random_field(shape=(4, 5, 6), batch=2, channels=3, seed=0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(batch, channels, *shape, generator=rng, dtype=torch.float64)


def random_d(batch: int, K: int, sd: float = 5.0, seed: int = 1) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    return sd * torch.randn(batch, K, 2, generator=rng, dtype=torch.float64)


def small_stack(degrees: float = 0.0) -> Stack:
    stack = Stack(
        z=torch.tensor([-31.0, -2.5, 20.3]),
        origin=torch.tensor([-41.3, -37.1]),
        row_step=torch.tensor([21.7, 0.0]),
        column_step=torch.tensor([0.0, 18.9]),
        shape=(4, 5),
    ).to(torch.float64)
    return rotated(stack, degrees) if degrees else stack


def linear(points: torch.Tensor) -> torch.Tensor:
    return 0.3 + points @ torch.tensor([0.02, -0.05, 0.03], dtype=points.dtype)


@pytest.mark.parametrize("degrees", [0.0, 33.0])
@pytest.mark.parametrize("shear", [0.0, 8.0])
def test_gradients_of_degrade(degrees, shear):
    stack, d = sheared(small_stack(degrees), shear), random_d(1, 3).requires_grad_()
    field = random_field(batch=1).requires_grad_()
    assert gradcheck(lambda f, x: degrade(f, stack, x), (field, d))


def test_gradients_of_sample_and_downsample():
    points = torch.tensor(lattice_points((2, 3, 2)) * 0.71 + 1.3).requires_grad_()
    field = random_field().requires_grad_()
    assert gradcheck(sample, (field, points))
    assert gradcheck(lambda f: downsample(f, small_stack()), (field,))


@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_gradients_of_move(degrees):
    stack, d = small_stack(degrees), random_d(2, 3).requires_grad_()
    planes = downsample(random_field(), stack).requires_grad_()
    assert gradcheck(lambda p, x: move(p, stack, x), (planes, d))


@pytest.mark.parametrize("degrees", [0.0, 33.0, 180.0])
@pytest.mark.parametrize("shear", [0.0, 8.0])
def test_separable_and_grid_sampling_agree(degrees, shear):
    stack, field = sheared(small_stack(degrees), shear), random_field((8, 16, 16))
    d = random_d(2, 3)
    separable = degrade(field, stack, d)
    for b in range(2):
        grid = sample(field[b : b + 1], stack.points(d)[b])
        torch.testing.assert_close(separable[b : b + 1], grid, atol=1e-12, rtol=0)


def test_a_part_of_a_sheared_stack_shows_what_the_whole_shows_there():
    stack = sheared(small_stack(33.0))
    rows, columns = slice(1, 3), slice(2, 5)
    points = stack.points()
    part = stack.crop(rows, columns)
    torch.testing.assert_close(part.points(), points[:, rows, columns])
    for chosen in ([2, 0], [1, 1], torch.tensor([True, False, True])):
        torch.testing.assert_close(stack.slices(chosen).points(), points[chosen])
    still = torch.zeros(1, 3, 2, dtype=torch.float64)
    torch.testing.assert_close(stack.points(still)[0], points)
    low, high = stack.extent(still)
    torch.testing.assert_close(low, points[..., 1:].flatten(0, -2).amin(0))
    torch.testing.assert_close(high, points[..., 1:].flatten(0, -2).amax(0))
    index = stack.pixel_index(points[2, ..., 1:] - stack.offsets[2])
    torch.testing.assert_close(index[3, 4], torch.tensor([3.0, 4.0], dtype=torch.float64))
    assert stack.to(torch.float32).offsets.dtype == torch.float32


def test_offsets_are_one_for_each_slice():
    with pytest.raises(ValueError, match="offsets"):
        replace(small_stack(), offset=torch.zeros(2, 2, dtype=torch.float64))


def test_identity_sampling_is_plain_slicing():
    field = random_field(HR_SHAPE, batch=1, channels=2)
    stack = Stack.from_hr().to(torch.float64)
    still = torch.zeros(1, stack.K, 2, dtype=torch.float64)
    torch.testing.assert_close(degrade(field, stack, still), field[:, :, 2::5])


def test_the_papers_stack_has_thirteen_slices_of_ten_mm():
    stack = Stack.from_hr()
    assert stack.K == 13
    torch.testing.assert_close(stack.z.diff(), torch.full((12,), 10.0))
    world = np.array([2, 0, 0, 1]) @ hr_affine().T
    np.testing.assert_allclose(stack.points()[0, 0, 0], world[:3])


def test_interpolation_is_exact_for_a_linear_field():
    field = linear(torch.tensor(lattice_points((8, 16, 16))))[None, None]
    inside = torch.rand(50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    points = (2 * inside - 1) * torch.tensor(HALF_EXTENT) * 0.85
    torch.testing.assert_close(sample(field, points)[0, 0], linear(points))


def test_sampling_clamps_outside_the_box():
    field = random_field()
    edge = torch.tensor([[63.9, 79.9, 79.9]], dtype=torch.float64)
    torch.testing.assert_close(sample(field, edge * 3), sample(field, edge))


def test_a_slice_displaced_by_d_shows_what_lay_at_x_minus_d():
    stack, d = toy_stack(torch.float64), random_d(1, 7)
    field = linear(torch.tensor(lattice_points((8, 16, 16))))[None, None]
    still = torch.zeros_like(d)
    shown = degrade(field, stack, d) - degrade(field, stack, still)
    expected = 0.05 * d[..., 0] - 0.03 * d[..., 1]
    torch.testing.assert_close(shown[:, 0], expected[..., None, None].expand(1, 7, 64, 64))


def test_displacements_follow_the_stacks_own_axes():
    stack = rotated(toy_stack(torch.float64), 90.0)
    along_rows = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    expected = (stack.row_step / stack.row_step.norm())[None]
    torch.testing.assert_close(stack.in_model_axes(along_rows), expected)


@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_cropping_a_stack_keeps_its_points(degrees):
    stack = small_stack(degrees)
    torch.testing.assert_close(
        stack.crop(slice(1, 3), slice(2, 5)).points(), stack.points()[:, 1:3, 2:5]
    )


def test_motion_is_the_papers_and_replays():
    motion = Motion.draw(20_000, seed=0)
    assert motion.amplitude.mean() == pytest.approx(AMPLITUDE_MEAN, abs=0.02)
    assert motion.amplitude.std() == pytest.approx(AMPLITUDE_SD, abs=0.02)
    assert abs(np.exp(1j * motion.direction).mean()) < 0.02
    again = Motion.draw(20_000, seed=0)
    assert torch.equal(motion.displacement(1.7), again.displacement(1.7))
    torch.testing.assert_close(motion.displacement(4.0), 4 * motion.displacement(1.0))
    assert not motion.displacement(0.0).any()


def test_label_noise_errs_as_often_as_told_and_only_at_borders():
    labels = np.zeros((3, 40, 40), np.uint8)
    labels[:, 10:30, 10:30] = 1
    noisy = label_noise(labels, 0.2, seed=0)
    changed = noisy != labels
    border = np.zeros_like(changed)
    border[:, 9:31, 9:31] = True
    border[:, 11:29, 11:29] = False
    assert changed.any()
    assert not (changed & ~border).any()
    assert np.array_equal(label_noise(labels, 0.0, seed=0), labels)
    assert np.array_equal(label_noise(labels, 0.2, seed=0), noisy)
    with pytest.raises(ValueError, match="between 0 and 1"):
        label_noise(labels, 1.5, seed=0)


def test_whole_pixel_motion_shifts_labels_exactly():
    S_HR = np.random.default_rng(0).integers(0, 4, HR_SHAPE).astype(np.uint8)
    stack = Stack.from_hr()
    d = torch.zeros(1, stack.K, 2)
    d[0, 4] = torch.tensor([2 * 1.25, -3 * 1.25])
    moved = simulate_stack(S_HR, stack, d)
    np.testing.assert_array_equal(moved[4, 2:, :-3], S_HR[22, :-2, 3:])
    np.testing.assert_array_equal(moved[5], S_HR[27])


def test_one_hot_field_holds_each_label_once():
    labels = np.random.default_rng(1).integers(0, 4, (3, 4, 5))
    field = one_hot_field(labels)
    np.testing.assert_array_equal(field.argmax(1)[0], labels)
    assert field.sum() == labels.size
