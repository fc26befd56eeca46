"""Type, inks and line colours of the dashboard. Tissue colours live in `srheart_demo.palette`."""

from __future__ import annotations

from typing import Any

FONT = 'Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif'
INK = "#1A2230"
MUTED = "#56606F"
GRID = "#E3E8EF"
PAPER = "rgba(0,0,0,0)"
ESTIMATE = "#7B3294"
"""What the solver estimates (z, d, L_SA): a violet that is none of the tissues' colours."""
LONG_AXIS = "#A6761D"
TRUTH = "#8A94A3"


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
