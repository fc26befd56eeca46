"""A long-axis view of one's own scan: how it is read, or why it cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard.widgets import control, html, named, show

if TYPE_CHECKING:
    from srheart_demo.explorer.own import OwnScan, OwnView


class ViewRow:
    """A view that was given: its name, how it is read, why it cannot be, and how to be rid of it.

    Attributes:
        box: the widget.
        controls: those of how it is read.
    """

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
