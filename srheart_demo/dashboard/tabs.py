"""The middle of the page: the heart, or one of the tabs that show why; and what all tabs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.runner import MOVING, Runner
from srheart_demo.dashboard.widgets import Hearing, News, card, html, mark, named, show

if TYPE_CHECKING:
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch

About = tuple[Any, ...]
"""What a tab depends on: an object, which is another one when it changes, and plain values."""


def _same(a: About | None, b: About) -> bool:
    return a is not None and a[0] is b[0] and a[1:] == b[1:]


class Tab(Hearing):
    """A tab with one computation, done again when what is looked at has changed.

    There are no pictures before there is something in them; what is being computed, is old or will
    come is said in their place.
    """

    computes = ""  # the name of its computation, in `texts.JOBS`; nothing where it takes no time
    of_step = True  # whether it shows a step of a run, and is out of date with the next

    def __init__(
        self,
        runner: Runner,
        name: str,
        controls: list[w.Widget],
        pictures: list[w.Widget],
        *asked: w.Widget,
    ) -> None:
        """Another value of a control in `asked` is another question."""
        self.runner, words = runner, texts.TABS[name]
        # Brings the open tab up to date; with `True`, whatever became of it before.
        self.ask: Callable[[bool], object] = lambda anew: None
        self._controls, self._coming = asked, words["coming"]
        self.news = News(self._coming)  # in the pictures' place, or above them
        self._pictures = named(w.VBox(pictures), "srh-why-pictures")
        self.filled = False  # whether there is anything to see
        self._shown: About | None = None  # what is seen whole
        self._asked: About | None = None
        self._given_up: About | None = None
        content = [html(words["note"], "srh-note"), *controls, self.news.box, self._pictures]
        box = card("", words["title"], content, f"srh-why-{name}", words["lesson"])
        self.cards = [named(box, "srh-why")]
        self.news.again.on_click(lambda _: self.ask(True))
        for each in asked:
            self.on(each, lambda _: self.ask(False))
        self.clear()

    def about(self, session: Session) -> About:
        """What it depends on: by default the step, and what is asked."""
        return session.step, *(each.value for each in self._controls)

    def work(self, session: Session, watch: Watch, *asked: Any) -> Any:
        """Compute what was asked, in the solver's thread."""

    def draw(self, found: Any) -> None:
        """Show what was found."""

    def compute(self, session: Session) -> None:
        """Compute it, and show it when it is there."""
        asked = self.about(session)[1:]
        self.runner.job(self.computes, lambda s, w: self.work(s, w, *asked), self._found)

    def _found(self, found: Any) -> None:
        self.draw(found)
        self.fill()

    def refresh(self, session: Session, anew: bool = False) -> None:
        """Compute for what is looked at now, unless that is shown, on its way or given up."""
        about = self.about(session)
        under_way = self.runner.computing == self.computes != "" and _same(self._asked, about)
        if self.shows(session) and not anew:
            self.say("")
        elif anew or not (_same(self._given_up, about) or under_way):
            self._asked, self._given_up = about, None
            self.compute(session)

    def shows(self, session: Session) -> bool:
        """Whether what is looked at now is seen, and whole."""
        return _same(self._shown, self.about(session))

    def fill(self) -> None:
        """It shows what was asked for last."""
        self._shown, self.filled = self._asked, True
        self.say("")

    def clear(self, said: str | None = None) -> None:
        """Nothing is to be seen, but a word of what will come."""
        self._shown, self.filled = None, False
        self.say(self._coming if said is None else said)

    def wait(self) -> None:
        """A run goes on: what it showed before is old, and what is to come comes later."""
        if self.of_step or not self.filled:
            self.say(texts.OLD if self.filled else texts.COMPUTED_LATER)

    def give_up(self, why: str) -> None:
        """What was asked for is not computed, until somebody asks again."""
        self._given_up = self._asked
        self.say(why, again=True)

    def say(self, text: str, done: float | None = None, again: bool = False) -> None:
        """A word in the pictures' place, or above them where they are old."""
        growing = done is not None and self._shown is None
        mark(self._pictures, "srh-old", self.filled and bool(text) and not growing)
        show(self._pictures, self.filled)
        mark(self.news.box, "srh-news-alone", not self.filled)
        self.news.say(text, done, again)


class Tabs:
    """All tabs; but for the heart each is built when it is opened first."""

    def __init__(
        self, runner: Runner, heart: Any, kinds: Mapping[str, Callable[[Runner], Tab]]
    ) -> None:
        self._runner, self._kinds = runner, kinds
        self.made: dict[str, Any] = {"heart": heart}  # those that are there
        # called with the name of one that is opened
        self.on_open: Callable[[str], object] = lambda name: None
        self._boxes = {name: named(w.VBox(), "srh-tab") for name in texts.TABS}
        options = [(words["button"], name) for name, words in texts.TABS.items()]
        self.bar = w.ToggleButtons(options=options, value="heart")
        bar = named(w.HBox([self.bar]), "srh-tabs")
        self.box = named(w.VBox([bar, *self._boxes.values()]), "srh-middle")
        self.bar.observe(lambda _: self._open(), "value")
        self._boxes["heart"].children = heart.cards
        self._boxes["heart"].add_class("srh-tab-heart")
        self._show()

    @property
    def shown(self) -> str:
        """Name of the tab that is open."""
        return str(self.bar.value)

    @property
    def tab(self) -> Any:
        """The tab that is open."""
        return self.made[self.shown]

    def _show(self) -> None:
        for name, box in self._boxes.items():
            show(box, name == self.shown)

    def _open(self) -> None:
        if self.shown not in self.made:
            self.made[self.shown] = tab = self._kinds[self.shown](self._runner)
            tab.ask = self.refresh
            self._boxes[self.shown].children = tab.cards
        self._show()
        self.on_open(self.shown)
        self.refresh()

    def refresh(self, anew: bool = False) -> None:
        """Bring the open tab up to date, or say that it is not; `anew`: compute what it shows,
        whatever became of it before, and a run waits for it."""
        runner = self._runner
        if anew:
            runner.pause()
        if runner.session is None or runner.loading:
            return
        if runner.state in MOVING or (runner.wishing and not anew):
            self.tab.wait()
        else:
            self.tab.refresh(runner.session, anew)

    def clear(self) -> None:
        """What they show is not to be seen any more."""
        for name, tab in self.made.items():
            if name != "heart":
                tab.clear()

    def give_up(self, job: str, why: str) -> None:
        """A long computation has come to nothing."""
        for tab in self.made.values():
            if job and tab.computes == job:
                tab.give_up(why)
