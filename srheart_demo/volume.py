"""Label maps in physical space: a uint8 array with the affine that puts it in the scanner.

Labels are 0 background, 1 LV blood pool, 2 LV myocardium, 3 RV blood pool. Arrays are
(D, H, W): slices, rows, columns. World coordinates are millimetres, RAS+ (right, anterior,
superior), as in NIfTI.
"""

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import atomic_path
from srheart_demo.frame import TISSUES
from srheart_demo.nifti import InvalidVolume, load

__all__ = ["InvalidVolume", "LabelVolume", "read_long_axis", "read_short_axis", "write_volume"]

MEANING = ", ".join(f"{value} {tissue}" for value, tissue in enumerate(TISSUES))
"""The label values in words, for messages."""

HEART_EXTENT = (20.0, 300.0)
"""No labelled heart is smaller or larger than this in-plane, mm; a wrong spacing makes it so."""

SliceAxis = Callable[[tuple[int, ...], NDArray[np.float64], Path], int]
"""From the stored shape and spacing to the axis of the slices; the path is for messages."""


@dataclass(frozen=True)
class LabelVolume:
    """A label map in physical space.

    Attributes:
        labels: uint8 (D, H, W), values 0 to 3.
        affine: float64 (4, 4), index (D, H, W) to world, RAS+ mm.
        name: where it came from, for messages.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    name: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along D, H, W."""
        depth, height, width = self.labels.shape
        return depth, height, width

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres from one voxel to the next along D, H, W."""
        d, h, w = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(d), float(h), float(w)

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(np.prod(self.spacing)) / 1000.0

    def points(self) -> NDArray[np.float64]:
        """World position of every voxel centre: (D, H, W, 3), RAS+ mm."""
        index = np.stack(np.meshgrid(*map(np.arange, self.shape), indexing="ij"), axis=-1)
        return index @ self.affine[:3, :3].T + self.affine[:3, 3]


def read_short_axis(path: str | os.PathLike[str]) -> LabelVolume:
    """Read a short-axis stack (NIfTI).

    The slice axis is put first: the axis of largest spacing, among equals the one of fewest
    voxels, then the last. A file stored (X, Y, Z) becomes (Z, Y, X): rows run along Y.

    Raises:
        InvalidVolume: if the file cannot be read or cannot be a short-axis stack of a heart.
    """
    volume = _read(Path(path), _slice_axis)
    name, labels = volume.name, volume.labels
    slices = int(labels.any(axis=(1, 2)).sum())
    if slices < 2:
        raise InvalidVolume(
            f"{name}: only one slice holds labels, and a single slice has no third dimension; "
            "give the whole short-axis stack."
        )
    missing = [f"{TISSUES[value]} ({value})" for value in (1, 2, 3) if not (labels == value).any()]
    if missing:
        raise InvalidVolume(
            f"{name}: no voxel is labelled {' or '.join(missing)}, but the heart is found by all "
            f"three tissues; label them ({MEANING})."
        )
    _check_order(volume)
    _check_extent(volume)
    return volume


def read_long_axis(path: str | os.PathLike[str]) -> LabelVolume:
    """Read one long-axis plane (NIfTI, one axis of a single voxel); D = 1 in the result.

    Raises:
        InvalidVolume: if the file cannot be read or is not one labelled plane.
    """
    volume = _read(Path(path), _single_plane_axis)
    _check_order(volume)
    return volume


def write_volume(volume: LabelVolume, path: str | os.PathLike[str]) -> None:
    """Write as NIfTI, axes in the order (D, H, W), complete or not at all.

    Equal volumes give equal bytes: the gzip header carries neither time nor name.
    """
    import nibabel

    image = nibabel.Nifti1Image(volume.labels, volume.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1)
    content = image.to_bytes()
    if os.fspath(path).endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    with atomic_path(path) as draft:
        draft.write_bytes(content)


def _read(path: Path, find_slice_axis: SliceAxis) -> LabelVolume:
    values, affine = load(path)
    labels = _labels(values, path)
    slice_axis = find_slice_axis(labels.shape, np.linalg.norm(affine[:3, :3], axis=0), path)
    axes = (0, 1, 2) if slice_axis == 0 else (slice_axis, 2 if slice_axis == 1 else 1, 0)
    ordered = affine[:, [*axes, 3]]
    return LabelVolume(np.ascontiguousarray(labels.transpose(axes)), ordered, str(path))


def _labels(values: NDArray, path: Path) -> NDArray[np.uint8]:
    whole = np.rint(values)
    if not np.allclose(values, whole, rtol=0, atol=1e-3):
        odd = values[np.abs(values - whole) > 1e-3][0]
        raise InvalidVolume(
            f"{path}: some values are not whole numbers (such as {odd:g}), so this is an image or "
            f"was interpolated; give a label map ({MEANING}), resampled by nearest neighbour."
        )
    unknown = sorted({int(value) for value in np.unique(whole)} - set(range(len(TISSUES))))
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        remedy = "change 4 to 3" if unknown == [4] and not (whole == 3).any() else "renumber them"
        raise InvalidVolume(
            f"{path}: unknown label values ({shown}); {remedy}, so that they mean {MEANING}."
        )
    if not whole.any():
        raise InvalidVolume(
            f"{path}: all voxels are 0, so nothing is labelled; give the label map ({MEANING})."
        )
    return whole.astype(np.uint8)


def _slice_axis(shape: tuple[int, ...], spacing: NDArray[np.float64], path: Path) -> int:
    if 1 in shape:
        raise InvalidVolume(
            f"{path}: this is a single slice, and a heart cannot be restored from one; give the "
            "whole short-axis stack."
        )
    widest = [axis for axis in range(3) if spacing[axis] > 0.99 * spacing.max()]
    return min(widest, key=lambda axis: (shape[axis], -axis))


def _single_plane_axis(shape: tuple[int, ...], spacing: NDArray[np.float64], path: Path) -> int:
    if sorted(shape)[0] != 1 or sorted(shape)[1] == 1:
        raise InvalidVolume(
            f"{path}: the array is {' x '.join(map(str, shape))} voxels, but a long-axis view is "
            "one plane; give a file with one slice."
        )
    return shape.index(1)


def _check_order(volume: LabelVolume) -> None:
    if _enclosed_by_myocardium(volume.labels, 3) > _enclosed_by_myocardium(volume.labels, 1):
        raise InvalidVolume(
            f"{volume.name}: the myocardium (2) encloses label 3 rather than label 1, as in the "
            f"ACDC order; exchange labels 1 and 3 ({MEANING})."
        )


def _enclosed_by_myocardium(labels: NDArray[np.uint8], value: int) -> float:
    """Share of a tissue's in-plane border that lies against the myocardium."""
    against_myocardium = border = 0
    for axis in (1, 2):
        one, other = np.swapaxes(labels, 0, axis)[:-1], np.swapaxes(labels, 0, axis)[1:]
        for inside, outside in ((one, other), (other, one)):
            neighbours = outside[(inside == value) & (outside != value)]
            border += neighbours.size
            against_myocardium += int((neighbours == 2).sum())
    return against_myocardium / max(border, 1)


def _check_extent(volume: LabelVolume) -> None:
    _, rows, columns = np.nonzero(volume.labels)
    extent = (np.ptp(rows) + 1) * volume.spacing[1], (np.ptp(columns) + 1) * volume.spacing[2]
    smallest, largest = HEART_EXTENT
    if min(extent) < smallest or max(extent) > largest:
        raise InvalidVolume(
            f"{volume.name}: the labelled tissue measures {extent[0]:.3g} x {extent[1]:.3g} mm "
            "in-plane, which is no heart; write the true voxel spacing in mm."
        )
