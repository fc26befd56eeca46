"""A scan of one's own: read, put into the model's frame, corrected by hand, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift
from torch import Tensor

from srheart_demo.enhancement.check import Report, report_on
from srheart_demo.explorer.subjects import Acquisition, Labels, Scan, by_hand_shift, kept_slices
from srheart_demo.files import harmless_name
from srheart_demo.heart.surface import Mesh
from srheart_demo.scan.degradation import HR_GRID
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.long_axis import standard_view
from srheart_demo.scan.nifti import Upload, load
from srheart_demo.scan.placement import AUTOMATIC, ByHand, plane_geometry, stack_geometry
from srheart_demo.scan.read import HowToRead, read_scan
from srheart_demo.scan.scan import Scan as PlacedScan
from srheart_demo.solver.baselines import nearest
from srheart_demo.solver.problem import Generator


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
        placed: the scan as it was read.
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
        view, view_frame = None, file.view_frame
        self.view_frames: list[int] = []
        if file.view is not None:
            view = load(Upload(harmless_name(file.view_name), file.view))
            self.view_frames = view.labelled() or [0]
            if view_frame is None and view.frames != image.frames:
                view_frame = self.view_frames[0]
        how = HowToRead(file.convention, frame=frame, view_frame=view_frame, by_hand=file.by_hand)
        self.placed = read_scan(image, view, how)
        placement = self.placed.placement
        self._ordered = ordered = placement.apex_first(self.placed.stack)
        self._seen = seen = self.placed.from_apex(self.placed.looked_at)
        geometry = stack_geometry(ordered, placement)
        self.stack, self.labels = geometry.slices(seen), ordered.labels[seen]
        self.S_LA: Labels | None = None
        if self.placed.view is not None:
            self.plane = plane_geometry(self.placed.view, placement)
            self.S_LA = self.placed.view.labels[0]
        else:
            self.plane = standard_view(nearest.restore(self.labels, self.stack, HR_GRID))
        self._report: Report | None = None

    def report(self, G: Generator) -> Report:
        """What there is to say of the files, after a quick solve; computed once."""
        if self._report is None:
            self._report = report_on(G, self.placed)
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
        return Acquisition(kept, K, self.stack.slices(kept), labels, None)

    def files(self, scan: Scan, acquired: Acquisition) -> PlacedScan:
        """The files as they were read, but for what was done by hand."""
        labels = np.zeros_like(self._ordered.labels)
        taken = np.zeros(len(labels), bool)
        at = np.flatnonzero(self._seen)[acquired.slices]
        labels[at], taken[at] = acquired.S_LR, True
        if self.placed.placement.flipped:
            labels, taken = labels[::-1].copy(), taken[::-1].copy()
        stack = replace(self.placed.stack, labels=labels)
        view = self.placed.view if scan.long_axis else None
        placement, by_hand = self.placed.placement, self.placed.by_hand
        placed = PlacedScan.of(stack, view, by_hand, placement=placement)
        return replace(placed, looked_at=taken)

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
