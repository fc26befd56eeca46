"""Volumes keep each label at its place in the world, however a file stores them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.volume import LabelVolume, read_long_axis, read_short_axis, write_volume


@pytest.fixture(scope="module")
def stack() -> LabelVolume:
    return short_axis_stack(scanner_from_model())


def save(path: Path, array: NDArray, affine: NDArray[np.float64]) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def labels_at(volume: LabelVolume, points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Labels of the voxels at world points that are voxel centres of the volume."""
    index = (points - volume.affine[:3, 3]) @ np.linalg.inv(volume.affine[:3, :3]).T
    np.testing.assert_allclose(index, index.round(), atol=1e-3)
    return volume.labels[tuple(index.round().astype(int).reshape(-1, 3).T)].reshape(index.shape[:3])


def test_what_is_written_is_read_back(stack: LabelVolume, tmp_path: Path) -> None:
    write_volume(stack, tmp_path / "stack.nii.gz")
    read = read_short_axis(tmp_path / "stack.nii.gz")
    np.testing.assert_array_equal(read.labels, stack.labels)
    np.testing.assert_allclose(read.affine, stack.affine, atol=1e-5)
    assert read.labels.dtype == np.uint8
    assert read.name == str(tmp_path / "stack.nii.gz")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_equal_volumes_give_equal_bytes(stack: LabelVolume, tmp_path: Path, suffix: str) -> None:
    for name in ("one", "other"):
        write_volume(stack, tmp_path / f"{name}{suffix}")
    one, other = (tmp_path / f"{name}{suffix}" for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_any_storage_order_is_the_same_heart(
    stack: LabelVolume, tmp_path: Path, axes: tuple[int, int, int]
) -> None:
    path = save(tmp_path / "stack.nii", stack.labels.transpose(axes), stack.affine[:, [*axes, 3]])
    read = read_short_axis(path)
    assert read.shape == stack.shape
    assert read.spacing == pytest.approx(stack.spacing, rel=1e-5)
    np.testing.assert_array_equal(read.labels, labels_at(stack, read.points()))


def test_nifti_order_becomes_slices_rows_columns(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(
        tmp_path / "xyz.nii", stack.labels.transpose(2, 1, 0), stack.affine[:, [2, 1, 0, 3]]
    )
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)


def test_slice_axis_of_equal_spacings_has_the_fewest_voxels(tmp_path: Path) -> None:
    cube = short_axis_stack(np.eye(4), slices=52, spacing=(2.0, 2.0, 2.0), size=60)
    path = save(tmp_path / "cube.nii", cube.labels.transpose(1, 0, 2), cube.affine[:, [1, 0, 2, 3]])
    assert read_short_axis(path).shape == (52, 60, 60)


def test_a_trailing_axis_of_one_voxel_is_dropped(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(tmp_path / "frame.nii", stack.labels[..., None], stack.affine)
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)


def test_whole_numbers_may_be_stored_as_floats(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(tmp_path / "float.nii", stack.labels.astype(np.float32), stack.affine)
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)


def test_units_of_the_header_are_heeded(stack: LabelVolume, tmp_path: Path) -> None:
    affine = np.diag([1e-3, 1e-3, 1e-3, 1.0]) @ stack.affine
    image = nibabel.Nifti1Image(stack.labels, affine)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "metres.nii")
    read = read_short_axis(tmp_path / "metres.nii")
    np.testing.assert_allclose(read.affine, stack.affine, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_a_long_axis_view_is_one_plane(tmp_path: Path, axes: tuple[int, int, int]) -> None:
    view = long_axis_view(scanner_from_model())
    path = save(tmp_path / "view.nii", view.labels.transpose(axes), view.affine[:, [*axes, 3]])
    read = read_long_axis(path)
    assert read.shape == view.shape
    np.testing.assert_array_equal(read.labels, labels_at(view, read.points()))


def test_points_and_volume_follow_the_affine() -> None:
    volume = short_axis_stack(scanner_from_model(), spacing=(8.0, 1.25, 2.0))
    index = (3, 5, 7)
    np.testing.assert_allclose(
        volume.points()[index], (volume.affine @ [*index, 1.0])[:3], atol=1e-9
    )
    assert volume.voxel_ml == pytest.approx(8.0 * 1.25 * 2.0 / 1000)


def test_a_failed_write_leaves_the_old_file(
    stack: LabelVolume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "stack.nii.gz"
    write_volume(stack, path)
    before = path.read_bytes()

    def half_written(draft: Path, content: bytes) -> int:
        with open(draft, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half_written)
    with pytest.raises(OSError, match="No space"):
        write_volume(short_axis_stack(np.eye(4)), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
