"""Volumes keep each label at its place in the world, however a file stores them."""

from __future__ import annotations

import gzip
import tracemalloc
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.scan.nifti import Upload
from srheart_demo.scan.read import HowToRead, read_long_axis, read_short_axis, survey
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, write_volume


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


@pytest.mark.parametrize("axes", list(permutations(range(3))))
def test_the_slice_axis_is_that_across_which_rings_close(
    axes: tuple[int, int, int], tmp_path: Path
) -> None:
    """Of equal spacings, cropped so that neither size nor shape tells."""
    cube = short_axis_stack(np.eye(4), slices=70, spacing=(1.5, 1.5, 1.5), size=90)
    held = np.argwhere(cube.labels)
    labels = cube.labels[tuple(map(slice, held.min(axis=0), held.max(axis=0) + 1))]
    path = save(tmp_path / "cube.nii", labels.transpose(axes), cube.affine[:, [*axes, 3]])
    reading = survey(path)
    assert axes[reading.slice_axis] == 0
    assert any("as a guess" in note for note in reading.volume.notes)
    named = survey(path, HowToRead(slice_axis=reading.slice_axis)).volume
    assert named.shape == reading.volume.shape
    assert not named.notes


def test_an_axis_that_is_none_is_refused(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(tmp_path / "stack.nii", stack.labels, stack.affine)
    with pytest.raises(InvalidVolume, match="no axis 3") as refusal:
        read_short_axis(path, HowToRead(slice_axis=3))
    assert refusal.value.remedy == "slice_axis"


@pytest.mark.parametrize(
    "spacing",
    [
        (1, 1, 1),
        (1, 1.5, 1.5),
        (1.5, 1.5, 1.5),
        (100, 1.5, 1.5),
        (30, 1.5, 1.5),
        (0.01, 1e-3, 1e-3),
    ],
)
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_length_that_no_heart_has_is_refused_unless_the_caller_is_sure(
    stack: LabelVolume, spacing: tuple[float, ...], axes: tuple[int, int, int], tmp_path: Path
) -> None:
    """Spacing lost, or of other units; the slices are found by the anatomy all the same."""
    affine = np.diag([*spacing, 1.0])[:, [*axes, 3]]
    path = save(tmp_path / "stack.nii", stack.labels.transpose(axes), affine)
    with pytest.raises(InvalidVolume, match="no heart") as refusal:
        read_short_axis(path)
    assert refusal.value.remedy == "spacing"
    if min(spacing) > 0.5:
        reading = survey(path, HowToRead(sure=True))
        assert axes[reading.slice_axis] == 0
        assert reading.volume.spacing[0] == pytest.approx(spacing[0])


@pytest.mark.parametrize(
    ("slices", "mm"), [(2, 40.0), (3, 10.0), (3, 30.0), (5, 20.0), (12, 8.0), (52, 2.0), (90, 1.0)]
)
def test_few_slices_and_dense_volumes_are_taken(slices: int, mm: float, tmp_path: Path) -> None:
    few = short_axis_stack(np.eye(4), slices=slices, spacing=(mm, 1.25, 1.25), size=90)
    read = read_short_axis(save(tmp_path / "few.nii", few.labels, few.affine))
    assert read.shape[0] == slices


def test_a_stray_voxel_does_not_make_a_heart_longer_or_wider(tmp_path: Path) -> None:
    dense = short_axis_stack(np.eye(4), slices=250, spacing=(1.0, 2.0, 2.0), size=110)
    dense.labels[0, 0, 0] = dense.labels[249, 109, 109] = 3
    read_short_axis(
        save(tmp_path / "dense.nii", dense.labels, dense.affine), HowToRead(slice_axis=0)
    )
    dense.labels[1:120] = dense.labels[130:249] = 0
    path = save(tmp_path / "slab.nii", dense.labels, dense.affine)
    with pytest.raises(InvalidVolume, match="10 slices with labels lie 1 mm apart, and no heart"):
        read_short_axis(path, HowToRead(slice_axis=0))


def test_a_trailing_axis_of_one_voxel_is_dropped(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(tmp_path / "frame.nii", stack.labels[..., None], stack.affine)
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)


def test_whole_numbers_may_be_stored_as_floats(stack: LabelVolume, tmp_path: Path) -> None:
    path = save(tmp_path / "float.nii", stack.labels.astype(np.float32), stack.affine)
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)


def test_what_a_header_carries_besides_is_passed_over(stack: LabelVolume) -> None:
    """Of any length, as AFNI and MITK write it."""
    image = nibabel.Nifti1Image(stack.labels, stack.affine)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("afni", 1000 * b"<x/>"))
    read = read_short_axis(Upload("extended.nii", image.to_bytes()))
    np.testing.assert_array_equal(read.labels, stack.labels)


def test_units_of_the_header_are_heeded(stack: LabelVolume, tmp_path: Path) -> None:
    affine = np.diag([1e-3, 1e-3, 1e-3, 1.0]) @ stack.affine
    image = nibabel.Nifti1Image(stack.labels, affine)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "metres.nii")
    read = read_short_axis(tmp_path / "metres.nii")
    np.testing.assert_allclose(read.affine, stack.affine, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("values", [(1, 2, 4), (1, 2, 3)])
@pytest.mark.parametrize("largest", [4, 7, 11])
def test_labels_rounded_by_the_scale_of_a_file_are_labels(
    stack: LabelVolume, values: tuple[int, ...], largest: int, tmp_path: Path
) -> None:
    """Opened as numbers with fractions and saved with the old header, of 8 bits."""
    stored = np.array([0, *values], np.uint8)[stack.labels]
    stored[0, 0, 0] = largest
    image = nibabel.Nifti1Image(stored, stack.affine)
    path = tmp_path / "scaled.nii"
    nibabel.save(nibabel.Nifti1Image(stored.astype(float), image.affine, image.header), path)
    np.testing.assert_array_equal(read_short_axis(path).labels, stack.labels)
    copied = nibabel.load(path).get_fdata().astype(np.float32)
    again = read_short_axis(save(tmp_path / "copied.nii", copied, stack.affine))
    np.testing.assert_array_equal(again.labels, stack.labels)


@pytest.mark.parametrize("degrees", [0.4, 3.0, 17.0, -40.0])
@pytest.mark.parametrize("stated", ["column", "planes"])
def test_slices_that_are_offset_against_each_other_are_taken(
    stack: LabelVolume, degrees: float, stated: str, tmp_path: Path
) -> None:
    offset = 10.0 * np.tan(np.radians(degrees)) * stack.affine[:3, 1:3].sum(axis=1) / 1.5
    affine = stack.affine.copy()
    affine[:3, 0] += offset
    image = nibabel.Nifti1Image(stack.labels, affine)
    image.header["pixdim"][1] = np.linalg.norm(affine[:3, 0]) if stated == "column" else 10.0
    read = read_short_axis(Upload("sheared.nii", image.to_bytes()))
    np.testing.assert_allclose(read.affine, affine, atol=1e-4)
    assert read.spacing == pytest.approx((10.0, 1.5, 1.5), rel=1e-5)
    assert np.prod(read.spacing) == pytest.approx(np.prod(stack.spacing), rel=1e-5)


@pytest.mark.parametrize("shear", [0.015, 0.1, -1.0])
def test_pixels_that_are_not_rectangular_are_refused(
    stack: LabelVolume, shear: float, tmp_path: Path
) -> None:
    affine = stack.affine.copy()
    affine[:3, 1] += shear * affine[:3, 2]
    with pytest.raises(InvalidVolume, match="rows and columns are not at right angles"):
        read_short_axis(save(tmp_path / "sheared.nii", stack.labels, affine))


def two_forms(path: Path, stack: LabelVolume, sform: NDArray, qform: NDArray) -> LabelVolume:
    image = nibabel.Nifti1Image(stack.labels, stack.affine)
    image.set_sform(sform, 2)
    image.set_qform(qform, 1)
    nibabel.save(image, path)
    return read_short_axis(path)


def test_two_affines_that_disagree_are_said_and_one_with_an_orientation_is_taken(
    stack: LabelVolume, tmp_path: Path
) -> None:
    path, true = tmp_path / "forms.nii", stack.affine
    moved = true + np.outer([20.0, -10.0, 5.0, 0.0], [0, 0, 0, 1])
    plain = np.diag([10.0, 1.5, 1.5, 1.0])
    assert not two_forms(path, stack, true, true).notes
    for sform, qform, taken in (
        (true, moved, "sform"),
        (plain, true, "qform"),
        (true, plain, "sform"),
    ):
        read = two_forms(path, stack, sform, qform)
        (note,) = read.notes
        assert f"the {taken} was taken" in note
        np.testing.assert_allclose(read.affine, true, atol=1e-3)
    assert "up to 22.9 mm apart" in two_forms(path, stack, true, moved).notes[0]


def packed_cine(stack: LabelVolume, frames: int, cut: bool = False) -> bytes:
    """A cine of large frames of floats; only the first holds labels. It may end after that one."""
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.float32)
    header.set_data_shape((*reversed(stack.shape), frames))
    header.set_sform(stack.affine[:, [2, 1, 0, 3]], 1)
    header["pixdim"][1:4] = stack.spacing[::-1]
    header["vox_offset"] = 352
    first = header.binaryblock + bytes(4) + stack.labels.astype(np.float32).tobytes()
    empty = gzip.compress(bytes(4 * stack.labels.size), 1)
    return gzip.compress(first, 1) + empty * (0 if cut else frames - 1)


def test_only_the_frame_that_is_asked_for_is_unpacked(stack: LabelVolume) -> None:
    labels = np.pad(stack.labels, ((1, 2), (216, 216), (216, 216)))
    large = replace(stack, labels=labels)
    content = packed_cine(large, 25)
    assert 25 * 4 * labels.size > 2**28
    tracemalloc.start()
    read = read_short_axis(Upload("cine.nii.gz", content), HowToRead(frame=0))
    assert tracemalloc.get_traced_memory()[1] < 2**27
    np.testing.assert_array_equal(read.labels, labels)
    (note,) = read_short_axis(Upload("cine.nii.gz", content)).notes
    assert tracemalloc.get_traced_memory()[1] < 2**27
    tracemalloc.stop()
    assert "only frame 0" in note
    np.testing.assert_array_equal(
        read_short_axis(
            Upload("cine.nii.gz", packed_cine(large, 25, cut=True)), HowToRead(frame=0)
        ).labels,
        labels,
    )


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_a_long_axis_view_is_one_plane(tmp_path: Path, axes: tuple[int, int, int]) -> None:
    view = long_axis_view(scanner_from_model())
    path = save(tmp_path / "view.nii", view.labels.transpose(axes), view.affine[:, [*axes, 3]])
    read = read_long_axis(path)
    assert read.shape == view.shape
    np.testing.assert_array_equal(read.labels, labels_at(view, read.points()))


def header_of_plane(third: float, across: NDArray[np.float64]) -> Upload:
    """The view with something else for its thickness and for the axis across it."""
    view = long_axis_view(scanner_from_model())
    image = nibabel.Nifti1Image(view.labels.transpose(1, 2, 0), view.affine[:, [1, 2, 0, 3]])
    content = bytearray(image.to_bytes())
    header = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    header["pixdim"][3], header["qform_code"] = third, 0
    for row, value in zip(("srow_x", "srow_y", "srow_z"), across, strict=True):
        header[row][2] = value
    content[:348] = header.binaryblock
    return Upload("view.nii", bytes(content))


@pytest.mark.parametrize("third", [0.0, 1.0, 8.0, -3.0, np.nan])
@pytest.mark.parametrize("across", [np.zeros(3), np.array([3.0, 5.0, 8.0]), np.full(3, np.nan)])
def test_a_view_lies_where_its_rows_and_columns_do(
    third: float, across: NDArray[np.float64]
) -> None:
    view = long_axis_view(scanner_from_model())
    read = read_long_axis(header_of_plane(third, across))
    np.testing.assert_array_equal(read.labels, labels_at(view, read.points()))
    np.testing.assert_allclose(read.affine[:3, 0] @ read.affine[:3, 1:3], 0, atol=1e-4)


@pytest.mark.parametrize("planes", [1, 2, 3, 4, 10])
def test_of_three_parallel_planes_the_middle_one_is_the_view(planes: int, tmp_path: Path) -> None:
    view = long_axis_view(scanner_from_model())
    affine = view.affine.copy()
    affine[:3, 3] -= planes // 2 * affine[:3, 0]
    path = save(tmp_path / "planes.nii", np.repeat(view.labels, planes, axis=0), affine)
    if planes in (1, 3):
        read = read_long_axis(path)
        np.testing.assert_array_equal(read.labels, labels_at(view, read.points()))
        assert bool(read.notes) == (planes == 3)
        return
    with pytest.raises(InvalidVolume, match="parallel planes hold labels") as refusal:
        read_long_axis(path)
    assert "stack" not in str(refusal.value)


def test_a_view_may_be_two_dimensional_and_is_no_stack(tmp_path: Path) -> None:
    view = long_axis_view(scanner_from_model())
    path = save(tmp_path / "plane.nii", view.labels[0], view.affine[:, [1, 2, 0, 3]])
    read = read_long_axis(path)
    np.testing.assert_array_equal(read.labels, labels_at(view, read.points()))
    with pytest.raises(InvalidVolume, match="single slice"):
        read_short_axis(path)


@pytest.mark.parametrize("name", ["S.NII", "s.Nii.Gz", "S.NII.GZ"])
def test_endings_are_read_without_regard_to_case(name: str, stack: LabelVolume) -> None:
    content = nibabel.Nifti1Image(stack.labels, stack.affine).to_bytes()
    np.testing.assert_array_equal(read_short_axis(Upload(name, content)).labels, stack.labels)


FORMATS = {"a.img": "pair", "a.HDR": "pair", "a.seg.nrrd": "NRRD", "a.mha": "MetaImage"}
FORMATS |= {"a.dcm": "DICOM", "a.npz": "array", "a.png": "picture", "a": "ends in .nii"}


@pytest.mark.parametrize(("name", "is_what"), FORMATS.items())
def test_other_formats_are_named(name: str, is_what: str) -> None:
    with pytest.raises(InvalidVolume, match=f"^{name}: this is .*{is_what}.*save it as one NIfTI"):
        read_short_axis(Upload(name, b"x" * 999))


def test_volumes_are_compared_by_identity(stack: LabelVolume) -> None:
    assert stack == stack
    assert stack != replace(stack)


def test_points_and_volume_follow_the_affine() -> None:
    volume = short_axis_stack(scanner_from_model(), spacing=(8.0, 1.25, 2.0))
    index = (3, 5, 7)
    np.testing.assert_allclose(
        volume.points()[index], (volume.affine @ [*index, 1.0])[:3], atol=1e-9
    )
    assert np.prod(volume.spacing) == pytest.approx(8.0 * 1.25 * 2.0)


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
