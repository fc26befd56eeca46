"""A scan of one's own: read, put into the model's frame, corrected by hand, judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift
from torch import Tensor

from srheart_demo.baselines import nearest
from srheart_demo.checking import Report, check
from srheart_demo.conventions import Convention
from srheart_demo.degradation import HR_GRID, Motion, label_noise
from srheart_demo.files import harmless_name
from srheart_demo.nifti import NiftiLabels, load
from srheart_demo.placement import (
    AUTOMATIC,
    ByHand,
    check_long_axis,
    place,
    plane_geometry,
    stack_geometry,
)
from srheart_demo.problem import Generator
from srheart_demo.session.subjects import Acquisition, Labels, Scan, by_hand_shift, kept_slices
from srheart_demo.surface import Mesh
from srheart_demo.views import standard_view
from srheart_demo.volume import LabelVolume, Reading, Upload, read_long_axis, survey


@dataclass(frozen=True)
class OwnFile:
    """Files as they come from a browser, which may send anything, and how to read them.

    Attributes:
        name: of the stack's file.
        stack: its bytes.
        view: those of a long-axis view's file.
        frame: which, from 0; by default the first that holds labels.
        convention: what label values mean; recognised by default.
        by_hand: corrections of the placement.
    """

    name: str
    stack: bytes
    view: bytes | None = None
    frame: int | None = None
    convention: Convention | None = None
    by_hand: ByHand = AUTOMATIC


class OwnScan:
    """A segmented stack of the user's own: nobody knows the true heart.

    Attributes:
        name: of its file, harmless.
        file: what it was read from.
        frames: those that hold labels.
        reading: what the file held.
        notes: what its placement found, in plain sentences.
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
        self.view = None if file.view is None else self._read_view(file, file.view, frame)
        volume = self.reading.volume
        placement = place(volume, file.by_hand)
        ordered = placement.apex_first(volume)
        self.notes, self.world_from_model = placement.notes, placement.world_from_model
        geometry, seen = stack_geometry(ordered, placement), ~ordered.gaps
        self.stack, self.labels = geometry.slices(seen), ordered.labels[seen]
        self.S_LA: Labels | None = None
        if self.view is not None:
            check_long_axis(self.view, volume, placement)
            self.plane, self.S_LA = plane_geometry(self.view, placement), self.view.labels[0]
        else:
            self.plane = standard_view(nearest.restore(self.labels, self.stack, HR_GRID))
        self._report: Report | None = None

    def _read_view(self, file: OwnFile, content: bytes, frame: int) -> LabelVolume:
        """The long-axis view; of several frames the same one."""
        image: NiftiLabels = load(Upload(f"long_axis_{self.name}", content))
        return read_long_axis(image, file.convention, frame if image.frames > 1 else None)

    def report(self, G: Generator) -> Report:
        """What there is to say of the files, after a quick solve; computed once."""
        if self._report is None:
            self._report = check(G, self.reading, self.view, self.file.by_hand)
        return self._report

    def acquire(self, scan: Scan) -> Acquisition:
        """The stack as it is, with what the settings add to it; its spacing is its own."""
        K = self.stack.K
        d = Motion.draw(K, 0).displacement(scan.motion) + by_hand_shift(scan, K)
        pixels = d[0].numpy() / np.array(self.stack.spacing)
        moved = [
            shift(labels, by, order=0) if by.any() else labels
            for labels, by in zip(self.labels, pixels, strict=True)
        ]
        kept = kept_slices(scan, K)
        whole = np.stack(moved)
        labels = label_noise(whole, scan.noise, 0) if scan.noise else whole
        return Acquisition(kept, K, self.stack.slices(kept), labels[kept], None)

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
