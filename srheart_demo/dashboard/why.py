"""The tabs that show why a run goes as it goes. Each is built when it is opened first."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import numpy as np

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard import widgets as ui
from srheart_demo.dashboard.chart import TICKS, Axis, Chart, Map, Panel, Series, log_range
from srheart_demo.dashboard.runner import Runner
from srheart_demo.dashboard.tabs import About, Tab
from srheart_demo.dashboard.take import as_png
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch
    from srheart_demo.explorer.why import Direction, GaugeCurve, Lane, LossMap, Traversal

ON_MAP, UNDER_MAP = "#101418", "#FFFFFF"  # Dark on light on dark: seen on any part of a map
NOTHING = as_png(np.zeros((1, 1, 4), np.uint8))


def _picture(name: str) -> w.Image:
    """A picture; until there is one, nothing that a browser would call broken."""
    return ui.named(w.Image(value=NOTHING, format="png"), "srh-portrait", name)


def _pair(*widgets: w.Widget) -> w.GridBox:
    return ui.named(w.GridBox([*widgets]), "srh-two")


def _map(losses: LossMap, x: str, y: str) -> Panel:
    """L over two unknowns, named with their units, with the path of the run on it."""
    path, here = losses.path.T, losses.path[-1:].T
    truth = np.array(losses.truth)[:, None]
    # Far up nothing is to be told apart; the valley is.
    told = float(losses.L.min()), float(np.quantile(losses.L, 0.9))
    kinds = (path, "line"), (here, "points"), (truth, "crosses")
    way, at, crosses = (partial(Series, of[0], of[1], kind=kind) for of, kind in kinds)
    series = (
        way(UNDER_MAP, width=4, tells=False),
        way(ON_MAP, width=1.8, tells=False),
        at(UNDER_MAP, size=14, tells=False),
        at(ON_MAP, name=texts.HERE, size=11),
        crosses(ON_MAP, width=5, size=12, tells=False),
        crosses(UNDER_MAP, name=texts.TRUTH, width=2.5, size=11),
    )
    unknowns = (x, losses.x), (y, losses.y)
    across, up = (Axis(name, (float(n[0]), float(n[-1])), grid=False) for name, n in unknowns)
    return Panel(across, up, series, Map(losses.x, losses.y, losses.L, told, texts.LANDSCAPE_L))


class LandscapeTab(Tab):
    """L over one slice's shift, and over that and a direction of z."""

    computes = "valley"

    def __init__(self, runner: Runner) -> None:
        direction = ui.control("srh-landscape-direction")
        self.shift, self.valley = Chart(), Chart()
        maps = ui.plot(self.shift, "srh-fig-shift-map"), ui.plot(self.valley, "srh-fig-valley")
        super().__init__(runner, "landscape", [ui.row(direction)], [_pair(*maps)], direction)

    def about(self, session: Session) -> About:
        """The step, the direction of z and the slice."""
        k = min(self.runner.painter.look[0], len(session.scene.slices) - 1)
        return *super().about(session), k

    def work(self, session: Session, watch: Watch, *asked: Any) -> tuple[LossMap, LossMap, int]:
        """Both maps, and the slice's number."""
        from srheart_demo.explorer.why import shift_map, valley

        (number, k), scene, p = asked, session.scene, session.problem
        steps, direction = session.history.path, session.principal[int(number)]
        truth = None if scene.d is None else scene.d + scene.gauge(session.step.d)
        shifts = shift_map(p, steps, k, truth)
        return shifts, valley(p, steps, direction, k, watch), int(scene.slices[k]) + 1

    def draw(self, found: Any) -> None:
        """Both maps."""
        shifts, valley, number = found
        across = texts.COLUMN_SHIFT
        title = texts.LANDSCAPE_SHIFT_TITLE.format(number)
        self.shift.show(_map(shifts, across, texts.ROW_SHIFT), title=title)
        self.valley.show(_map(valley, texts.ALONG, across), title=texts.LANDSCAPE_VALLEY_TITLE)


class LatentTab(Tab):
    """One direction of z after the other, and what it does to a heart."""

    computes = "directions"

    def __init__(self, runner: Runner) -> None:
        self._named: tuple[Any, list[Direction]] = None, []
        self.direction = ui.control("srh-latent-direction")
        amount = ui.control("srh-latent-amount")
        self.portrait, self.figure = _picture("srh-latent-portrait"), Chart()
        self.story = ui.html("", "srh-hint")
        shown = [self.story, _pair(self.portrait, ui.plot(self.figure, "srh-fig-volumes"))]
        controls = self.direction, amount
        super().__init__(runner, "latent", [ui.row(*controls)], shown, *controls)

    def work(self, session: Session, watch: Watch, *asked: Any) -> tuple[Any, ...]:
        """Names of directions, volumes along one, the amount, and the heart there."""
        from srheart_demo.explorer.portrait import portrait
        from srheart_demo.explorer.why import along, named_directions, traverse

        (index, amount), G, z = asked, session.problem.G, session.step.z
        if self._named[0] is not G:
            self._named = G, named_directions(G, session.principal, watch)
        directions = self._named[1]
        vector = directions[int(index)].vector
        there = portrait(G.decode(along(z, vector, amount)), 200)
        return directions, traverse(G, z, vector, watch), amount, there

    def draw(self, found: Any) -> None:
        """The heart, and its volumes beside those along the direction."""
        directions, traversal, amount, picture = found
        names = {str(i): sentences.direction(i + 1, d) for i, d in enumerate(directions)}
        with self.quietly():
            ui.offer(self.direction, names, self.direction.value)
        self.portrait.value = as_png(picture)
        self._draw_volumes(traversal, amount)

    def _draw_volumes(self, traversal: Traversal, amount: float) -> None:
        x, volumes = traversal.amounts, traversal.volumes
        here = {t: float(np.interp(amount, x, volumes[t])) for t in volumes}
        lines, dots = [], []
        for (tissue, colour), dash in zip(TISSUE_COLOURS.items(), theme.LANE_DASHES, strict=False):
            inside = np.where(traversal.beyond(tissue), np.nan, volumes[tissue])
            lines += [
                Series(x, volumes[tissue], colour, dash=dash, width=0.8, tells=False),
                Series(x, inside, colour, name=tissue, dash=dash),
            ]
            dots.append(Series([amount], [here[tissue]], colour, kind="points", size=9))
        top = 1.12 * max(float(v.max()) for v in volumes.values())
        axes = Axis(texts.ALONG, (-3.1, 3.1)), Axis(texts.LATENT_VOLUME, (0, top))
        self.figure.show(Panel(*axes, (*lines, *dots)))
        odd, share = traversal.outside(amount), traversal.share_outside
        self.story.value = escape(sentences.latent_story(here, odd, share))


class GaugeTab(Tab):
    """Heart and slices moved against each other."""

    computes = "gauge"

    def __init__(self, runner: Runner) -> None:
        kind, amount = ui.control("srh-gauge-kind"), ui.control("srh-gauge-amount")
        self.figure, self.verdict = Chart(), ui.html("", "srh-verdict")
        self.before, self.after = _picture("srh-gauge-before"), _picture("srh-gauge-after")
        told = {self.before: texts.GAUGE_BEFORE, self.after: texts.GAUGE_AFTER}
        pictures = [
            ui.named(w.VBox([picture, ui.html(escape(text), "srh-column")]), "srh-framed")
            for picture, text in told.items()
        ]
        shown = [ui.plot(self.figure, "srh-fig-gauge"), self.verdict, _pair(*pictures)]
        super().__init__(runner, "gauge", [ui.row(kind, amount)], shown, kind, amount)

    def work(self, session: Session, watch: Watch, *asked: Any) -> tuple[Any, ...]:
        """The losses, the experiment, and the heart before and after."""
        from srheart_demo.explorer import why
        from srheart_demo.explorer.portrait import portrait

        (kind, amount), field = asked, session.now.estimate.field
        moved = portrait(why.gauge_heart(field, kind, amount), 160)
        curve = why.gauge_curve(session.problem, field, session.step, kind, watch)
        return curve, kind, amount, portrait(field, 160), moved

    def draw(self, found: Any) -> None:
        """The losses against the amount, and the hearts."""
        curve: GaugeCurve
        curve, kind, amount, before, after = found
        self.before.value, self.after.value = as_png(before), as_png(after)
        self.verdict.value = sentences.gauge_verdict(curve)
        top = 1.1 * float(np.nanmax([curve.loss_sa, curve.loss_la]))
        lines = [
            Series(curve.amounts, loss, colour, "line+points", name, dash=dash, size=5)
            for name, loss, colour, dash in (
                (texts.LOSS_SA, curve.loss_sa, theme.RUNS[0], "solid"),
                (texts.LOSS_LA, curve.loss_la, theme.RUNS[1], "dash"),
            )
        ]
        here = Series([amount] * 2, [0, top], theme.MIDDLE, width=1.6, dash="dot", tells=False)
        x = Axis(texts.GAUGE_AXIS[kind], (-31, 31), zero=True)
        self.figure.show(Panel(x, Axis(texts.LOSS_AXIS, (0, top)), (*lines, here)))


class RaceTab(Tab):
    """Presets, or the steps from the paper's method to ours, beside each other."""

    computes = "race"

    def __init__(self, runner: Runner) -> None:
        self.field, self.start = ui.control("srh-race-field"), ui.control("srh-race-start")
        self.loss, self.error, self.verdict = Chart(), Chart(), ui.html("", "srh-verdict")
        loss = ui.plot(self.loss, "srh-fig-race-loss")
        self.against_truth = ui.plot(self.error, "srh-fig-race-error")
        shown = [loss, self.against_truth, self.verdict]
        super().__init__(runner, "race", [ui.row(self.field, self.start)], shown, self.field)
        self.start.on_click(lambda _: self.ask(True))

    def about(self, session: Session) -> About:
        """The scan, who runs, γ and the generator."""
        return session.scene, self.field.value, session.settings.gamma, id(session.generator)

    def work(self, session: Session, watch: Watch, *asked: Any) -> list[Lane]:
        """Run the race; what there is is shown on the way."""
        from srheart_demo.explorer.why import FIELDS, race

        field, gamma, _ = asked
        return race(session.scene, gamma, watch, self._show, FIELDS[field])

    def compute(self, session: Session) -> None:
        """Begin with nothing on the page."""
        self.clear()
        self._show = self.runner.on_loop(self._so_far)
        super().compute(session)

    def _so_far(self, lanes: list[Lane]) -> None:
        self.draw(lanes)
        self.filled = True

    def refresh(self, session: Session, anew: bool = False) -> None:
        """Race only when somebody asks for it; else say what is seen, but where a race is on."""
        if anew:
            super().refresh(session, anew)
        elif self.runner.computing != self.computes:
            self.say("" if self.shows(session) else self._left())

    def _left(self) -> str:
        if not self.filled:
            return self._coming
        return texts.OLD_RACE if self._shown else texts.RACE_CUT_OFF

    def wait(self) -> None:
        """A run ends a race, and leaves a whole one as it is."""
        if self._shown is None:
            self.say(self._left())

    def give_up(self, why: str) -> None:
        """What there is stays, if it is said to be no more than a part."""
        self.say(self._left())

    def draw(self, found: Any) -> None:
        """How far all are."""
        lanes: list[Lane] = found
        loss = np.concatenate([lane.loss for lane in lanes])
        error = np.concatenate([lane.motion_error for lane in lanes])
        ui.show(self.against_truth, bool(np.isfinite(error).any()))
        most = 1.1 * max(float(np.nanmax(error, initial=0)), 1.0)
        end = max(1.0, *(float(lane.seconds[-1]) for lane in lanes))
        axes = (
            (self.loss, Axis(texts.RACE_LOSS, log_range(loss), log=True, ticks=TICKS), "loss"),
            (self.error, Axis(texts.RACE_ERROR, (0, most)), "motion_error"),
        )
        n = len(theme.LANES)
        numbered = enumerate(lanes)
        dashes = theme.LANE_DASHES
        looks = [(lane, theme.LANES[i % n], dashes[(i + i // n) % n]) for i, lane in numbered]
        for chart, axis, values in axes:
            lines = [
                Series(lane.seconds, getattr(lane, values), colour, name=name, dash=dash)
                for lane, colour, dash in looks
                for name in (sentences.spoken(lane.name) if chart is self.loss else "",)
            ]
            chart.show(Panel(Axis(texts.RACE_SECONDS, (0, end)), axis, tuple(lines)))
        self.verdict.value = sentences.race_table(lanes)
