"""The cards of controls and scores, and the bar that moves through a run."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import ipywidgets as w

from srheart_demo.dashboard import sentences, texts
from srheart_demo.dashboard import widgets as ui
from srheart_demo.dashboard.chart import Chart, latent_code, latent_paths, slice_shifts
from srheart_demo.dashboard.runner import Activity, Runner
from srheart_demo.dashboard.stack import StackView
from srheart_demo.dashboard.tour import TourStrip
from srheart_demo.frame import TISSUE_COLOURS
from srheart_demo.solver.settings import PAPERS_SYSTEM, PRESETS

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Moment
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.subjects import ScanSettings

RANDOM, OWN = "random", "own"  # Choices of the subject that ask for more
PAPERS_CHOICE = "paper"
"""The choice of a preset that is the paper's own system: settings and generator."""


class Header:
    """Title, the legend of colours that holds for every view, the equation, the theme, the way into
    the tour, which takes the place of the words below, and the switch that hides the truth."""

    def __init__(self) -> None:
        subtitle = f'<span class="srh-subtitle">{escape(texts.SUBTITLE)}</span>'
        title = ui.html(f"<h1>{escape(texts.TITLE)}</h1>{subtitle}", "srh-title")
        names = "srh-equation", "srh-theme", "srh-hide-truth", "srh-tour-start"
        switches = [*map(ui.control, names)]
        self.equation, self.dark, self.hide_truth, self.to_tour = switches
        self.of_session, self.tour, self._shown = switches[2:], TourStrip(), True
        self.touring = False  # whether the tour is on the page
        self.language = ui.control("srh-language", value=texts.SPOKEN)
        legend = ui.html(sentences.legend())
        equations = "".join(f"<span>{line}</span>" for line in texts.EQUATIONS)
        strip = ui.html(equations, "srh-equations")
        controls = self.hide_truth, self.equation, self.language, self.dark
        top = ui.named(w.HBox([title, self.to_tour, legend, *controls]), "srh-header")
        begin = ui.html(texts.BEGIN, "srh-tip-line")
        self._told = ui.named(w.VBox([strip, begin, self.tour.box]), "srh-told-of")
        self.box = w.VBox([top, self._told])
        self.to_tour.on_click(lambda _: self.begin_tour())
        self.tour.leave.on_click(lambda _: self._end_tour())
        self.equation.observe(lambda change: ui.show(strip, change.new), "value")

    def begin_tour(self) -> None:
        """It takes the place of the equation."""
        self._shown, self.equation.value, self.touring = self.equation.value, False, True
        ui.mark(self._told, "srh-touring", True)
        self.tour.begin()

    def _end_tour(self) -> None:
        """All stays as it is; the tour goes on from here another time."""
        self.touring = False
        ui.mark(self._told, "srh-touring", False)
        self.equation.value = self._shown or self.equation.value
        self.to_tour.focus()


class ScanPanel:
    """Who is scanned, and how."""

    def __init__(self) -> None:
        self.subject, self.seed = ui.control("srh-subject"), ui.control("srh-seed")
        self.own, self.stack = ui.note(texts.OWN_AS_IT_IS), ui.named(StackView(), "srh-stack-box")
        simulation = "motion", "spacing", "noise"
        self._simulation = {name: ui.control(f"srh-{name}") for name in simulation}
        self.motion, self.spacing, self.noise = self._simulation.values()
        self.long_axis, self.live = ui.control("srh-long-axis"), ui.control("srh-live")
        self.views_move, self._views = ui.control("srh-views-move"), self.long_axis.options
        self._simulation["views_move"] = self.views_move
        pair = ui.named(w.GridBox([self.long_axis, self.views_move, self.live]), "srh-pair")
        sliders = self.motion, self.spacing, self.noise
        content = [self.subject, self.seed, self.own, *sliders, pair, self.stack]
        self.box = ui.card("1", texts.SCAN, content, "srh-scan")
        self.controls = (self.subject, self.seed, *self._simulation.values(), self.long_axis)
        self.show_choice()

    def fill(self, session: Session) -> None:
        """The subjects that there are, and how the one is scanned that is looked at."""
        from srheart_demo.explorer.subjects import random_seed

        scan = session.scene.settings
        words = texts.SAMPLE_NAMES | {name: name for name in session.own}
        words |= {RANDOM: texts.SUBJECT_RANDOM, OWN: texts.SUBJECT_OWN}
        seed = random_seed(scan.subject)
        ui.offer(self.subject, words, scan.subject if seed is None else RANDOM)
        if seed is not None:
            self.seed.value = seed
        if session.scene.simulated:  # of one's own scan nothing is simulated
            for name, widget in self._simulation.items():
                widget.value = getattr(scan, name)
        views = session.scene.subject.views
        own = {n: texts.OWN_VIEWS.format(n) for n in range(1, views + 1)}
        simulated = {n: text for text, n in self._views}
        there = simulated if session.scene.simulated else {0: simulated[0], **own}
        ui.offer(self.long_axis, there, len(session.scene.scan.views))
        self.show_choice()

    @property
    def name(self) -> str | None:
        """The chosen subject, or None while a file is still to be chosen."""
        if self.subject.value == RANDOM:
            return f"{RANDOM}_{self.seed.value}"
        return None if self.subject.value in (OWN, None) else self.subject.value

    def chosen(self, scan: ScanSettings) -> ScanSettings:
        """Another scan, as it is chosen here."""
        simulated = {name: widget.value for name, widget in self._simulation.items()}
        subject, view = self.name or scan.subject, self.long_axis.value
        new = replace(scan, subject=subject, long_axis=view, **simulated)
        same = (scan.subject, scan.spacing) == (new.subject, new.spacing)
        # Slices have other numbers now.
        return new if same else new.by_itself

    def show_choice(self) -> None:
        """What the choice of the subject asks for."""
        ui.show(self.seed, self.subject.value == RANDOM)
        ui.show(self.own, self.subject.value not in (None, RANDOM, *texts.SAMPLE_NAMES))
        self.kept = self.subject.value  # while a file is still to be chosen

    def enable(self, loading: bool, simulated: bool, view: bool) -> None:
        """Only what has a meaning: of one's own scan nothing is simulated."""
        for widget in self.controls:
            widget.disabled = loading
        for widget in self._simulation.values():
            ui.show(widget, simulated)
        self.long_axis.disabled = loading or not view


class SolverPanel:
    """How it is solved, and with which generator."""

    def __init__(self) -> None:
        self.preset, self.preset_note = ui.control("srh-preset"), ui.html("", "srh-hint")
        self.generator, self.gamma = ui.control("srh-generator"), ui.control("srh-gamma")
        self.gamma_note = ui.note(texts.GAMMA_NOTE)
        self.solver, self.prior = ui.control("srh-solver"), ui.control("srh-prior")
        self.lr_z, self.lr_d = ui.control("srh-lr-z"), ui.control("srh-lr-d")
        fine = ui.named(w.GridBox([self.solver, self.prior, self.lr_z, self.lr_d]), "srh-fine")
        chosen = [self.preset, self.generator, self.preset_note]
        content = [*chosen, self.gamma, self.gamma_note, fine]
        self.box = ui.card("2", texts.RUN_CARD, content, "srh-run")
        self.single = ("gamma", "solver", "prior", "lr_z", "lr_d")
        single = (getattr(self, name) for name in self.single)
        self.controls = (self.preset, self.generator, *single)
        self._chosen = ""

    def fill(self, session: Session) -> None:
        """What there is to choose from, and what is chosen."""
        from srheart_demo.explorer.history import called, generator_name
        from srheart_demo.heart.generator import available

        settings, generator = session.settings, generator_name(session.generator)
        presets = {name: name for name in PRESETS}
        if PAPERS_SYSTEM[1] in available():
            presets[PAPERS_CHOICE] = texts.PAPERS_SYSTEM
        name = settings.name if settings.name in PRESETS else next(iter(PRESETS))
        papers = (name, generator) == PAPERS_SYSTEM
        ui.offer(self.preset, presets, PAPERS_CHOICE if papers else name)
        known = {name: texts.GENERATORS.get(name, name) for name in available()}
        ui.offer(self.generator, known, generator)
        for name in self.single:
            getattr(self, name).value = getattr(settings, name)
        self._chosen = called(PRESETS.get(settings.name, settings), session.generator)

    def show_preset(self, shown: str = "") -> None:
        """What the chosen preset does, and the name of what is `shown`, if that is another."""
        papers = self.preset.value == PAPERS_CHOICE
        told = texts.PAPERS_NOTE if papers else texts.PRESET_NOTES.get(self.preset.value, "")
        names = map(sentences.in_words, (shown, self._chosen))
        other = shown not in ("", self._chosen)
        said = f"<b>{escape(texts.SHOWN_RUN.format(*names))}</b> " if other else ""
        self.preset_note.value = said + escape(told)

    def show_long_axis(self, used: bool) -> None:
        """Whether γ weighs anything."""
        self.gamma.disabled = not used
        self.gamma_note.value = escape(texts.GAMMA_NOTE if used else texts.GAMMA_UNUSED)


class UnknownsPanel:
    """d, and z as bars or as a path."""

    def __init__(self) -> None:
        self.shifts, self.latent, self.path = Chart(), Chart(), Chart()
        self._modes = {
            "bars": ui.plot(self.latent, "srh-fig-latent"),
            "path": ui.plot(self.path, "srh-fig-path"),
        }
        self.mode = w.ToggleButtons(options=ui.choices(texts.LATENT_MODES))
        self.mode.observe(lambda _: self.show_frame(self._now), "value")
        self.show_frame(None)
        head = [ui.html(f"<h3>{texts.LATENT_HEADING}</h3>"), ui.named(self.mode, "srh-mode")]
        content = [
            ui.html(f"<h3>{texts.SHIFTS_HEADING}</h3>", "srh-subheading"),
            ui.plot(self.shifts, "srh-fig-shifts"),
            ui.named(w.HBox(head), "srh-latent-head"),
            *self._modes.values(),
        ]
        self.box = ui.card("3", texts.UNKNOWN, content, "srh-unknown")

    def show_frame(self, now: Moment | None) -> None:
        """The unknowns of a run, in its colour; none before there is one."""
        self._now = now
        for mode, chart in self._modes.items():
            ui.show(chart, mode == self.mode.value)
        if now is None:
            return
        self.shifts.show(*slice_shifts(now))
        if self.mode.value == "path":
            self.path.show(latent_paths(now))
        else:
            self.latent.show(latent_code(now.step.z[0].numpy(), now.run.colour))


class Transport:
    """Moves through a run: its buttons, a scrubber over iterations, the runs that are kept; and
    says what the run is doing, in a word and a line, never ahead of the picture.
    """

    shown: Moment | None  # the moment that the page shows

    def __init__(self) -> None:
        names = "run", "pause", "step", "reset", "replay", "fork", "cancel"
        buttons = [ui.control(f"srh-button-{name}") for name in names]
        self.run, self.pause, self.step, self.reset = buttons[:4]
        self.replay, self.fork, self.cancel = buttons[4:]
        pressed = ui.named(w.GridBox(buttons[:4]), "srh-buttons")
        self.iteration = ui.control("srh-iteration")
        self.runs = [ui.named(w.Button(), "srh-chip-run") for _ in range(3)]
        chips = ui.named(w.HBox([self.replay, self.fork, *self.runs]), "srh-runs")
        self.status, self.detail = ui.html("", "srh-status"), ui.html("", "srh-detail")
        told = ui.named(w.VBox([w.HBox([self.status, self.cancel]), self.detail]), "srh-told")
        parts = [pressed, w.VBox([self.iteration, chips]), told]
        self.box = ui.named(w.GridBox(parts), "srh-card", "srh-transport")
        for button in (self.cancel, *self.runs):
            ui.show(button, False)
        self.shown, self._told = None, Activity.LOADING
        self.say("")

    def show_frame(self, now: Moment) -> None:
        """The iteration that is looked at, and a chip for every run, in its colour."""
        # Not in one message: the browser would answer a lower end with the old value, cut to it,
        # which is a wish to look there.
        self.iteration.max = max(now.last, 1)
        self.iteration.value = now.at
        for i, chip in enumerate(self.runs):
            ui.show(chip, i < len(now.runs) > 1)
        for chip, run in zip(self.runs, now.runs, strict=False):
            chip.description = sentences.run_name(run)
            ui.mark(chip, "srh-active", run is now.run)
            for colour in range(len(self.runs)):
                ui.mark(chip, f"srh-colour-{colour}", colour == run.colour)

    def say(self, problem: str, word: str = "") -> None:
        """What stands there in place of the run's state from now on; or nothing."""
        self._problem, self._word = problem, word or texts.REFUSED

    def write(self, runner: Runner) -> None:
        """Write what there is to say of the run now."""
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
            self.show_status("failed", self._word, self._problem, 0.0)
            return
        elif shown is not None:
            whole = shown.most if running else shown.last
            done = shown.at / whole if whole else 0.0
            line = sentences.progress_line(shown, running)
        self.show_status(state.value, getattr(texts, state.name), line, done)

    def show_status(self, state: str, word: str, detail: str, done: float) -> None:
        """The state in a word, in a line, and as a bar filled to `done` of 1."""
        status = f'<span class="srh-dot srh-{state}"></span>{escape(word)}'
        if self.status.value != status:  # the status is spoken by screen readers: on change only
            self.status.value = status
        self.detail.value = f"{ui.bar(done)}{escape(detail)}"


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


class ScorePanel:
    """Dice of the estimate beside nearest-neighbour up-sampling's, and the motion error.

    The motion error is that of the picture. Dice takes longer: of another picture it is marked.
    """

    def __init__(self) -> None:
        self.table = ui.html("", "srh-scores")
        self.box = ui.card("5", texts.QUALITY, [self.table], "srh-quality", texts.GAUGE_SCORE_NOTE)
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
        if shown.scene.truth_hidden:
            self.table.value = f'<div class="srh-hint">{escape(texts.HIDDEN_NOTE)}</div>'
            return
        known, old = bool(scored.dice), scored.estimate is not shown.estimate
        dice, nearest = scored.dice or scored.agreement, scored.nearest
        heading = texts.DICE_HEADING if known else texts.AGREEMENT_HEADING
        if old:
            heading = texts.OLD_HEADING.format(scored.at)
        other = f"<u></u>{texts.DICE_NEAREST}" if known else ""
        rows = _row("head", heading, "", f"<span>{texts.DICE_ESTIMATE}</span>", other)
        for tissue, colour in TISSUE_COLOURS.items():
            low = nearest.get(tissue)
            filled = f'<i style="width:{100 * dice[tissue]:.1f}%"></i>'
            filled += "" if low is None else f'<u style="left:{100 * low:.1f}%"></u>'
            track = f'<span class="srh-track" style="color:{colour}">{filled}</span>'
            than = "" if low is None else f"{low:.3f}"
            rows += _row("", tissue, track, f"<b>{dice[tissue]:.3f}</b>", than)
        if known:
            now, before = f"{shown.motion_error:.1f} mm", f"{shown.motion_uncorrected:.1f} mm"
            below = _row("motion", texts.MOTION_ERROR, "", f"<b>{now}</b>", before)
            below += f'<div class="srh-hint">{escape(sentences.lean(shown))}</div>'
        else:
            below = f'<div class="srh-hint">{escape(texts.NO_TRUTH_NOTE)}</div>'
        self.table.value = (f'<div class="srh-old">{rows}</div>' if old else rows) + below


def _row(kind: str, title: str, track: str, value: str, other: str) -> str:
    """A row of scores, as markup."""
    name = f"srh-score srh-score-{kind}" if kind else "srh-score"
    return (
        f'<div class="{name}"><span>{title}</span>{track or "<span></span>"}{value}'
        f"<span>{other}</span></div>"
    )
