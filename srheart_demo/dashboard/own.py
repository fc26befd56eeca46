"""The tab for a scan of one's own: its files, how they are read, whether to trust the answer."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.picker import FilePicker
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.widgets import control, html, named, row, show

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report
    from srheart_demo.explorer.own import OwnFile, OwnScan
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch


class OwnTab(Tab):
    """Takes files; a change of how they are read takes them again."""

    computes = "check"
    of_step = False

    def __init__(self, runner: Runner) -> None:
        from srheart_demo.scan.labels import KNOWN
        from srheart_demo.scan.nifti import MOST_UPLOAD

        self._refusal = ""
        self._known = {str(convention): convention for convention in KNOWN}
        self._file: OwnFile | None = None
        self._good_view: bytes | None = None
        self.stack, self.view = (
            named(FilePicker(texts.LABELS[name], MOST_UPLOAD), name)
            for name in ("srh-own-stack", "srh-own-view")
        )
        self.frame, self.view_frame = control("srh-own-frame"), control("srh-own-view-frame")
        known = {"options": [*self._known], "placeholder": texts.OWN_RECOGNISED}
        self.labels, self.turn = control("srh-own-labels", **known), control("srh-own-turn")
        self.flip, self.mirror = control("srh-own-flip"), control("srh-own-mirror")
        read = row(self.labels, self.frame, self.view_frame)
        self.how = w.VBox([read, row(self.turn, self.flip, self.mirror)])
        self.report = html("", "srh-report")
        super().__init__(runner, "own", [row(self.stack, self.view), self.how], [self.report])
        show(self.how, False)
        self.stack.on_file, self.view.on_file = self._take_stack, self._take_view
        self.stack.on_problem = self.view.on_problem = self._refuse
        self.on(self.view_frame, lambda frame: self._read(view_frame=frame))
        for each in (self.frame, self.labels, self.turn, self.flip, self.mirror):
            self.on(each, lambda _: self._read_anew())

    def about(self, session: Session) -> About:
        """Whose scan it is."""
        return (session.scene.subject,)

    def compute(self, session: Session) -> None:
        """The report on the scan that is looked at, if it is the user's own."""
        from srheart_demo.explorer.own import OwnScan

        subject, self.report.value = session.scene.subject, ""
        self.clear(self._refusal or None)
        if isinstance(subject, OwnScan):
            self._show_how(subject)
            super().compute(session)

    def work(self, session: Session, watch: Watch, *asked: Any) -> Report | None:
        """The report."""
        return session.report()

    def draw(self, found: Report | None) -> None:
        """The report, in words."""
        if found is not None:
            self.report.value, self._refusal = _markup(found), ""

    def refused(self, why: str) -> None:
        """The files were not taken: only a view that was taken before is left beside the stack."""
        self._refusal = why
        if self._file is not None and self._file.view is not self._good_view:
            self._file, self.view.said = replace(self._file, view=self._good_view), ""

    def _refuse(self, why: str) -> None:
        self.runner.on_problem(why, "")

    def _take_stack(self, name: str, content: bytes) -> None:
        from srheart_demo.explorer.own import OwnFile

        self._file, self._good_view, self.view.said = OwnFile(name, content), None, ""
        as_found = {self.labels: "", self.turn: 0, self.flip: False, self.mirror: False}
        with self.quietly():
            for each, value in as_found.items():
                each.value = value
            self.frame.options = self.view_frame.options = [0]
        for widget, shown in ((self.how, True), (self.frame, False), (self.view_frame, False)):
            show(widget, shown)
        self._read()

    def _take_view(self, name: str, content: bytes) -> None:
        if self._file is None:
            self.view.said = ""
            self._refuse(texts.OWN_STACK_FIRST)
        else:
            self._read(view=content, view_name=name, view_frame=None)

    def _read_anew(self) -> None:
        if self._file is None:
            return
        from srheart_demo.scan.labels import parse_convention
        from srheart_demo.scan.placement import ByHand

        said = self.labels.value.strip()
        try:
            convention = self._known.get(said) or (parse_convention(said.split()) if said else None)
        except ValueError as error:
            self._refuse(str(error))
            return
        self._read(
            convention=convention,
            frame=self.frame.value if len(self.frame.options) > 1 else None,
            by_hand=ByHand(self.turn.value, self.flip.value, self.mirror.value),
        )

    def _read(self, **otherwise: Any) -> None:
        if self._file is not None:
            self._file = replace(self._file, **otherwise)
            self.runner.load(self._file)

    def _show_how(self, subject: OwnScan) -> None:
        """The controls as this scan was read."""
        self._file, by_hand, read = subject.file, subject.file.by_hand, subject.read
        self._good_view = subject.file.view
        with self.quietly():
            self.frame.options, self.frame.value = subject.frames, read.frame
            if read.view_readings:
                self.view_frame.options = subject.view_frames
                self.view_frame.value = read.view_readings[0].frame
            self.turn.value, self.flip.value = by_hand.turn_deg, by_hand.flip
            self.mirror.value = by_hand.mirror
        show(self.how, True)
        show(self.frame, len(subject.frames) > 1)
        show(self.view_frame, len(subject.view_frames) > 1)


def _markup(report: Report) -> str:
    """A report, the verdict first."""
    parts: list[Any] = []
    if report.verdict is not None:
        words = report.verdict.words
        parts.append(
            f'<p class="srh-judged srh-judged-{int(report.verdict)}"><b>{escape(report.name)}: '
            f"{escape(words)}.</b> {escape(' '.join(report.reasons) if report.verdict else '')}</p>"
        )
    measures = (*(m.sentence for m in report.measures), *report.besides)
    for title, sentences in zip(
        texts.REPORT_PARTS, (measures, report.found, report.assumed), strict=True
    ):
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence)
        parts.append(f"<h3>{escape(title)}</h3><ul>{items}</ul>" if items else "")
    return (
        f'<div role="region" tabindex="0" aria-label="{escape(texts.REPORT)}">'
        f"{''.join(parts)}<p>{escape(texts.NOT_CLINICAL)}</p></div>"
    )
