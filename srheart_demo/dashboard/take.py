"""The tab that hands out files, and the state as a text or a link."""

from __future__ import annotations

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
    """Files, and the state as a text or a link."""

    def __init__(self, runner: Runner) -> None:
        self.buttons, rows = {}, list[w.Widget]()
        for kind, (title, told) in texts.TAKES.items():
            made = w.Button(description=title, icon="download")
            self.buttons[kind] = named(made, f"srh-take-{kind}")
            self.buttons[kind].on_click(lambda _, kind=kind: self._take(kind))
            rows += [self.buttons[kind], note(told)]
        self.state, self.restore = control("srh-state"), control("srh-restore")
        self.link, self.linked = control("srh-copy-link"), html("", "srh-linked")
        self.restore.on_click(lambda _: runner.restore(self.state.value))
        self.link.on_click(lambda _: self._link())
        runner.page.on_linked = self._say_linked
        head = html(f"<h3>{escape(texts.STATE)}</h3>")
        controls = [named(w.GridBox(rows), "srh-takes"), head, note(texts.STATE_NOTE)]
        super().__init__(
            runner, "take", controls, [self.state, row(self.restore, self.link), self.linked]
        )

    def about(self, session: Session) -> About:
        """All that is kept, and what of it is looked at."""
        history = session.history
        return session.step, history.at, [(run, len(run.steps)) for run in history.runs]

    def compute(self, session: Session) -> None:
        """The text of what there is, which takes no time."""
        self.state.value, self.linked.value = session.text(), ""
        self.fill()

    def _take(self, kind: str) -> None:
        name = "film" if kind == "gif" else "take"
        self.runner.job(name, partial(_made, kind), lambda file: self.runner.page.download(*file))

    def _link(self) -> None:
        if self.runner.session is not None:
            self.runner.page.lead_to(self.runner.session.link())

    def _say_linked(self, copied: bool) -> None:
        """Where the link is, and what it does not carry."""
        session, said = self.runner.session, [texts.LINKED[str(copied)]]
        if session is not None and session.scene.subject.name in session.own:
            said.append(texts.LINK_WITHOUT_FILE.format(session.scene.subject.name))
        self.linked.value = f'<span role="status">{escape(" ".join(said))}</span>'


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
