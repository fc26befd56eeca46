"""Where the cards stand: the scan on the left, the heart in the middle, the answer on the right."""

from __future__ import annotations

import ipywidgets as w

from srheart_demo.dashboard import texts
from srheart_demo.dashboard.panels import card, html, named, show


class Tabs:
    """The middle of the page: the heart, or one of the views that show why."""

    def __init__(self, contents: dict[str, w.Widget]) -> None:
        self.contents = contents
        options = [(texts.TABS[name], name) for name in contents]
        self.bar = w.ToggleButtons(options=options, value="heart")
        self.box = named(
            w.VBox([named(w.HBox([self.bar]), "srh-tabs"), *contents.values()]), "srh-middle"
        )
        self.bar.observe(lambda change: self._show(change.new), "value")
        self._show("heart")

    @property
    def shown(self) -> str:
        """Name of the tab that is open."""
        return str(self.bar.value)

    def _show(self, name: str) -> None:
        for other, content in self.contents.items():
            show(content, other == name)


def compose(
    header: w.Widget,
    controls: list[w.Widget],
    middle: w.Widget,
    answers: list[w.Widget],
    transport: w.Widget,
    unseen: list[w.Widget],
) -> w.VBox:
    """The page: a header over three columns, the bar that moves through a run below them."""
    columns = [
        named(w.VBox(controls), "srh-controls"),
        middle,
        named(w.VBox(answers), "srh-answers"),
    ]
    machinery = named(w.VBox(unseen), "srh-unseen")
    grid = named(w.GridBox(columns), "srh-columns")
    return named(w.VBox([header, grid, transport, machinery]), "srh")


def heart_card(place: w.GridBox, toggles: list[w.Widget]) -> w.VBox:
    """The 3-D view, in its place, with its toggles."""
    return card("", texts.HEART, [named(w.HBox(toggles), "srh-toggles"), place], "srh-heart")


def unknowns_card(
    shifts: w.Widget, latent: w.Widget, path: w.Widget, mode: w.ToggleButtons
) -> w.VBox:
    """d and z."""
    bars, way = plot(latent, "srh-fig-latent"), plot(path, "srh-fig-path")

    def choose(name: str) -> None:
        show(bars, name == "bars")
        show(way, name == "path")

    mode.observe(lambda change: choose(change.new), "value")
    choose(mode.value)
    head = [html(f"<h3>{texts.LATENT_HEADING}</h3>"), named(mode, "srh-mode")]
    children = [
        html(f"<h3>{texts.SHIFTS_HEADING}</h3>", "srh-subheading"),
        plot(shifts, "srh-fig-shifts"),
        named(w.HBox(head), "srh-latent-head"),
        bars,
        way,
    ]
    return card("3", texts.UNKNOWN, children, "srh-unknown")


def convergence_card(figure: w.Widget) -> w.VBox:
    """The losses."""
    return card("4", texts.CONVERGENCE, [plot(figure, "srh-fig-convergence")], "srh-convergence")


def plot(figure: w.Widget, name: str) -> w.GridBox:
    """A figure that fills its place; in a plain box Plotly would stay 700 pixels wide."""
    return named(w.GridBox([figure]), "srh-plot", name)
