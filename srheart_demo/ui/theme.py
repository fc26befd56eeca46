"""Type, inks and line colours of the dashboard. Tissue colours live in `srheart_demo.palette`.

What figures draw is readable on light and on dark: lines have a contrast of 3 or more on both.
Text and grid take their colour from the page's style sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

FONT = 'Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif'
INK = "#1A2230"
MUTED = "#56606F"
GRID = "#E3E8EF"
PAPER = "rgba(0,0,0,0)"
RUNS = ("#8E52B5", "#B07D12", "#D1478C")
"""One for each run that is kept; none is a tissue's."""
DASHES = ("solid", "dash", "dot")
"""So that runs are told apart without colour too."""
ESTIMATE = RUNS[0]
"""What the solver estimates: z, d."""
MIDDLE = "#7C8797"
"""A grey for both themes: losses' parts, true values, scale bars."""
TRUTH = "#8A94A3"
BACKGROUND = "#EEF1F5"
"""Of pictures of label maps."""
AGREE, DISAGREE = "#B9C1CC", "#D1478C"
"""Colours of a disagreement: the same tissue, and not the same."""
SEQUENTIAL = ((0.0, "#F3E9C6"), (0.35, "#E0A64B"), (0.7, "#B23A6B"), (1.0, "#3B0F52"))
"""Lengths and losses, light to dark; ordered in grey as well."""
METHODS = ("#8A94A3", "#56B4E9", "#E69F00", "#CC79A7", "#009E73", "#0072B2", "#D55E00")
"""Of the methods that are not ours, in order: Okabe and Ito's (see `palette`), with a grey."""


def method_colours(methods: Sequence[str]) -> list[str]:
    """Latent optimisation first in the colour of what the solver estimates, the others in order."""
    ours = next((method for method in methods if method.startswith("LO")), None)
    others = [method for method in methods if method != ours]
    of = {method: METHODS[i % len(METHODS)] for i, method in enumerate(others)}
    return [of.get(method, ESTIMATE) for method in methods]


def axis(title: str, **more: Any) -> dict[str, Any]:
    """A quiet axis with a title that names its unit."""
    return {
        "title": {"text": title, "font": {"size": 12, "color": MUTED}, "standoff": 4},
        "tickfont": {"size": 11, "color": MUTED},
        "gridcolor": GRID,
        "zerolinecolor": "#B8C0CC",
        "linecolor": "#B8C0CC",
        "automargin": False,
        "fixedrange": True,
    } | more


def layout(**more: Any) -> dict[str, Any]:
    """What all figures have in common."""
    return {
        "template": "none",
        "autosize": True,
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "margin": {"l": 46, "r": 10, "t": 6, "b": 34},
        "showlegend": False,
        "hoverlabel": {"font": {"family": FONT, "size": 12}},
        "uirevision": "kept",
    } | more
