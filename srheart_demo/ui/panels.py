"""The cards of the dashboard: controls on the left, the heart, the unknowns and the scores."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeVar

import ipywidgets as w

from srheart_demo.palette import TISSUE_COLOURS
from srheart_demo.ui import texts

if TYPE_CHECKING:
    from srheart_demo.session import Scores

W = TypeVar("W", bound=w.DOMWidget)


def named(widget: W, name: str) -> W:
    """The widget, with a CSS class."""
    widget.add_class(name)
    return widget


def html(markup: str, name: str = "") -> w.HTML:
    """An `HTML` widget with a CSS class."""
    return named(w.HTML(markup), name) if name else w.HTML(markup)


def card(number: str, title: str, children: list[w.Widget], name: str, note: str = "") -> w.VBox:
    """A titled card; `number` says its place in the reading order."""
    badge = f'<span class="srh-number">{number}</span>' if number else ""
    aside = f'<span class="srh-aside">{escape(note)}</span>' if note else ""
    heading = html(f"<h2>{badge}{escape(title)}{aside}</h2>", "srh-heading")
    return named(named(w.VBox([heading, *children]), "srh-card"), name)


def header() -> w.HTML:
    """Title and the legend of colours that holds for every view."""
    chips = "".join(
        f'<span class="srh-chip"><i style="background:{colour}"></i>'
        f"<b>{tissue}</b> {texts.TISSUE_NAMES[tissue]}</span>"
        for tissue, colour in TISSUE_COLOURS.items()
    )
    return html(
        f'<div><h1>{escape(texts.TITLE)}</h1><span class="srh-subtitle">{escape(texts.SUBTITLE)}'
        f'</span></div><div class="srh-legend">{chips}</div>',
        "srh-header",
    )


class ScanPanel:
    """What is scanned, and how."""

    def __init__(self) -> None:
        self.subject = named(w.Dropdown(description=texts.SUBJECT), "srh-subject")
        self.motion = named(
            w.FloatSlider(
                1.0, min=0, max=4, step=0.1, description=texts.MOTION, readout_format=".1f"
            ),
            "srh-motion",
        )
        self.long_axis = named(
            w.Checkbox(True, description=texts.LONG_AXIS, indent=False), "srh-long-axis"
        )
        self.box = card(
            "1",
            texts.SCAN,
            [
                html(escape(texts.SCAN_NOTE), "srh-note"),
                self.subject,
                self.motion,
                html(escape(texts.MOTION_NOTE), "srh-hint"),
                self.long_axis,
            ],
            "srh-scan",
        )
        self.controls = (self.subject, self.motion, self.long_axis)


class RunPanel:
    """The solver's settings, its buttons and its state."""

    def __init__(self) -> None:
        self.preset = named(w.Dropdown(description=texts.PRESET), "srh-preset")
        self.preset_note = html("", "srh-hint")
        self.gamma = named(
            w.FloatSlider(
                1.0, min=0, max=4, step=0.1, description=texts.GAMMA, readout_format=".1f"
            ),
            "srh-gamma",
        )
        self.gamma_note = html(escape(texts.GAMMA_NOTE), "srh-hint")
        self.run = _button(texts.RUN, "play", "srh-button-run")
        self.pause = _button(texts.PAUSE, "pause", "srh-button-pause")
        self.step = _button(texts.STEP, "step-forward", "srh-button-step")
        self.reset = _button(texts.RESET, "undo", "srh-button-reset")
        self.run.button_style = "primary"
        buttons = named(w.GridBox([self.run, self.pause, self.step, self.reset]), "srh-buttons")
        self.status = html("", "srh-status")
        self.detail = html("", "srh-detail")
        self.box = card(
            "",
            texts.RUN_CARD,
            [
                self.preset,
                self.preset_note,
                self.gamma,
                self.gamma_note,
                buttons,
                self.status,
                self.detail,
            ],
            "srh-run",
        )

    def show_preset(self, name: str) -> None:
        """What the chosen preset does."""
        self.preset_note.value = escape(texts.PRESET_NOTES[name])

    def show_long_axis(self, used: bool) -> None:
        """Whether γ weighs anything."""
        self.gamma.disabled = not used
        self.gamma_note.value = escape(texts.GAMMA_NOTE if used else texts.GAMMA_UNUSED)

    def show_status(self, state: str, word: str, detail: str, done: float) -> None:
        """The run's state in a word, in a line, and as a bar filled to `done` of 1."""
        status = f'<span class="srh-dot srh-{state}"></span>{escape(word)}'
        if self.status.value != status:  # the status is spoken by screen readers: on change only
            self.status.value = status
        self.detail.value = (
            f'<div class="srh-bar"><i style="width:{100 * done:.1f}%"></i></div>{escape(detail)}'
        )


def _button(text: str, icon: str, name: str) -> w.Button:
    return named(w.Button(description=text, icon=icon), name)


class ScorePanel:
    """Dice of the estimate beside nearest-neighbour up-sampling's, and the motion error."""

    def __init__(self) -> None:
        self.table = html("", "srh-scores")
        self.box = card("4", texts.QUALITY, [self.table], "srh-quality", texts.GAUGE_SCORE_NOTE)

    def show_scores(self, scores: Scores) -> None:
        """Bars for Dice, and the motion error in mm before and after."""
        rows = [
            _score_row(tissue, colour, scores.dice[tissue], scores.nearest[tissue])
            for tissue, colour in TISSUE_COLOURS.items()
        ]
        head = (
            f'<div class="srh-score srh-score-head"><span>{texts.DICE_HEADING}</span><span></span>'
            f"<span>{texts.DICE_ESTIMATE}</span><span><u></u>{texts.DICE_NEAREST}</span></div>"
        )
        error = (
            '<div class="srh-score srh-score-motion">'
            f"<span>{texts.MOTION_ERROR}</span><span></span><b>{scores.motion_error:.1f} mm</b>"
            f"<span>{scores.motion_uncorrected:.1f} mm</span></div>"
        )
        self.table.value = head + "".join(rows) + error


def _score_row(tissue: str, colour: str, estimate: float, nearest: float) -> str:
    bar = f'<i style="width:{100 * estimate:.1f}%"></i><u style="left:{100 * nearest:.1f}%"></u>'
    return (
        f'<div class="srh-score"><span>{tissue}</span>'
        f'<span class="srh-track" style="color:{colour}">{bar}</span>'
        f"<b>{estimate:.3f}</b><span>{nearest:.3f}</span></div>"
    )
