"""Where the cards stand: what goes in on the left, the heart in the middle, the answer right."""

from __future__ import annotations

import ipywidgets as w

from srheart_demo.ui import texts
from srheart_demo.ui.panels import card, header, html, named


def compose(
    controls: list[w.Widget],
    heart: w.Widget,
    slices: w.Widget,
    answers: list[w.Widget],
    unseen: list[w.Widget],
) -> w.VBox:
    """The page: a header over three columns, and the widgets that only bring code."""
    columns = [
        named(w.VBox(controls), "srh-controls"),
        named(w.VBox([heart, slices]), "srh-middle"),
        named(w.VBox(answers), "srh-answers"),
    ]
    machinery = named(w.VBox(unseen), "srh-unseen")
    return named(w.VBox([header(), named(w.GridBox(columns), "srh-columns"), machinery]), "srh")


def story_card() -> w.VBox:
    """The method in a few lines, where the screen has room for it."""
    return card("", texts.STORY, [html(texts.STORY_NOTE, "srh-note")], "srh-story")


def heart_card(figure: w.Widget, toggles: list[w.Widget]) -> w.VBox:
    """The 3-D view with its toggles."""
    bar = named(w.HBox(toggles), "srh-toggles")
    return card("", texts.HEART, [bar, plot(figure, "srh-fig-heart")], "srh-heart")


def unknowns_card(shifts: w.Widget, latent: w.Widget) -> w.VBox:
    """d and z."""
    children = [
        html(f"<h3>{texts.SHIFTS_HEADING}</h3>", "srh-subheading"),
        plot(shifts, "srh-fig-shifts"),
        html(f"<h3>{texts.LATENT_HEADING}</h3>", "srh-subheading"),
        plot(latent, "srh-fig-latent"),
    ]
    return card("2", texts.UNKNOWN, children, "srh-unknown")


def convergence_card(figure: w.Widget) -> w.VBox:
    """The losses."""
    return card("3", texts.CONVERGENCE, [plot(figure, "srh-fig-convergence")], "srh-convergence")


def plot(figure: w.Widget, name: str) -> w.GridBox:
    """A figure that fills its place; in a plain box Plotly would stay 700 pixels wide."""
    return named(named(w.GridBox([figure]), "srh-plot"), name)
