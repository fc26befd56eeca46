"""The cards of controls and scores, and the bar that moves through a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard.charts import ConvergenceChart, LatentChart, PathChart, ShiftChart
from srheart_demo.dashboard.stack import StackView
from srheart_demo.dashboard.widgets import (
    bar,
    button,
    card,
    checkbox,
    choices,
    control,
    dropdown,
    html,
    mark,
    named,
    note,
    plot,
    show,
    slider,
)  # fmt: skip
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.show import LossCurves
    from srheart_demo.explorer.subjects import ScanSettings

RANDOM, OWN = "random", "own"
"""Choices of the subject that ask for more."""


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
        self.equation = checkbox("srh-equation", True)
        self.dark = checkbox("srh-theme")
        legend = html(f'<div class="srh-legend">{chips}</div>')
        strip = html("".join(f"<span>{line}</span>" for line in texts.EQUATIONS), "srh-equations")
        top = named(w.HBox([title, legend, self.equation, self.dark]), "srh-header")
        told = named(w.VBox([strip, html(texts.BEGIN, "srh-tip-line")]), "srh-told-of")
        self.box = w.VBox([top, told])
        self.equation.observe(lambda change: show(strip, change.new), "value")


class ScanPanel:
    """Who is scanned, and how."""

    def __init__(self) -> None:
        self.subject = control(w.Dropdown, "srh-subject")
        self.seed = control(w.BoundedIntText, "srh-seed", value=1, min=0, max=999_999)
        self.own = note(texts.OWN_HINT)
        self.motion = slider("srh-motion", 1.0, 0, 4, 0.1, ".1f")
        self.spacing = slider("srh-spacing", 10, 4, 16, 2, ".0f")
        self.noise = slider("srh-noise", 0, 0, 0.3, 0.01, ".0%")
        self.long_axis, self.live = checkbox("srh-long-axis", True), checkbox("srh-live", True)
        self.stack = named(StackView(), "srh-stack-box")
        self._simulation = (self.motion, self.spacing, self.noise)
        pair = named(w.HBox([self.long_axis, self.live]), "srh-pair")
        content = [self.subject, self.seed, self.own, *self._simulation, pair, self.stack]
        self.box = card("1", texts.SCAN, content, "srh-scan")
        self.controls = (self.subject, self.seed, *self._simulation, self.long_axis)
        self._samples: Sequence[str] = ()
        self.show_choice()

    def fill(self, session: Session) -> None:
        """The subjects that there are, and how the one is scanned that is looked at."""
        from srheart_demo.explorer.subjects import random_seed
        from srheart_demo.scan.samples import SAMPLES

        self._samples, scan = SAMPLES, session.scene.settings
        words = {name: name.replace("_", " ").capitalize() for name in SAMPLES}
        words |= {name: name for name in session.own}
        words |= {RANDOM: texts.SUBJECT_RANDOM, OWN: texts.SUBJECT_OWN}
        self.subject.options = choices(words)
        seed = random_seed(scan.subject)
        self.subject.value = scan.subject if seed is None else RANDOM
        if seed is not None:
            self.seed.value = seed
        if session.scene.d is not None:  # of one's own scan nothing is simulated
            self.motion.value, self.spacing.value = scan.motion, scan.spacing
            self.noise.value = scan.noise
        self.long_axis.value = session.scene.has_view
        self.show_choice()

    @property
    def name(self) -> str | None:
        """The chosen subject, or None while a file is still to be chosen."""
        if self.subject.value == RANDOM:
            return f"{RANDOM}_{self.seed.value}"
        return None if self.subject.value in (OWN, None) else self.subject.value

    def chosen(self, scan: ScanSettings) -> ScanSettings:
        """Another scan, as it is chosen here."""
        new = replace(
            scan,
            subject=self.name or scan.subject,
            motion=self.motion.value,
            spacing=self.spacing.value,
            noise=self.noise.value,
            long_axis=self.long_axis.value,
        )
        same = (scan.subject, scan.spacing) == (new.subject, new.spacing)
        # Slices have other numbers now.
        return new if same else replace(new, by_hand=(), missing=())

    def show_choice(self) -> None:
        """What the choice of the subject asks for."""
        simulated = self.subject.value in (None, RANDOM, *self._samples)
        show(self.seed, self.subject.value == RANDOM)
        show(self.own, not simulated)
        self.own.value = escape(texts.OWN_HINT if self.name is None else texts.OWN_AS_IT_IS)

    def enable(self, loading: bool, simulated: bool, view: bool) -> None:
        """Only what has a meaning: of one's own scan nothing is simulated."""
        for widget in self.controls:
            widget.disabled = loading
        for widget in self._simulation:
            show(widget, simulated)
        self.long_axis.disabled = loading or not view


class SolverPanel:
    """How it is solved."""

    def __init__(self) -> None:
        self.preset, self.preset_note = control(w.Dropdown, "srh-preset"), html("", "srh-hint")
        self.gamma = slider("srh-gamma", 1.0, 0, 4, 0.1, ".1f")
        self.gamma_note = note(texts.GAMMA_NOTE)
        self.solver, self.prior = dropdown("srh-solver", texts.SOLVERS), checkbox("srh-prior")
        self.lr_z, self.lr_d = (
            control(w.BoundedFloatText, name, value=0.1, min=1e-6, max=100, step=0.01)
            for name in ("srh-lr-z", "srh-lr-d")
        )
        fine = named(w.GridBox([self.solver, self.prior, self.lr_z, self.lr_d]), "srh-fine")
        content = [self.preset, self.preset_note, self.gamma, self.gamma_note, fine]
        self.box = card("2", texts.RUN_CARD, content, "srh-run")
        self.single = ("gamma", "solver", "prior", "lr_z", "lr_d")
        self.controls = (self.preset, *(getattr(self, name) for name in self.single))

    def fill(self, session: Session) -> None:
        """The presets that there are, and the one that is chosen."""
        from srheart_demo.solver.settings import PRESETS

        name = session.settings.name
        self.preset.options = tuple(PRESETS)
        self.preset.value = name if name in PRESETS else next(iter(PRESETS))
        self.fill_single(session)

    def fill_single(self, session: Session) -> None:
        """The single settings."""
        self.solver.value, self.prior.value = session.settings.solver, session.settings.prior
        for name, value in session.wanted.items():
            getattr(self, name).value = value

    def show_preset(self, shown: str = "") -> None:
        """What the chosen preset does, and the name of what is `shown`, if that is another."""
        name = self.preset.value or ""
        other = "" if shown in ("", name) else texts.SHOWN_RUN.format(shown, name)
        told = escape(texts.PRESET_NOTES.get(name, ""))
        self.preset_note.value = f"<b>{escape(other)}</b> {told}" if other else told

    def show_long_axis(self, used: bool) -> None:
        """Whether γ weighs anything."""
        self.gamma.disabled = not used
        self.gamma_note.value = escape(texts.GAMMA_NOTE if used else texts.GAMMA_UNUSED)


class UnknownsPanel:
    """d, and z as bars or as a path."""

    def __init__(self) -> None:
        self.shifts, self.latent, self.path = ShiftChart(), LatentChart(), PathChart()
        shown = {
            "bars": plot(self.latent, "srh-fig-latent"),
            "path": plot(self.path, "srh-fig-path"),
        }
        mode = w.ToggleButtons(options=choices(texts.LATENT_MODES))

        def choose() -> None:
            for name, chart in shown.items():
                show(chart, name == mode.value)

        mode.observe(lambda _: choose(), "value")
        choose()
        head = [html(f"<h3>{texts.LATENT_HEADING}</h3>"), named(mode, "srh-mode")]
        content = [
            html(f"<h3>{texts.SHIFTS_HEADING}</h3>", "srh-subheading"),
            plot(self.shifts, "srh-fig-shifts"),
            named(w.HBox(head), "srh-latent-head"),
            *shown.values(),
        ]
        self.box = card("3", texts.UNKNOWN, content, "srh-unknown")

    def show_frame(self, now: Moment) -> None:
        """The unknowns of a run, in its colour."""
        colour = next(run.colour for run in now.curves if run.active)
        self.shifts.show_shifts(now.shifts, colour)
        self.latent.show_latent(now.step.z[0].numpy(), colour)
        self.path.show_paths(now.curves, now.at)


class ConvergencePanel:
    """The losses."""

    def __init__(self) -> None:
        self.chart = ConvergenceChart()
        content: list[w.Widget] = [plot(self.chart, "srh-fig-convergence")]
        self.box = card("4", texts.CONVERGENCE, content, "srh-convergence")

    def show_frame(self, now: Moment) -> None:
        """Those of all runs, with a mark at what is looked at."""
        self.chart.show_curves(now.curves, now.at)


class Transport:
    """Moves through a run: its buttons, a scrubber over iterations, the runs that are kept."""

    def __init__(self) -> None:
        self.run = button("srh-button-run", "play")
        self.pause = button("srh-button-pause", "pause")
        self.step = button("srh-button-step", "step-forward")
        self.reset = button("srh-button-reset", "undo")
        self.run.button_style = "primary"
        buttons = named(w.GridBox([self.run, self.pause, self.step, self.reset]), "srh-buttons")
        self.iteration = control(w.IntSlider, "srh-iteration", value=0, min=0, max=1)
        self.replay = button("srh-button-replay", "history")
        self.fork = button("srh-button-fork", "code-fork")
        self.cancel = button("srh-button-cancel", "times")
        self.runs = [button("srh-chip-run") for _ in range(3)]
        chips = named(w.HBox([self.replay, self.fork, *self.runs]), "srh-runs")
        self.status, self.detail = html("", "srh-status"), html("", "srh-detail")
        told = named(w.VBox([w.HBox([self.status, self.cancel]), self.detail]), "srh-told")
        self.box = named(
            w.GridBox([buttons, w.VBox([self.iteration, chips]), told]), "srh-card", "srh-transport"
        )
        show(self.cancel, False)
        self._show_runs(())

    def show_frame(self, now: Moment) -> None:
        """The iteration that is looked at, and a chip for every run, in its colour."""
        self.iteration.max = max(now.last, 1)
        self.iteration.value = now.at
        self._show_runs(now.curves)

    def _show_runs(self, curves: tuple[LossCurves, ...]) -> None:
        for chip, run in zip(self.runs, (*curves, None, None, None), strict=False):
            show(chip, run is not None and len(curves) > 1)
            for name in [n for n in chip._dom_classes if n.startswith("srh-colour-")]:
                chip.remove_class(name)
            if run is not None:
                chip.description = sentences.run_name(run)
                chip.add_class(f"srh-colour-{run.colour}")
                mark(chip, "srh-active", run.active)

    def show_status(self, state: str, word: str, detail: str, done: float) -> None:
        """The state in a word, in a line, and as a bar filled to `done` of 1."""
        status = f'<span class="srh-dot srh-{state}"></span>{escape(word)}'
        if self.status.value != status:  # the status is spoken by screen readers: on change only
            self.status.value = status
        self.detail.value = f"{bar(done)}{escape(detail)}"


class ScorePanel:
    """Dice of the estimate beside nearest-neighbour up-sampling's, and the motion error.

    The motion error is that of the picture. Dice takes longer: of another picture it is marked.
    """

    def __init__(self) -> None:
        self.table = html("", "srh-scores")
        self.box = card("5", texts.QUALITY, [self.table], "srh-quality", texts.GAUGE_SCORE_NOTE)
        self._scored: Moment | None = None
        self._shown: Moment | None = None

    def show_scores(self, now: Moment) -> None:
        """Bars for Dice."""
        self._scored = now
        self._write()

    def show_frame(self, now: Moment) -> None:
        """The motion error in mm, before and after."""
        self._shown = now
        self._write()

    def _write(self) -> None:
        scored, shown = self._scored, self._shown
        if scored is None or shown is None:
            return
        known, old = bool(scored.dice), scored.estimate is not shown.estimate
        dice, nearest = scored.dice or scored.agreement, scored.nearest
        heading = texts.DICE_HEADING if known else texts.AGREEMENT_HEADING
        if old:
            heading = texts.OLD_HEADING.format(scored.at)
        other = f"<u></u>{texts.DICE_NEAREST}" if known else ""
        rows = (
            f'<div class="srh-score srh-score-head"><span>{heading}</span><span></span>'
            f"<span>{texts.DICE_ESTIMATE}</span><span>{other}</span></div>"
        ) + "".join(
            _score_row(tissue, colour, dice[tissue], nearest.get(tissue))
            for tissue, colour in TISSUE_COLOURS.items()
        )
        if known:
            below = (
                '<div class="srh-score srh-score-motion">'
                f"<span>{texts.MOTION_ERROR}</span><span></span><b>{shown.motion_error:.1f} mm</b>"
                f"<span>{shown.motion_uncorrected:.1f} mm</span></div>"
            )
        else:
            below = f'<div class="srh-hint">{escape(texts.NO_TRUTH_NOTE)}</div>'
        self.table.value = (f'<div class="srh-old">{rows}</div>' if old else rows) + below


def _score_row(tissue: str, colour: str, estimate: float, nearest: float | None) -> str:
    mark_ = "" if nearest is None else f'<u style="left:{100 * nearest:.1f}%"></u>'
    filled = f'<i style="width:{100 * estimate:.1f}%"></i>{mark_}'
    return (
        f'<div class="srh-score"><span>{tissue}</span>'
        f'<span class="srh-track" style="color:{colour}">{filled}</span>'
        f"<b>{estimate:.3f}</b><span>{'' if nearest is None else f'{nearest:.3f}'}</span></div>"
    )
