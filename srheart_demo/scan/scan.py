"""A scan as people bring it: a stack, long-axis views if there are any, and where all lie."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import TISSUES
from srheart_demo.heart.distances import tissue_box
from srheart_demo.scan.crossing import agreement, where_they_cross
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.placement import AUTOMATIC, ByHand, Placement, check_long_axis, place
from srheart_demo.scan.space import check_stack, misfits
from srheart_demo.scan.volume import LabelVolume, holding, remark

Unlabelled = Literal["auto", "empty", "unknown"]
"""What slices without labels beyond the labelled ones mean: the heart ends there (empty), nobody
looked (unknown), or whichever the labelled ones tell (auto)."""

WHOLE_APEX, APART = 0.4, 15.0
"""An end slice with more than this share of the largest slice's tissue is no apex, if slices lie no
more than so many mm apart. In 50 real stacks it had at most 0.38, in 600 synthetic ones 0.34."""
LEAST_LENGTH, SHORT = 0.9, 1.2
"""A labelled LV that is shorter than the first number of its widths is cut off; in the same stacks
it was 0.93 or more. One in twenty is shorter than the second, which is worth a note."""
RV_ENDS, LARGE_RV, SEEN_RV = 15.0, 0.4, 0.1
"""An RV whose end, with more than the second, a share of its largest slice, is farther than the
first, mm, from the LV's is worth a note: at the base of 2 of 50 real stacks and at no apex, where
that share is at most 0.22. Between slices with more than the third, no real one lacks an RV."""
TOUCHES, CUT = 0.12, 0.3
"""Share of the tissue's width that lies at one edge of the picture: where there is more than the
first, the heart goes on beyond it; more than the second is a doubt. Of 12 synthetic stacks that
were cropped to their labels at most 0.08 lay there, and where 20 mm were cut off 0.24 to 0.57."""

LEANS, STRAIGHTER = 10.0, 4.0
"""An LV that leans by more degrees than the first, and by so many fewer without the shift of slices
that the affine states, was hardly scanned with that. It leans by 5° in the median of 57 real stacks
as they were read, and in 52 by less than 10°."""


@dataclass(frozen=True, eq=False)
class Reading:
    """A label map, and what its file held."""

    volume: LabelVolume  # the frame that was chosen
    convention: Convention  # what its values were taken for
    counts: Mapping[int, int]  # value → voxels
    stored_shape: tuple[int, int, int]  # voxels along the stored axes
    slice_axis: int  # which of them runs across the slices
    frame: int  # index of the frame
    frames: int  # how many there are; of masks, which are one map, one
    units: str  # of length, as the header has them


@dataclass(frozen=True, eq=False)
class Scan:
    """A short-axis stack and perhaps long-axis views, placed in the model's frame.

    >>> scan = sr.Scan.of(sr.load_sample("healthy_1").stacks["normal"])
    >>> scan.stack.shape, scan.placement.flipped
    ((13, 128, 128), False)

    Attributes:
        stack: the labels of the stack, in the file's order of slices.
        views: those of each view, D = 1.
        placement: where the model's frame lies.
        by_hand: what was corrected in it.
        looked_at: (D,) the slices of the stack that somebody looked at; of the others nothing is
            known.
        crossing: of each view, tissue → Dice with the stack where they cross.
        doubts: what speaks against any answer to the scan, in plain sentences.
        notes: what a user should know, the doubts included.
        reading, view_readings: what the files held, if there were any.
    """

    stack: LabelVolume
    views: tuple[LabelVolume, ...]
    placement: Placement
    by_hand: ByHand
    looked_at: NDArray[np.bool_]
    crossing: tuple[Mapping[str, float], ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    reading: Reading | None = None
    view_readings: tuple[Reading, ...] = ()

    @classmethod
    def of(
        cls,
        stack: LabelVolume,
        *views: LabelVolume,
        by_hand: ByHand = AUTOMATIC,
        unlabelled: Unlabelled = "auto",
        placement: Placement | None = None,
    ) -> "Scan":
        """Place a stack by its own labels (or as `placement` says), and look at its views.

        `InvalidVolume` says that the stack is no heart's by its size, that the labels do not tell
        how the heart lies, or that a view is of another scan. What else is unlike a heart, such as
        labels in another order, or slices along another axis, is a doubt.
        """
        if unlabelled not in get_args(Unlabelled):
            raise ValueError(f"unlabelled is one of {get_args(Unlabelled)}, not {unlabelled!r}")
        how: dict[str, Any] = {"by_hand": by_hand, "unlabelled": unlabelled, "placement": placement}
        if stack.labels.any():  # or placing says so
            check_stack(stack)
        scan = cls.placed_by(stack, *views, **how)
        unlike = tuple(remark("unlike a heart", misfit=misfit) for misfit in misfits(stack))
        return replace(scan, doubts=(*scan.doubts, *unlike), notes=(*scan.notes, *unlike))

    @classmethod
    def placed_by(
        cls,
        stack: LabelVolume,
        *views: LabelVolume,
        by_hand: ByHand,
        unlabelled: Unlabelled = "auto",
        placement: Placement | None = None,
    ) -> "Scan":
        """`of` volumes whose size and labels are known to be a heart's."""
        placement = placement or place(stack, by_hand)
        ordered = placement.apex_first(stack)
        looked_at, partly = _looked_at(ordered, unlabelled)
        (edge, cut), (undrawn, apart) = _at_the_edge(stack), _without_rv(ordered)
        doubts = (*cut, *(shift := _false_shift(stack)), *apart)
        notes = (*stack.notes, *placement.notes, *shift, *partly, *_copies(stack), *edge)
        notes = (*notes, *undrawn, *apart)
        crossing: list[Mapping[str, float]] = []
        for i, view in enumerate(views):
            check_long_axis(view, stack, placement)
            crossing.append(where_they_cross(stack, view))
            agree, doubt = agreement(crossing[-1], view.name if len(views) > 1 else "")
            given = [(other.labels.tobytes(), other.affine.tobytes()) for other in views[: i + 1]]
            twice = given[-1] in given[:-1]
            said = f"{os.path.basename(view.name)}: " + remark("given before")
            notes = (*notes, *view.notes, agree, *holding((twice, said)))
            doubts = (*doubts, *doubt)
        looked_at = placement.from_apex(looked_at)
        return cls(stack, views, placement, by_hand, looked_at, tuple(crossing), doubts, notes)

    @property
    def lacking(self) -> list[list[str]]:
        """Of each view, the tissues that nobody outlined in it: its background may be one."""
        return [[TISSUES[label] for label in view.lacks] for view in self.views]

    @property
    def frame(self) -> int:
        """Which frame of its file the stack is."""
        return self.reading.frame if self.reading else 0

    def placed(self, by_hand: ByHand) -> "Scan":
        """The same scan, placed otherwise."""
        return replace(self, placement=place(self.stack, by_hand), by_hand=by_hand)


def _looked_at(stack: LabelVolume, unlabelled: Unlabelled) -> tuple[np.ndarray, tuple[str, ...]]:
    """Which slices of a stack, apex first, somebody looked at, and what is to be said of that."""
    slices = np.flatnonzero(stack.labelled)
    first, last, step = int(slices[0]), int(slices[-1]), int(np.median(np.diff(slices)))
    at = np.arange(len(stack.labelled))
    beyond = (at < first) | (at > last)
    if unlabelled == "empty" or not beyond.any():
        none = [end for end, k in (("apex", 0), ("base", -1)) if stack.labelled[k]]
        said = remark("none beyond", end=" and ".join(none))
        return ~stack.gaps, holding((unlabelled == "empty" and none, said))
    if unlabelled == "unknown":
        return stack.labelled, (remark("unknown beyond"),)
    if why := _cut_off(stack, first, last, step):
        return stack.labelled, (remark("cut off", why=why),)
    # Who labels every third slice has not looked at the two beyond the last.
    next_ = ((at < first) & (at > first - step)) | ((at > last) & (at < last + step))
    notes = holding(
        (step > 1, remark("one slice of", step=step, beyond=step - 1)),
        (np.divide(*_lv_length_and_width(stack, step)) < SHORT, remark("short")),
    )
    return ~(stack.gaps | next_), notes


def _cut_off(stack: LabelVolume, first: int, last: int, step: int) -> str:
    """Why the labelled slices cannot be all of the heart; empty if they can."""
    tissue = (stack.labels > 0).sum(axis=(1, 2))
    share = tissue[first] / tissue.max()
    if first > 0 and step * stack.spacing[0] <= APART and share > WHOLE_APEX:
        return remark("ends at the apex", share=share)
    length, width = _lv_length_and_width(stack, step)
    if length < LEAST_LENGTH * width:
        return remark("no LV", length=length, width=width)
    return ""


def _copies(stack: LabelVolume) -> tuple[str, ...]:
    """What is to be said where slices show the same as the slice before."""
    same = (stack.labels[1:] == stack.labels[:-1]).all(axis=(1, 2)) & stack.labelled[1:]
    return holding((n := same.sum(), remark("copies", n=n, first=same.argmax() + 1)))


def _without_rv(stack: LabelVolume) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is to be said of an RV that ends early (apex first), and, a doubt, that has gaps."""
    RV, rest = (np.isin(stack.labels, of).sum(axis=(1, 2)) for of in ((3,), (1, 2)))
    tall, large = rest > 0.3 * rest.max(), LARGE_RV * RV.max()
    first, last = np.flatnonzero(RV)[[0, -1]]
    ends = (("base", RV[last], tall[last + 1 :]), ("apex", RV[first], tall[:first]))
    off = {end: beyond.sum() * stack.spacing[0] for end, n, beyond in ends if n >= large}
    around = np.minimum(*(np.maximum.accumulate(RV[::way])[::way] for way in (1, -1)))
    n = np.count_nonzero((RV == 0) & (rest > 0) & (around > SEEN_RV * RV.max()))
    early = ((mm > RV_ENDS, remark("RV ends", off=mm, end=end)) for end, mm in off.items())
    return holding(*early), holding((n, remark("RV apart", n=n)))


def uncropped(volume: LabelVolume) -> LabelVolume:
    """A label map with 10 mm of background between its tissue and each edge that does not cut it:
    who crops a picture to its labels has looked at what lay around them."""
    pixels = np.rint(10.0 / np.array(volume.spacing[1:])).astype(int)
    sizes = zip(tissue_box(volume.labels)[1:], volume.shape[1:], strict=True)
    free = np.array([(held.start, n - held.stop) for held, n in sizes])
    wider = (pixels[:, None] - free).clip(0) * (_at_edges(volume) <= TOUCHES)
    affine = volume.affine.copy()
    affine[:3, 3] -= affine[:3, 1:3] @ wider[:, 0]
    return replace(volume, labels=np.pad(volume.labels, ((0, 0), *wider)), affine=affine)


def _at_edges(volume: LabelVolume) -> NDArray[np.float64]:
    """(2, 2) share of the tissue's width at the first and last row, and column."""
    tissue = volume.labels > 0
    at = [tissue.take((0, -1), axis).sum(axis=(0, 3 - axis)) for axis in (1, 2)]
    return np.array([n / tissue.any(axis).sum() for axis, n in enumerate(at, start=1)])


def _at_the_edge(stack: LabelVolume) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is to be said where the picture ends amid the heart, and whether it is a doubt."""
    share = _at_edges(stack).max()
    notes = holding((share > TOUCHES, remark("at the edge", share=share)))
    return notes, notes if share > CUT else ()


def _false_shift(stack: LabelVolume) -> tuple[str, ...]:
    """What is to be said where the LV would be straighter if the affine shifted no slice."""
    mm = np.array(stack.spacing[1:])
    shift = stack.affine[:3, 0] @ (stack.affine[:3, 1:3] / mm)  # (2,) of each against the last, mm
    LV = np.isin(stack.labels, (1, 2))
    slices = np.flatnonzero(LV.any(axis=(1, 2)))
    if len(slices) < 2:
        return ()
    centres = [np.argwhere(LV[k]).mean(axis=0) * mm for k in slices]
    drift = np.polyfit(slices, centres, 1, w=np.sqrt(LV[slices].sum(axis=(1, 2))))[0]
    across = np.linalg.norm([drift + shift, drift], axis=1)
    leans, without = np.degrees(np.arctan(across / stack.spacing[0]))
    false = leans > LEANS and leans > without + STRAIGHTER
    said = remark("false shift", shift=np.linalg.norm(shift), leans=leans, without=without)
    return holding((false, said))


def _lv_length_and_width(stack: LabelVolume, step: int) -> tuple[float, float]:
    """Of the labelled LV, mm: as long as it can be with one slice of `step` labelled, and as wide
    as if it were round."""
    pixels = (stack.labels == 1).sum(axis=(1, 2))
    held = np.flatnonzero(pixels)
    width = 2 * np.sqrt(pixels.max() * stack.spacing[1] * stack.spacing[2] / np.pi)
    return (np.ptp(held) + 2 * step - 1) * stack.spacing[0], float(width)
