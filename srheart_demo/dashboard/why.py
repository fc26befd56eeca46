"""The tabs that show why a run goes as it goes. Each is built when it is opened first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import numpy as np

from srheart_demo.dashboard import sentences, texts, theme
from srheart_demo.dashboard.chart import Axis, Chart, Map, Panel, Series
from srheart_demo.dashboard.charts import TICKS, log_range
from srheart_demo.dashboard.film import rgba_png
from srheart_demo.dashboard.widgets import (
    Hearing,
    News,
    button,
    card,
    choices,
    dropdown,
    html,
    mark,
    named,
    plot,
    row,
    show,
    slider,
)  # fmt: skip
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.dashboard.explorer import Explorer
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.explorer.race import Lane
    from srheart_demo.explorer.session import Session
    from srheart_demo.explorer.watch import Watch
    from srheart_demo.explorer.why import Direction, GaugeCurve, LossMap, Traversal

About = tuple[Any, ...]
"""What a tab depends on: an object, which is another one when it changes, and plain values."""
RUN_DASHES = ("solid", "dash", "dot", "dashdot")
ON_MAP, UNDER_MAP = "#101418", "#FFFFFF"
"""Dark on light on dark: seen on any part of a map."""
NOTHING = rgba_png(np.zeros((1, 1, 4), np.uint8))


def _same(a: About | None, b: About) -> bool:
    return a is not None and a[0] is b[0] and a[1:] == b[1:]


class WhyTab(Hearing, ABC):
    """A tab with one computation, done again when what is looked at has changed.

    There are no pictures before there is something in them; what is being computed, is old or will
    come is said in their place.

    Attributes:
        box: the tab's content.
        board: the page that it is on.
        computes: the name of its computation, in `texts.JOBS`; nothing where it takes no time.
        by_itself: whether it is computed without being asked for.
        of_step: whether it shows a step of a run, and is out of date with the next.
    """

    computes = ""
    by_itself = of_step = True

    def __init__(
        self, board: Explorer, name: str, controls: list[w.Widget], pictures: list[w.Widget]
    ) -> None:
        self.board, words = board, texts.TABS[name]
        self._coming = words["coming"]
        self._news = News(self._coming)
        self._pictures = named(w.VBox(pictures), "srh-why-pictures")
        self._shown: About | None = None
        self._asked: About | None = None
        self._given_up: About | None = None
        content = [html(words["note"], "srh-note"), *controls, self._news.box, self._pictures]
        title = words.get("title", words["button"])
        self.box = card("", title, content, f"srh-why-{name}", words["lesson"])
        self.box.add_class("srh-why")
        self._news.again.on_click(lambda _: board.tabs.compute())
        self.clear()

    def ask_with(self, *controls: w.Widget) -> None:
        """Another value of these is another question."""
        for each in controls:
            self.on(each, lambda _: self.board.tabs.refresh())

    @property
    def filled(self) -> bool:
        """Whether there is anything to see."""
        return self._shown is not None

    @property
    def said(self) -> str:
        """What stands in the pictures' place, or above them."""
        return self._news.text

    @abstractmethod
    def about(self, session: Session, runner: Runner) -> About:
        """What it depends on."""

    @abstractmethod
    def compute(self, session: Session, runner: Runner) -> None:
        """Compute it, and call `fill` when it is there."""

    def refresh(self, session: Session, runner: Runner, anew: bool = False) -> None:
        """Compute for what is looked at now, unless that is shown, on its way or given up."""
        about = self.about(session, runner)
        if _same(self._shown, about) and not anew:
            self._tell("")
        elif not self.by_itself and not anew:
            self._tell(texts.OLD_RACE if self.filled else self._coming)
        elif anew or not (_same(self._given_up, about) or self._under_way(about, runner)):
            self._asked, self._given_up = about, None
            self.compute(session, runner)

    def _under_way(self, about: About, runner: Runner) -> bool:
        return runner.computing == self.computes != "" and _same(self._asked, about)

    def fill(self) -> None:
        """It shows what was asked for last."""
        self._shown = self._asked
        self._tell("")

    def clear(self, said: str | None = None) -> None:
        """Nothing is to be seen, but a word of what will come."""
        self._shown = None
        self._tell(self._coming if said is None else said)

    def wait(self) -> None:
        """A run goes on: what it showed before is old, and what is to come comes later."""
        if self.of_step or not (self.filled or not self.by_itself):
            self._tell(texts.OLD if self.filled else texts.COMPUTED_LATER)

    def progress(self, word: str, done: float) -> None:
        """Something is computed."""
        self._tell(f"{word}: {100 * done:.0f} %", done)

    def give_up(self, why: str) -> None:
        """What was asked for is not computed, until somebody asks again."""
        self._given_up = self._asked
        self._tell(why, again=True)

    def _tell(self, text: str, done: float | None = None, again: bool = False) -> None:
        old = self.filled and bool(text)
        mark(self._pictures, "srh-old", old)
        show(self._pictures, self.filled)
        self._news.alone(not self.filled)
        self._news.say(text, done, again)


def _picture(name: str) -> w.Image:
    """A picture; until there is one, nothing that a browser would call broken."""
    return named(w.Image(value=NOTHING, format="png"), "srh-portrait", name)


class MapChart(Chart):
    """L over two unknowns, with the path of the run on it."""

    def show_map(self, losses: LossMap, x: str, y: str, title: str) -> None:
        """Draw it; `x` and `y` name the unknowns, with their units."""
        (path_x, path_y), truth = losses.path.T, losses.truth
        # Far up nothing is to be told apart; the valley is.
        told = float(losses.L.min()), float(np.quantile(losses.L, 0.9))
        here_x, here_y = path_x[-1:], path_y[-1:]
        true_x, true_y = [truth[0]], [truth[1]]
        series = (
            Series(path_x, path_y, UNDER_MAP, width=4, tells=False),
            Series(path_x, path_y, ON_MAP, width=1.8, tells=False),
            Series(here_x, here_y, UNDER_MAP, kind="points", size=14, tells=False),
            Series(here_x, here_y, ON_MAP, kind="points", name=texts.HERE, size=11),
            Series(true_x, true_y, ON_MAP, kind="crosses", width=5, size=12, tells=False),
            Series(true_x, true_y, UNDER_MAP, kind="crosses", name=texts.TRUTH, width=2.5, size=11),
        )
        self.show(
            Panel(
                Axis(x, (float(losses.x[0]), float(losses.x[-1])), grid=False),
                Axis(y, (float(losses.y[0]), float(losses.y[-1])), grid=False),
                series,
                Map(losses.x, losses.y, losses.L, told, texts.LANDSCAPE_L),
            ),
            title=title,
        )


class LandscapeTab(WhyTab):
    """L over one slice's shift, and over that and a direction of z."""

    computes = "valley"

    def __init__(self, board: Explorer) -> None:
        self.direction = dropdown("srh-landscape-direction", {i: str(i + 1) for i in range(8)})
        self.shift, self.valley = MapChart(), MapChart()
        maps = [plot(self.shift, "srh-fig-shift-map"), plot(self.valley, "srh-fig-valley")]
        pair = named(w.GridBox(maps), "srh-two")
        super().__init__(board, "landscape", [row(self.direction)], [pair])
        self.ask_with(self.direction)

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the slice and the direction of z."""
        return session.step, runner.painter.look[0], self.direction.value

    def compute(self, session: Session, runner: Runner) -> None:
        """Both maps."""
        slices, number = session.scene.slices, self.direction.value
        k = min(runner.painter.look[0], len(slices) - 1)
        title = texts.LANDSCAPE_SHIFT_TITLE.format(int(slices[k]) + 1)

        def work(session: Session, watch: Watch) -> tuple[LossMap, LossMap]:
            from srheart_demo.explorer.why import shift_map, valley

            scene, steps = session.scene, session.history.path
            truth = None if scene.d is None else scene.d + scene.gauge(session.step.d)
            shifts = shift_map(scene.problem, steps, k, truth)
            return shifts, valley(scene.problem, steps, session.principal[number], k, 1, watch)

        def draw(found: tuple[LossMap, LossMap]) -> None:
            shifts, valley = found
            self.shift.show_map(shifts, texts.COLUMN_SHIFT, texts.ROW_SHIFT, title)
            self.valley.show_map(
                valley, texts.ALONG, texts.COLUMN_SHIFT, texts.LANDSCAPE_VALLEY_TITLE
            )
            self.fill()

        runner.job(self.computes, work, draw)


class LatentTab(WhyTab):
    """One direction of z after the other, and what it does to a heart."""

    computes = "directions"

    def __init__(self, board: Explorer) -> None:
        self._directions: list[Direction] = []
        self.direction = dropdown("srh-latent-direction", {0: "1"})
        self.amount = slider("srh-latent-amount", 0, -3, 3, 0.25)
        self.portrait, self.figure = _picture("srh-latent-portrait"), Chart()
        pair = named(w.GridBox([self.portrait, plot(self.figure, "srh-fig-volumes")]), "srh-two")
        self.story = html("", "srh-hint")
        super().__init__(board, "latent", [row(self.direction, self.amount)], [self.story, pair])
        self.ask_with(self.direction, self.amount)

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the direction and how far along it."""
        return session.step, self.direction.value, self.amount.value

    def compute(self, session: Session, runner: Runner) -> None:
        """Volumes along the direction, and the heart there."""
        index, amount = self.direction.value or 0, float(self.amount.value)

        def work(session: Session, watch: Watch) -> tuple[list[Direction], Traversal, np.ndarray]:
            from srheart_demo.explorer.portrait import portrait
            from srheart_demo.explorer.why import along, named_directions, traverse

            G, z = session.generator, session.step.z
            directions = self._directions or named_directions(G, session.principal, watch)
            vector = directions[index].vector
            volumes = traverse(G, z, vector, watch)
            return directions, volumes, portrait(G.decode(along(z, vector, amount)), 200)

        runner.job(self.computes, work, self._draw)

    def _draw(self, found: tuple[list[Direction], Traversal, np.ndarray]) -> None:
        directions, traversal, picture = found
        if not self._directions:
            self._directions = directions
            names = {i: sentences.direction(i + 1, d) for i, d in enumerate(directions)}
            with self.quietly():
                self.direction.options = choices(names)
        self.portrait.value = rgba_png(picture)
        amount, volumes = float(self.amount.value), traversal.volumes
        here = {t: float(np.interp(amount, traversal.amounts, volumes[t])) for t in volumes}
        lines, dots = [], []
        for (tissue, colour), dash in zip(TISSUE_COLOURS.items(), RUN_DASHES, strict=False):
            x, y = traversal.amounts, volumes[tissue]
            inside = np.where(traversal.beyond(tissue), np.nan, y)
            lines += [
                Series(x, y, colour, dash=dash, width=0.8, tells=False),
                Series(x, inside, colour, name=tissue, dash=dash),
            ]
            dots.append(Series([amount], [here[tissue]], colour, kind="points", size=9))
        top = 1.12 * max(float(v.max()) for v in volumes.values())
        axes = Axis(texts.ALONG, (-3.1, 3.1)), Axis(texts.LATENT_VOLUME, (0, top))
        self.figure.show(Panel(*axes, (*lines, *dots)))
        odd, share = traversal.outside(amount), traversal.share_outside
        self.story.value = escape(sentences.latent_story(here, odd, share))
        self.fill()


class GaugeTab(WhyTab):
    """Heart and slices moved against each other."""

    computes = "gauge"

    def __init__(self, board: Explorer) -> None:
        self.kind = dropdown("srh-gauge-kind", texts.GAUGE_KINDS)
        self.kind.value = "shear"
        self.amount = slider("srh-gauge-amount", 20, -30, 30, 2)
        self.figure, self.verdict = Chart(), html("", "srh-verdict")
        self.before, self.after = _picture("srh-gauge-before"), _picture("srh-gauge-after")
        told = {self.before: texts.GAUGE_BEFORE, self.after: texts.GAUGE_AFTER}
        pictures = [
            named(w.VBox([picture, html(escape(text), "srh-column")]), "srh-framed")
            for picture, text in told.items()
        ]
        pair = named(w.GridBox(pictures), "srh-two")
        shown = [plot(self.figure, "srh-fig-gauge"), self.verdict, pair]
        super().__init__(board, "gauge", [row(self.kind, self.amount)], shown)
        self.ask_with(self.kind, self.amount)

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the experiment and its amount."""
        return session.step, self.kind.value, self.amount.value

    def compute(self, session: Session, runner: Runner) -> None:
        """The losses, and the heart before and after."""
        kind, amount = self.kind.value, float(self.amount.value)

        def work(session: Session, watch: Watch) -> tuple[GaugeCurve, np.ndarray, np.ndarray]:
            from srheart_demo.explorer import why
            from srheart_demo.explorer.portrait import portrait

            field = session.now.estimate.field
            moved = portrait(why.gauge_heart(field, kind, amount), 160)
            curve = why.gauge_curve(session.scene.problem, field, session.step.d, kind, watch)
            return curve, portrait(field, 160), moved

        def draw(found: tuple[GaugeCurve, np.ndarray, np.ndarray]) -> None:
            curve, before, after = found
            self.before.value, self.after.value = rgba_png(before), rgba_png(after)
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
            self.fill()

        runner.job(self.computes, work, draw)


class RaceTab(WhyTab):
    """All presets from one start."""

    computes = "race"
    by_itself = of_step = False

    def __init__(self, board: Explorer) -> None:
        self.start = button("srh-race-start", "flag")
        self.loss, self.error, self.verdict = Chart(), Chart(), html("", "srh-verdict")
        charts = [plot(self.loss, "srh-fig-race-loss"), plot(self.error, "srh-fig-race-error")]
        super().__init__(board, "race", [row(self.start)], [*charts, self.verdict])
        self.start.on_click(lambda _: board.tabs.compute())

    def about(self, session: Session, runner: Runner) -> About:
        """The scan, and γ."""
        return session.scene, session.wanted["gamma"]

    def compute(self, session: Session, runner: Runner) -> None:
        """Run the race; what there is is shown on the way."""
        self.clear()
        show = runner.on_loop(self.show)

        def work(session: Session, watch: Watch) -> list[Lane]:
            from srheart_demo.explorer.race import race

            return race(session.scene, session.wanted["gamma"], watch, show)

        runner.job(self.computes, work, self.show)

    def show(self, lanes: list[Lane]) -> None:
        """Draw how far all are."""
        self.fill()
        loss = np.concatenate([lane.loss for lane in lanes])
        error = np.concatenate([lane.motion_error for lane in lanes])
        most = 1.1 * max(float(np.nanmax(error, initial=0)), 1.0)
        axes = (
            (self.loss, Axis(texts.RACE_LOSS, log_range(loss), log=True, ticks=TICKS), "loss"),
            (self.error, Axis(texts.RACE_ERROR, (0, most)), "motion_error"),
        )
        end = max(1.0, *(float(lane.seconds[-1]) for lane in lanes))
        colours = (*theme.RUNS, theme.MIDDLE)
        for chart, axis, values in axes:
            lines = [
                Series(lane.seconds, getattr(lane, values), colour, name=name, dash=dash)
                for lane, colour, dash in zip(lanes, colours, RUN_DASHES, strict=True)
                for name in (lane.name.capitalize() if chart is self.loss else "",)
            ]
            chart.show(Panel(Axis(texts.RACE_SECONDS, (0, end)), axis, tuple(lines)))
        self.verdict.value = escape(sentences.race_line(lanes))
