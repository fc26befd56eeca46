"""Which numbers of a file are meant: one frame's, or masks of tissues merged into one map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from srheart_demo.scan.nifti import NiftiLabels
from srheart_demo.scan.volume import InvalidVolume, or_refusal, remark

MOST_MASKS = 8  # A fourth axis no longer than this may hold a mask for each tissue
MOST_VALUES = 100


@dataclass(frozen=True, eq=False)
class StoredFrame:
    """A file's numbers at one time."""

    image: NiftiLabels  # the file
    index: int  # of the frame
    values: NDArray[np.int32]  # whole numbers in the stored order of axes
    note: str = ""  # what was taken for granted, if anything
    # whether each value is what one frame had for a mask, so that none has a meaning yet
    masks: bool = False

    @property
    def name(self) -> str:
        """For messages."""
        return self.image.name if self.masks else self.image.part(self.index)

    def counts(self) -> dict[int, int]:
        """Value → voxels, unless it is an image or nothing is labelled."""
        values, voxels = np.unique(self.values, return_counts=True)
        if len(values) > MOST_VALUES:
            raise InvalidVolume.of(self.name, "picture", n=len(values))
        if values.any():
            return dict(zip(values.tolist(), voxels.tolist(), strict=True))
        if self.image.frames > 1 and (elsewhere := self.image.labelled()):
            raise InvalidVolume.of(self.name, "empty frame", elsewhere=listed(elsewhere))
        raise InvalidVolume.of(self.name, "empty")


def chosen_frame(image: NiftiLabels, wanted: int | None) -> StoredFrame:
    """The frame that is wanted, or the only one that holds labels."""
    if image.frames == 1 and wanted is None:
        wanted = 0
    if wanted is not None:
        if not 0 <= wanted < image.frames:
            last = image.frames - 1
            raise InvalidVolume.of(image.name, "no such frame", frame=wanted, last=last)
        return StoredFrame(image, wanted, image.frame(wanted))
    if masks := merged_masks(image):
        return masks
    first, *more = labelled = image.labelled() or [0]
    alone = remark("only frame", frames=image.frames, frame=first)
    found = StoredFrame(image, first, image.frame(first), alone)
    if not more:
        return found
    found.counts()  # An image of several frames is an image first of all.
    facts = {"n": len(labelled), "frames": image.frames, "labelled": listed(labelled)}
    raise InvalidVolume.of(image.name, "several frames", **facts)


def frames_with_labels(image: NiftiLabels) -> Iterator[StoredFrame | InvalidVolume]:
    """Each frame that holds anything but zeros, or what is wrong with its numbers."""
    if masks := merged_masks(image):
        yield masks
        return
    empty = True
    for t, stored in image.each():
        if image.frames == 1 or image.holds(stored):
            empty, whole = False, or_refusal(image.whole, t, stored)
            yield StoredFrame(image, t, whole) if isinstance(whole, np.ndarray) else whole
    if empty:
        raise InvalidVolume.of(image.name, "empty frames", frames=image.frames)


def frames_to_choose(image: NiftiLabels) -> list[int]:
    """Those that hold labels; of masks, which are one map, the first stands for all."""
    return [0] if merged_masks(image) else image.labelled() or [0]


def merged_masks(image: NiftiLabels) -> StoredFrame | None:
    """Frames that are no times, but a mask for each tissue, as one map with a value for each.

    Where masks lie over each other the smallest counts, so that the epicardium may be drawn whole;
    a mask of the background is left out. None if some frame holds several values, or all but one
    hold nothing.
    """
    masks: dict[int, NDArray[np.bool_]] = {}
    for t, stored in image.each() if 1 < image.frames <= MOST_MASKS else ():
        values = or_refusal(image.whole, t, stored)
        if isinstance(values, InvalidVolume):
            return None
        mask = values != 0
        if mask.any():
            if np.ptp(values[mask]) > 0:
                return None
            masks[t] = mask
    if len(masks) < 2:
        return None
    largest, *rest = order = sorted(masks, key=lambda t: -int(masks[t].sum()))
    background = (masks[largest] != np.logical_or.reduce([masks[t] for t in rest])).mean() > 0.999
    merged = np.zeros(image.shape, np.int32)
    for t in rest if background else order:
        merged[masks[t]] = t + 1
    return StoredFrame(image, 0, merged, masks=True)


def listed(numbers: Sequence[int]) -> str:
    """``0 to 3, 7 and 9``, of numbers that rise."""
    runs = np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)
    *most, last = (f"{run[0]} to {run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
    return f"{', '.join(most)} and {last}" if most else last
