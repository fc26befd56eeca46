"""From files to a `Scan`: which numbers, axes and labels are meant, and whether they are a heart's.

What was taken for granted on the way stands in the notes, in plain sentences. A file that cannot
be used raises `InvalidVolume`, which says why.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import TISSUES
from srheart_demo.heart.distances import tissue_box
from srheart_demo.scan import space
from srheart_demo.scan.crossing import turned_over
from srheart_demo.scan.frames import StoredFrame, chosen_frame, frames_with_labels, listed
from srheart_demo.scan.labels import USUAL_ORDER, Anatomy, Convention, first_five, recognise
from srheart_demo.scan.nifti import NiftiLabels, Source, load, times
from srheart_demo.scan.placement import AUTOMATIC, ByHand, Placement, place
from srheart_demo.scan.scan import Reading, Scan, Unlabelled, uncropped
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, holding, or_refusal, remark


@dataclass(frozen=True)
class HowToRead:
    """What a user says of files, where they do not say it themselves or say it wrong.

    >>> from srheart_demo.scan.samples import FOLDER
    >>> file = FOLDER / "healthy_1" / "S_LR_normal.nii.gz"
    >>> sr.read_scan(file, how=sr.HowToRead(frame=0)).frame
    0

    Attributes:
        convention, view_convention: what the values of the stack and of the views mean; each is
            recognised by default, see `labels.recognise`.
        frame: which of a stack with several, from 0; by default the only one with labels.
        view_frame: which of the views, one for all or one for each; by default that of the stack,
            if both have as many. Of a whole cycle: which frame of the stack views of a single frame
            show.
        view_lacks: a view's file name, or a pattern of some, and a tissue that nobody outlined in
            it; what the view shows of that tissue is not taken. One without a voxel of a tissue is
            known to lack it.
        slice_axis: which stored axis of the stack runs across its slices; found by default.
        by_hand: corrections of the placement.
        unlabelled: what slices without labels beyond the labelled ones mean.
        sure: the spacing is right, although no heart is so long or so short.
    """

    convention: Convention | None = None
    view_convention: Convention | None = None
    frame: int | None = None
    view_frame: int | Sequence[int | None] | None = None
    view_lacks: tuple[tuple[str, str], ...] = ()
    slice_axis: int | None = None
    by_hand: ByHand = AUTOMATIC
    unlabelled: Unlabelled = "auto"
    sure: bool = False

    def __post_init__(self) -> None:
        named: dict[str, tuple[set[str], Sequence[str]]] = {
            "tissue": ({tissue for _, tissue in self.view_lacks}, TISSUES[1:]),
            "meaning of slices without labels": ({self.unlabelled}, get_args(Unlabelled)),
        }
        for what, (said, known) in named.items():
            if unknown := said - {*known}:
                raise ValueError(f"unknown {what} {min(unknown)!r}; known: {', '.join(known)}")

    def frame_of(self, view: int) -> int | None:
        """`view_frame` of one of the views."""
        frame = self.view_frame
        if isinstance(frame, Sequence) and view >= len(frame):
            raise ValueError(f"view_frame tells of {len(frame)} views, but there are more")
        return frame[view] if isinstance(frame, Sequence) else frame

    def lacking(self, view: str) -> tuple[str, ...]:
        """Tissues of `view_lacks` of the view of that name."""
        return tuple(tissue for named, tissue in self.view_lacks if is_called(view, named))


def is_called(view: str, pattern: str) -> bool:
    """Whether a file has a name, or a pattern of some, with its ending or without."""
    name, pattern = (os.path.basename(text).lower() for text in (view, pattern))
    return any(fnmatchcase(name, pattern + ending) for ending in ("", ".nii", ".nii.gz"))


AS_FOUND = HowToRead()
VIEW_SLICES = (1, 3)  # How many slices with labels the file of a view may have


def read_scan(stack: Source, *views: Source, how: HowToRead = AS_FOUND) -> Scan:
    """Read a scan from the NIfTI files of its labels: a stack, and any number of long-axis views.

    >>> from srheart_demo.scan.samples import FOLDER
    >>> home = FOLDER / "healthy_1"
    >>> scan = sr.read_scan(home / "S_LR_normal.nii.gz", home / "S_LA.nii.gz")
    >>> scan.stack.shape, len(scan.views)
    ((13, 128, 128), 1)
    """
    reading, seen = survey(stack, how), []
    notes: tuple[str, ...] = ()
    for v, view in enumerate(views):
        image, frame = load(view), how.frame_of(v)
        if frame is None and image.frames == reading.frames > 1:
            frame = reading.frame
        seen.append(_view_of(image, how, frame))
        if image.frames == 1 < reading.frames:
            short = os.path.basename(image.name)
            notes = (*notes, remark("one frame of a view", view=short, frame=reading.frame))
    return _scan(reading, seen, how, notes)


def read_cycle(
    stack: Source, *views: Source, how: HowToRead = AS_FOUND
) -> list[Scan | InvalidVolume]:
    """Every labelled frame of a beating heart, all placed as the one with most tissue.

    A frame that cannot be used is an error in the list, and keeps no other from being read. Views
    with as many frames go frame by frame. Arguments are those of `read_scan`.
    """
    image = load(stack)
    found = list(read_frames(image, how))
    readings = [reading for reading in found if isinstance(reading, Reading)]
    if not readings:
        raise next(error for error in found if isinstance(error, InvalidVolume))
    fullest = max(readings, key=lambda reading: (reading.volume.labels > 0).sum())
    placement = place(fullest.volume, how.by_hand)
    given = enumerate(map(load, views))
    of_frames = [_frames_of(view, readings, how, how.frame_of(v)) for v, view in given]
    scans: list[Scan | InvalidVolume] = []
    for reading in found:
        if isinstance(reading, InvalidVolume):
            scans.append(reading)
            continue
        seen = [of_frame[reading.frame] for of_frame in of_frames if reading.frame in of_frame]
        good = [view for view in seen if isinstance(view, Reading)]
        bad = [remark("view left out", why=why) for why in seen if isinstance(why, InvalidVolume)]
        scan = or_refusal(_scan, reading, good, how, bad, placement)
        if isinstance(scan, InvalidVolume):
            scan.args = (f"frame {reading.frame}: {scan}",)
        scans.append(scan)
    return scans


def survey(source: Source, how: HowToRead = AS_FOUND) -> Reading:
    """Read a short-axis stack (NIfTI), and keep what was found on the way.

    The slice axis is put first: the axis of clearly largest spacing, or the one across which the LV
    is closed in by its wall. A file stored (X, Y, Z) becomes (Z, Y, X): rows run along Y.
    """
    return _stack(chosen_frame(_several_slices(source), how.frame), how)


def read_short_axis(source: Source, how: HowToRead = AS_FOUND) -> LabelVolume:
    """The label map of a short-axis stack; see `survey`."""
    return survey(source, how).volume


def labels_like(source: Source, other: Reading) -> NDArray[np.uint8]:
    """The labels (D, H, W) of a file with the voxels and values of another, taken as they are.

    Such as a segmentation of it that need be no whole heart.
    """
    image, axes = load(source), space.slices_first(other.slice_axis)
    stored = chosen_frame(image, None).values.transpose(axes)
    there = space.in_space(image, axes, image.name)
    if stored.shape != other.volume.shape or not np.allclose(there, other.volume.affine, atol=0.01):
        raise InvalidVolume.of(image.name, "other voxels", other=other.volume.name)
    return other.convention.labels(stored)


def read_frames(source: Source, how: HowToRead = AS_FOUND) -> Iterator[Reading | InvalidVolume]:
    """The frames of a short-axis stack that hold labels, as `survey` reads them, in their order.

    A frame that cannot be such a stack comes as what is wrong with it, and the others go on.
    """
    for frame in frames_with_labels(_several_slices(source)):
        yield frame if isinstance(frame, InvalidVolume) else or_refusal(_stack, frame, how)


def survey_view(
    source: Source,
    convention: Convention | None = None,
    frame: int | None = None,
    lacks: Sequence[str] = (),
) -> Reading:
    """Read one long-axis plane (NIfTI, 2-D or one of few planes); D = 1 in the result.

    Where the plane lies is told by its rows, columns and origin; how thick it is does not matter.
    Its labels are recognised by themselves, whatever those of the stack are. Tissues that it
    `lacks`, nobody outlined: voxels with their labels are not taken.
    """
    chosen = chosen_frame(load(source), frame)
    shape, name = chosen.image.shape, chosen.name
    if sorted(shape)[1] == 1:
        raise InvalidVolume.of(name, "no plane", shape=times(shape))
    counts, axis = chosen.counts(), shape.index(min(shape))
    others = tuple({0, 1, 2} - {axis})
    planes = np.flatnonzero(chosen.values.any(axis=others)).tolist()
    if len(planes) not in VIEW_SLICES:
        raise InvalidVolume.of(name, "several planes", n=len(planes))
    reading = _reading(chosen, counts, convention, axis, plane=planes[len(planes) // 2])
    volume = reading.volume
    space.check_extent(volume)
    told = {tissue: TISSUES.index(tissue) for tissue in lacks}
    ignored = np.isin(volume.labels, [*told.values()])
    labels = np.where(ignored, np.uint8(0), volume.labels)
    if not labels.any():
        raise InvalidVolume.of(name, "nothing outlined")
    found = holding(
        (len(planes) > 1, remark("middle plane", n=len(planes))),
        (not (volume.labels == 3).any(), remark("view without RV")),
        *(
            (n := np.count_nonzero(volume.labels == label), remark("view lacks", tissue=t, n=n))
            for t, label in told.items()
        ),
    )
    short = os.path.basename(chosen.image.name)
    notes = tuple(f"{short}: {sentence}" for sentence in (*volume.notes, *found))
    return replace(reading, volume=replace(volume, labels=labels, notes=notes))


def read_long_axis(source: Source) -> LabelVolume:
    """The label map of a long-axis view; see `survey_view`."""
    return survey_view(source).volume


def _scan(
    reading: Reading,
    seen: Sequence[Reading],
    how: HowToRead,
    notes: Sequence[str],
    placement: Placement | None = None,
) -> Scan:
    scan = Scan.placed_by(
        uncropped(reading.volume),
        *(uncropped(view.volume) for view in seen),
        by_hand=how.by_hand,
        unlabelled=how.unlabelled,
        placement=placement,
    )
    turned = [said for view in scan.views for said in turned_over(scan.stack, view)]
    return replace(
        scan,
        reading=reading,
        view_readings=tuple(seen),
        notes=(*scan.notes, *turned, *notes),
        doubts=(*scan.doubts, *turned),
    )


def _view_of(image: NiftiLabels, how: HowToRead, frame: int | None) -> Reading:
    try:
        return survey_view(image, how.view_convention, frame, how.lacking(image.name))
    except InvalidVolume as error:
        # The same choice, but of the other file.
        error.remedy = f"view_{error.remedy}" if error.remedy else ""
        raise


def _frames_of(
    view: NiftiLabels, readings: list[Reading], how: HowToRead, frame: int | None
) -> dict[int, Reading | InvalidVolume]:
    """Frame of the stack → this view of it, or why there is none."""
    frames = readings[0].frames
    if view.frames == 1:
        if frame is None and frames > 1:
            raise InvalidVolume.of(view.name, "which frame the view shows", frames=frames)
        usable = [reading.frame for reading in readings]
        if (frame or 0) not in usable:
            facts = {"frame": frame, "usable": listed(usable)}
            raise InvalidVolume.of(view.name, "view of no frame", **facts)
        return {frame or 0: _view_of(view, how, None)}
    if view.frames != frames:
        raise InvalidVolume.of(view.name, "other cycle", frames=view.frames, stack=frames)
    return {r.frame: or_refusal(_view_of, view, how, r.frame) for r in readings}


def _several_slices(source: Source) -> NiftiLabels:
    image = load(source)
    if 1 in image.shape:
        each = f"each of {image.frames} frames" if image.frames > 1 else "this"
        raise InvalidVolume.of(image.name, "single slice", each=each)
    return image


def _stack(frame: StoredFrame, how: HowToRead) -> Reading:
    """A frame as a short-axis stack."""
    counts, box = frame.counts(), space.cropped(frame.values, frame.name)
    axis, guessed = how.slice_axis, ""
    if axis is None:
        axis, guessed = space.find_slice_axis(frame.image, box)
    if axis not in range(3):
        raise InvalidVolume.of(frame.name, "no such axis", axis=axis)
    reading = _reading(frame, counts, how.convention, axis, guessed)
    space.check_stack(reading.volume, how.sure)
    return reading


def _reading(
    frame: StoredFrame,
    counts: dict[int, int],
    convention: Convention | None,
    axis: int,
    guessed: str = "",
    plane: int | None = None,
) -> Reading:
    """A frame's values as labels in space, those of one plane or of all."""
    image, axes, name = frame.image, space.slices_first(axis), frame.name
    affine = space.in_space(image, axes, name, plane)
    stored = np.ascontiguousarray(frame.values.transpose(axes))
    if plane is not None:
        stored = stored[plane : plane + 1]
    whole = space.filled(space.cropped(stored, name))
    anatomy = Anatomy(whole, affine, whole=plane is None)
    convention = convention or image.convention
    found = _meaning(frame, anatomy, convention)
    labels = found.labels(stored)
    notes = [*image.notes, guessed, frame.note, *_on_labels(frame, anatomy, convention, found)]
    muscle = (found.labels(whole) == 1) & (stored[box := tissue_box(stored)] == 0)
    labels[box][muscle] = 1
    notes += holding((n := muscle.sum(), remark("papillary", n=n)))
    volume = LabelVolume(labels, affine, name)
    stray = (labels > 0) & ~space.heart_of(labels, volume.spacing)
    if stray.any():
        labels = np.where(stray, np.uint8(0), labels)
        slices = ", ".join(map(str, np.flatnonzero(stray.any(axis=(1, 2)))))
        where = "" if plane is not None else f" (slice {slices} in the file's order, from 0)"
        notes.append(remark("islands", n=stray.sum(), where=where))
    volume = replace(volume, labels=labels, notes=tuple(filter(None, notes)))
    frames = 1 if frame.masks else image.frames
    return Reading(volume, found, counts, image.shape, axis, frame.index, frames, image.units)


def _meaning(frame: StoredFrame, anatomy: Anatomy, given: Convention | None) -> Convention:
    """What stored values were taken for."""
    if frame.masks:
        guess = anatomy.guess()
        if not guess or (anatomy.whole and not guess.RV):
            raise InvalidVolume.of(frame.name, "masks", frames=frame.image.frames)
        return guess
    convention = given or recognise(anatomy, frame.name)
    needed = convention if anatomy.whole else replace(convention, RV=())
    if lacking := " or ".join(needed.lacks([*anatomy.voxels])):
        values = ", ".join(map(str, anatomy.voxels))
        raise InvalidVolume.of(frame.name, "lacking", lacking=lacking, values=values)
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
        yield remark("masks", sources=sources)
    elif replace(taken, RV=taken.RV or USUAL_ORDER.RV, source=USUAL_ORDER.source) != USUAL_ORDER:
        yield remark("taken for", convention=taken, source=taken.source)
    if others := [value for value in anatomy.voxels if value not in taken.values]:
        yield remark("background", others=first_five(others))
    if given and not frame.masks:
        for misfit in anatomy.misfits(given):
            yield remark("given", misfit=misfit)
