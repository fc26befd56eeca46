"""The tab for a scan of one's own: its files, how they are read, whether to trust the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.picker import FilePicker
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.widgets import control, html, named, row, show
from srheart_demo.files import harmless_name

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report
    from srheart_demo.explorer.own import OwnFile, OwnScan, OwnView
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
        self._rows = list[ViewRow]()
        self.stack, self.view = (
            named(FilePicker(texts.LABELS[name], MOST_UPLOAD), name)
            for name in ("srh-own-stack", "srh-own-view")
        )
        self.view.many, self.frame = True, control("srh-own-frame")
        known = {"options": [*self._known], "placeholder": texts.OWN_RECOGNISED}
        self.labels, self.turn = control("srh-own-labels", **known), control("srh-own-turn")
        self.flip, self.mirror = control("srh-own-flip"), control("srh-own-mirror")
        self.views = named(w.VBox(), "srh-own-views")
        read = row(self.labels, self.frame)
        self.how = w.VBox([self.views, read, row(self.turn, self.flip, self.mirror)])
        self.report = html("", "srh-report")
        super().__init__(runner, "own", [row(self.stack, self.view), self.how], [self.report])
        show(self.how, False)
        self.stack.on_file, self.view.on_file = self._take_stack, self._take_view
        self.stack.on_problem = self.view.on_problem = self._refuse
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
        """The stack was not taken."""
        self._refusal, self.view.said = why, ""

    def _refuse(self, why: str) -> None:
        self.runner.on_problem(why, "")

    def _take_stack(self, name: str, content: bytes) -> None:
        from srheart_demo.explorer.own import OwnFile

        self._file = OwnFile(name, content)
        self._list([])
        as_found = {self.labels: "", self.turn: 0, self.flip: False, self.mirror: False}
        with self.quietly():
            for each, value in as_found.items():
                each.value = value
            self.frame.options = [0]
        show(self.how, True)
        show(self.frame, False)
        self._read()

    def _take_view(self, name: str, content: bytes) -> None:
        from srheart_demo.explorer.own import OwnView

        if self._file is None:
            self.view.said = ""
            self._refuse(texts.OWN_STACK_FIRST)
        else:
            name = harmless_name(name)
            self._instead(name, OwnView(name, content))

    def _instead(self, name: str, *views: OwnView) -> None:
        """Read the scan with other views in place of the one of that name, which may be new."""
        if self._file is not None:
            before = self._file.views
            at = next((i for i, view in enumerate(before) if view.name == name), len(before))
            self._read(views=(*before[:at], *views, *before[at + 1 :]))

    def _list(self, rows: list[ViewRow]) -> None:
        """Other rows of views."""
        before, self._rows, self.view.said = self._rows, rows, ""
        self.views.children = [each.box for each in rows]
        for each in before:
            each.close()

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
        self._list([ViewRow(v, subject, partial(self._instead, v.name)) for v in self._file.views])
        with self.quietly():
            self.frame.options, self.frame.value = subject.frames, read.frame
            self.turn.value, self.flip.value = by_hand.turn_deg, by_hand.flip
            self.mirror.value = by_hand.mirror
        show(self.how, True)
        show(self.frame, len(subject.frames) > 1)


class ViewRow:
    """A view that was given: how it is read, why it cannot be, and how to be rid of it."""

    def __init__(self, view: OwnView, subject: OwnScan, act: Callable[..., None]) -> None:
        """`act` is called with the view in place of this one; with nothing if it is to go."""
        why = subject.refused.get(view.name, "")
        frames = subject.view_frames.get(view.name, [0])
        taken = [one.name for one in subject.file.views if one.name not in subject.refused]
        reads, seen = subject.read, taken.index(view.name) if not why else 0
        self.frame = control("srh-own-view-frame", options=frames)
        self.lacks, self.remove = control("srh-own-lacks"), control("srh-own-remove")
        if not why:
            self.frame.value = reads.view_readings[seen].frame
            self.lacks.value = "RV" in reads.lacking[seen]
            self.lacks.disabled = self.lacks.value and "RV" not in view.lacks
        show(self.frame, len(frames) > 1)
        show(self.lacks, not why)
        self.frame.observe(lambda change: act(replace(view, frame=change.new)), "value")
        self.lacks.observe(
            lambda change: act(replace(view, lacks=("RV",) if change.new else ())), "value"
        )
        self.remove.on_click(lambda _: act())
        said = f"<b>{escape(view.name)}</b> {escape(why.removeprefix(f'{view.name}: '))}"
        name = html(said, "srh-own-refused" if why else "srh-own-taken")
        self.box = named(w.HBox([name, self.frame, self.lacks, self.remove]), "srh-own-row")

    def close(self) -> None:
        """Take it off the page."""
        for widget in (*self.box.children, self.box):
            widget.close()


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
