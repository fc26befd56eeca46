"""The strip of the guided tour: where one is, what is to be done, and whether it is done."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard import widgets as ui

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.tour import Act, Tour


class TourStrip:
    """One stop of the tour, and the button `leave` that ends it."""

    tour: Tour | None  # where somebody is; None until it is begun for the first time
    _now: Moment | None

    def __init__(self) -> None:
        names = "show", "back", "next", "leave", "guess", "tell"
        made = [ui.control(f"srh-tour-{name}") for name in names]
        self._show_me, self._back, self._next, self.leave, self._guess, self._tell = made
        self._text, self._said = (ui.html("", f"srh-tour-{name}") for name in ("text", "said"))
        self._betting = ui.named(w.HBox(made[4:]), "srh-tour-bet")
        said = ui.named(w.HBox([self._betting, self._said]), "srh-tour-line")
        told = ui.named(w.VBox([self._text, said]), "srh-tour-told")
        buttons = ui.named(w.HBox(made[:4]), "srh-tour-buttons")
        self.box = ui.named(w.HBox([told, buttons]), "srh-tour")
        self.tour, self._now = None, None
        self.on_act: Callable[[Act], object] = lambda act: None  # does what "Show me" shows
        self.on_guess: Callable[[], object] = lambda: None  # a guess is made: show the truth
        self._show_me.on_click(lambda _: self._act())
        self._tell.on_click(lambda _: self._bet())
        self._back.on_click(lambda _: self._go(-1))
        self._next.on_click(lambda _: self._go(1))

    def begin(self) -> None:
        """Begin the tour, or go on with it."""
        from srheart_demo.explorer.tour import Tour

        self.tour = self.tour or Tour()
        self._go(0)
        self._show_me.focus()

    def show_frame(self, now: Moment) -> None:
        """Notice what has been done."""
        self._now = now
        if self.tour is not None:
            self.tour.look(now)
            self._write()

    def _act(self) -> None:
        if self.tour is not None:
            self.on_act(self.tour.act())
            self._write()

    def _bet(self) -> None:
        if self.tour is not None and self._now is not None:
            self.tour.bet(self._guess.value, self._now)
            self.on_guess()

    def _go(self, by: int) -> None:
        assert self.tour is not None
        self.tour.go(self.tour.at + by)
        self._back.disabled = self.tour.at == 0
        self._next.disabled = self.tour.at == len(texts.TOUR) - 1
        if self._back.disabled and by:
            self._next.focus()
        if self._next.disabled and by:
            self._back.focus()
        if self._now is not None:
            self.tour.look(self._now)
        self._write()

    def _write(self) -> None:
        tour = self.tour
        assert tour is not None
        stop, words, says = tour.stop.name, texts.TOUR[tour.stop.name], texts.TOUR_WORDS
        place = says["place"].format(tour.at + 1, len(texts.TOUR))
        told = (
            f"<p><b>{escape(place)} · {escape(words['title'])}</b> {words['sentence']}</p>"
            f"<p><b>{escape(says['task'])}</b> {words['task']}</p>"
        )
        done = sentences.tour_done(tour)
        for widget, value in ((self._text, told), (self._said, escape(done))):
            if widget.value != value:  # screen readers speak them: on change only
                widget.value = value
        more = 0 < tour.acts < len(tour.stop.acts)
        self._show_me.description = says["more"] if more else texts.LABELS["srh-tour-show"]
        ui.show(self._betting, stop == "guess")
        self._tell.disabled = self._now is None or not tour.may_guess(self._now)
