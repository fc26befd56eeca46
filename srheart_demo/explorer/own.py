"""A scan of one's own: read, put into the model's frame, corrected by hand, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import shift

from srheart_demo.explorer.subjects import Scannable, ScanSettings
from srheart_demo.files import harmless_name
from srheart_demo.scan.degradation import HR_GRID
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.long_axis import standard_view
from srheart_demo.scan.nifti import Upload, load
from srheart_demo.scan.placement import AUTOMATIC, ByHand, plane_geometry, stack_geometry
from srheart_demo.scan.read import HowToRead, read_scan
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.baselines import nearest_neighbour
from srheart_demo.solver.problem import Generator

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report


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


class OwnScan(Scannable):
    """A segmented stack of the user's own: nobody knows the true heart.

    Attributes:
        file: what it was read from.
        frames, view_frames: those that hold labels, of the stack and of the view.
        read: the scan as it was read.
    """

    def __init__(self, file: OwnFile) -> None:
        """Read it.

        Raises:
            InvalidVolume: a file that is no segmented short-axis stack, or no long-axis view.
        """
        self.name, self.file = harmless_name(file.name), file
        image = load(Upload(self.name, file.stack))
        self.frames = image.labelled() or [0]
        views, view_frame = [], file.view_frame
        self.view_frames: list[int] = []
        if file.view is not None:
            view = load(Upload(harmless_name(file.view_name), file.view))
            views, self.view_frames = [view], view.labelled() or [0]
            if view_frame is None and view.frames != image.frames:
                view_frame = self.view_frames[0]
        frame = self.frames[0] if file.frame is None else file.frame
        how = HowToRead(file.convention, frame=frame, view_frame=view_frame, by_hand=file.by_hand)
        self.read = read_scan(image, *views, how=how)
        placement = self.read.placement
        ordered = placement.apex_first(self.read.stack)
        self.there = self.read.placement.from_apex(self.read.looked_at)
        self.labels = ordered.labels[self.there]
        self.views = len(self.read.views)
        if self.read.views:
            self.plane = plane_geometry(self.read.views[0], placement)
        else:
            stack = stack_geometry(ordered, placement).slices(self.there)
            self.plane = standard_view(nearest_neighbour(self.labels, stack, HR_GRID))
        self._report: Report | None = None

    def report(self, G: Generator) -> Report:
        """What there is to say of the files, after a quick solve; computed once."""
        from srheart_demo.enhancement.check import report_on  # 20 MB that few need

        if self._report is None:
            self._report = report_on(self.read, G)
        return self._report

    def take(self, settings: ScanSettings) -> tuple[Scan, None, None]:
        """The stack as it is, but for slices dragged or left out: nothing is simulated."""
        stack, K = self.read.stack, len(self.labels)
        moved = zip(self.labels, settings.shift(K)[0].numpy() / stack.spacing[1:], strict=True)
        taken = np.zeros(len(stack.labels), bool)
        taken[self.there] = settings.taken(K)
        labels = np.zeros_like(stack.labels)
        labels[self.there] = [shift(at, by, order=0) if by.any() else at for at, by in moved]
        labels[~taken] = 0
        if self.read.placement.flipped:
            labels, taken = labels[::-1].copy(), taken[::-1].copy()
        views = self.read.views[: settings.long_axis]
        stack = replace(stack, labels=labels)
        return replace(self.read, stack=stack, views=views, looked_at=taken), None, None

    def filed(self, scan: Scan) -> Scan:
        """A scan of it, with all that is to be said of it: as it was read, but for the slices."""
        return Scan.of(scan.stack, *scan.views, by_hand=scan.by_hand, placement=scan.placement)
