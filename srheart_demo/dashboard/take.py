"""The tab that hands out files, and the state as a text."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.why import About, WhyTab
from srheart_demo.dashboard.widgets import button, html, named, note, row

if TYPE_CHECKING:
    from srheart_demo.dashboard.explorer import Explorer
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch


class TakeTab(WhyTab):
    """Files, and the state as a text."""

    def __init__(self, board: Explorer) -> None:
        self.buttons = {
            kind: button(f"srh-take-{kind}", "download", title)
            for kind, (title, _) in texts.TAKES.items()
        }
        rows: list[w.Widget] = []
        for kind, (_, told) in texts.TAKES.items():
            rows += [self.buttons[kind], note(told)]
            self.buttons[kind].on_click(lambda _, kind=kind: self._take(kind))
        self.state, self.restore = (
            named(w.Textarea(), "srh-state"),
            button("srh-restore", "upload"),
        )
        self.restore.on_click(lambda _: self._restore(self.state.value))
        head = html(f"<h3>{escape(texts.STATE)}</h3>")
        controls = [named(w.GridBox(rows), "srh-takes"), head, note(texts.STATE_NOTE)]
        super().__init__(board, "take", controls, [self.state, row(self.restore)])

    def about(self, session: Session, runner: Runner) -> About:
        """All that is kept, and what of it is looked at."""
        history = session.history
        return session.step, history.at, [(run, len(run.steps)) for run in history.runs]

    def compute(self, session: Session, runner: Runner) -> None:
        """The text of what there is."""
        self.state.value = session.text()
        self.fill()

    def _take(self, kind: str) -> None:
        name = "film" if kind == "gif" else "take"
        page = self.board.page
        self.board.runner.job(name, partial(_made, kind), lambda file: page.download(*file))

    def _restore(self, text: str) -> None:
        def restored(otherwise: tuple[str, ...]) -> None:
            self.board.restored(" ".join(otherwise))

        self.board.runner.job("restore", lambda session, w: session.restore(text, w), restored)


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
