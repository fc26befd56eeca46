"""An experiment's page: tables, plots and how they were made, in one file that needs no network."""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import cycle
from math import ceil
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from srheart_demo.dashboard import theme
from srheart_demo.dashboard.theme import line_colours
from srheart_demo.experiments.summary import LinePlot, Plot, StripPlot
from srheart_demo.experiments.tables import Table

_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")
PER_ROW = 3
PANEL_HEIGHT = 330

STYLE = f"""
body {{ font: 15px/1.5 {theme.FONT}; color: {theme.INK}; background: #fff;
  max-width: 1180px; margin: 2rem auto; padding: 0 1rem; }}
h1 {{ font-size: 1.6rem; }} h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .4rem; }}
p, td, th, dd, dt {{ font-variant-numeric: tabular-nums; }} p {{ color: {theme.MUTED}; }}
.wide {{ overflow-x: auto; }} table {{ border-collapse: collapse; font-size: .9rem; }}
th, td {{ padding: .3rem .7rem; border-bottom: 1px solid {theme.GRID}; text-align: left; }}
th {{ color: {theme.MUTED}; font-weight: 600; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; }}
dt {{ color: {theme.MUTED}; }} dd {{ margin: 0; overflow-wrap: anywhere; }}
"""


def report(
    title: str,
    tables: Sequence[Table],
    plots: Sequence[Plot],
    facts: Mapping[str, Mapping[str, Any]],
) -> str:
    """The page as HTML, plotly.js within; `facts` of how it was made are heading → name → value."""
    shown = ((escape(table.title), table.html()) for table in tables)
    parts = [f'<h2>{heading}</h2>\n<div class="wide">{html}</div>' for heading, html in shown]
    parts[1:1] = [_plot(plot, f"plot-{i}") for i, plot in enumerate(plots)]
    parts += [_facts(heading, values) for heading, values in facts.items()]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title>\n<style>{STYLE}</style>\n<script>{get_plotlyjs()}</script></head>\n"
        f"<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _facts(heading: str, values: Mapping[str, Any]) -> str:
    lines = []
    for name, value in values.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        lines.append(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>\n")
    return f"<h2>{escape(heading.capitalize())}</h2>\n<dl>{''.join(lines)}</dl>"


def _plot(plot: Plot, name: str) -> str:
    """A plot's panels, those of one row with the same scale."""
    rows = ceil(len(plot.panels) / PER_ROW)
    figure = make_subplots(
        rows,
        min(PER_ROW, len(plot.panels)),
        subplot_titles=[*plot.panels],
        shared_yaxes=bool(plot.axis),
        horizontal_spacing=0.04,
        vertical_spacing=min(0.25, 90 / (PANEL_HEIGHT * rows)),
    )
    figure.update_layout(
        template="plotly_white",
        font={"family": theme.FONT, "size": 12, "color": theme.INK},
        height=PANEL_HEIGHT * rows + 40,
        margin={"l": 60, "r": 10, "t": 40, "b": 50},
        showlegend=False,
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    figure.update_yaxes(title_text=plot.axis, col=1)
    if isinstance(plot, LinePlot):
        figure.update_xaxes(title_text=plot.x_axis, type="category")
        figure.update_layout(showlegend=True, legend={"orientation": "h", "y": -0.25})
    drawn = _boxes(plot) if isinstance(plot, StripPlot) else _lines(plot)
    for i, traces in enumerate(drawn):
        figure.add_traces(traces, i // PER_ROW + 1, i % PER_ROW + 1)
    config = {"displaylogo": False, "responsive": True}
    body = figure.to_html(full_html=False, include_plotlyjs=False, config=config, div_id=name)
    return f"<h2>{escape(plot.title)}</h2>\n{body}"


def _boxes(plot: StripPlot) -> Iterator[list[go.Box]]:
    """For each panel a box of each method over every subject's point."""
    for panel in plot.panels.values():
        yield [
            go.Box(
                y=values,
                name=method,
                marker={"color": colour, "size": 4, "opacity": 0.6},
                line={"color": colour, "width": 1.6},
                boxpoints="all",
                jitter=0.5,
                pointpos=0,
                hovertemplate="%{y:.3f}",
            )
            for (method, values), colour in zip(panel.items(), line_colours([*panel]), strict=True)
        ]


def _lines(plot: LinePlot) -> Iterator[list[go.Scatter]]:
    """For each panel means with their SD as bars, at evenly spaced settings."""
    for i, panel in enumerate(plot.panels.values()):
        styles = zip(line_colours([*panel]), cycle(_DASHES), strict=False)
        yield [
            go.Scatter(
                x=plot.x,
                y=[c.mean for c in cells],
                error_y={"array": [c.sd for c in cells], "thickness": 1, "width": 3},
                name=line,
                mode="lines+markers",
                line={"color": colour, "width": 2, "dash": dash},
                showlegend=i == 0,
            )
            for (line, cells), (colour, dash) in zip(panel.items(), styles, strict=False)
        ]
