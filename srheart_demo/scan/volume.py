"""Label maps in physical space: a uint8 array with the affine that puts it in the scanner.

Labels are 0 background, 1 LV blood pool, 2 LV myocardium, 3 RV blood pool. Arrays are
(D, H, W): slices, rows, columns. World coordinates are millimetres, RAS+ (right, anterior,
superior), as in NIfTI.
"""

import gzip
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srheart_demo.files import atomic_path
from srheart_demo.scan.islands import heart_of
from srheart_demo.scan.labels import MEANING, OURS, Anatomy, Convention, recognise
from srheart_demo.scan.nifti import (
    FARTHEST,
    InvalidVolume,
    NiftiLabels,
    NothingLabelled,
    Picture,
    SeveralFrames,
    SinglePlane,
    Source,
    Upload,
    load,
    times,
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
LONGEST = 220.0
"""No labelled heart is longer than this, mm: real ones have 60 to 120."""
FARTHEST_SLICES = 50.0
"""No scan has slices farther apart, mm: the sparsest have two or three, up to 40 mm apart."""
CLOSE_SLICES, SHORTEST = 4.0, 30.0
"""Scanners lay short-axis slices 5 to 20 mm apart. Closer ones were resampled from a whole heart,
so they reach at least so far, mm, or their spacing was lost. Two slices 5 mm apart are just few."""
CLEARLY_WIDER = 1.5
"""Slices this much farther apart than pixels tell their axis; else the anatomy does."""
CLEARLY_CLOSED = 0.05
"""Share of the LV's border by which one axis must close it more than the next to tell the slices'.
Real and synthetic hearts: 0.1 or more."""
MOST_MASKS = 8
"""A fourth axis no longer than this may hold a mask for each tissue."""
MOST_VALUES = 100
MOST_TISSUE = 2**22
"""Voxels of the box around the labels; 30 slices of 0.5 mm pixels around a large heart have 3 M."""


@dataclass(frozen=True, eq=False)
class LabelVolume:
    """A label map in physical space.

    >>> S_HR = sr.load_sample("healthy_1").S_HR
    >>> S_HR.shape, [round(mm, 2) for mm in S_HR.spacing]
    ((64, 128, 128), [2.0, 1.25, 1.25])

    Attributes:
        labels: uint8 (D, H, W), values 0 to 3.
        affine: float64 (4, 4), index (D, H, W) to world, RAS+ mm. Rows and columns are at right
            angles; the first axis need not be at right angles to them.
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
        """Millimetres between the planes of two slices, and from pixel to pixel along H and W."""
        h, w = np.linalg.norm(self.affine[:3, 1:3], axis=0)
        return _between_planes(self.affine), float(h), float(w)

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


@dataclass(frozen=True, eq=False)
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

    The slice axis is put first: the axis of clearly largest spacing, or the one across which the LV
    is closed in by its wall. A file stored (X, Y, Z) becomes (Z, Y, X): rows run along Y.

    Args:
        source: the file.
        convention: what its values mean; recognised by default, see `conventions.recognise`.
        frame: which, from 0, of a file with several; by default the only one with labels.
        slice_axis: the stored axis that runs across the slices; found by default.
        sure: distances that no heart has are right all the same.

    Raises:
        InvalidVolume: if the file cannot be read or cannot be a short-axis stack of a heart.
    """
    return _stack(_one_frame(_several_slices(source), frame), convention, slice_axis, sure)


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

    A frame that cannot be such a stack comes as what is wrong with it, and the others go on.

    Raises:
        InvalidVolume: if the file cannot be read, or no frame holds labels.
    """
    image = _several_slices(source)
    if masks := _masks(image):
        yield _stack(masks, convention, slice_axis, sure)
        return
    empty = True
    for t, stored in image.each():
        if image.frames == 1 or image.holds(stored):
            empty = False
            try:
                found = _Frame(image, t, image.whole(t, stored))
                result: Reading | InvalidVolume = _stack(found, convention, slice_axis, sure)
            except InvalidVolume as error:
                result = error
            yield result
    if empty:
        raise NothingLabelled(f"{image.name}: all voxels of all {image.frames} frames are 0.")


def survey_view(
    source: Source, convention: Convention | None = None, frame: int | None = None
) -> Reading:
    """Read one long-axis plane (NIfTI, 2-D or one of few planes); D = 1 in the result.

    Where the plane lies is told by its rows, columns and origin; how thick it is does not matter.
    Its labels are recognised by themselves, whatever those of the stack are.

    Args:
        source: the file.
        convention, frame: as in `survey`.

    Raises:
        InvalidVolume: if the file cannot be read or is not one labelled plane.
    """
    return _view(_one_frame(load(source), frame), convention)


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


@dataclass(frozen=True, eq=False)
class _Frame:
    """A file's numbers at one time.

    Attributes:
        image: the file.
        index: of the frame.
        values: whole numbers in the stored order of axes.
        notes: what was taken for granted.
        masks: whether each value is what one frame had for a mask, so that none has a meaning yet.
    """

    image: NiftiLabels
    index: int
    values: NDArray[np.int32]
    notes: tuple[str, ...] = ()
    masks: bool = False

    @property
    def name(self) -> str:
        """For messages."""
        return self.image.name if self.masks else self.image.part(self.index)


def _several_slices(source: Source) -> NiftiLabels:
    image = load(source)
    if 1 in image.shape:
        each = f"each of {image.frames} frames" if image.frames > 1 else "this"
        raise SinglePlane(
            f"{image.name}: {each} is a single slice, and a heart cannot be restored from one; "
            "give the whole short-axis stack, its slices along one of the first three axes."
        )
    return image


def _one_frame(image: NiftiLabels, wanted: int | None) -> _Frame:
    """The frame that is wanted, or the only one that holds labels."""
    if wanted is not None and not 0 <= wanted < image.frames:
        raise InvalidVolume(
            f"{image.name}: there is no frame {wanted}; it has frames 0 to {image.frames - 1}.",
            "frame",
        )
    if wanted is not None or image.frames == 1:
        return _Frame(image, wanted or 0, image.frame(wanted or 0))
    if masks := _masks(image):
        return masks
    labelled = image.labelled() or [0]
    found = _Frame(image, labelled[0], image.frame(labelled[0]))
    if len(labelled) == 1:
        alone = f"Of {image.frames} frames only frame {found.index} (counted from 0) holds labels."
        return replace(found, notes=(alone,))
    _counts(found)
    raise SeveralFrames(
        f"{image.name}: this is 4-D, with labels in {len(labelled)} of {image.frames} frames "
        f"({_listed(labelled)}, counted from 0); choose one, or give a file of one frame.",
        tuple(labelled),
    )


def _masks(image: NiftiLabels) -> _Frame | None:
    """Frames that are no times, but a mask for each tissue, as one map with a value for each.

    Where masks lie over each other the smallest counts, so that the epicardium may be drawn whole;
    a mask of the background is left out. None if some frame holds several values, or all but one
    hold nothing.
    """
    masks: dict[int, NDArray[np.bool_]] = {}
    for t, stored in image.each() if 1 < image.frames <= MOST_MASKS else ():
        try:
            values = image.whole(t, stored)
        except InvalidVolume:
            return None
        mask = values != 0
        if mask.any():
            if np.ptp(values[mask]) > 0:
                return None
            masks[t] = mask
    if len(masks) < 2:
        return None
    order = sorted(masks, key=lambda t: -int(masks[t].sum()))
    if (masks[order[0]] != np.logical_or.reduce([masks[t] for t in order[1:]])).mean() > 0.999:
        order = order[1:]
    merged = np.zeros(image.shape, np.int32)
    for t in order:
        merged[masks[t]] = t + 1
    return _Frame(image, 0, merged, masks=True)


def _listed(numbers: Sequence[int]) -> str:
    """``0 to 3, 7 and 9``."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    *most, last = (f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"{', '.join(most)} and {last}" if most else last


def _counts(frame: _Frame) -> dict[int, int]:
    """Value → voxels.

    Raises:
        InvalidVolume: it is an image, or nothing is labelled.
    """
    values, voxels = np.unique(frame.values, return_counts=True)
    if len(values) > MOST_VALUES:
        raise Picture(
            f"{frame.name}: it holds {len(values)} different values, so this is an image; give a "
            f"label map ({MEANING})."
        )
    if values.any():
        return dict(zip(values.tolist(), voxels.tolist(), strict=True))
    image = frame.image
    elsewhere = image.labelled() if image.frames > 1 else []
    instead = f"labels are in {_listed(elsewhere)}" if elsewhere else f"give one ({MEANING})"
    raise NothingLabelled(
        f"{frame.name}: all voxels are 0, so nothing is labelled; {instead}.",
        "frame" if elsewhere else "",
    )


def _stack(
    frame: _Frame, convention: Convention | None, slice_axis: int | None, sure: bool
) -> Reading:
    """A frame as a short-axis stack."""
    image, name = frame.image, frame.name
    counts = _counts(frame)
    box = _box(frame.values, name)
    note = ""
    if slice_axis is None:
        slice_axis, note = _slice_axis(image, box)
    if slice_axis not in range(3):
        raise InvalidVolume(f"{name}: there is no axis {slice_axis}, but 0 to 2.", "slice_axis")
    axes = _slices_first(slice_axis)
    affine = _in_space(image, axes, name)
    anatomy = _anatomy(box.transpose(axes), affine)
    volume, convention = _labels(frame, frame.values.transpose(axes), affine, anatomy, convention)
    volume = _without_islands(volume)
    _check_stack(volume, sure)
    notes = tuple(filter(None, (*image.notes, note, *volume.notes)))
    volume = replace(volume, notes=notes)
    return Reading(
        volume, convention, counts, image.shape, slice_axis, frame.index, image.frames, image.units
    )


def _view(frame: _Frame, convention: Convention | None) -> Reading:
    """A frame as a long-axis view."""
    image, name = frame.image, frame.name
    if sorted(image.shape)[1] == 1:
        raise InvalidVolume(
            f"{name}: the array is {times(image.shape)} voxels, and a long-axis view is a plane; "
            "give a file with all its pixels."
        )
    counts = _counts(frame)
    axis = image.shape.index(min(image.shape))
    axes = _slices_first(axis)
    planes = frame.values.transpose(axes)
    labelled = np.flatnonzero(planes.any(axis=(1, 2))).tolist()
    if len(labelled) not in (1, 3):
        raise InvalidVolume(
            f"{name}: {len(labelled)} parallel planes hold labels, but a long-axis view is one "
            "plane; give a file with the one that is meant."
        )
    chosen = labelled[len(labelled) // 2]
    affine = _in_space(image, axes, name, plane=chosen)
    plane = planes[chosen : chosen + 1]
    anatomy = _anatomy(_box(plane, name), affine, whole=False)
    volume, convention = _labels(frame, plane, affine, anatomy, convention)
    volume = _without_islands(volume)
    _check_extent(volume)
    notes = {
        f"Of {len(labelled)} planes that hold labels the middle one was taken.": len(labelled) > 1,
        "No RV is labelled in this view, so it was taken to show none.": (
            not (volume.labels == 3).any()
        ),
    }
    sentences = (*image.notes, *volume.notes, *(note for note, holds in notes.items() if holds))
    short = os.path.basename(image.name)
    volume = replace(volume, notes=tuple(f"{short}: {sentence}" for sentence in sentences))
    return Reading(
        volume, convention, counts, image.shape, axis, frame.index, image.frames, image.units
    )


def _without_islands(volume: LabelVolume) -> LabelVolume:
    """The same, with labelled voxels that are no part of the heart taken for background."""
    stray = (volume.labels > 0) & ~heart_of(volume.labels, volume.spacing)
    if not stray.any():
        return volume
    slices = ", ".join(map(str, np.flatnonzero(stray.any(axis=(1, 2)))))
    where = "" if volume.shape[0] == 1 else f" (slice {slices} in the file's order, from 0)"
    note = (
        f"{int(stray.sum())} labelled voxels{where} are no part of the heart, since they lie apart "
        "from it; they were taken for background."
    )
    labels = np.where(stray, np.uint8(0), volume.labels)
    return replace(volume, labels=labels, notes=(*volume.notes, note))


def _slices_first(axis: int) -> tuple[int, int, int]:
    """Stored axes in the order (D, H, W)."""
    return (0, 1, 2) if axis == 0 else (axis, 2 if axis == 1 else 1, 0)


def _held(stored: NDArray[np.integer]) -> tuple[slice, slice, slice]:
    """The smallest box that holds all that is not 0."""
    others = ((1, 2), (0, 2), (0, 1))
    x, y, z = (np.flatnonzero(stored.any(axis=axes)) for axes in others)
    return slice(x[0], x[-1] + 1), slice(y[0], y[-1] + 1), slice(z[0], z[-1] + 1)


def _box(stored: NDArray[np.int32], name: str) -> NDArray[np.int32]:
    """What lies in the box around the labels.

    Raises:
        InvalidVolume: it is too large.
    """
    box = stored[_held(stored)]
    if box.size > MOST_TISSUE:
        raise _too_large(name, box.shape)
    return box


def _anatomy(box: NDArray[np.int32], affine: NDArray[np.float64], whole: bool = True) -> Anatomy:
    rows, columns = np.linalg.norm(affine[:3, 1:3], axis=0)
    return Anatomy(box, np.union1d(box, [0]), (float(rows), float(columns)), whole)


@np.errstate(all="ignore")
def _slice_axis(image: NiftiLabels, box: NDArray[np.int32]) -> tuple[int, str]:
    """The axis across the slices, and a note where it had to be guessed."""
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    widest = int(spacing.argmax())
    if spacing[widest] >= CLEARLY_WIDER * np.delete(spacing, widest).max():
        return widest, ""
    across = [box.transpose(_slices_first(axis)) for axis in range(3)]
    closed = [_anatomy(slices, image.affine).closure() for slices in across]
    best, next_ = np.argsort(closed)[::-1][:2].tolist()
    if clear := closed[best] - closed[next_] >= CLEARLY_CLOSED:
        axis = best
    else:
        equal = [axis for axis in range(3) if spacing[axis] > 0.99 * spacing[widest]]
        axis = min(equal, key=lambda axis: (image.shape[axis], -axis))
    why = "across it the LV is closed in by its wall" if clear else "it has the fewest voxels"
    return axis, (
        f"Spacings of {times(spacing.round(2))} mm do not tell which axis runs across the slices; "
        f"axis {axis} (counted from 0) was taken as a guess, because {why}."
    )


@np.errstate(all="ignore")
def _in_space(
    image: NiftiLabels, axes: tuple[int, int, int], name: str, plane: int | None = None
) -> NDArray[np.float64]:
    """The affine of (D, H, W), if slices are parallel planes of rectangular pixels.

    Slices may be offset against each other: the first axis may be sheared. A single `plane` lies
    where its rows and columns do, whatever the header says of the axis across it.

    Raises:
        InvalidVolume: rows and columns, or slices, have no such place, or header and affine
            disagree.
    """
    affine, stated = image.affine[:, [*axes, 3]].copy(), image.spacing[list(axes)]
    used = slice(0 if plane is None else 1, None)
    if not (np.isfinite(stated[used]) & (stated[used] > 0)).all():
        raise InvalidVolume(
            f"{name}: the voxel spacing in the header (pixdim) is {times(image.spacing)}, but must "
            "be positive; write the true spacing in mm."
        )
    across, rows, columns, origin = affine[:3].T
    if plane:
        origin += plane * across
    normal, area = np.cross(rows, columns), np.linalg.norm(rows) * np.linalg.norm(columns)
    near = np.isfinite(affine[:, used]).all() and np.abs(affine[:, used]).max() < FARTHEST
    flat = near and np.linalg.norm(normal) > 1e-3 * area
    if plane is not None and flat:
        normal /= np.linalg.norm(normal)
        thickness = float(across @ normal)
        known = np.isfinite(thickness) and 1e-3 < abs(thickness) < FARTHEST
        across[:] = normal * (thickness if known else 1.0)
    if not (flat and abs(across @ normal) > 1e-3 * np.linalg.norm(across) * np.linalg.norm(normal)):
        raise InvalidVolume(
            f"{name}: the affine is singular, not finite or leads far away, so voxels have no "
            "place in space; write the true affine (sform)."
        )
    if abs(rows @ columns) > 0.005 * area:
        raise InvalidVolume(
            f"{name}: by the affine rows and columns are not at right angles (sheared within the "
            "slices); resample to rectangular pixels (nearest neighbour)."
        )
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    agree = np.isclose(lengths, stated, rtol=0.01)
    agree[0] |= plane is not None or np.isclose(_between_planes(affine), stated[0], rtol=0.01)
    if not agree.all():
        raise InvalidVolume(
            f"{name}: the affine gives voxels of {times(lengths)} mm (slices, rows, columns) but "
            f"pixdim {times(stated)}; make the two agree."
        )
    return affine


def _between_planes(affine: NDArray[np.float64]) -> float:
    """Distance of two neighbouring slices at right angles to them, mm."""
    normal = np.cross(affine[:3, 1], affine[:3, 2])
    return float(abs(affine[:3, 0] @ normal) / np.linalg.norm(normal))


def _labels(
    frame: _Frame,
    stored: NDArray[np.int32],
    affine: NDArray[np.float64],
    anatomy: Anatomy,
    given: Convention | None,
) -> tuple[LabelVolume, Convention]:
    """Stored values (D, H, W) as labels, what they were taken for, and notes on that."""
    if frame.masks:
        convention = anatomy.guess()
        if not convention or (anatomy.whole and not convention.RV):
            raise InvalidVolume(
                f"{frame.name}: each of {frame.image.frames} frames holds one value alone, so they "
                "are masks of tissues or times of one mask, but do not lie like LV, MYO and RV; "
                f"merge the masks of all tissues into one map ({MEANING})."
            )
    else:
        convention = given or recognise(anatomy, frame.name)
        needed = convention if anatomy.whole else replace(convention, RV=())
        if lacking := needed.lacks([*anatomy.voxels]):
            raise InvalidVolume(
                f"{frame.name}: no voxel is labelled {' or '.join(lacking)}, but values are "
                f"{', '.join(map(str, anatomy.voxels))}; say what they mean.",
                "labels",
            )
    others = [value for value in anatomy.voxels if value not in convention.values]
    shown = ", ".join(map(str, others[:5])) + (", …" if len(others) > 5 else "")
    sources = ", ".join(
        f"{tissue} from {_listed([v - 1 for v in values])}"
        for tissue, values in convention.tissues.items()
        if values
    )
    notes = {
        f"Frames are no times but masks of tissues: {sources} (counted from 0).": frame.masks,
        f"Labels were taken for {convention} ({convention.source}).": (
            replace(convention, RV=convention.RV or OURS.RV, source=OURS.source) != OURS
            and not frame.masks
        ),
        f"Other labels ({shown}) were taken for background.": bool(others),
        **{
            f"The mapping is taken as it was given, though {misfit}.": True
            for misfit in (anatomy.misfits(given) if given and not frame.masks else ())
        },
    }
    volume = LabelVolume(
        convention.labels(np.ascontiguousarray(stored)),
        affine,
        frame.name,
        (*frame.notes, *(sentence for sentence, holds in notes.items() if holds)),
    )
    return volume, convention


def _check_extent(volume: LabelVolume) -> None:
    """Whether a heart can reach so far in-plane.

    Raises:
        InvalidVolume: none does.
    """
    pixels = [held.stop - held.start for held in _held(volume.labels)[1:]]
    extent = np.multiply(pixels, volume.spacing[1:])
    smallest, largest = HEART_EXTENT
    if min(extent) < smallest or max(extent) > largest:
        raise InvalidVolume(
            f"{volume.name}: the labelled tissue measures {extent[0]:.3g} x {extent[1]:.3g} mm "
            "in-plane, which is no heart; write the true voxel spacing in mm."
        )


def _check_stack(volume: LabelVolume, sure: bool) -> None:
    """Whether these can be the slices of a heart, by how far they reach.

    Raises:
        InvalidVolume: they cannot.
    """
    name, (held, *in_plane) = volume.name, _held(volume.labels)
    slices, distance = held.stop - held.start, volume.spacing[0]
    if slices == 1:
        raise SinglePlane(
            f"{name}: only one slice holds labels, and a single slice has no third dimension; "
            "give the whole short-axis stack."
        )
    length = slices * distance
    short = distance < CLOSE_SLICES and length < SHORTEST
    if not sure and (short or length > LONGEST or distance > FARTHEST_SLICES):
        raise InvalidVolume(
            f"{name}: {slices} slices with labels lie {distance:.3g} mm apart, and no heart is "
            f"{length:.4g} mm long or scanned so; write the true distance of slices into the file, "
            "in mm (affine and pixdim).",
            "spacing",
        )
    _check_extent(volume)
    box = len(volume.labels), *(held.stop - held.start for held in in_plane)
    if np.prod(box) > MOST_TISSUE:
        raise _too_large(name, box)


def _too_large(name: str, box: tuple[int, ...]) -> InvalidVolume:
    return InvalidVolume(
        f"{name}: the box around the labels has {times(box)} voxels, more than any label map of a "
        "heart; resample to pixels of 1 mm (nearest neighbour)."
    )
