"""Short- and long-axis pictures side by side: from the input to the truth."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as w
import numpy as np
import traitlets

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.module import module
from srheart_demo.dashboard.theme import AGREE, DISAGREE
from srheart_demo.dashboard.widgets import card, control, html, named
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.pictures import Cuts, Pictures


class LabelPictures(anywidget.AnyWidget):
    """Two rows of label maps, drawn with the truth's borders on the estimate.

    Attributes:
        pictures: row → name → labels, four in a byte.
    """

    _esm = module("slices")

    pictures = traitlets.Dict().tag(sync=True)
    columns = traitlets.Dict(texts.COLUMNS).tag(sync=True)
    rows = traitlets.Dict(texts.ROWS).tag(sync=True)
    colours = traitlets.Dict(
        {"tissues": [*TISSUE_COLOURS.values()], "same": AGREE, "other": DISAGREE}
    ).tag(sync=True)

    def show(self, **rows: Pictures) -> None:
        """Draw the rows `sa` and `la`."""
        self.pictures = {row: _message(pictures) for row, pictures in rows.items()}


def _message(pictures: Pictures) -> dict[str, Any]:
    known = {name: labels for name, labels in vars(pictures).items() if labels is not None}
    packed = {name: pack(labels) for name, labels in known.items()}
    return packed | {"shape": pictures.input.shape}


def pack(labels: np.ndarray) -> bytes:
    """Labels from 0 to 3, four in a byte, the first in its lowest bits."""
    fours = np.zeros(-(-labels.size // 4) * 4, np.uint8)
    fours[: labels.size] = labels.ravel()
    fours = fours.reshape(-1, 4) << np.array([0, 2, 4, 6], np.uint8)
    return np.bitwise_or.reduce(fours, axis=1).tobytes()


class SlicesPanel:
    """Two scrubbers and their pictures."""

    def __init__(self) -> None:
        self.slice, self.angle = (
            control("srh-short-axis-scrubber"),
            control("srh-long-axis-scrubber"),
        )
        self._notes = {"sa": html("", "srh-scrub-note"), "la": html("", "srh-scrub-note")}
        self.pictures = LabelPictures()
        cells = [
            _scrubber(texts.SHORT_AXIS_SCRUBBER, self.slice, self._notes["sa"]),
            _scrubber(texts.LONG_AXIS_SCRUBBER, self.angle, self._notes["la"]),
            self.pictures,
        ]
        self.box = card(
            "",
            texts.SLICES,
            [named(w.GridBox(cells), "srh-pictures")],
            "srh-slices",
            texts.SLICES_NOTE,
        )

    def show(self, cuts: Cuts) -> None:
        """The pictures of a moment."""
        self._notes["sa"].value = escape(sentences.short_axis_note(cuts.number, cuts.of))
        self._notes["la"].value = escape(sentences.long_axis_note(cuts.angle, cuts.acquired))
        self.pictures.show(sa=cuts.short_axis, la=cuts.long_axis)


def _scrubber(title: str, slider: w.IntSlider, note: w.HTML) -> w.VBox:
    title_line = html(f"<b>{escape(title)}</b>", "srh-scrub-title")
    return named(w.VBox([title_line, slider, note]), "srh-scrub")
