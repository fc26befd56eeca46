"""The heart: in 3-D, with what is painted on it, and slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard import widgets as ui
from srheart_demo.dashboard.heart import HeartView
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.slices import SlicesPanel

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Heart
    from srheart_demo.explorer.session import Session
    from srheart_demo.solver.algorithm import Step

FOUND = ("uncertainty", "spread")
"""What is painted after a long computation."""


class HeartPanel(ui.Hearing):
    """The first tab.

    Attributes:
        cards: the 3-D view, and the slices below it.
        computes: the long computation that was asked for last, in `texts.JOBS`.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner, self.view, self.slices = runner, HeartView(), SlicesPanel()
        names = "srh-show-truth", "srh-show-cut", "srh-show-slices", "srh-paint"
        toggles = [*map(ui.control, names)]
        self.show_truth, self.show_cut, self.show_slices, self.paint = toggles
        self._news = ui.News(texts.PAGE_LOADING)
        self._news.alone(True)
        self.computes = ""
        self._asked: tuple[str, Step] | None = None
        self._given_up: tuple[str, Step] | None = None
        bar = ui.named(w.HBox(toggles), "srh-toggles")
        in_3d = [bar, ui.plot(self.view, "srh-fig-heart"), self._news.box]
        self.cards = ui.card("", texts.HEART, in_3d, "srh-heart"), self.slices.box
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
        return self.slices.slice.value, float(self.slices.angle.value)

    def fill(self, session: Session) -> None:
        """What there is to look at of a scan."""
        known = session.scene.d is not None
        paints = {k: text for k, text in texts.PAINTS.items() if known or k != "error"}
        ui.offer(self.paint, paints, self.paint.value if self.paint.value in paints else "")
        self.slices.slice.max = len(session.scene.slices) - 1
        self.view.show_ghost(session.scene.subject.ghost)

    def show(self, heart: Heart, quiet: bool) -> None:
        """Draw it; `quiet` if nothing is to be said beside it any more."""
        self.view.show(heart)
        if quiet:
            self.say("")
            self._news.alone(False)

    def say(self, text: str, done: float | None = None) -> None:
        """A word below the 3-D view, or nothing."""
        self._news.say(text, done)

    # -- as a tab ----------------------------------------------------------------------------

    def wait(self) -> None:
        """A run goes on: the heart shows it."""

    def refresh(self, session: Session, anew: bool = False) -> None:
        """Find the hearts that are to be painted, unless they are there, on their way or given
        up."""
        what, asked, runner = session.paint, (session.paint, session.step), self._runner
        given_up = self._given_up == asked
        if what in FOUND and not (session.now.painted or runner.computing == what or given_up):
            self.computes, self._asked = what, asked
            runner.job(what, lambda s, watch: s.spread(what, watch), lambda _: runner.redraw())

    def progress(self, word: str, done: float) -> None:
        """Something is computed."""
        self.say(f"{word}: {100 * done:.0f} %", done)

    def give_up(self, why: str) -> None:
        """What was asked for is not computed again for this step."""
        self._given_up = self._asked
