"""A scan of one's own: read, put into the model's frame, corrected by hand, judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from glob import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift

from srheart_demo.enhancement.names import CHAMBER_VIEW
from srheart_demo.explorer.subjects import Scannable, ScanSettings
from srheart_demo.files import harmless_name
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import HR_GRID
from srheart_demo.scan.frames import frames_to_choose
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.long_axis import standard_view
from srheart_demo.scan.nifti import NiftiLabels, Upload, load
from srheart_demo.scan.placement import AUTOMATIC, ByHand, plane_geometry, stack_geometry
from srheart_demo.scan.read import HowToRead, read_scan
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume, LabelVolume
from srheart_demo.solver.baselines import nearest_neighbour

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report


@dataclass(frozen=True)
class OwnView:
    """A long-axis view's file, and how to read it."""

    name: str  # of the file; a scan has each once
    content: bytes
    # from 0; by default the stack's, where the view has as many, or else the first with labels
    frame: int | None = None
    lacks: tuple[str, ...] = ()  # tissues that nobody outlined in it


@dataclass(frozen=True)
class OwnFile:
    """Files as they come from a browser, which may send anything, and how to read them."""

    name: str  # of the stack's file
    stack: bytes
    views: tuple[OwnView, ...] = ()
    frame: int | None = None  # from 0; by default the first that holds labels
    convention: Convention | None = None  # what label values mean; recognised by default
    by_hand: ByHand = AUTOMATIC  # corrections of the placement


class OwnScan(Scannable):
    """A segmented stack of the user's own: nobody knows the true heart."""

    def __init__(self, file: OwnFile) -> None:
        """Read it; `InvalidVolume` where the stack's file is no segmented short-axis stack."""
        self.name, self.file = harmless_name(file.name), file
        image = load(Upload(self.name, file.stack))
        self.frames = frames_to_choose(image)
        frame = self.frames[0] if file.frame is None and len(self.frames) > 1 else file.frame
        lacks = tuple((escape(view.name), t) for view in file.views for t in view.lacks)
        how = HowToRead(file.convention, frame=frame, view_lacks=lacks, by_hand=file.by_hand)
        self.read = read_scan(image, how=how)
        self.view_frames = dict[str, list[int]]()  # name of a view → those of it
        self.refused = dict[str, str]()  # name of a view that cannot be used → why
        taken, frames = list[NiftiLabels](), list[int | None]()
        for one in file.views:
            try:
                view = load(Upload(harmless_name(one.name), one.content))
                there = self.view_frames[one.name] = frames_to_choose(view)
                first = None if len(there) == 1 or view.frames == image.frames else there[0]
                tried = [*frames, first if one.frame is None else one.frame]
                self.read = read_scan(image, *taken, view, how=replace(how, view_frame=tried))
            except InvalidVolume as error:
                self.refused[one.name] = str(error)
            else:
                taken, frames = [*taken, view], tried
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

    @cached_property
    def report(self) -> Report:
        """What there is to say of the files, after a quick solve."""
        from srheart_demo.enhancement.check import report_on  # 20 MB that few need

        return report_on(self.read, load_generator())

    def view_names(self, scan: Scan) -> tuple[str, ...]:
        """By their chambers, where their files' names tell those and no two are alike."""
        chambers = [CHAMBER_VIEW.search(view.name.lower()) for view in scan.views]
        digits = {"two": "2", "three": "3", "four": "4"}
        short = tuple(f"{digits.get(found[1], found[1])}ch" if found else "" for found in chambers)
        alike = len({*short}) < len(short) or "" in short
        return tuple(f"LA {n}" for n, _ in enumerate(short, 1)) if alike else short

    def take(self, settings: ScanSettings) -> tuple[Scan, None, None]:
        """The files as they are, but for what is dragged or left out: nothing is simulated."""
        stack, K = self.read.stack, len(self.labels)
        shifts = settings.shift(K)[0].numpy()
        taken = np.zeros(len(stack.labels), bool)
        taken[self.there] = settings.taken(K)
        labels = np.zeros_like(stack.labels)
        each = zip(self.labels, shifts, strict=True)
        labels[self.there] = [_dragged(at, by, stack) for at, by in each]
        labels[~taken] = 0
        if self.read.placement.flipped:
            labels, taken = labels[::-1].copy(), taken[::-1].copy()
        seen = self.read.views[: settings.long_axis]
        by_hand = settings.shift(len(seen), "views_by_hand")[0].numpy()
        pairs = zip(seen, by_hand, strict=True)
        views = tuple(replace(v, labels=_dragged(v.labels[0], by, v)[None]) for v, by in pairs)
        stack = replace(stack, labels=labels)
        return replace(self.read, stack=stack, views=views, looked_at=taken), None, None

    def filed(self, scan: Scan) -> Scan:
        """A scan of it, with all that is to be said of it: as it was read, but for the slices."""
        given = (scan.stack, *scan.views)
        return Scan.placed_by(*given, by_hand=scan.by_hand, placement=scan.placement)


def _dragged(
    labels: NDArray[np.uint8], mm: NDArray[np.float32], of: LabelVolume
) -> NDArray[np.uint8]:
    """Labels (h, w) of a volume's slice, displaced by mm along rows and columns."""
    return shift(labels, mm / of.spacing[1:], order=0) if mm.any() else labels
