"""The tabs that show why a run goes as it goes. Each is built when it is opened first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import numpy as np

from srheart_demo.dashboard import texts, theme
from srheart_demo.dashboard.chart import Axis, Chart, Map, Panel, Series
from srheart_demo.dashboard.charts import TICKS, log_range
from srheart_demo.dashboard.film import rgba_png
from srheart_demo.dashboard.layout import plot
from srheart_demo.dashboard.panels import News, button, card, html, named, show
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.dashboard.runner import Runner
    from srheart_demo.explorer import Direction, GaugeCurve, Landscape, Lane, Session, Traversal

About = tuple[Any, ...]
"""What a tab depends on: an object, which is another one when it changes, and plain values."""
LINES = ("solid", "dash", "dot", "dashdot")
ON_MAP, UNDER_MAP = "#101418", "#FFFFFF"
"""Dark on light on dark: seen on any part of a map."""
NOTHING = rgba_png(np.zeros((1, 1, 4), np.uint8))


def _same(a: About | None, b: About) -> bool:
    return a is not None and a[0] is b[0] and a[1:] == b[1:]


class WhyTab(ABC):
    """A tab with one computation, done again when what is looked at has changed.

    There are no pictures before there is something in them; what is being computed, is old or will
    come is said in their place.

    Attributes:
        box: the tab's content.
        computes: the name of its computation, in `texts.JOBS`; nothing where it takes no time.
        by_itself: whether it is computed without being asked for.
        of_step: whether it shows a step of a run, and is out of date with the next.
    """

    computes = ""
    by_itself = of_step = True

    def __init__(
        self,
        name: str,
        note: str,
        controls: list[w.Widget],
        pictures: list[w.Widget],
        compute: Callable[[], None],
    ) -> None:
        self._news = News(texts.COMING[name])
        self._pictures = named(w.VBox(pictures), "srh-why-pictures")
        self._coming = texts.COMING[name]
        self._shown: About | None = None
        self._asked: About | None = None
        self._given_up: About | None = None
        content = [html(note, "srh-note"), *controls, self._news.box, self._pictures]
        self.box = card("", texts.TITLES[name], content, f"srh-why-{name}", texts.LESSONS[name])
        self.box.add_class("srh-why")
        self._news.again.on_click(lambda _: compute())
        self.clear()

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
        (self._pictures.add_class if old else self._pictures.remove_class)("srh-old")
        show(self._pictures, self.filled)
        self._news.alone(not self.filled)
        self._news.say(text, done, again)


def _choice(name: str, text: str, options: list[Any]) -> w.Dropdown:
    return named(w.Dropdown(options=options, description=text), name)


def _picture(name: str) -> w.Image:
    """A picture; until there is one, nothing that a browser would call broken."""
    return named(w.Image(value=NOTHING, format="png"), "srh-portrait", name)


def _row(*children: w.Widget) -> w.HBox:
    return named(w.HBox(list(children)), "srh-why-row")


class MapChart(Chart):
    """L over two unknowns, with the path of the run on it."""

    def show_landscape(self, landscape: Landscape, x: str, y: str, title: str) -> None:
        """Draw it; `x` and `y` name the unknowns, with their units."""
        (path_x, path_y), truth = landscape.path.T, landscape.truth
        # Far up nothing is to be told apart; the valley is.
        told = float(landscape.L.min()), float(np.quantile(landscape.L, 0.9))
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
                Axis(x, (float(landscape.x[0]), float(landscape.x[-1])), grid=False),
                Axis(y, (float(landscape.y[0]), float(landscape.y[-1])), grid=False),
                series,
                Map(landscape.x, landscape.y, landscape.L, told, texts.LANDSCAPE_L),
            ),
            title=title,
        )


class LandscapeTab(WhyTab):
    """L over one slice's shift, and over that and a direction of z."""

    computes = "valley"

    def __init__(self, ask: Callable[[], None], compute: Callable[[], None]) -> None:
        self.direction = _choice(
            "srh-landscape-direction",
            texts.LANDSCAPE_DIRECTION,
            [(str(number + 1), number) for number in range(8)],
        )
        self.shift, self.valley = MapChart(), MapChart()
        maps = named(
            w.GridBox([plot(self.shift, "srh-fig-shift-map"), plot(self.valley, "srh-fig-valley")]),
            "srh-two",
        )
        super().__init__("landscape", texts.LANDSCAPE_NOTE, [_row(self.direction)], [maps], compute)
        self.direction.observe(lambda _: ask(), "value")

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the slice and the direction of z."""
        return session.step, runner.look[0], self.direction.value

    def compute(self, session: Session, runner: Runner) -> None:
        """Both maps."""
        k = min(runner.look[0], len(session.scene.slices) - 1)
        number = self.direction.value
        title = texts.landscape_shift_title(int(session.scene.slices[k]) + 1)

        def work(session: Session, watch: Any) -> tuple[Landscape, Landscape]:
            vector = session.direction(number)
            return session.shift_map(k), session.valley(vector, k, 1, watch)

        def show(found: tuple[Landscape, Landscape]) -> None:
            self.shift.show_landscape(found[0], texts.COLUMN_SHIFT, texts.ROW_SHIFT, title)
            self.valley.show_landscape(
                found[1], texts.ALONG, texts.COLUMN_SHIFT, texts.LANDSCAPE_VALLEY_TITLE
            )
            self.fill()

        runner.job(self.computes, work, show)


class LatentTab(WhyTab):
    """One direction of z after the other, and what it does to a heart."""

    computes = "directions"

    def __init__(self, ask: Callable[[], None], compute: Callable[[], None]) -> None:
        self._directions: list[Direction] = []
        self.direction = _choice("srh-latent-direction", texts.LATENT_DIRECTION, [("1", 0)])
        self.amount = named(
            w.FloatSlider(
                0, min=-3, max=3, step=0.25, description=texts.LATENT_AMOUNT, readout_format=".2f"
            ),
            "srh-latent-amount",
        )
        self.portrait = _picture("srh-latent-portrait")
        self.figure = Chart()
        pair = named(w.GridBox([self.portrait, plot(self.figure, "srh-fig-volumes")]), "srh-two")
        self.story = html("", "srh-hint")
        controls: list[w.Widget] = [_row(self.direction, self.amount)]
        super().__init__("latent", texts.LATENT_NOTE, controls, [self.story, pair], compute)
        self._moving = False
        self.direction.observe(lambda _: None if self._moving else ask(), "value")
        self.amount.observe(lambda _: None if self._moving else ask(), "value")

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the direction and how far along it."""
        return session.step, self.direction.value, self.amount.value

    def compute(self, session: Session, runner: Runner) -> None:
        """Volumes along the direction, and the heart there."""
        index, amount = self.direction.value or 0, float(self.amount.value)

        def work(session: Session, watch: Any) -> tuple[list[Direction], Traversal, Any]:
            from srheart_demo.explorer.portrait import portrait

            directions = session.directions(watch)
            vector = directions[index].vector
            volumes = session.traverse(vector, watch)
            return directions, volumes, portrait(session.heart_along(vector, amount), 200)

        runner.job(self.computes, work, self._show)

    def _show(self, found: tuple[list[Direction], Traversal, np.ndarray]) -> None:
        directions, traversal, picture = found
        if not self._directions:
            options = [(texts.direction(i + 1, d), i) for i, d in enumerate(directions)]
            self._moving = True
            self.direction.options = options
            self._moving = False
            self._directions = directions
        self.portrait.value = rgba_png(picture)
        amount = float(self.amount.value)
        volumes = traversal.volumes
        here = {t: float(np.interp(amount, traversal.amounts, volumes[t])) for t in volumes}
        lines = []
        for (tissue, colour), dash in zip(TISSUE_COLOURS.items(), LINES, strict=False):
            x, y = traversal.amounts, volumes[tissue]
            inside = np.where(traversal.beyond(tissue), np.nan, y)
            lines += [
                Series(x, y, colour, dash=dash, width=0.8, tells=False),
                Series(x, inside, colour, name=tissue, dash=dash),
            ]
        dots = [
            Series([amount], [ml], colour, kind="points", size=9)
            for ml, colour in zip(here.values(), TISSUE_COLOURS.values(), strict=True)
        ]
        top = 1.12 * max(float(v.max()) for v in volumes.values())
        self.figure.show(
            Panel(
                Axis(texts.ALONG, (-3.1, 3.1)),
                Axis(texts.LATENT_VOLUME, (0, top)),
                (*lines, *dots),
            ),
        )
        odd, share = traversal.outside(amount), traversal.share_outside
        self.story.value = escape(texts.latent_story(here, odd, share))
        self.fill()


class GaugeTab(WhyTab):
    """Heart and slices moved against each other."""

    computes = "gauge"

    def __init__(self, ask: Callable[[], None], compute: Callable[[], None]) -> None:
        kinds = [(text, kind) for kind, text in texts.GAUGE_KINDS.items()]
        self.kind = _choice("srh-gauge-kind", texts.GAUGE_KIND, kinds)
        self.kind.value = "shear"
        self.amount = named(
            w.FloatSlider(20, min=-30, max=30, step=2, description=texts.GAUGE_AMOUNT),
            "srh-gauge-amount",
        )
        self.figure = Chart()
        self.before, self.after = _picture("srh-gauge-before"), _picture("srh-gauge-after")
        pictures = [
            named(w.VBox([picture, html(escape(text), "srh-column")]), "srh-framed")
            for picture, text in (
                (self.before, texts.GAUGE_BEFORE),
                (self.after, texts.GAUGE_AFTER),
            )
        ]
        self.verdict = html("", "srh-verdict")
        shown = [
            plot(self.figure, "srh-fig-gauge"),
            self.verdict,
            named(w.GridBox(pictures), "srh-two"),
        ]
        super().__init__("gauge", texts.GAUGE_NOTE, [_row(self.kind, self.amount)], shown, compute)
        for control in (self.kind, self.amount):
            control.observe(lambda _: ask(), "value")

    def about(self, session: Session, runner: Runner) -> About:
        """The step, the experiment and its amount."""
        return session.step, self.kind.value, self.amount.value

    def compute(self, session: Session, runner: Runner) -> None:
        """The losses, and the heart before and after."""
        kind, amount = self.kind.value, float(self.amount.value)

        def work(session: Session, watch: Any) -> tuple[GaugeCurve, Any, Any]:
            from srheart_demo.explorer.portrait import portrait
            from srheart_demo.explorer.why import gauge_heart

            field = session.field()
            moved = portrait(gauge_heart(field, kind, amount), 160)
            return session.gauge_curve(kind, watch), portrait(field, 160), moved

        def show(found: tuple[GaugeCurve, np.ndarray, np.ndarray]) -> None:
            curve, before, after = found
            self.before.value, self.after.value = rgba_png(before), rgba_png(after)
            self.verdict.value = texts.gauge_verdict(curve)
            losses = np.concatenate([curve.loss_sa, curve.loss_la])
            top = 1.1 * float(np.nanmax(losses))
            lines = [
                Series(curve.amounts, loss, colour, "line+points", name, dash=dash, size=5)
                for name, loss, colour, dash in (
                    (texts.LOSS_SA, curve.loss_sa, theme.RUNS[0], "solid"),
                    (texts.LOSS_LA, curve.loss_la, theme.RUNS[1], "dash"),
                )
            ]
            here = Series([amount] * 2, [0, top], theme.MIDDLE, width=1.6, dash="dot", tells=False)
            self.figure.show(
                Panel(
                    Axis(texts.GAUGE_AXIS[kind], (-31, 31), zero=True),
                    Axis(texts.LOSS_AXIS, (0, top)),
                    (*lines, here),
                )
            )
            self.fill()

        runner.job(self.computes, work, show)


class RaceTab(WhyTab):
    """All presets from one start."""

    computes = "race"
    by_itself = of_step = False

    def __init__(self, ask: Callable[[], None], compute: Callable[[], None]) -> None:
        self.start = button(texts.RACE_START, "flag", "srh-race-start")
        self.loss, self.error = Chart(), Chart()
        self.verdict = html("", "srh-verdict")
        shown = [
            plot(self.loss, "srh-fig-race-loss"),
            plot(self.error, "srh-fig-race-error"),
            self.verdict,
        ]
        super().__init__("race", texts.RACE_NOTE, [_row(self.start)], shown, compute)
        self.start.on_click(lambda _: compute())

    def about(self, session: Session, runner: Runner) -> About:
        """The scan, and γ."""
        return session.scene, session.wanted["gamma"]

    def compute(self, session: Session, runner: Runner) -> None:
        """Run the race; what there is is shown on the way."""
        self.clear(self._coming)
        show = runner.on_loop(self.show)
        runner.job(self.computes, lambda session, watch: session.race(watch, show), self.show)

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
                for lane, colour, dash in zip(lanes, colours, LINES, strict=True)
                for name in (lane.name.capitalize() if chart is self.loss else "",)
            ]
            chart.show(Panel(Axis(texts.RACE_SECONDS, (0, end)), axis, tuple(lines)))
        self.verdict.value = escape(texts.race_line(lanes))


class TakeTab(WhyTab):
    """Files, and the state as a text."""

    def __init__(self, take: Callable[[str], None], restore: Callable[[str], None]) -> None:
        self.buttons = {
            kind: button(title, "download", f"srh-take-{kind}")
            for kind, (title, _) in texts.TAKES.items()
        }
        rows: list[w.Widget] = []
        for kind, (_, note) in texts.TAKES.items():
            rows += [self.buttons[kind], html(escape(note), "srh-hint")]
        self.state = named(w.Textarea(), "srh-state")
        self.restore = button(texts.RESTORE, "upload", "srh-restore")
        controls = [
            named(w.GridBox(rows), "srh-takes"),
            html(f"<h3>{escape(texts.STATE)}</h3>"),
            html(escape(texts.STATE_NOTE), "srh-hint"),
        ]
        shown = [self.state, _row(self.restore)]
        super().__init__("take", texts.TAKE_NOTE, controls, shown, lambda: None)
        for kind, widget in self.buttons.items():
            widget.on_click(lambda _, kind=kind: take(kind))
        self.restore.on_click(lambda _: restore(self.state.value))

    def about(self, session: Session, runner: Runner) -> About:
        """All that is kept, and what of it is looked at."""
        history = session.history
        return session.step, history.at, [(run, len(run.steps)) for run in history.runs]

    def compute(self, session: Session, runner: Runner) -> None:
        """The text of what there is."""
        self.state.value = session.text()
        self.fill()
