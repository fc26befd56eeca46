"""The tab that hands out files, and the state as a text."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.widgets import control, html, named, note, row

if TYPE_CHECKING:
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch


class TakeTab(Tab):
    """Files, and the state as a text.

    Attributes:
        on_restored: called with what came out otherwise than a text says.
    """

    def __init__(self, runner: Runner) -> None:
        self.on_restored: Callable[[str], object] = lambda otherwise: None
        self.buttons, rows = {}, list[w.Widget]()
        for kind, (title, told) in texts.TAKES.items():
            made = w.Button(description=title, icon="download")
            self.buttons[kind] = named(made, f"srh-take-{kind}")
            self.buttons[kind].on_click(lambda _, kind=kind: self._take(kind))
            rows += [self.buttons[kind], note(told)]
        self.state, self.restore = control("srh-state"), control("srh-restore")
        self.restore.on_click(lambda _: self._restore(self.state.value))
        head = html(f"<h3>{escape(texts.STATE)}</h3>")
        controls = [named(w.GridBox(rows), "srh-takes"), head, note(texts.STATE_NOTE)]
        super().__init__(runner, "take", controls, [self.state, row(self.restore)])

    def about(self, session: Session) -> About:
        """All that is kept, and what of it is looked at."""
        history = session.history
        return session.step, history.at, [(run, len(run.steps)) for run in history.runs]

    def compute(self, session: Session) -> None:
        """The text of what there is, which takes no time."""
        self.state.value = session.text()
        self.fill()

    def _take(self, kind: str) -> None:
        name = "film" if kind == "gif" else "take"
        self.runner.job(name, partial(_made, kind), lambda file: self.runner.page.download(*file))

    def _restore(self, text: str) -> None:
        self.runner.job(
            "restore",
            lambda session, watch: session.restore(text, watch),
            lambda otherwise: self.on_restored(" ".join(otherwise)),
        )


def _made(kind: str, session: Session, watch: Watch) -> tuple[str, bytes]:
    """Name and bytes of a file."""
    from srheart_demo.dashboard import film
    from srheart_demo.explorer import takeaway

    if kind == "png":
        return "heart.png", film.png(session)
    if kind == "html":
        return "heart.html", film.heart_page(session)
    if kind == "gif":
        return "run.gif", film.gif(session, watch)
    return takeaway.file(session, kind)
