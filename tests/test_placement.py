"""A stack finds the model's frame wherever the scanner lay and however the file is stored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from simple_heart import heart_labels, long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.frame import LATTICE_SHAPE, lattice_axes
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw
from srheart_demo.scan.placement import (
    AZIMUTH_TOLERANCE,
    CLEAR_TAPER,
    RV_AZIMUTH,
    ByHand,
    apex_contrast,
    check_long_axis,
    place,
    plane_geometry,
    rv_azimuth,
    stack_geometry,
)
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.scan.volume import InvalidVolume, LabelVolume


def reversed_along(volume: LabelVolume, axes: tuple[int, ...]) -> LabelVolume:
    """The same voxels at the same places, stored backwards along some axes."""
    affine = volume.affine.copy()
    for axis in axes:
        affine[:3, 3] += (volume.shape[axis] - 1) * affine[:3, axis]
        affine[:3, axis] *= -1
    return replace(volume, labels=np.flip(volume.labels, axes).copy(), affine=affine)


def rows_as_columns(volume: LabelVolume) -> LabelVolume:
    """The same voxels at the same places, rows and columns exchanged."""
    return replace(
        volume, labels=volume.labels.transpose(0, 2, 1), affine=volume.affine[:, [0, 2, 1, 3]]
    )


STORAGE = {
    "as scanned": lambda stack: stack,
    "base first": lambda stack: reversed_along(stack, (0,)),
    "rows backwards": lambda stack: reversed_along(stack, (1,)),
    "columns backwards": lambda stack: reversed_along(stack, (2,)),
    "half turn": lambda stack: reversed_along(stack, (1, 2)),
    "base first, mirrored": lambda stack: reversed_along(stack, (0, 2)),
    "rows as columns": rows_as_columns,
    "rows as columns, base first": lambda stack: reversed_along(rows_as_columns(stack), (0,)),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("storage", STORAGE)
def test_the_frame_is_found_whatever_the_storage(storage: str, seed: int) -> None:
    truth = scanner_from_model(seed)
    placement = place(STORAGE[storage](short_axis_stack(truth)))
    assert placement.orientation_known
    assert placement.flipped == ("base first" in storage)
    difference = np.linalg.inv(truth) @ placement.world_from_model
    np.testing.assert_allclose(difference[:3, :3], np.eye(3), atol=0.03)
    np.testing.assert_allclose(difference[:3, 3], 0.0, atol=2.0)


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("azimuth", [268.0, 284.0, 312.0, 200.0, 240.0])
def test_the_frame_does_not_depend_on_the_storage_where_the_rv_lies_otherwise(
    storage: str, azimuth: float
) -> None:
    """Hearts within the population's spread stay unrotated, or are by whole quarters of a turn."""
    stack = short_axis_stack(scanner_from_model(), azimuth=azimuth)
    expected, found = (
        place(volume).world_from_model for volume in (stack, STORAGE[storage](stack))
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_synthetic_hearts_are_placed_as_they_were_drawn() -> None:
    """On average over the population that the generator has seen: no shift, no rotation."""
    model_from_index = np.diag([4.0, 2.5, 2.5, 1.0])
    model_from_index[:3, 3] = [axis[0] for axis in lattice_axes(LATTICE_SHAPE)]
    origins, azimuths = [], []
    for labels in phantom.nearest_labels(phantom.on_lattice(draw(16, seed=90), LATTICE_SHAPE)):
        placement = place(LabelVolume(np.asarray(labels), model_from_index))
        origins.append(placement.world_from_model[:3, 3])
        azimuths.append(placement.azimuth_deg)
        assert not placement.flipped
    assert np.abs(np.mean(origins, axis=0)).max() < 3.0
    assert np.mean(azimuths) == pytest.approx(RV_AZIMUTH, abs=12.0)


@pytest.mark.parametrize("azimuth", range(0, 360, 40))
def test_the_heart_is_turned_to_the_models_azimuth(azimuth: int) -> None:
    stack = short_axis_stack(scanner_from_model(), azimuth=azimuth)
    placement = place(stack)
    found = rv_azimuth(stack, placement.world_from_model[:3, :3])
    assert abs((found - RV_AZIMUTH + 180) % 360 - 180) <= AZIMUTH_TOLERANCE
    assert np.linalg.det(placement.world_from_model[:3, :3]) == pytest.approx(-1.0)
    expected = (placement.azimuth_deg + placement.rotation_deg - found + 180) % 360 - 180
    assert expected == pytest.approx(0.0, abs=1e-6)
    assert placement.azimuth_deg == pytest.approx(azimuth, abs=1.0)


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("azimuth", [290.0, 170.0])
def test_stack_geometry_and_labels_agree_in_the_world(storage: str, azimuth: float) -> None:
    stack = STORAGE[storage](short_axis_stack(scanner_from_model(), azimuth=azimuth))
    placement = place(stack)
    model = stack_geometry(stack, placement).points().numpy().astype(np.float64)
    linear, origin = placement.world_from_model[:3, :3], placement.world_from_model[:3, 3]
    np.testing.assert_allclose(model @ linear.T + origin, stack.points(), atol=1e-3)


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("degrees", [0.3, 3.0, 15.0])
def test_slices_that_are_shifted_by_the_affine_are_placed_as_those_that_are_not(
    storage: str, degrees: float
) -> None:
    truth = scanner_from_model()
    upright = STORAGE[storage](short_axis_stack(truth))
    affine = upright.affine.copy()
    step = np.tan(np.radians(degrees)) * np.linalg.norm(affine[:3, 0])
    shear = step * (0.8 * affine[:3, 1] - 0.6 * affine[:3, 2]) / np.linalg.norm(affine[:3, 1])
    affine[:3, 0] += shear
    affine[:3, 3] -= shear * (len(upright.labels) - 1) / 2
    stack = replace(upright, affine=affine)
    in_truth = (stack.points() - truth[:3, 3]) @ truth[:3, :3]
    stack = replace(stack, labels=heart_labels(in_truth))
    expected, placement = place(upright), place(stack)
    axes, straight_axes = placement.world_from_model[:3, :3], expected.world_from_model[:3, :3]
    np.testing.assert_allclose(axes[:, 0], straight_axes[:, 0], atol=1e-6)
    # The direction of the RV, in other pixels, is the same to a quarter of a degree.
    np.testing.assert_allclose(axes, straight_axes, atol=0.005)
    assert np.linalg.norm(placement.world_from_model[:3, 3] - expected.world_from_model[:3, 3]) < 1
    geometry = stack_geometry(stack, placement)
    model = geometry.points().numpy().astype(np.float64)
    world = placement.world_from_model
    np.testing.assert_allclose(model @ world[:3, :3].T + world[:3, 3], stack.points(), atol=2e-3)
    straight = stack_geometry(upright, placement)
    torch.testing.assert_close(geometry.z, straight.z, atol=1e-3, rtol=0)
    assert straight.offset is None


def test_apex_first_reverses_order_and_nothing_else() -> None:
    stack = reversed_along(short_axis_stack(scanner_from_model()), (0,))
    ordered = place(stack).apex_first(stack)
    np.testing.assert_array_equal(ordered.labels, stack.labels[::-1])
    np.testing.assert_allclose(ordered.points(), stack.points()[::-1], atol=1e-9)
    assert apex_contrast(ordered) == -apex_contrast(stack) > 0
    assert not place(ordered).flipped


def test_long_axis_pixels_show_the_tissue_that_lies_there() -> None:
    """End to end: the view's labels are the analytic heart at the points that placement gives."""
    truth = scanner_from_model()
    placement, view = place(short_axis_stack(truth)), long_axis_view(truth)
    plane = plane_geometry(view, placement)
    correction = np.linalg.inv(truth) @ placement.world_from_model
    points = plane.points.numpy() @ correction[:3, :3].T + correction[:3, 3]
    assert (heart_labels(points) == view.labels[0]).mean() > 0.999
    assert plane.spacing == pytest.approx((1.5, 1.5), rel=1e-4)


def test_motion_does_not_turn_the_heart() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(0.0, 6.0, (10, 2))
    truth = scanner_from_model()
    still = place(short_axis_stack(truth))
    moved = place(short_axis_stack(truth, d=d - d.mean(axis=0)))
    assert moved.azimuth_deg == pytest.approx(still.azimuth_deg, abs=1.0)
    assert moved.flipped == still.flipped
    shift = moved.to_model(still.world_from_model[:3, 3])
    assert np.linalg.norm(shift) < 6.0


@pytest.mark.parametrize("reversed_axes", [(), (0,), (2,)])
def test_without_orientation_the_picture_is_taken_as_displayed(
    reversed_axes: tuple[int, ...],
) -> None:
    """The affine carries spacing only, so flipping slices in it must not mirror the picture."""
    displayed = short_axis_stack(np.eye(4))
    stack = replace(displayed, labels=np.flip(displayed.labels, reversed_axes).copy())
    placement = place(stack)
    assert not placement.orientation_known
    assert placement.flipped == (0 in reversed_axes)
    sign = -1.0 if placement.flipped else 1.0
    if 2 not in reversed_axes:
        np.testing.assert_allclose(
            placement.world_from_model[:3, :3], np.diag([sign, 1.0, 1.0]), atol=1e-12
        )
    assert any("spacing only" in note for note in placement.notes)
    assert all("mirrored, so" not in note for note in placement.notes)


def test_a_stack_that_does_not_taper_is_called_ambiguous() -> None:
    stack = short_axis_stack(scanner_from_model())
    middle = stack.labels[5]
    placement = place(replace(stack, labels=np.repeat(middle[None], 6, axis=0)))
    assert any("apex" in note for note in placement.notes)


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.parametrize("name", SAMPLES)
def test_where_a_stack_does_not_taper_the_body_tells_where_the_apex_is(
    name: str, storage: str
) -> None:
    """Its apical slices were not scanned: an apex points to the left, the front and the feet."""
    stack = load_sample(name).stacks["normal"]
    wanted = place(stack)
    cut = replace(stack, labels=stack.labels * (np.arange(len(stack.labels)) > 4)[:, None, None])
    assert abs(apex_contrast(cut)) < CLEAR_TAPER
    placement = place(STORAGE[storage](cut))
    turned = placement.world_from_model[:3, :3].T @ wanted.world_from_model[:3, :3]
    assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 40
    assert any("left, front and feet" in note for note in placement.notes)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_base_that_a_slice_shows_in_part_is_no_apex(name: str) -> None:
    """Of every second slice, 20 mm apart, the last may show less than the first."""
    stack = load_sample(name).stacks["none"]
    for first in (0, 1):
        assert apex_contrast(replace(stack, labels=stack.labels[first::2])) > 0.1


def test_tissue_outside_the_box_is_mentioned() -> None:
    stack = short_axis_stack(scanner_from_model())
    tall = replace(stack, affine=stack.affine @ np.diag([2.0, 1.0, 1.0, 1.0]))
    assert any("outside the model's box" in note for note in place(tall).notes)


def test_ventricles_never_seen_together_are_refused() -> None:
    stack = short_axis_stack(scanner_from_model())
    labels = stack.labels.copy()
    labels[:5][labels[:5] == 3] = 0
    labels[5:][labels[5:] == 1] = 0
    with pytest.raises(InvalidVolume, match="together"):
        place(replace(stack, labels=labels))


def moved_by(volume: LabelVolume, offset: NDArray[np.float64]) -> LabelVolume:
    affine = volume.affine.copy()
    affine[:3, 3] += offset
    return replace(volume, affine=affine)


def test_a_view_of_the_heart_is_accepted_and_one_that_misses_is_not() -> None:
    truth = scanner_from_model()
    stack, view = short_axis_stack(truth), long_axis_view(truth)
    placement = place(stack)
    check_long_axis(view, stack, placement)
    with pytest.raises(InvalidVolume, match="misses the heart"):
        check_long_axis(moved_by(view, 90 * truth[:3, 1]), stack, placement)


def test_a_short_axis_slice_is_no_long_axis_view() -> None:
    stack = short_axis_stack(scanner_from_model())
    slice_ = replace(moved_by(stack, 5 * stack.affine[:3, 0]), labels=stack.labels[5:6])
    with pytest.raises(InvalidVolume, match="no long-axis view"):
        check_long_axis(slice_, stack, place(stack))


def test_a_turn_by_hand_turns_the_heart_as_said() -> None:
    stack = short_axis_stack(scanner_from_model())
    automatic, turned = place(stack), place(stack, ByHand(turn_deg=30.0))
    azimuths = [rv_azimuth(stack, p.world_from_model[:3, :3]) for p in (automatic, turned)]
    assert azimuths[1] - azimuths[0] == pytest.approx(30.0, abs=1e-6)
    assert turned.rotation_deg == automatic.rotation_deg + 30.0
    assert any("further 30°" in note for note in turned.notes)


def test_a_flip_by_hand_takes_the_other_end_for_the_apex() -> None:
    stack = short_axis_stack(scanner_from_model())
    flipped = place(stack, ByHand(flip=True))
    assert flipped.flipped != place(stack).flipped
    along = place(stack).world_from_model[:3, 0] @ flipped.world_from_model[:3, 0]
    assert along == pytest.approx(-1.0, abs=1e-6)


def test_a_mirror_by_hand_undoes_a_mirrored_picture() -> None:
    """What only the user can know where the affine carries spacing only."""
    displayed = short_axis_stack(np.eye(4))
    mirrored = replace(displayed, labels=displayed.labels[:, :, ::-1].copy())
    placement = place(mirrored, ByHand(mirror=True))
    wanted = place(displayed)
    assert placement.azimuth_deg == pytest.approx(wanted.azimuth_deg, abs=1.0)
    shown = stack_geometry(mirrored, placement).points().numpy()[:, :, ::-1]
    truth = stack_geometry(displayed, wanted).points().numpy()
    np.testing.assert_allclose(shown, truth, atol=2.0)


def test_slices_that_the_affine_shifts_are_said() -> None:
    stack = short_axis_stack(scanner_from_model())
    affine = stack.affine.copy()
    affine[:3, 0] += 3.0 * affine[:3, 1] / np.linalg.norm(affine[:3, 1])
    assert any("by 3.0 mm" in note for note in place(replace(stack, affine=affine)).notes)
    assert not any("shifted" in note for note in place(stack).notes)
