"""The tab for a scan of one's own: its files, how they are read, whether to trust the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.panels import checkbox, html, named, show, slider
from srheart_demo.dashboard.picker import FilePicker
from srheart_demo.dashboard.why import About, WhyTab

if TYPE_CHECKING:
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.enhancement.check import Report
    from srheart_demo.explorer import OwnFile, OwnScan, Session


class OwnTab(WhyTab):
    """Takes files; a change of how they are read takes them again."""

    computes = "check"
    of_step = False

    def __init__(
        self,
        load: Callable[[OwnFile], None],
        tell: Callable[[str], None],
        compute: Callable[[], None],
    ) -> None:
        from srheart_demo.scan.labels import KNOWN
        from srheart_demo.scan.nifti import MOST_UPLOAD

        self._load, self._refuse = load, tell
        self._refusal = ""
        self._known = {str(convention): convention for convention in KNOWN}
        self._file: OwnFile | None = None
        self._good_view: bytes | None = None
        self._filling = False
        self.stack = named(FilePicker(texts.OWN_FILE, MOST_UPLOAD), "srh-own-stack")
        self.view = named(FilePicker(texts.OWN_VIEW, MOST_UPLOAD), "srh-own-view")
        self.frame = named(w.Dropdown(options=[0], description=texts.OWN_FRAME), "srh-own-frame")
        self.view_frame = named(
            w.Dropdown(options=[0], description=texts.OWN_VIEW_FRAME), "srh-own-view-frame"
        )
        self.labels = named(
            w.Combobox(
                options=list(self._known),
                placeholder=texts.OWN_RECOGNISED,
                description=texts.OWN_LABELS,
                continuous_update=False,
            ),
            "srh-own-labels",
        )
        self.turn = slider("srh-own-turn", texts.OWN_TURN, 0, -180, 180, 5, ".0f")
        self.turn.continuous_update = False
        self.flip = checkbox("srh-own-flip", texts.OWN_FLIP, False)
        self.mirror = checkbox("srh-own-mirror", texts.OWN_MIRROR, False)
        self.how = w.VBox(
            [
                named(w.HBox([self.labels, self.frame, self.view_frame]), "srh-why-row"),
                named(w.HBox([self.turn, self.flip, self.mirror]), "srh-why-row"),
            ]
        )
        self.report = html("", "srh-report")
        files = named(w.HBox([self.stack, self.view]), "srh-why-row")
        super().__init__("own", texts.OWN_NOTE, [files, self.how], [self.report], compute)
        show(self.how, False)
        self.stack.on_file, self.view.on_file = self._take_stack, self._take_view
        for picker in (self.stack, self.view):
            picker.on_problem = tell
        self.view_frame.observe(lambda change: self._choose_view_frame(change.new), "value")
        for control in (self.frame, self.labels, self.turn, self.flip, self.mirror):
            control.observe(lambda _: self._read_anew(), "value")

    def about(self, session: Session, runner: Runner) -> About:
        """Whose scan it is."""
        return (session.scene.subject,)

    def compute(self, session: Session, runner: Runner) -> None:
        """The report on the scan that is looked at, if it is the user's own."""
        from srheart_demo.explorer import OwnScan

        subject, self.report.value = session.scene.subject, ""
        self.clear(self._refusal or None)
        if not isinstance(subject, OwnScan):
            return
        self._show_how(subject)

        def found(report: Report | None) -> None:
            if report is not None and session.scene.subject is subject:
                self.report.value, self._refusal = _markup(report), ""
                self.fill()

        runner.job(self.computes, lambda session, _: session.report(), found)

    def refused(self, why: str) -> None:
        """The files were not taken: only a view that was taken before is left beside the stack."""
        self._refusal = why
        if self._file is not None and self._file.view is not self._good_view:
            self._file, self.view.said = replace(self._file, view=self._good_view), ""

    def _take_stack(self, name: str, content: bytes) -> None:
        from srheart_demo.explorer import OwnFile

        self._file, self._good_view, self.view.said = OwnFile(name, content), None, ""
        as_found = {self.labels: "", self.turn: 0, self.flip: False, self.mirror: False}
        self._filling = True
        for control, value in as_found.items():
            control.value = value
        self.frame.options = self.view_frame.options = [0]
        self._filling = False
        show(self.how, True)
        show(self.frame, False)
        show(self.view_frame, False)
        self._load(self._file)

    def _take_view(self, name: str, content: bytes) -> None:
        if self._file is None:
            self.view.said = ""
            self._refuse(texts.OWN_STACK_FIRST)
        else:
            self._file = replace(self._file, view=content, view_name=name, view_frame=None)
            self._load(self._file)

    def _read_anew(self) -> None:
        if self._filling or self._file is None:
            return
        from srheart_demo.scan.labels import parse_convention
        from srheart_demo.scan.placement import ByHand

        said = self.labels.value.strip()
        try:
            convention = self._known.get(said) or (parse_convention(said.split()) if said else None)
        except ValueError as error:
            self._refuse(str(error))
            return
        self._file = replace(
            self._file,
            convention=convention,
            frame=self.frame.value if len(self.frame.options) > 1 else None,
            by_hand=ByHand(self.turn.value, self.flip.value, self.mirror.value),
        )
        self._load(self._file)

    def _choose_view_frame(self, frame: int) -> None:
        if not self._filling and self._file is not None:
            self._file = replace(self._file, view_frame=frame)
            self._load(self._file)

    def _show_how(self, subject: OwnScan) -> None:
        """The controls as this scan was read."""
        self._file, by_hand, self._filling = subject.file, subject.file.by_hand, True
        self._good_view = subject.file.view
        self.frame.options = subject.frames
        self.frame.value = subject.placed.frame
        if subject.placed.view_reading is not None:
            self.view_frame.options = subject.view_frames
            self.view_frame.value = subject.placed.view_reading.frame
        self.turn.value, self.flip.value = by_hand.turn_deg, by_hand.flip
        self.mirror.value = by_hand.mirror
        self._filling = False
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
    measures = (*(m.sentence for m in report.measures), report.prior)
    for title, sentences in zip(
        texts.REPORT_PARTS, (measures, report.found, report.assumed), strict=True
    ):
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence)
        parts.append(f"<h3>{escape(title)}</h3><ul>{items}</ul>" if items else "")
    return (
        f'<div role="region" tabindex="0" aria-label="{escape(texts.REPORT)}">'
        f"{''.join(parts)}<p>{escape(texts.NOT_CLINICAL)}</p></div>"
    )
