"""Label maps in physical space: a uint8 array with the affine that puts it in the scanner.

Labels are 0 background, 1 LV blood pool, 2 LV myocardium, 3 RV blood pool. Arrays are
(D, H, W): slices, rows, columns. World coordinates are millimetres, RAS+ (right, anterior,
superior), as in NIfTI.
"""

import gzip
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srheart_demo.conventions import MEANING, OURS, Convention, recognise
from srheart_demo.files import atomic_path
from srheart_demo.frame import TISSUES
from srheart_demo.islands import heart_of
from srheart_demo.nifti import (
    InvalidVolume,
    NiftiLabels,
    NothingLabelled,
    Picture,
    SeveralFrames,
    SinglePlane,
    Source,
    Upload,
    load,
)

__all__ = [
    "InvalidVolume",
    "LabelVolume",
    "NothingLabelled",
    "Picture",
    "Reading",
    "SeveralFrames",
    "SinglePlane",
    "Upload",
    "read_frames",
    "read_long_axis",
    "read_short_axis",
    "survey",
    "survey_view",
    "write_volume",
]

HEART_EXTENT = (20.0, 300.0)
"""No labelled heart is smaller or larger than this in-plane, mm; a wrong spacing makes it so."""
MOST_SLICES = 400
MOST_VALUES = 100
MOST_TISSUE = 2**22
"""Voxels of the box around the labels; 30 slices of 0.5 mm pixels around a large heart have 3 M."""

SliceAxis = Callable[[tuple[int, ...], NDArray[np.float64], str], int]
"""From the stored shape and spacing to the axis of the slices; the name is for messages."""


@dataclass(frozen=True)
class LabelVolume:
    """A label map in physical space.

    Attributes:
        labels: uint8 (D, H, W), values 0 to 3.
        affine: float64 (4, 4), index (D, H, W) to world, RAS+ mm.
        name: where it came from, for messages.
        notes: what was taken for granted when it was read, in plain sentences.
    """

    labels: NDArray[np.uint8]
    affine: NDArray[np.float64]
    name: str = ""
    notes: tuple[str, ...] = ()

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

    def tissue_points(self, k: int) -> NDArray[np.float64]:
        """World position of the labelled voxels of a slice: (N, 3), RAS+ mm."""
        pixels = np.argwhere(self.labels[k])
        return pixels @ self.affine[:3, 1:3].T + self.affine[:3, 0] * k + self.affine[:3, 3]

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """(D,) which slices hold any label."""
        return np.asarray(self.labels.any(axis=(1, 2)))

    @property
    def gaps(self) -> NDArray[np.bool_]:
        """(D,) slices without a label between others that have some: nobody looked there."""
        inside = np.logical_or.accumulate(self.labelled)
        inside &= np.logical_or.accumulate(self.labelled[::-1])[::-1]
        return inside & ~self.labelled


@dataclass(frozen=True)
class Reading:
    """A label map, and what its file held.

    Attributes:
        volume: the frame that was chosen.
        convention: what its values were taken for.
        counts: value → voxels.
        stored_shape: voxels along the stored axes.
        slice_axis: which of them runs across the slices.
        frame: index of the frame.
        frames: how many there are.
        units: of length, as the header has them.
    """

    volume: LabelVolume
    convention: Convention
    counts: Mapping[int, int]
    stored_shape: tuple[int, int, int]
    slice_axis: int
    frame: int
    frames: int
    units: str


def survey(
    source: Source,
    convention: Convention | None = None,
    frame: int | None = None,
    slice_axis: int | None = None,
    sure: bool = False,
) -> Reading:
    """Read a short-axis stack (NIfTI), and keep what was found on the way.

    The slice axis is put first: the axis of largest spacing, among equals the one of fewest
    voxels, then the last. A file stored (X, Y, Z) becomes (Z, Y, X): rows run along Y.

    Args:
        source: the file.
        convention: what its values mean; recognised by default, see `conventions.recognise`.
        frame: which, from 0, of a file with several; by default the only one with labels.

    Raises:
        InvalidVolume: if the file cannot be read or cannot be a short-axis stack of a heart.
    """
    image = load(source)
    chosen = _frame(image, frame)
    alone = image.frames > 1 and frame is None
    reading = _without_islands(_reading(image, chosen, _slice_axis, convention, alone))
    _check_stack(reading.volume)
    return reading


def read_short_axis(
    source: Source,
    convention: Convention | None = None,
    frame: int | None = None,
    slice_axis: int | None = None,
    sure: bool = False,
) -> LabelVolume:
    """The label map of a short-axis stack; see `survey`.

    Raises:
        InvalidVolume: if the file cannot be read or cannot be a short-axis stack of a heart.
    """
    return survey(source, convention, frame, slice_axis, sure).volume


def read_frames(
    source: Source,
    convention: Convention | None = None,
    slice_axis: int | None = None,
    sure: bool = False,
) -> Iterator[Reading | InvalidVolume]:
    """The frames of a short-axis stack that hold labels, as `survey` reads them, in their order.

    Raises:
        InvalidVolume: if the file cannot be read, or a frame cannot be such a stack.
    """
    image = load(source)
    for frame in image.labelled() or [0]:
        try:
            reading = _without_islands(_reading(image, frame, _slice_axis, convention))
            _check_stack(reading.volume)
            yield reading
        except InvalidVolume as error:
            yield error


def survey_view(
    source: Source, convention: Convention | None = None, frame: int | None = None
) -> Reading:
    """Read one long-axis plane (NIfTI, one axis of a single voxel); D = 1 in the result.

    Args:
        source: the file.
        convention, frame: as in `survey`.

    Raises:
        InvalidVolume: if the file cannot be read or is not one labelled plane.
    """
    image = load(source)
    return _without_islands(_reading(image, _frame(image, frame), _single_plane_axis, convention))


def read_long_axis(
    source: Source, convention: Convention | None = None, frame: int | None = None
) -> LabelVolume:
    """The label map of a long-axis view; see `survey_view`.

    Raises:
        InvalidVolume: if the file cannot be read or is not one labelled plane.
    """
    return survey_view(source, convention, frame).volume


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


def _frame(image: NiftiLabels, wanted: int | None) -> int:
    if wanted is None and image.frames == 1:
        return 0
    if wanted is None:
        labelled = image.labelled()
        if len(labelled) < 2:
            return labelled[0] if labelled else 0
        raise SeveralFrames(
            f"{image.name}: this is 4-D, with labels in {len(labelled)} of {image.frames} frames; "
            f"choose one ({', '.join(map(str, labelled))}), or give a file of one frame.",
            tuple(labelled),
        )
    if wanted >= image.frames:
        raise InvalidVolume(
            f"{image.name}: there is no frame {wanted}; it has frames 0 to {image.frames - 1}."
        )
    return wanted


def _reading(
    image: NiftiLabels,
    frame: int,
    find_slice_axis: SliceAxis,
    convention: Convention | None,
    alone: bool = False,
) -> Reading:
    """A frame as labels; `alone` if it is the only one that holds any."""
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    slice_axis = find_slice_axis(image.shape, spacing, image.name)
    axes = (0, 1, 2) if slice_axis == 0 else (slice_axis, 2 if slice_axis == 1 else 1, 0)
    stored = np.ascontiguousarray(image.frame(frame).transpose(axes))
    values, voxels = np.unique(stored, return_counts=True)
    if len(values) > MOST_VALUES:
        raise Picture(
            f"{image.name}: it holds {len(values)} different values, so this is an image; give a "
            f"label map ({MEANING})."
        )
    counts = dict(zip(values.tolist(), voxels.tolist(), strict=True))
    if not counts.keys() - {0}:
        which = f"frame {frame}" if image.frames > 1 else "the file"
        raise NothingLabelled(
            f"{image.name}: all voxels of {which} are 0, so nothing is labelled; give the label "
            f"map ({MEANING})."
        )
    convention = convention or recognise(stored, set(counts), image.name)
    others = sorted(counts.keys() - {0} - convention.values)
    notes = {
        f"Labels were taken for {convention} ({convention.source}).": convention != OURS,
        f"Other labels ({', '.join(map(str, others[:5]))}{', …' if len(others) > 5 else ''}) were "
        "taken for background.": bool(others),
        f"Of {image.frames} frames only frame {frame} (counted from 0) holds labels.": alone,
    }
    volume = LabelVolume(
        convention.labels(stored),
        image.affine[:, [*axes, 3]],
        image.name,
        tuple(sentence for sentence, holds in notes.items() if holds),
    )
    return Reading(
        volume, convention, counts, image.shape, slice_axis, frame, image.frames, image.units
    )


def _without_islands(reading: Reading) -> Reading:
    """The same, with labelled voxels that are no part of the heart taken for background."""
    volume = reading.volume
    stray = (volume.labels > 0) & ~heart_of(volume.labels, volume.spacing)
    if not stray.any():
        return reading
    slices = ", ".join(map(str, np.flatnonzero(stray.any(axis=(1, 2)))))
    where = "" if volume.shape[0] == 1 else f" (slice {slices} in the file's order, from 0)"
    note = (
        f"{int(stray.sum())} labelled voxels{where} are no part of the heart, since they lie apart "
        "from it; they were taken for background."
    )
    labels = np.where(stray, np.uint8(0), volume.labels)
    return replace(reading, volume=replace(volume, labels=labels, notes=(*volume.notes, note)))


def _slice_axis(shape: tuple[int, ...], spacing: NDArray[np.float64], name: str) -> int:
    if 1 in shape:
        raise SinglePlane(
            f"{name}: this is a single slice, and a heart cannot be restored from one; give the "
            "whole short-axis stack."
        )
    widest = [axis for axis in range(3) if spacing[axis] > 0.99 * spacing.max()]
    axis = min(widest, key=lambda axis: (shape[axis], -axis))
    if shape[axis] > MOST_SLICES:
        raise InvalidVolume(
            f"{name}: {shape[axis]} slices lie {spacing[axis]:g} mm apart along axis {axis}, which "
            "is no short-axis stack; write the true spacing in mm."
        )
    return axis


def _single_plane_axis(shape: tuple[int, ...], spacing: NDArray[np.float64], name: str) -> int:
    if sorted(shape)[0] != 1 or sorted(shape)[1] == 1:
        raise InvalidVolume(
            f"{name}: the array is {' x '.join(map(str, shape))} voxels, but a long-axis view is "
            "one plane; give a file with one slice."
        )
    return shape.index(1)


def _check_stack(volume: LabelVolume) -> None:
    name, labels = volume.name, volume.labels
    if int(volume.labelled.sum()) < 2:
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
    (rows, columns) = (np.flatnonzero(labels.any(axis=axes)) for axes in ((0, 2), (0, 1)))
    pixels = np.ptp(rows) + 1, np.ptp(columns) + 1
    extent = pixels[0] * volume.spacing[1], pixels[1] * volume.spacing[2]
    smallest, largest = HEART_EXTENT
    if min(extent) < smallest or max(extent) > largest:
        raise InvalidVolume(
            f"{name}: the labelled tissue measures {extent[0]:.3g} x {extent[1]:.3g} mm "
            "in-plane, which is no heart; write the true voxel spacing in mm."
        )
    if int(pixels[0]) * int(pixels[1]) * len(labels) > MOST_TISSUE:
        raise InvalidVolume(
            f"{name}: the box around the labels has {len(labels)} x {pixels[0]} x {pixels[1]} "
            "voxels, more than any short-axis stack; resample to pixels of 1 mm (nearest "
            "neighbour)."
        )
