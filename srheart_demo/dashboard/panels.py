"""The cards of controls and scores, and the bar that moves through a run."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, TypeVar

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.stack import StackView
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.show import Frame, LossCurves, Scores

W = TypeVar("W", bound=w.DOMWidget)

RANDOM, OWN = "random", "own"
"""Choices of the subject that ask for more."""


def named(widget: W, *names: str) -> W:
    """The widget, with CSS classes."""
    for name in names:
        widget.add_class(name)
    return widget


def html(markup: str, name: str = "") -> w.HTML:
    """An `HTML` widget with a CSS class."""
    return named(w.HTML(markup), name) if name else w.HTML(markup)


def note(text: str) -> w.HTML:
    """A short text beside a control."""
    return html(escape(text), "srh-hint")


def card(number: str, title: str, children: list[w.Widget], name: str, aside: str = "") -> w.VBox:
    """A titled card; `number` says its place in the reading order."""
    badge = f'<span class="srh-number">{number}</span>' if number else ""
    aside = f'<span class="srh-aside">{escape(aside)}</span>' if aside else ""
    heading = html(f"<h2>{badge}{escape(title)}{aside}</h2>", "srh-heading")
    return named(named(w.VBox([heading, *children]), "srh-card"), name)


def slider(
    name: str, text: str, value: float, low: float, high: float, step: float, form: str
) -> w.FloatSlider:
    """A slider with its name before and its value behind it."""
    return named(
        w.FloatSlider(value, min=low, max=high, step=step, description=text, readout_format=form),
        name,
    )


def checkbox(name: str, text: str, value: bool = True) -> w.Checkbox:
    """A box to tick."""
    return named(w.Checkbox(value, description=text, indent=False), name)


def button(text: str, icon: str, name: str) -> w.Button:
    """A button with an icon."""
    return named(w.Button(description=text, icon=icon), name)


def show(widget: w.Widget, shown: bool) -> None:
    """Show a widget, or take it off the page."""
    widget.layout.display = None if shown else "none"


class News:
    """A word where one looks: what is computed, and how far; what is old, or still to come.

    Attributes:
        text: what is said.
        again: computes what was given up.
    """

    def __init__(self, text: str = "") -> None:
        self.text = ""
        self._words = html("")
        self.again = named(w.Button(description=texts.AGAIN), "srh-again")
        self.box = named(w.HBox([self._words, self.again]), "srh-news")
        self.say(text)

    def say(self, text: str, done: float | None = None, again: bool = False) -> None:
        """A sentence, or nothing, over a bar filled to `done` of 1."""
        bar = (
            ""
            if done is None
            else f'<div class="srh-bar"><i style="width:{100 * done:.0f}%"></i></div>'
        )
        self.text, self._words.value = text, f"{escape(text)}{bar}"
        show(self.again, again)
        show(self.box, bool(text))

    def alone(self, is_alone: bool) -> None:
        """Whether there is nothing else to look at."""
        (self.box.add_class if is_alone else self.box.remove_class)("srh-news-alone")


class Header:
    """Title, the legend of colours that holds for every view, the equation and the theme."""

    def __init__(self) -> None:
        chips = "".join(
            f'<span class="srh-chip"><i style="background:{colour}"></i>'
            f"<b>{tissue}</b> {texts.TISSUE_NAMES[tissue]}</span>"
            for tissue, colour in TISSUE_COLOURS.items()
        )
        title = html(
            f'<h1>{escape(texts.TITLE)}</h1><span class="srh-subtitle">'
            f"{escape(texts.SUBTITLE)}</span>",
            "srh-title",
        )
        self.equation = checkbox("srh-equation", texts.EQUATION)
        self.dark = checkbox("srh-theme", texts.DARK, False)
        legend = html(f'<div class="srh-legend">{chips}</div>')
        self.strip = html(
            "".join(f"<span>{equation}</span>" for equation in texts.EQUATIONS), "srh-equations"
        )
        tip = html(texts.BEGIN, "srh-tip-line")
        top = named(w.HBox([title, legend, self.equation, self.dark]), "srh-header")
        self.box = w.VBox([top, named(w.VBox([self.strip, tip]), "srh-told-of")])
        self.equation.observe(lambda change: show(self.strip, change.new), "value")


class ScanPanel:
    """Who is scanned, and how."""

    def __init__(self) -> None:
        self.subject = named(w.Dropdown(description=texts.SUBJECT), "srh-subject")
        self.seed = named(
            w.BoundedIntText(1, min=0, max=999_999, description=texts.SEED), "srh-seed"
        )
        self.own = note(texts.OWN_HINT)
        self.motion = slider("srh-motion", texts.MOTION, 1.0, 0, 4, 0.1, ".1f")
        self.spacing = slider("srh-spacing", texts.SPACING, 10, 4, 16, 2, ".0f")
        self.noise = slider("srh-noise", texts.NOISE, 0, 0, 0.3, 0.01, ".0%")
        self.long_axis = checkbox("srh-long-axis", texts.LONG_AXIS)
        self.live = checkbox("srh-live", texts.LIVE)
        self.stack = named(StackView(), "srh-stack-box")
        self._simulation = (self.motion, self.spacing, self.noise)
        self.box = card(
            "1",
            texts.SCAN,
            [
                self.subject,
                self.seed,
                self.own,
                *self._simulation,
                named(w.HBox([self.long_axis, self.live]), "srh-pair"),
                self.stack,
            ],
            "srh-scan",
        )
        self.controls = (
            self.subject, self.seed, self.motion, self.spacing, self.noise, self.long_axis,
        )  # fmt: skip
        self._samples: tuple[str, ...] = ()
        self.show_choice()

    def fill(self, samples: tuple[str, ...], own: tuple[str, ...]) -> None:
        """The subjects that there are."""
        self._samples = samples
        options = [(texts.subject(name), name) for name in samples]
        options += [(name, name) for name in own]
        self.subject.options = [
            *options, (texts.SUBJECT_RANDOM, RANDOM), (texts.SUBJECT_OWN, OWN),
        ]  # fmt: skip

    @property
    def name(self) -> str | None:
        """The chosen subject, or None while a file is still to be chosen."""
        if self.subject.value == RANDOM:
            return f"{RANDOM}_{self.seed.value}"
        return None if self.subject.value in (OWN, None) else self.subject.value

    def show_choice(self) -> None:
        """What the choice of the subject asks for."""
        simulated = self.subject.value in (None, RANDOM, *self._samples)
        show(self.seed, self.subject.value == RANDOM)
        show(self.own, not simulated)
        self.own.value = escape(texts.OWN_HINT if self.name is None else texts.OWN_AS_IT_IS)

    def enable(self, loading: bool, simulated: bool, view: bool) -> None:
        """Only what has a meaning: of one's own scan nothing is simulated."""
        for control in self.controls:
            control.disabled = loading
        for widget in self._simulation:
            show(widget, simulated)
        self.long_axis.disabled = loading or not view


class SolverPanel:
    """How it is solved."""

    def __init__(self) -> None:
        self.preset = named(w.Dropdown(description=texts.PRESET), "srh-preset")
        self.preset_note = html("", "srh-hint")
        self.gamma = slider("srh-gamma", texts.GAMMA, 1.0, 0, 4, 0.1, ".1f")
        self.gamma_note = note(texts.GAMMA_NOTE)
        options = [(word, name) for name, word in texts.SOLVERS.items()]
        self.solver = named(w.Dropdown(options=options, description=texts.SOLVER), "srh-solver")
        self.prior = checkbox("srh-prior", texts.PRIOR, False)
        self.lr_z = _number("srh-lr-z", texts.LEARNING_RATE_Z)
        self.lr_d = _number("srh-lr-d", texts.LEARNING_RATE_D)
        fine = named(w.GridBox([self.solver, self.prior, self.lr_z, self.lr_d]), "srh-fine")
        self.box = card(
            "2",
            texts.RUN_CARD,
            [
                self.preset,
                self.preset_note,
                self.gamma,
                self.gamma_note,
                fine,
            ],
            "srh-run",
        )
        self.controls = (self.preset, self.gamma, self.solver, self.prior, self.lr_z, self.lr_d)

    def show_preset(self, name: str, shown: str = "") -> None:
        """What the chosen preset does, and the name of what is `shown`, if that is another."""
        other = f"<b>{escape(texts.shown_run(shown, name))}</b> " if shown not in ("", name) else ""
        self.preset_note.value = other + escape(texts.PRESET_NOTES.get(name, ""))

    def show_long_axis(self, used: bool) -> None:
        """Whether γ weighs anything."""
        self.gamma.disabled = not used
        self.gamma_note.value = escape(texts.GAMMA_NOTE if used else texts.GAMMA_UNUSED)


def _number(name: str, text: str) -> w.BoundedFloatText:
    return named(w.BoundedFloatText(0.1, min=1e-6, max=100, description=text, step=0.01), name)


class Transport:
    """Moves through a run: its buttons, a scrubber over iterations, the runs that are kept."""

    def __init__(self) -> None:
        self.run = button(texts.RUN, "play", "srh-button-run")
        self.pause = button(texts.PAUSE, "pause", "srh-button-pause")
        self.step = button(texts.STEP, "step-forward", "srh-button-step")
        self.reset = button(texts.RESET, "undo", "srh-button-reset")
        self.run.button_style = "primary"
        buttons = named(w.GridBox([self.run, self.pause, self.step, self.reset]), "srh-buttons")
        self.iteration = named(
            w.IntSlider(0, min=0, max=1, description=texts.ITERATION_SCRUBBER), "srh-iteration"
        )
        self.replay = button(texts.REPLAY, "history", "srh-button-replay")
        self.fork = button(texts.FORK, "code-fork", "srh-button-fork")
        self.cancel = button(texts.CANCEL, "times", "srh-button-cancel")
        self.runs = [button("", "", "srh-chip-run") for _ in range(3)]
        chips = named(w.HBox([self.replay, self.fork, *self.runs]), "srh-runs")
        self.status, self.detail = html("", "srh-status"), html("", "srh-detail")
        told = named(w.VBox([w.HBox([self.status, self.cancel]), self.detail]), "srh-told")
        self.box = named(
            w.GridBox([buttons, w.VBox([self.iteration, chips]), told]), "srh-card", "srh-transport"
        )
        show(self.cancel, False)
        self.show_runs(())

    def show_runs(self, curves: tuple[LossCurves, ...]) -> None:
        """A chip for every run, in its colour."""
        for chip, run in zip(self.runs, (*curves, None, None, None), strict=False):
            show(chip, run is not None and len(curves) > 1)
            for name in [n for n in chip._dom_classes if n.startswith("srh-colour-")]:
                chip.remove_class(name)
            if run is not None:
                chip.description = texts.run_name(run)
                chip.add_class(f"srh-colour-{run.colour}")
                (chip.add_class if run.active else chip.remove_class)("srh-active")

    def show_status(self, state: str, word: str, detail: str, done: float) -> None:
        """The state in a word, in a line, and as a bar filled to `done` of 1."""
        status = f'<span class="srh-dot srh-{state}"></span>{escape(word)}'
        if self.status.value != status:  # the status is spoken by screen readers: on change only
            self.status.value = status
        self.detail.value = (
            f'<div class="srh-bar"><i style="width:{100 * done:.1f}%"></i></div>{escape(detail)}'
        )


class ScorePanel:
    """Dice of the estimate beside nearest-neighbour up-sampling's, and the motion error.

    The motion error is that of the picture. Dice takes longer: of another picture it is marked.
    """

    def __init__(self) -> None:
        self.table = html("", "srh-scores")
        self.box = card("5", texts.QUALITY, [self.table], "srh-quality", texts.GAUGE_SCORE_NOTE)
        self._scores: Scores | None = None
        self._frame: Frame | None = None

    def show_scores(self, scores: Scores) -> None:
        """Bars for Dice."""
        self._scores = scores
        self._write()

    def show_frame(self, frame: Frame) -> None:
        """The motion error in mm, before and after."""
        self._frame = frame
        self._write()

    def _write(self) -> None:
        scores, frame = self._scores, self._frame
        if scores is None or frame is None:
            return
        old = scores.number != frame.number
        known = bool(scores.dice)
        dice = scores.dice or scores.agreement
        rows = [
            _score_row(tissue, colour, dice[tissue], scores.nearest.get(tissue))
            for tissue, colour in TISSUE_COLOURS.items()
        ]
        heading = texts.DICE_HEADING if known else texts.AGREEMENT_HEADING
        if old:
            heading = texts.old_heading(scores.iteration)
        other = f"<u></u>{texts.DICE_NEAREST}" if known else ""
        head = (
            f'<div class="srh-score srh-score-head"><span>{heading}</span><span></span>'
            f"<span>{texts.DICE_ESTIMATE}</span><span>{other}</span></div>"
        )
        error = (
            '<div class="srh-score srh-score-motion">'
            f"<span>{texts.MOTION_ERROR}</span><span></span><b>{frame.motion_error:.1f} mm</b>"
            f"<span>{frame.motion_uncorrected:.1f} mm</span></div>"
        )
        unknown = f'<div class="srh-hint">{escape(texts.NO_TRUTH_NOTE)}</div>'
        dice_rows = (
            f'<div class="srh-old">{head}{"".join(rows)}</div>' if old else head + "".join(rows)
        )
        self.table.value = dice_rows + (error if known else unknown)


def _score_row(tissue: str, colour: str, estimate: float, nearest: float | None) -> str:
    mark = "" if nearest is None else f'<u style="left:{100 * nearest:.1f}%"></u>'
    bar = f'<i style="width:{100 * estimate:.1f}%"></i>{mark}'
    return (
        f'<div class="srh-score"><span>{tissue}</span>'
        f'<span class="srh-track" style="color:{colour}">{bar}</span>'
        f"<b>{estimate:.3f}</b><span>{'' if nearest is None else f'{nearest:.3f}'}</span></div>"
    )
