"""From files to a `Scan`: which numbers, axes and labels are meant, and whether they are a heart's.

What was taken for granted on the way stands in the notes, in plain sentences.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from srheart_demo.scan.frames import StoredFrame, chosen_frame, frames_with_labels, listed
from srheart_demo.scan.islands import heart_of
from srheart_demo.scan.labels import MEANING, OURS, Anatomy, Convention, first_five, recognise
from srheart_demo.scan.nifti import NiftiLabels, Source, load, times
from srheart_demo.scan.placement import AUTOMATIC, ByHand, Placement, place
from srheart_demo.scan.scan import Reading, Scan, Unlabelled
from srheart_demo.scan.space import (
    anatomy_of,
    check_extent,
    check_stack,
    cropped,
    find_slice_axis,
    in_space,
    slices_first,
)
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, SinglePlane


@dataclass(frozen=True)
class HowToRead:
    """What a user says of files, where they do not say it themselves or say it wrong.

    >>> from srheart_demo.scan.samples import FOLDER
    >>> file = FOLDER / "healthy_1" / "S_LR_normal.nii.gz"
    >>> sr.read_scan(file, how=sr.HowToRead(frame=0)).frame
    0

    Attributes:
        convention, view_convention: what the values of the stack and of the view mean; each is
            recognised by default, see `labels.recognise`.
        frame: which of a stack with several, from 0; by default the only one with labels.
        view_frame: which of the view; by default that of the stack, if both have as many. Of a
            whole cycle: which frame of the stack a view of a single frame shows.
        slice_axis: which stored axis of the stack runs across its slices; found by default.
        by_hand: corrections of the placement.
        unlabelled: what slices without labels beyond the labelled ones mean.
        sure: the spacing is right, although no heart is so long or so short.
    """

    convention: Convention | None = None
    view_convention: Convention | None = None
    frame: int | None = None
    view_frame: int | None = None
    slice_axis: int | None = None
    by_hand: ByHand = AUTOMATIC
    unlabelled: Unlabelled = "auto"
    sure: bool = False


AS_FOUND = HowToRead()


def read_scan(stack: Source, view: Source | None = None, how: HowToRead = AS_FOUND) -> Scan:
    """Read a scan from its files.

    >>> from srheart_demo.scan.samples import FOLDER
    >>> scan = sr.read_scan(FOLDER / "healthy_1" / "S_LR_normal.nii.gz")
    >>> scan.stack.shape
    (13, 128, 128)

    Args:
        stack, view: NIfTI files of labels; the view, a long-axis plane, is optional.
        how: what the files do not say.

    Raises:
        InvalidVolume: a file cannot be used, or the view is of another scan.
    """
    reading = survey(stack, how)
    if view is None:
        return _scan(reading, None, how)
    image, frame = load(view), how.view_frame
    if frame is None and image.frames == reading.frames > 1:
        frame = reading.frame
    scan = _scan(reading, _view_of(image, how, frame), how)
    if image.frames == 1 < reading.frames:
        taken = f"The view has one frame, which was taken to show frame {reading.frame}."
        scan = replace(scan, notes=(*scan.notes, taken))
    return scan


def read_cycle(
    stack: Source, view: Source | None = None, how: HowToRead = AS_FOUND
) -> list[Scan | InvalidVolume]:
    """Every labelled frame of a beating heart, all placed as the one with most tissue.

    A frame that cannot be used is an error in the list, and keeps no other from being read. A view
    with as many frames goes frame by frame. Arguments are those of `read_scan`.

    Raises:
        InvalidVolume: no frame can be used, or the view does not belong to the stack.
    """
    image = load(stack)
    found = list(read_frames(image, how))
    readings = [reading for reading in found if isinstance(reading, Reading)]
    if not readings:
        raise next(error for error in found if isinstance(error, InvalidVolume))
    fullest = max(readings, key=lambda reading: (reading.volume.labels > 0).sum())
    placement = place(fullest.volume, how.by_hand)
    views = {} if view is None else _views(load(view), image, readings, how)
    scans: list[Scan | InvalidVolume] = []
    for reading in found:
        if isinstance(reading, InvalidVolume):
            scans.append(reading)
            continue
        seen = views.get(reading.frame)
        try:
            scan = _scan(reading, seen if isinstance(seen, Reading) else None, how, placement)
        except InvalidVolume as error:
            scans.append(InvalidVolume(f"frame {reading.frame}: {error}", error.remedy))
            continue
        if isinstance(seen, InvalidVolume):
            scan = replace(scan, notes=(*scan.notes, f"Its view was left out: {seen}"))
        scans.append(scan)
    return scans


def survey(source: Source, how: HowToRead = AS_FOUND) -> Reading:
    """Read a short-axis stack (NIfTI), and keep what was found on the way.

    The slice axis is put first: the axis of clearly largest spacing, or the one across which the LV
    is closed in by its wall. A file stored (X, Y, Z) becomes (Z, Y, X): rows run along Y.

    Raises:
        InvalidVolume: if the file cannot be read or cannot be a short-axis stack of a heart.
    """
    return _stack(chosen_frame(_several_slices(source), how.frame), how)


def read_short_axis(source: Source, how: HowToRead = AS_FOUND) -> LabelVolume:
    """The label map of a short-axis stack; see `survey`, which raises the same."""
    return survey(source, how).volume


def read_frames(source: Source, how: HowToRead = AS_FOUND) -> Iterator[Reading | InvalidVolume]:
    """The frames of a short-axis stack that hold labels, as `survey` reads them, in their order.

    A frame that cannot be such a stack comes as what is wrong with it, and the others go on.

    Raises:
        InvalidVolume: if the file cannot be read, or no frame holds labels.
    """
    for frame in frames_with_labels(_several_slices(source)):
        try:
            yield frame if isinstance(frame, InvalidVolume) else _stack(frame, how)
        except InvalidVolume as error:
            yield error


def survey_view(
    source: Source, convention: Convention | None = None, frame: int | None = None
) -> Reading:
    """Read one long-axis plane (NIfTI, 2-D or one of few planes); D = 1 in the result.

    Where the plane lies is told by its rows, columns and origin; how thick it is does not matter.
    Its labels are recognised by themselves, whatever those of the stack are.

    Raises:
        InvalidVolume: if the file cannot be read or is not one labelled plane.
    """
    return _view(chosen_frame(load(source), frame), convention)


def read_long_axis(source: Source) -> LabelVolume:
    """The label map of a long-axis view; see `survey_view`, which raises the same."""
    return survey_view(source).volume


def _scan(
    reading: Reading, seen: Reading | None, how: HowToRead, placement: Placement | None = None
) -> Scan:
    view = seen.volume if seen else None
    scan = Scan.of(reading.volume, view, how.by_hand, how.unlabelled, placement)
    return replace(scan, reading=reading, view_reading=seen)


def _view_of(image: NiftiLabels, how: HowToRead, frame: int | None) -> Reading:
    try:
        return survey_view(image, how.view_convention, frame)
    except InvalidVolume as error:
        # The same choice, but of the other file.
        error.remedy = f"view_{error.remedy}" if error.remedy else ""
        raise


def _views(
    view: NiftiLabels, stack: NiftiLabels, readings: list[Reading], how: HowToRead
) -> dict[int, Reading | InvalidVolume]:
    """StoredFrame of the stack → its view, or why it has none."""
    if view.frames == 1:
        if how.view_frame is None and stack.frames > 1:
            raise InvalidVolume(
                f"{view.name}: this view has one frame and the stack {stack.frames}; say which of "
                "the stack's frames it shows, or give a view with as many frames.",
                "view_frame",
            )
        return {how.view_frame or 0: _view_of(view, how, None)}
    if view.frames != stack.frames:
        raise InvalidVolume(
            f"{view.name}: this view has {view.frames} frames and the stack {stack.frames}, so "
            "they do not show the same cycle; give a view with as many."
        )
    views: dict[int, Reading | InvalidVolume] = {}
    for reading in readings:
        try:
            views[reading.frame] = _view_of(view, how, reading.frame)
        except InvalidVolume as error:
            views[reading.frame] = error
    return views


def _several_slices(source: Source) -> NiftiLabels:
    image = load(source)
    if 1 in image.shape:
        each = f"each of {image.frames} frames" if image.frames > 1 else "this"
        raise SinglePlane(
            f"{image.name}: {each} is a single slice, and a heart cannot be restored from one; "
            "give the whole short-axis stack, its slices along one of the first three axes."
        )
    return image


def _stack(frame: StoredFrame, how: HowToRead) -> Reading:
    """A frame as a short-axis stack."""
    counts, box = frame.counts(), cropped(frame.values, frame.name)
    axis, note = how.slice_axis, ""
    if axis is None:
        axis, note = find_slice_axis(frame.image, box)
    if axis not in range(3):
        raise InvalidVolume(f"{frame.name}: there is no axis {axis}, but 0 to 2.", "slice_axis")
    reading = _reading(frame, counts, how.convention, axis)
    check_stack(reading.volume, how.sure)
    notes = filter(None, (*frame.image.notes, note, *reading.volume.notes))
    return replace(reading, volume=replace(reading.volume, notes=tuple(notes)))


def _view(frame: StoredFrame, convention: Convention | None) -> Reading:
    """A frame as a long-axis view."""
    image, name = frame.image, frame.name
    if sorted(image.shape)[1] == 1:
        raise InvalidVolume(
            f"{name}: the array is {times(image.shape)} voxels, and a long-axis view is a plane; "
            "give a file with all its pixels."
        )
    counts = frame.counts()
    axis = image.shape.index(min(image.shape))
    planes = frame.values.transpose(slices_first(axis))
    labelled = np.flatnonzero(planes.any(axis=(1, 2))).tolist()
    if len(labelled) not in (1, 3):
        raise InvalidVolume(
            f"{name}: {len(labelled)} parallel planes hold labels, but a long-axis view is one "
            "plane; give a file with the one that is meant."
        )
    reading = _reading(frame, counts, convention, axis, labelled[len(labelled) // 2])
    volume = reading.volume
    check_extent(volume)
    notes = [*image.notes, *volume.notes]
    if len(labelled) > 1:
        notes.append(f"Of {len(labelled)} planes that hold labels the middle one was taken.")
    if not (volume.labels == 3).any():
        notes.append("No RV is labelled in this view, so it was taken to show none.")
    short = os.path.basename(image.name)
    notes = [f"{short}: {sentence}" for sentence in notes]
    return replace(reading, volume=replace(volume, notes=tuple(notes)))


def _reading(
    frame: StoredFrame,
    counts: dict[int, int],
    convention: Convention | None,
    axis: int,
    plane: int | None = None,
) -> Reading:
    """A frame's values as labels in space, those of one plane or of all."""
    image, axes = frame.image, slices_first(axis)
    affine = in_space(image, axes, frame.name, plane)
    stored = np.ascontiguousarray(frame.values.transpose(axes))
    if plane is not None:
        stored = stored[plane : plane + 1]
    anatomy = anatomy_of(cropped(stored, frame.name), affine, whole=plane is None)
    found = _meaning(frame, anatomy, convention)
    notes = (*frame.notes, *_on_labels(frame, anatomy, convention, found))
    volume = _without_islands(LabelVolume(found.labels(stored), affine, frame.name, notes))
    return Reading(volume, found, counts, image.shape, axis, frame.index, image.frames, image.units)


def _meaning(frame: StoredFrame, anatomy: Anatomy, given: Convention | None) -> Convention:
    """What stored values were taken for."""
    if frame.masks:
        guess = anatomy.guess()
        if not guess or (anatomy.whole and not guess.RV):
            raise InvalidVolume(
                f"{frame.name}: each of {frame.image.frames} frames holds one value alone, so they "
                "are masks of tissues or times of one mask, but do not lie like LV, MYO and RV; "
                f"merge the masks of all tissues into one map ({MEANING})."
            )
        return guess
    convention = given or recognise(anatomy, frame.name)
    needed = convention if anatomy.whole else replace(convention, RV=())
    if lacking := needed.lacks([*anatomy.voxels]):
        raise InvalidVolume(
            f"{frame.name}: no voxel is labelled {' or '.join(lacking)}, but values are "
            f"{', '.join(map(str, anatomy.voxels))}; say what they mean.",
            "labels",
        )
    return convention


def _on_labels(
    frame: StoredFrame, anatomy: Anatomy, given: Convention | None, taken: Convention
) -> Iterator[str]:
    """What is to be said of how values were taken."""
    if frame.masks:
        sources = ", ".join(
            f"{tissue} from {listed([v - 1 for v in values])}"
            for tissue, values in taken.tissues.items()
            if values
        )
        yield f"Frames are no times but masks of tissues: {sources} (counted from 0)."
    elif replace(taken, RV=taken.RV or OURS.RV, source=OURS.source) != OURS:
        yield f"Labels were taken for {taken} ({taken.source})."
    if others := [value for value in anatomy.voxels if value not in taken.values]:
        yield f"Other labels ({first_five(others)}) were taken for background."
    if given and not frame.masks:
        for misfit in anatomy.misfits(given):
            yield f"The mapping is taken as it was given, though {misfit}."


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
