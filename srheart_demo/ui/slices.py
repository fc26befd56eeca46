"""Short- and long-axis pictures side by side: from the input to the truth."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w
import numpy as np

from srheart_demo.ui import texts
from srheart_demo.ui.panels import card, html, named
from srheart_demo.ui.png import compared_png, label_png

if TYPE_CHECKING:
    from srheart_demo.session import Frame, Pictures

LONG_AXIS_START = 90
"""Degrees from the acquired view at first: a cut that the solver is never shown."""


class SlicesPanel:
    """Two scrubbers and their pictures."""

    def __init__(self) -> None:
        self.slice = named(w.IntSlider(6, min=0, max=12, readout=False), "srh-short-axis-scrubber")
        self.angle = named(
            w.IntSlider(LONG_AXIS_START, min=-90, max=90, step=5, readout=False),
            "srh-long-axis-scrubber",
        )
        self._notes = {"sa": html("", "srh-scrub-note"), "la": html("", "srh-scrub-note")}
        self._images = {
            row: {column: _image(f"srh-{row}-{column}") for column in texts.COLUMNS}
            for row in ("sa", "la")
        }
        titles = [
            html(f"<b>{escape(title)}</b><br>{escape(note)}", "srh-column")
            for title, note in texts.COLUMNS.values()
        ]
        cells = [
            html(""),
            *titles,
            _scrubber(texts.SHORT_AXIS_SCRUBBER, self.slice, self._notes["sa"]),
            *self._images["sa"].values(),
            _scrubber(texts.LONG_AXIS_SCRUBBER, self.angle, self._notes["la"]),
            *self._images["la"].values(),
        ]
        self.box = card(
            "",
            texts.SLICES,
            [named(w.GridBox(cells), "srh-pictures")],
            "srh-slices",
            texts.SLICES_NOTE,
        )

    def show(self, frame: Frame, dark: bool) -> None:
        """The pictures of a moment."""
        number = int(frame.shifts.slices[frame.k])
        self._show("sa", frame.short_axis, texts.short_axis_note(number, frame.shifts.of), dark)
        note = texts.long_axis_note(frame.angle, frame.long_axis_acquired)
        self._show("la", frame.long_axis, note, dark)

    def _show(self, row: str, pictures: Pictures, note: str, dark: bool) -> None:
        truth = pictures.truth
        unknown = np.zeros_like(pictures.input)
        shown = {
            "input": label_png(pictures.input),
            "redegraded": label_png(pictures.redegraded),
            "disagreement": compared_png(pictures.input, pictures.redegraded),
            "estimate": label_png(pictures.estimate, outline=truth, dark=dark),
            "truth": label_png(unknown if truth is None else truth),
        }
        for column, png in shown.items():
            self._images[row][column].value = png
        self._notes[row].value = escape(note)


def _image(name: str) -> w.Image:
    return named(named(w.Image(format="png"), "srh-picture"), name)


def _scrubber(title: str, slider: w.IntSlider, note: w.HTML) -> w.VBox:
    title_line = html(f"<b>{escape(title)}</b>", "srh-scrub-title")
    return named(w.VBox([title_line, slider, note]), "srh-scrub")
