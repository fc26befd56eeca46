"""A scan of one's own: read, put into the model's frame, corrected by hand, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift
from torch import Tensor

from srheart_demo.baselines import nearest
from srheart_demo.checking import Report, check
from srheart_demo.conventions import Convention
from srheart_demo.degradation import HR_GRID
from srheart_demo.files import harmless_name
from srheart_demo.nifti import load
from srheart_demo.placement import (
    AUTOMATIC,
    ByHand,
    check_long_axis,
    place,
    plane_geometry,
    stack_geometry,
)
from srheart_demo.problem import Generator
from srheart_demo.session.subjects import (
    Acquisition,
    Files,
    Labels,
    Scan,
    by_hand_shift,
    kept_slices,
)
from srheart_demo.surface import Mesh
from srheart_demo.views import standard_view
from srheart_demo.volume import Reading, Upload, survey, survey_view


@dataclass(frozen=True)
class OwnFile:
    """Files as they come from a browser, which may send anything, and how to read them.

    Attributes:
        name: of the stack's file.
        stack: its bytes.
        view: those of a long-axis view's file.
        frame: which, from 0; by default the first that holds labels.
        view_name, view_frame: of the view; by default the stack's frame, where the view has as
            many, or else the first that holds labels.
        convention: what label values mean; recognised by default.
        by_hand: corrections of the placement.
    """

    name: str
    stack: bytes
    view: bytes | None = None
    frame: int | None = None
    view_name: str = "long_axis.nii.gz"
    view_frame: int | None = None
    convention: Convention | None = None
    by_hand: ByHand = AUTOMATIC


class OwnScan:
    """A segmented stack of the user's own: nobody knows the true heart.

    Attributes:
        name: of its file, harmless.
        file: what it was read from.
        frames, view_frames: those that hold labels, of the stack and of the view.
        reading, view_reading: what the files held.
        placement: where the model's frame lies.
    """

    S_HR: Labels | None = None
    field: Tensor | None = None

    def __init__(self, file: OwnFile) -> None:
        """Read it.

        Raises:
            InvalidVolume: a file that is no segmented short-axis stack, or no long-axis view.
        """
        self.name, self.file = harmless_name(file.name), file
        image = load(Upload(self.name, file.stack))
        self.frames = image.labelled() or [0]
        frame = self.frames[0] if file.frame is None else file.frame
        self.reading: Reading = survey(image, file.convention, frame)
        self.view_frames: list[int] = []
        self.view_reading = None if file.view is None else self._read_view(file, image.frames)
        self.view = None if self.view_reading is None else self.view_reading.volume
        volume = self.reading.volume
        self.placement = placement = place(volume, file.by_hand)
        self._ordered = ordered = placement.apex_first(volume)
        geometry, seen = stack_geometry(ordered, placement), ~ordered.gaps
        self.stack, self.labels = replace(geometry, z=geometry.z[seen]), ordered.labels[seen]
        self.S_LA: Labels | None = None
        if self.view is not None:
            check_long_axis(self.view, volume, placement)
            self.plane, self.S_LA = plane_geometry(self.view, placement), self.view.labels[0]
        else:
            self.plane = standard_view(nearest.restore(self.labels, self.stack, HR_GRID))
        self._report: Report | None = None

    def _read_view(self, file: OwnFile, frames: int) -> Reading:
        assert file.view is not None
        image = load(Upload(harmless_name(file.view_name), file.view))
        self.view_frames = image.labelled() or [0]
        frame = file.view_frame
        if frame is None:
            frame = self.reading.frame if image.frames == frames else self.view_frames[0]
        return survey_view(image, file.convention, frame)

    def report(self, G: Generator) -> Report:
        """What there is to say of the files, after a quick solve; computed once."""
        if self._report is None:
            self._report = check(G, self.reading, self.view, self.file.by_hand)
        return self._report

    def acquire(self, scan: Scan) -> Acquisition:
        """The stack as it is, but for slices dragged or left out: nothing is simulated."""
        K = self.stack.K
        pixels = by_hand_shift(scan, K)[0].numpy() / np.array(self.stack.spacing)
        moved = [
            shift(labels, by, order=0) if by.any() else labels
            for labels, by in zip(self.labels, pixels, strict=True)
        ]
        kept = kept_slices(scan, K)
        labels = np.stack(moved)[kept]
        return Acquisition(kept, K, replace(self.stack, z=self.stack.z[kept]), labels, None)

    def files(self, scan: Scan, acquired: Acquisition) -> Files:
        """The files as they were read, but for what was done by hand."""
        at = np.flatnonzero(~self._ordered.gaps)[acquired.slices]
        labels, taken = (
            np.zeros_like(self._ordered.labels),
            np.zeros(len(self._ordered.labels), bool),
        )
        labels[at], taken[at] = acquired.S_LR, True
        if self.placement.flipped:
            labels, taken = labels[::-1], taken[::-1]
        return Files(replace(self.reading.volume, labels=labels), taken, self.view, self.placement)

    @cached_property
    def extent(self) -> NDArray[np.bool_]:
        """(h, w) where any slice shows tissue."""
        return np.asarray((self.labels > 0).any(0))

    @property
    def ghost(self) -> dict[str, Mesh]:
        """Nothing: the truth is not known."""
        return {}

    def distance(self, structure: str) -> None:
        """Nothing: the truth is not known."""
        return
