"""Which numbers of a file are meant: one frame's, or masks of tissues merged into one map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srheart_demo.scan.labels import MEANING
from srheart_demo.scan.nifti import NiftiLabels
from srheart_demo.scan.volume import InvalidVolume, NothingLabelled, NotLabels, SeveralFrames

MOST_MASKS = 8
"""A fourth axis no longer than this may hold a mask for each tissue."""
MOST_VALUES = 100


@dataclass(frozen=True, eq=False)
class StoredFrame:
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

    def counts(self) -> dict[int, int]:
        """Value → voxels.

        Raises:
            InvalidVolume: it is an image, or nothing is labelled.
        """
        values, voxels = np.unique(self.values, return_counts=True)
        if len(values) > MOST_VALUES:
            raise NotLabels(
                f"{self.name}: it holds {len(values)} different values, so this is an image; give "
                f"a label map ({MEANING})."
            )
        if values.any():
            return dict(zip(values.tolist(), voxels.tolist(), strict=True))
        elsewhere = self.image.labelled() if self.image.frames > 1 else []
        instead = f"labels are in {listed(elsewhere)}" if elsewhere else f"give one ({MEANING})"
        raise NothingLabelled(
            f"{self.name}: all voxels are 0, so nothing is labelled; {instead}.",
            "frame" if elsewhere else "",
        )


def chosen_frame(image: NiftiLabels, wanted: int | None) -> StoredFrame:
    """The frame that is wanted, or the only one that holds labels.

    Raises:
        InvalidVolume: there is no such frame, or several hold labels.
    """
    if wanted is not None and not 0 <= wanted < image.frames:
        raise InvalidVolume(
            f"{image.name}: there is no frame {wanted}; it has frames 0 to {image.frames - 1}.",
            "frame",
        )
    if wanted is not None or image.frames == 1:
        return StoredFrame(image, wanted or 0, image.frame(wanted or 0))
    if masks := merged_masks(image):
        return masks
    labelled = image.labelled() or [0]
    found = StoredFrame(image, labelled[0], image.frame(labelled[0]))
    if len(labelled) == 1:
        alone = f"Of {image.frames} frames only frame {found.index} (counted from 0) holds labels."
        return replace(found, notes=(alone,))
    found.counts()  # An image of several frames is an image first of all.
    raise SeveralFrames(
        f"{image.name}: this is 4-D, with labels in {len(labelled)} of {image.frames} frames "
        f"({listed(labelled)}, counted from 0); choose one, or give a file of one frame.",
        tuple(labelled),
    )


def frames_with_labels(image: NiftiLabels) -> Iterator[StoredFrame | InvalidVolume]:
    """Each frame that holds anything but zeros, or what is wrong with its numbers.

    Raises:
        InvalidVolume: the file is damaged, or no frame holds labels.
    """
    if masks := merged_masks(image):
        yield masks
        return
    empty = True
    for t, stored in image.each():
        if image.frames == 1 or image.holds(stored):
            empty = False
            try:
                yield StoredFrame(image, t, image.whole(t, stored))
            except InvalidVolume as error:
                yield error
    if empty:
        raise NothingLabelled(f"{image.name}: all voxels of all {image.frames} frames are 0.")


def merged_masks(image: NiftiLabels) -> StoredFrame | None:
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
    return StoredFrame(image, 0, merged, masks=True)


def listed(numbers: Sequence[int]) -> str:
    """``0 to 3, 7 and 9``, of numbers that rise."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][-1] + 1:
            runs[-1].append(n)
        else:
            runs.append([n])
    *most, last = (f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
    return f"{', '.join(most)} and {last}" if most else last
