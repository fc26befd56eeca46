"""The middle of the page: the heart, or one of the views that show why."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.own import OwnTab
from srheart_demo.dashboard.runner import MOVING
from srheart_demo.dashboard.take import TakeTab
from srheart_demo.dashboard.why import GaugeTab, LandscapeTab, LatentTab, RaceTab, WhyTab
from srheart_demo.dashboard.widgets import named, show

if TYPE_CHECKING:
    from srheart_demo.dashboard.explorer import Explorer
    from srheart_demo.dashboard.heart_panel import HeartPanel

_KINDS: dict[str, Callable[[Explorer], WhyTab]] = {
    "landscape": LandscapeTab,
    "latent": LatentTab,
    "gauge": GaugeTab,
    "race": RaceTab,
    "own": OwnTab,
    "take": TakeTab,
}


class Tabs:
    """All tabs; but for the heart each is built when it is opened first.

    Attributes:
        made: those that are there.
    """

    def __init__(self, board: Explorer, heart: HeartPanel) -> None:
        self._board = board
        self.made: dict[str, WhyTab | HeartPanel] = {"heart": heart}
        self._boxes = {name: named(w.VBox(), "srh-tab") for name in texts.TABS}
        self._boxes["heart"].children = heart.cards
        self._boxes["heart"].add_class("srh-tab-heart")
        options = [(words["button"], name) for name, words in texts.TABS.items()]
        self.bar = w.ToggleButtons(options=options, value="heart")
        bar = named(w.HBox([self.bar]), "srh-tabs")
        self.box = named(w.VBox([bar, *self._boxes.values()]), "srh-middle")
        self.bar.observe(lambda _: self._open(), "value")
        self._show()

    @property
    def shown(self) -> str:
        """Name of the tab that is open."""
        return str(self.bar.value)

    @property
    def tab(self) -> WhyTab | HeartPanel:
        """The tab that is open."""
        return self.made[self.shown]

    def _show(self) -> None:
        for name, box in self._boxes.items():
            show(box, name == self.shown)

    def _open(self) -> None:
        if self.shown not in self.made:
            self.made[self.shown] = tab = _KINDS[self.shown](self._board)
            self._boxes[self.shown].children = [tab.box]
        self._show()
        if self.shown != "heart":
            self._board.end_replay()
        self.refresh()

    def refresh(self, anew: bool = False) -> None:
        """Bring the open tab up to date, or say that it is not."""
        runner, session = self._board.runner, self._board.session
        if session is None or runner.loading:
            return
        if runner.state in MOVING or (runner.wishing and not anew):
            self.tab.wait()
        else:
            self.tab.refresh(session, runner, anew)

    def compute(self) -> None:
        """Compute what the open tab shows, whatever became of it before; a run waits for it."""
        self._board.runner.pause()
        self.refresh(anew=True)

    def give_up(self, job: str, why: str) -> None:
        """A long computation has come to nothing."""
        for tab in self.made.values():
            if job and tab.computes == job:
                tab.give_up(why)
