"""The heart: in 3-D, with what is painted on it, and slice by slice."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as w
import numpy as np
import traitlets

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard import widgets as ui
from srheart_demo.dashboard.heart import HeartView
from srheart_demo.dashboard.module import module
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.theme import AGREE, DISAGREE
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Heart
    from srheart_demo.explorer.pictures import Cuts, Pictures
    from srheart_demo.explorer.session import Session
    from srheart_demo.solver.algorithm import Step

FOUND = ("uncertainty", "spread")  # What is painted after a long computation


class LabelPictures(anywidget.AnyWidget):
    """Two rows of label maps, drawn with the truth's borders on the estimate."""

    _esm = module("slices")

    pictures = traitlets.Dict().tag(sync=True)  # row → name → labels, four in a byte
    columns = traitlets.Dict().tag(sync=True)
    rows = traitlets.Dict().tag(sync=True)
    tissues = traitlets.List([*TISSUE_COLOURS.values()]).tag(sync=True)
    difference = traitlets.List([AGREE, DISAGREE]).tag(sync=True)

    def show(self, **rows: Pictures) -> None:
        """Draw the rows `sa` and `la`."""
        self.pictures = {row: _message(pictures) for row, pictures in rows.items()}


def _message(pictures: Pictures) -> dict[str, Any]:
    known = {name: pack(map_) for name, map_ in vars(pictures).items() if map_ is not None}
    return known | {"shape": pictures.input.shape}


def pack(labels: np.ndarray) -> bytes:
    """Labels from 0 to 3, four in a byte, the first in its lowest bits."""
    bits = np.unpackbits(labels.reshape(-1, 1), axis=1, count=2, bitorder="little")
    return np.packbits(bits, bitorder="little").tobytes()


def _scrubber(title: str, slider: w.IntSlider, note: w.HTML) -> w.VBox:
    title_line = ui.html(f"<b>{escape(title)}</b>", "srh-scrub-title")
    return ui.named(w.VBox([title_line, slider, note]), "srh-scrub")


class HeartPanel(ui.Hearing):
    """The first tab: the 3-D view with `toggles` of what it shows, and the slices below it."""

    def __init__(self, runner: Runner) -> None:
        self._runner, self.view = runner, HeartView()
        names = "srh-show-truth", "srh-show-cut", "srh-show-slices", "srh-paint"
        self.toggles = toggles = [*map(ui.control, names)]
        self.show_truth, self.show_cut, self.show_slices, self.paint = toggles
        news = ui.News(texts.PAGE_LOADING)
        self.say = news.say  # a word below the 3-D view, or nothing
        self._news = ui.named(news.box, "srh-news-alone")  # until there is anything to look at
        self.computes = ""  # the long computation that was asked for last, in `texts.JOBS`
        self._asked: tuple[str, Step] | None = None
        self._given_up: tuple[str, Step] | None = None
        bar = ui.named(w.HBox(toggles), "srh-toggles")
        in_3d = [bar, ui.plot(self.view, "srh-fig-heart"), self._news]
        scrubbers = ui.control("srh-short-axis-scrubber"), ui.control("srh-long-axis-scrubber")
        self.slice, self.angle = scrubbers
        self._notes = [ui.html("", "srh-scrub-note") for _ in scrubbers]
        self.pictures = LabelPictures(columns=texts.COLUMNS, rows=texts.ROWS)
        titles = texts.SHORT_AXIS_SCRUBBER, texts.LONG_AXIS_SCRUBBER
        cells = [*map(_scrubber, titles, scrubbers, self._notes), self.pictures]
        grid = ui.named(w.GridBox(cells), "srh-pictures")
        slices = ui.card("", texts.SLICES, [grid], "srh-slices", texts.SLICES_NOTE)
        self.cards = ui.card("", texts.HEART, in_3d, "srh-heart"), slices
        for toggle in toggles[:3]:
            self.on(toggle, lambda _: self._toggle())
        self._toggle()
        self.on(self.show_slices, lambda how: self._wish(all_painted=how == "painted"))
        self.on(self.paint, lambda what: self._wish(paint=what))

    def _toggle(self) -> None:
        slices = bool(self.show_slices.value)
        self.view.toggle(self.show_truth.value, slices, self.show_cut.value)

    def _wish(self, **how: object) -> None:
        self._runner.wish(f"paint {[*how]}", lambda session: vars(session).update(how))

    @property
    def look(self) -> tuple[int, float]:
        """The slice and the angle of the cut that are looked at."""
        return self.slice.value, float(self.angle.value)

    def fill(self, session: Session) -> None:
        """What there is to look at of a scan."""
        self.slice.max = len(session.scene.slices) - 1
        self.view.show_ghost(session.scene.subject.ghost)

    def choose_paint(self, session: Session) -> None:
        """What may be painted, and what is."""
        known = session.scene.d is not None
        paints = {k: text for k, text in texts.PAINTS.items() if known or k != "error"}
        with self.quietly():
            ui.offer(self.paint, paints, session.paint if session.paint in paints else "")

    def show(self, heart: Heart, quiet: bool) -> None:
        """Draw it; `quiet` if nothing is to be said beside it any more."""
        self.view.show(heart)
        if quiet:
            self.say("")
            self._news.remove_class("srh-news-alone")

    def show_cuts(self, cuts: Cuts) -> None:
        """The slice and the cut that are looked at."""
        slice_note, cut_note = self._notes
        slice_note.value = escape(sentences.short_axis_note(cuts.number, cuts.of))
        cut_note.value = escape(sentences.long_axis_note(cuts.angle, cuts.acquired))
        self.pictures.show(sa=cuts.short_axis, la=cuts.long_axis)

    # -- as a tab ----------------------------------------------------------------------------

    def wait(self) -> None:
        """A run goes on: the heart shows it."""

    def refresh(self, session: Session, anew: bool = False) -> None:
        """Find the hearts that are to be painted, unless they are there, on their way or given
        up."""
        what, asked, runner = session.paint, (session.paint, session.step), self._runner
        given_up = self._given_up == asked
        found = session.now.hearts is not None
        if what in FOUND and not (found or runner.computing == what or given_up):
            self.computes, self._asked = what, asked
            runner.job(what, lambda s, watch: s.spread(what, watch), lambda _: runner.redraw())

    def give_up(self, why: str) -> None:
        """What was asked for is not computed again for this step."""
        self._given_up = self._asked
