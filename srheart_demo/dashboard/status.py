"""What the run is doing, in a word and a line, and never ahead of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.runner import Activity

if TYPE_CHECKING:
    from srheart_demo.dashboard.panels import Transport
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.explorer.moment import Moment

WORDS = {
    Activity.LOADING: texts.LOADING,
    Activity.READY: texts.READY,
    Activity.RUNNING: texts.RUNNING,
    Activity.REPLAYING: texts.REPLAYING,
    Activity.PAUSED: texts.PAUSED,
    Activity.DONE: texts.DONE,
    Activity.FAILED: texts.FAILED,
}


class Status:
    """The status line of the bar that moves through a run.

    Attributes:
        shown: the moment that the page shows.
    """

    def __init__(self, bar: Transport) -> None:
        self._bar, self.shown = bar, None
        self._told = Activity.LOADING
        self.say("")

    shown: Moment | None

    def say(self, problem: str, word: str = texts.REFUSED) -> None:
        """What stands there in place of the run's state from now on; or nothing."""
        self._problem, self._word = problem, word

    def write(self, runner: Runner) -> None:
        """Write what there is to say now."""
        state, shown = runner.state, self.shown
        done, line = 0.0, ""
        # The picture comes after the state: until then nothing is told of the one before.
        if shown is not None and not _fits(shown, runner):
            shown = None
        if state is Activity.DONE and shown is None:
            state = self._told
        self._told, running = state, state is Activity.RUNNING
        if state is Activity.FAILED:
            line = f"{self._problem} {texts.FAILED_NOTE}"
        elif self._problem:
            self._bar.show_status("failed", self._word, self._problem, 0.0)
            return
        elif shown is not None:
            whole = shown.settings.iterations if running else shown.last
            done = shown.at / whole if whole else 0.0
            line = sentences.progress_line(shown, running)
        self._bar.show_status(state.value, WORDS[state], line, done)


def _fits(shown: Moment, runner: Runner) -> bool:
    """Whether a picture is of what the run does now, and not of what it did before."""
    ended = shown.step.stopped is not None
    if runner.state is Activity.DONE:
        return ended
    if runner.state is Activity.RUNNING:
        return not ended and not runner.wishing
    if runner.state is Activity.PAUSED and runner.session is not None:
        return ended == (not runner.wishing and runner.session.step.stopped is not None)
    return True
