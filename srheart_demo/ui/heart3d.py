"""The 3-D figure: the estimate, the truth as a ghost, and the scan's planes in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from srheart_demo.palette import TISSUE_COLOURS
from srheart_demo.ui import texts, theme
from srheart_demo.ui.shared_plotly import Figure

if TYPE_CHECKING:
    from srheart_demo.session import Heart
    from srheart_demo.surface import Mesh

OPACITY = {"LV": 1.0, "MYO": 0.18, "RV": 0.5}
GHOST_OPACITY = 0.16
TISSUES = tuple(TISSUE_COLOURS)
REACH = 72.0
"""Half of the shown cube, mm."""
ZOOM = 2.05
LIGHT = {"ambient": 0.8, "diffuse": 0.45, "specular": 0.12, "roughness": 0.7, "fresnel": 0.05}
ESTIMATE, GHOST, STACK, VIEW = slice(0, 3), slice(3, 5), slice(5, 10), slice(10, 11)
"""Traces of the figure; those of the stack are the outlines, a border and the slice itself."""


def plot_axes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Model frame (N, 3) in (D, H, W), mm → x, y, z of the plot.

    (W, H, D) is right-handed as RAS is (the model's frame is not), so nothing is mirrored.
    """
    columns = np.asarray(points, np.float32).T
    return columns[2], columns[1], columns[0]


def _mesh(colour: str, opacity: float, name: str) -> go.Mesh3d:
    return go.Mesh3d(
        name=name,
        color=colour,
        opacity=opacity,
        lighting=LIGHT,
        hoverinfo="skip",
        flatshading=False,
        showscale=False,
        colorscale=theme.SEQUENTIAL,
        cmin=0,
    )


def _line(colour: str, width: float, name: str = "") -> go.Scatter3d:
    return go.Scatter3d(
        name=name, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip"
    )


class HeartView(Figure):
    """Model frame in mm, base on top, right ventricle to the left."""

    def __init__(self) -> None:
        super().__init__(traces(), layout())

    def show(self, heart: Heart) -> None:
        """Draw the estimate, the stack's outlines and the slice looked at."""
        with self.batch_update():
            draw_heart(self, heart)

    def show_ghost(self, meshes: Mapping[str, Mesh]) -> None:
        """Draw the truth's outer surfaces, if they are known."""
        with self.batch_update():
            draw_ghost(self, meshes)

    def toggle(self, ghost: bool, slices: bool, view: bool) -> None:
        """Show or hide the truth, the slices and the LA plane."""
        with self.batch_update():
            for part, shown in ((GHOST, ghost), (STACK, slices), (VIEW, view)):
                for trace in self.data[part]:
                    trace.visible = shown


def traces() -> list[Any]:
    """The empty traces of the view."""
    estimate = [_mesh(TISSUE_COLOURS[t], OPACITY[t], t) for t in TISSUES]
    estimate[1].colorbar = _scale()
    ghost = [_mesh(theme.TRUTH, GHOST_OPACITY, f"{texts.TRUTH} {t}") for t in ("MYO", "RV")]
    outlines = [_line(TISSUE_COLOURS[t], 4, t) for t in TISSUES]
    steps = [[(i + end) / 3, c] for i, c in enumerate(TISSUE_COLOURS.values()) for end in (0, 1)]
    tiles = go.Mesh3d(
        colorscale=steps,
        cmin=0.5,
        cmax=3.5,
        intensitymode="cell",
        showscale=False,
        opacity=0.95,
        lighting={"ambient": 1.0, "diffuse": 0.0, "specular": 0.0},
        hoverinfo="skip",
    )
    view = _line(theme.RUNS[1], 5).update(visible=False)
    return [*estimate, *ghost, *outlines, _line(theme.MIDDLE, 3), tiles, view, _scale_bar()]


def draw_heart(figure: go.Figure, heart: Heart) -> None:
    """Put a heart and its slices into a figure of `traces`."""
    paint, data = heart.paint, figure.data
    for trace, (name, mesh) in zip(data[ESTIMATE], heart.meshes.items(), strict=True):
        _put(trace, mesh)
        trace.intensity = None if paint is None else paint.values[name]
        trace.cmax = 1 if paint is None else paint.most
        trace.opacity = OPACITY[trace.name] if paint is None else 1.0
    data[1].showscale = paint is not None
    lines = [*heart.outlines.structures.values(), heart.outlines.frame]
    for trace, line in zip(data[5:9], lines, strict=True):
        trace.x, trace.y, trace.z = plot_axes(line)
    _put(data[9], heart.tiles.mesh)
    data[9].intensity = heart.tiles.labels
    data[10].x, data[10].y, data[10].z = plot_axes(heart.outlines.view)


def draw_ghost(figure: go.Figure, meshes: Mapping[str, Mesh]) -> None:
    """Put the truth into a figure of `traces`, or nothing where it is not known."""
    for trace in figure.data[GHOST]:
        _put(trace, None)
    for trace, mesh in zip(figure.data[GHOST], meshes.values(), strict=False):
        _put(trace, mesh)


def _put(trace: go.Mesh3d, mesh: Mesh | None) -> None:
    if mesh is None or not len(mesh.vertices):
        trace.x = trace.y = trace.z = trace.i = trace.j = trace.k = []
        return
    trace.x, trace.y, trace.z = plot_axes(mesh.vertices)
    trace.i, trace.j, trace.k = np.ascontiguousarray(mesh.faces.T.astype(np.int32))


def _scale() -> dict[str, Any]:
    return {
        "title": {"text": "mm", "font": {"size": 12, "color": theme.MIDDLE}},
        "tickfont": {"size": 11, "color": theme.MIDDLE},
        "thickness": 10,
        "len": 0.6,
        "x": 1.0,
        "xanchor": "right",
        "outlinewidth": 0,
    }


def _scale_bar() -> go.Scatter3d:
    return go.Scatter3d(
        x=[-58.0, -38.0],
        y=[0.0, 0.0],
        z=[-52.0, -52.0],
        mode="lines+text",
        line={"color": theme.MIDDLE, "width": 5},
        text=["", texts.SCALE_BAR],
        textposition="middle right",
        textfont={"size": 12, "color": theme.MIDDLE, "family": theme.FONT},
        hoverinfo="skip",
    )


def layout() -> dict[str, Any]:
    """Of the view, without axes."""
    hidden = {"visible": False, "range": [-REACH, REACH]}
    return theme.layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode=False,
        scene={
            "xaxis": hidden,
            "yaxis": hidden,
            "zaxis": hidden,
            "aspectmode": "manual",
            "aspectratio": dict.fromkeys("xyz", ZOOM),
            "dragmode": "turntable",
            "camera": {
                "eye": {"x": -0.55, "y": -1.9, "z": 0.6},
                "center": {"x": 0, "y": 0, "z": -0.02},
                "up": {"x": 0, "y": 0, "z": 1},
                "projection": {"type": "orthographic"},
            },
            "uirevision": "kept",
        },
    )
