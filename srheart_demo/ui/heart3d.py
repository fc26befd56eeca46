"""The 3-D figure: the estimate, the truth as a ghost, and the stack's slices in it."""

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
ZOOM = 1.75
LIGHT = {"ambient": 0.8, "diffuse": 0.45, "specular": 0.12, "roughness": 0.7, "fresnel": 0.05}


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
    )


class HeartView(Figure):
    """Model frame in mm, base on top, right ventricle to the left."""

    def __init__(self) -> None:
        estimate = [_mesh(TISSUE_COLOURS[t], OPACITY[t], t) for t in TISSUES]
        ghost = [_mesh(theme.TRUTH, GHOST_OPACITY, f"{texts.TRUTH} {t}") for t in ("MYO", "RV")]
        lines = [
            go.Scatter3d(
                name=t,
                mode="lines",
                line={"color": TISSUE_COLOURS[t], "width": 4},
                hoverinfo="skip",
            )
            for t in TISSUES
        ]
        frame = go.Scatter3d(mode="lines", line={"color": theme.INK, "width": 3}, hoverinfo="skip")
        super().__init__([*estimate, *ghost, *lines, frame, _scale_bar()], _layout())

    def show(self, heart: Heart) -> None:
        """Draw the estimate, the stack's outlines and the border of the slice looked at."""
        with self.batch_update():
            for trace, mesh in zip(self.data[:3], heart.meshes.values(), strict=True):
                _put(trace, mesh)
            lines = [*heart.outlines.structures.values(), heart.outlines.frame]
            for trace, line in zip(self.data[5:9], lines, strict=True):
                trace.x, trace.y, trace.z = plot_axes(line)

    def show_ghost(self, meshes: Mapping[str, Mesh]) -> None:
        """Draw the truth's outer surfaces."""
        with self.batch_update():
            for trace, mesh in zip(self.data[3:5], meshes.values(), strict=True):
                _put(trace, mesh)

    def toggle(self, ghost: bool, slices: bool) -> None:
        """Show or hide the truth and the slices."""
        with self.batch_update():
            for trace in self.data[3:5]:
                trace.visible = ghost
            for trace in self.data[5:9]:
                trace.visible = slices


def _put(trace: go.Mesh3d, mesh: Mesh) -> None:
    trace.x, trace.y, trace.z = plot_axes(mesh.vertices)
    trace.i, trace.j, trace.k = np.ascontiguousarray(mesh.faces.T.astype(np.int32))


def _scale_bar() -> go.Scatter3d:
    return go.Scatter3d(
        x=[-62.0, -42.0],
        y=[0.0, 0.0],
        z=[-60.0, -60.0],
        mode="lines+text",
        line={"color": theme.INK, "width": 5},
        text=["", texts.SCALE_BAR],
        textposition="middle right",
        textfont={"size": 12, "color": theme.INK, "family": theme.FONT},
        hoverinfo="skip",
    )


def _layout() -> dict[str, Any]:
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
