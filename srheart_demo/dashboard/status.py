"""What the run is doing, in a word and a line, and never ahead of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.runner import Activity

if TYPE_CHECKING:
    from srheart_demo.dashboard.panels import Transport
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.explorer.show import RunProgress

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
        progress: of the picture that is shown.
    """

    def __init__(self, bar: Transport) -> None:
        self._bar, self.progress = bar, None
        self._told = Activity.LOADING
        self.say("")

    progress: RunProgress | None

    def say(self, problem: str, word: str = texts.REFUSED) -> None:
        """What stands there in place of the run's state from now on; or nothing."""
        self._problem, self._word = problem, word

    def write(self, runner: Runner) -> None:
        """Write what there is to say now."""
        state, progress = runner.state, self.progress
        done, line = 0.0, ""
        # The picture comes after the state: until then nothing is told of the one before.
        if progress is not None and not _fits(progress, runner):
            progress = None
        if state is Activity.DONE and progress is None:
            state = self._told
        self._told, running = state, state is Activity.RUNNING
        if state is Activity.FAILED:
            line = f"{self._problem} {texts.FAILED_NOTE}"
        elif self._problem:
            self._bar.show_status("failed", self._word, self._problem, 0.0)
            return
        elif progress is not None:
            whole = progress.iterations if running else progress.last
            done = progress.iteration / whole if whole else 0.0
            line = sentences.progress_line(progress, running)
        self._bar.show_status(state.value, WORDS[state], line, done)


def _fits(progress: RunProgress, runner: Runner) -> bool:
    """Whether a picture is of what the run does now, and not of what it did before."""
    ended = progress.stopped is not None
    if runner.state is Activity.DONE:
        return ended
    if runner.state is Activity.RUNNING:
        return not ended and not runner.wishing
    if runner.state is Activity.PAUSED and runner.session is not None:
        return ended == (not runner.wishing and runner.session.step.stopped is not None)
    return True
