"""The tab for a scan of one's own: its files, how they are read, whether to trust the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from itertools import chain
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets as w
import traitlets

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.module import module
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.widgets import control, descendants, html, named, row, show
from srheart_demo.files import harmless_name

if TYPE_CHECKING:
    from srheart_demo.enhancement.check import Report
    from srheart_demo.explorer.own import OwnFile, OwnScan, OwnView
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch

PART = 2**21  # Bytes of a file in one message; Jupyter's websockets end at one of more than 10 MB


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
        names = "srh-own-stack", "srh-own-view"
        pickers = (named(FilePicker(texts.LABELS[name], MOST_UPLOAD), name) for name in names)
        self.stack, self.view = pickers
        self.view.many, self.frame = True, control("srh-own-frame")
        known = {"options": [*self._known], "placeholder": texts.OWN_RECOGNISED}
        self.labels, self.turn = control("srh-own-labels", **known), control("srh-own-turn")
        self.flip, self.mirror = control("srh-own-flip"), control("srh-own-mirror")
        self._by_hand = {"turn_deg": self.turn, "flip": self.flip, "mirror": self.mirror}
        self.views = named(w.VBox(), "srh-own-views")
        read = row(self.labels, self.frame)
        self.how = w.VBox([self.views, read, row(*self._by_hand.values())])
        self.report = html("", "srh-report")
        super().__init__(runner, "own", [row(self.stack, self.view), self.how], [self.report])
        show(self.how, False)
        self.stack.on_file, self.view.on_file = self._take_stack, self._take_view
        self._refuse = runner.explorer.show_problem
        self.stack.on_problem = self.view.on_problem = self._refuse
        for each in (self.frame, self.labels, *self._by_hand.values()):
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
            views = subject.file.views
            self._list(*(_view_row(v, subject, partial(self._instead, v.name)) for v in views))
            self._show_how(subject.file, subject.frames, subject.read.frame)
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

    def _take_stack(self, name: str, content: bytes) -> None:
        from srheart_demo.explorer.own import OwnFile

        file = OwnFile(name, content)
        self._list()
        with self.quietly():
            self.labels.value = ""
        self._show_how(file, [0], 0)
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
            kept = {view.name: (view,) for view in self._file.views} | {name: views}
            self._read(views=tuple(chain(*kept.values())))

    def _list(self, *rows: w.HBox) -> None:
        """Other rows of views."""
        before, self.views.children, self.view.said = self.views.children, rows, ""
        for widget in descendants(*before):
            widget.close()

    def _read_anew(self) -> None:
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
            by_hand=ByHand(**{name: each.value for name, each in self._by_hand.items()}),
        )

    def _read(self, **otherwise: Any) -> None:
        if self._file is not None:
            self._file = replace(self._file, **otherwise)
            self.runner.load(self._file)

    def _show_how(self, file: OwnFile, frames: list[int], frame: int | None) -> None:
        """The controls as a file is read, of whose frames these hold labels."""
        self._file = file
        with self.quietly():
            self.frame.options, self.frame.value = frames, frame
            for name, each in self._by_hand.items():
                each.value = getattr(file.by_hand, name)
        show(self.how, True)
        show(self.frame, len(frames) > 1)


def _view_row(view: OwnView, subject: OwnScan, act: Callable[..., None]) -> w.HBox:
    """A view that was given: how it is read, why it cannot be, and how to be rid of it.

    `act` is called with the view in place of this one; with nothing if it is to go.
    """
    why, read = subject.refused.get(view.name, ""), subject.read
    frame = control("srh-own-view-frame", options=subject.view_frames.get(view.name, [0]))
    lacks, remove = control("srh-own-lacks"), control("srh-own-remove")
    if not why:
        taken = [one.name for one in subject.file.views if one.name not in subject.refused]
        seen = taken.index(view.name)
        frame.value = read.view_readings[seen].frame
        lacks.value = "RV" in read.lacking[seen]
        lacks.disabled = lacks.value and "RV" not in view.lacks
    show(frame, len(frame.options) > 1)
    show(lacks, not why)
    frame.observe(lambda change: act(replace(view, frame=change.new)), "value")
    lacks.observe(lambda change: act(replace(view, lacks=("RV",) if change.new else ())), "value")
    remove.on_click(lambda _: act())
    said = f"<b>{escape(view.name)}</b> {escape(why.removeprefix(f'{view.name}: '))}"
    name = html(said, "srh-own-refused" if why else "srh-own-taken")
    return named(w.HBox([name, frame, lacks, remove]), "srh-own-row")


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
    told = measures, report.found, report.assumed
    for title, sentences in zip(texts.REPORT_PARTS, told, strict=True):
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences if sentence)
        parts.append(f"<h3>{escape(title)}</h3><ul>{items}</ul>" if items else "")
    return (
        f'<div role="region" tabindex="0" aria-label="{escape(texts.REPORT)}">'
        f"{''.join(parts)}<p>{escape(texts.NOT_CLINICAL)}</p></div>"
    )


class FilePicker(anywidget.AnyWidget):
    """Asks for a file, part by part, and hands it on when it is whole."""

    _esm = module("picker")

    text = traitlets.Unicode().tag(sync=True)  # on the button
    said = traitlets.Unicode().tag(sync=True)  # beside it: the file's name, or how far it is
    many = traitlets.Bool(False).tag(sync=True)  # whether several may be chosen; they come in turn

    def __init__(self, text: str, most: int) -> None:
        super().__init__(text=text)
        self.most = most  # bytes that a file may have; one of more is not even asked for
        self.on_file: Callable[[str, bytes], None] = lambda name, content: None
        # Called with a sentence where there is no file to be had.
        self.on_problem: Callable[[str], None] = lambda problem: None
        self._name, self._size, self._content = "", 0, bytearray()
        self.on_msg(self.heard)

    def heard(self, _: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """What the browser says."""
        kind = message.get("kind")
        if kind == "chosen":
            self._begin(str(message["name"]), int(message["size"]))
        elif kind == "part" and message.get("start") == len(self._content) < self._size:
            self._take(buffers[0])
        elif kind == "unreadable":
            self._give_up(texts.UNREADABLE.format(self._name))

    def _begin(self, name: str, size: int) -> None:
        self._name, self._size, self._content = name, size, bytearray()
        if size > self.most:
            self._give_up(texts.TOO_LARGE.format(name, size / 2**20, self.most / 2**20))
        elif size <= 0:
            self._give_up(texts.EMPTY.format(name))
        else:
            self._ask()

    def _take(self, part: memoryview) -> None:
        self._content += part[: self._size - len(self._content)]
        if not len(part) or len(self._content) == self._size:
            self.said, content = self._name, bytes(self._content)
            self._content, self._size = bytearray(), 0
            self.on_file(self._name, content)
            self.send({"kind": "next"})
        else:
            self._ask()

    def _ask(self) -> None:
        start = len(self._content)
        self.said = f"{100 * start // self._size} %"
        self.send({"kind": "give", "start": start, "stop": start + PART})

    def _give_up(self, problem: str) -> None:
        self.said, self._size, self._content = "", 0, bytearray()
        self.on_problem(problem)
        self.send({"kind": "next"})
