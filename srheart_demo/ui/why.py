"""The tabs that show why a run goes as it goes. Each is built when it is opened first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import numpy as np
import plotly.graph_objects as go

from srheart_demo.palette import TISSUE_COLOURS
from srheart_demo.ui import texts, theme
from srheart_demo.ui.layout import plot
from srheart_demo.ui.panels import button, card, html, named
from srheart_demo.ui.png import rgba_png
from srheart_demo.ui.shared_plotly import Figure

if TYPE_CHECKING:
    from srheart_demo.session import Direction, GaugeCurve, Landscape, Lane, Session, Traversal
    from srheart_demo.ui.runner import Runner

MARGIN = {"l": 52, "r": 12, "t": 26, "b": 40}
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "bgcolor": theme.PAPER}
"""Above the plot, from the left."""
LINES = ("solid", "dash", "dot", "dashdot")


class WhyTab(ABC):
    """A tab with one computation, done again when what is looked at has changed.

    Attributes:
        box: the tab's content.
    """

    def __init__(self, name: str, note: str, children: list[w.Widget]) -> None:
        content = [html(note, "srh-note"), *children]
        self.box = card("", texts.TITLES[name], content, f"srh-why-{name}")
        self.box.add_class("srh-why")

    @abstractmethod
    def refresh(self, session: Session, runner: Runner) -> None:
        """Compute for what is looked at now."""


def _choice(name: str, text: str, options: list[Any]) -> w.Dropdown:
    return named(w.Dropdown(options=options, description=text), name)


def _picture(name: str) -> w.Image:
    return named(w.Image(format="png"), "srh-portrait", name)


def _row(*children: w.Widget) -> w.HBox:
    return named(w.HBox(list(children)), "srh-why-row")


class MapFigure(Figure):
    """L over two unknowns, with the path of the run on it."""

    def __init__(self, x: str, y: str, title: str) -> None:
        heat = go.Heatmap(
            colorscale=theme.SEQUENTIAL,
            reversescale=True,
            zsmooth="best",
            hovertemplate="%{x:.1f}, %{y:.1f}: %{z:.3f}<extra></extra>",
            colorbar={
                "title": {"text": texts.LANDSCAPE_L, "side": "right", "font": {"size": 11}},
                "thickness": 9,
                "outlinewidth": 0,
                "tickfont": {"size": 11},
                "nticks": 5,
            },
        )
        # Dark on light on dark: seen on any part of the map.
        paths = [
            go.Scatter(mode="lines", line={"color": colour, "width": width}, hoverinfo="skip")
            for colour, width in (("#FFFFFF", 4), ("#101418", 1.8))
        ]
        points = [
            go.Scatter(
                mode="markers",
                marker={
                    "size": size,
                    "symbol": symbol,
                    "color": colour,
                    "line": {"width": 1.5, "color": line},
                },
                hovertemplate=f"{text}: %{{x:.1f}}, %{{y:.1f}}<extra></extra>",
            )
            for text, symbol, size, colour, line in (
                (texts.HERE, "circle", 12, "#101418", "#FFFFFF"),
                (texts.TRUTH, "x", 12, "#FFFFFF", "#101418"),
            )
        ]
        layout = theme.layout(
            title={"text": title, "font": {"size": 13}, "x": 0.02, "y": 0.985, "yanchor": "top"},
            xaxis=theme.axis(x, showgrid=False, zeroline=False),
            yaxis=theme.axis(y, showgrid=False, zeroline=False),
            margin=MARGIN,
        )
        super().__init__([heat, *paths, *points], layout)

    def show(self, landscape: Landscape) -> None:
        """Draw it."""
        path, (x, y) = landscape.path, landscape.truth
        # Far up nothing is to be told apart; the valley is.
        top = float(np.quantile(landscape.L, 0.9))
        with self.batch_update():
            heat = self.data[0]
            heat.x, heat.y, heat.z = landscape.x, landscape.y, landscape.L
            heat.zmin, heat.zmax = float(landscape.L.min()), top
            for trace in self.data[1:3]:
                trace.x, trace.y = np.ascontiguousarray(path.T)
            self.data[3].x, self.data[3].y = path[-1:, 0], path[-1:, 1]
            self.data[4].x, self.data[4].y = [x], [y]
            self.layout.xaxis.range = [float(landscape.x[0]), float(landscape.x[-1])]
            self.layout.yaxis.range = [float(landscape.y[0]), float(landscape.y[-1])]


class LandscapeTab(WhyTab):
    """L over one slice's shift, and over that and a direction of z."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.direction = _choice(
            "srh-landscape-direction",
            texts.LANDSCAPE_DIRECTION,
            [(str(number + 1), number) for number in range(8)],
        )
        self.shift = MapFigure(texts.COLUMN_SHIFT, texts.ROW_SHIFT, texts.landscape_shift_title(7))
        self.valley = MapFigure(
            texts.LATENT_AMOUNT, texts.COLUMN_SHIFT, texts.LANDSCAPE_VALLEY_TITLE
        )
        maps = named(
            w.GridBox([plot(self.shift, "srh-fig-shift-map"), plot(self.valley, "srh-fig-valley")]),
            "srh-two",
        )
        super().__init__("landscape", texts.LANDSCAPE_NOTE, [_row(self.direction), maps])
        self.direction.observe(lambda _: ask(), "value")

    def refresh(self, session: Session, runner: Runner) -> None:
        """Both maps."""
        k = min(runner.look[0], len(session.scene.slices) - 1)
        number = self.direction.value
        title = texts.landscape_shift_title(int(session.scene.slices[k]) + 1)

        def work(session: Session, watch: Any) -> tuple[Landscape, Landscape]:
            vector = session.direction(number)
            return session.shift_map(k), session.valley(vector, k, 1, watch)

        def show(found: tuple[Landscape, Landscape]) -> None:
            self.shift.layout.title.text = title
            self.shift.show(found[0])
            self.valley.show(found[1])

        runner.job("valley", work, show)


class LatentTab(WhyTab):
    """One direction of z after the other, and what it does to a heart."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._directions: list[Direction] = []
        self.direction = _choice("srh-latent-direction", texts.LATENT_DIRECTION, [("1", 0)])
        self.amount = named(
            w.FloatSlider(
                0, min=-3, max=3, step=0.25, description=texts.LATENT_AMOUNT, readout_format=".2f"
            ),
            "srh-latent-amount",
        )
        self.portrait = _picture("srh-latent-portrait")
        self.figure = Figure(
            [
                go.Scatter(
                    name=tissue,
                    mode="lines",
                    line={"color": colour, "width": 2.5, "dash": dash},
                    hovertemplate="%{y:.0f} ml",
                )
                for (tissue, colour), dash in zip(TISSUE_COLOURS.items(), LINES, strict=False)
            ]
            + [
                go.Scatter(
                    mode="markers",
                    marker={"size": 9, "color": [*TISSUE_COLOURS.values()]},
                    hoverinfo="skip",
                    showlegend=False,
                )
            ],
            theme.layout(
                xaxis=theme.axis(texts.LATENT_AMOUNT, range=[-3.1, 3.1]),
                yaxis=theme.axis(texts.LATENT_VOLUME, rangemode="tozero"),
                margin=MARGIN,
                hovermode="x unified",
                showlegend=True,
                legend=LEGEND,
            ),
        )
        pair = named(w.GridBox([self.portrait, plot(self.figure, "srh-fig-volumes")]), "srh-two")
        self.story = html("", "srh-hint")
        super().__init__(
            "latent",
            texts.LATENT_NOTE,
            [_row(self.direction, self.amount), self.story, pair],
        )
        self._moving = False
        self.direction.observe(lambda _: None if self._moving else ask(), "value")
        self.amount.observe(lambda _: None if self._moving else ask(), "value")

    def refresh(self, session: Session, runner: Runner) -> None:
        """Volumes along the direction, and the heart there."""
        index, amount = self.direction.value or 0, float(self.amount.value)

        def work(session: Session, watch: Any) -> tuple[list[Direction], Traversal, Any]:
            from srheart_demo.session.portrait import portrait

            directions = session.directions(watch)
            vector = directions[index].vector
            volumes = session.traverse(vector, watch)
            return directions, volumes, portrait(session.heart_along(vector, amount), 200)

        runner.job("directions", work, self._show)

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
        here = [float(np.interp(amount, traversal.amounts, volumes[tissue])) for tissue in volumes]
        with self.figure.batch_update():
            for trace, tissue in zip(self.figure.data[:3], volumes, strict=True):
                trace.x, trace.y = traversal.amounts, volumes[tissue]
            self.figure.data[3].x, self.figure.data[3].y = [amount] * 3, here
            top = 1.12 * max(float(v.max()) for v in volumes.values())
            self.figure.layout.yaxis.range = [0, top]
        self.story.value = " · ".join(
            f"<b>{escape(tissue)}</b> {ml:.0f} ml" for tissue, ml in zip(volumes, here, strict=True)
        )


class GaugeTab(WhyTab):
    """Heart and slices moved against each other."""

    def __init__(self, ask: Callable[[], None]) -> None:
        kinds = [(text, kind) for kind, text in texts.GAUGE_KINDS.items()]
        self.kind = _choice("srh-gauge-kind", texts.GAUGE_KIND, kinds)
        self.kind.value = "shear"
        self.amount = named(
            w.FloatSlider(20, min=-30, max=30, step=2, description=texts.GAUGE_AMOUNT),
            "srh-gauge-amount",
        )
        lines = [
            go.Scatter(
                name=name,
                mode="lines+markers",
                line={"color": colour, "width": 2.5, "dash": dash},
                marker={"size": 5},
                hovertemplate="%{y:.4f}",
            )
            for name, colour, dash in (
                (texts.LOSS_SA, theme.RUNS[0], "solid"),
                (texts.LOSS_LA, theme.RUNS[1], "dash"),
            )
        ]
        self.figure = Figure(
            [
                *lines,
                go.Scatter(
                    mode="lines",
                    line={"color": theme.MIDDLE, "dash": "dot"},
                    hoverinfo="skip",
                    showlegend=False,
                ),
            ],
            theme.layout(
                xaxis=theme.axis(texts.GAUGE_AXIS["shear"], range=[-31, 31]),
                yaxis=theme.axis(texts.LOSS_AXIS, rangemode="tozero"),
                margin=MARGIN,
                hovermode="x unified",
                showlegend=True,
                legend=LEGEND,
            ),
        )
        self.before, self.after = _picture("srh-gauge-before"), _picture("srh-gauge-after")
        pictures = [
            named(w.VBox([picture, html(escape(text), "srh-column")]), "srh-framed")
            for picture, text in (
                (self.before, texts.GAUGE_BEFORE),
                (self.after, texts.GAUGE_AFTER),
            )
        ]
        self.verdict = html("", "srh-verdict")
        super().__init__(
            "gauge",
            texts.GAUGE_NOTE,
            [
                _row(self.kind, self.amount),
                plot(self.figure, "srh-fig-gauge"),
                self.verdict,
                named(w.GridBox(pictures), "srh-two"),
            ],
        )
        for control in (self.kind, self.amount):
            control.observe(lambda _: ask(), "value")

    def refresh(self, session: Session, runner: Runner) -> None:
        """The losses, and the heart before and after."""
        kind, amount = self.kind.value, float(self.amount.value)

        def work(session: Session, watch: Any) -> tuple[GaugeCurve, Any, Any]:
            from srheart_demo.session.explore import gauge_heart
            from srheart_demo.session.portrait import portrait

            field = session.field()
            moved = portrait(gauge_heart(field, kind, amount), 160)
            return session.gauge_curve(kind, watch), portrait(field, 160), moved

        def show(found: tuple[GaugeCurve, np.ndarray, np.ndarray]) -> None:
            curve, before, after = found
            self.before.value, self.after.value = rgba_png(before), rgba_png(after)
            self.verdict.value = escape(texts.gauge_verdict(curve))
            losses = np.concatenate([curve.loss_sa, curve.loss_la])
            top = 1.1 * float(np.nanmax(losses))
            with self.figure.batch_update():
                for trace, values in zip(
                    self.figure.data[:2], (curve.loss_sa, curve.loss_la), strict=True
                ):
                    trace.x, trace.y = curve.amounts, values
                self.figure.data[2].x, self.figure.data[2].y = [amount, amount], [0, top]
                self.figure.layout.xaxis.title.text = texts.GAUGE_AXIS[kind]
                self.figure.layout.yaxis.range = [0, top]

        runner.job("gauge", work, show)


class RaceTab(WhyTab):
    """All presets from one start."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.start = button(texts.RACE_START, "flag", "srh-race-start")
        self.loss = self._figure(texts.RACE_LOSS, True)
        self.error = self._figure(texts.RACE_ERROR, False)
        self.verdict = html("", "srh-verdict")
        super().__init__(
            "race",
            texts.RACE_NOTE,
            [
                _row(self.start),
                plot(self.loss, "srh-fig-race-loss"),
                plot(self.error, "srh-fig-race-error"),
                self.verdict,
            ],
        )
        self.start.on_click(lambda _: ask())

    @staticmethod
    def _figure(title: str, log: bool) -> Figure:
        colours = (*theme.RUNS, theme.MIDDLE)
        lines = [
            go.Scatter(
                name=name.capitalize(),
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": dash},
            )
            for name, colour, dash in zip(texts.PRESET_NOTES, colours, LINES, strict=True)
        ]
        scale = {"type": "log", "tickvals": [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]} if log else {}
        return Figure(
            lines,
            theme.layout(
                xaxis=theme.axis(texts.RACE_SECONDS, rangemode="tozero"),
                yaxis=theme.axis(title, **scale),
                margin=MARGIN,
                showlegend=log,
                legend=LEGEND,
            ),
        )

    def refresh(self, session: Session, runner: Runner) -> None:
        """Run the race; what there is is shown on the way."""
        show = runner.on_loop(self.show)
        runner.job("race", lambda session, watch: session.race(watch, show), self.show)

    def show(self, lanes: list[Lane]) -> None:
        """Draw how far all are."""
        with self.loss.batch_update(), self.error.batch_update():
            for lane, loss, error in zip(lanes, self.loss.data, self.error.data, strict=True):
                loss.x, loss.y = lane.seconds, lane.loss
                error.x, error.y = lane.seconds, lane.motion_error
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
        super().__init__(
            "take",
            texts.TAKE_NOTE,
            [
                named(w.GridBox(rows), "srh-takes"),
                html(f"<h3>{escape(texts.STATE)}</h3>"),
                html(escape(texts.STATE_NOTE), "srh-hint"),
                self.state,
                _row(self.restore),
            ],
        )
        for kind, widget in self.buttons.items():
            widget.on_click(lambda _, kind=kind: take(kind))
        self.restore.on_click(lambda _: restore(self.state.value))

    def refresh(self, session: Session, runner: Runner) -> None:
        """The text of what there is."""
        self.state.value = session.text()
