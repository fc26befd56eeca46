"""The 3-D view: the estimate, the truth as a ghost, and the scan's planes, as a Plotly figure.

A thin widget and not plotly's FigureWidget (see docs/decisions.md): plotly.js is sent once a page,
packed, to the first view that asks, and arrays go as they lie in memory.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from srheart_demo.dashboard import texts, theme
from srheart_demo.dashboard.module import module
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.moment import Heart
    from srheart_demo.explorer.painting import Paint
    from srheart_demo.heart.surface import Mesh

OPACITY = {"LV": 0.6, "MYO": 0.2, "RV": 0.45}
GHOST_OPACITY = 0.16
LINE = 4  # Width of an outline, in Plotly's own unit
REACH, TICKS = (66, 66, 60), (-40, 0, 40)
"""How far the axes reach from 0, and the numbers on them, mm; none where two axes meet."""
EYE = {"x": -0.53, "y": -1.78, "z": 0.24}
"""Where the view is seen from, from its middle; RV left, base on top."""
_MIDDLE = {"x": 0.0, "y": 0.0, "z": -0.19}  # A little low: titles stand below the axes
CLEAR = "rgba(0,0,0,0)"
LIT = {"ambient": 0.6, "diffuse": 0.6, "specular": 0.05}
FLAT = {"ambient": 1.0, "diffuse": 0.0, "specular": 0.0}

Trace = dict[str, Any]  # A Plotly trace, its numbers as arrays


class HeartView(anywidget.AnyWidget):
    """Model frame in mm, base on top, right ventricle to the left; turned, moved and zoomed by
    hand, and that stays whatever is drawn.
    """

    _esm = module("heart")

    traces: traitlets.List[Trace] = traitlets.List().tag(sync=True)  # the estimate and the scan
    # the truth, sent only when it is another
    ghost: traitlets.List[Trace] = traitlets.List().tag(sync=True)
    shows_ghost = traitlets.Bool(True).tag(sync=True)  # whether the truth is seen
    figure_layout = traitlets.Dict().tag(sync=True)  # axes and camera, as Plotly takes them
    words = traitlets.Dict().tag(sync=True)

    def __init__(self) -> None:
        super().__init__(figure_layout=layout(), words={"loading": texts.PLOTLY_LOADING})
        self._heart: Heart | None = None
        self._shown = {"slices": True, "cut": True}
        self._waiting = False
        self.on_msg(self.heard)

    def heard(self, _: object, message: dict[str, Any], __: object) -> None:
        """What the browser says: it has no plotly.js yet, and now it has."""
        self._waiting = message.get("kind") == "library"
        if self._waiting:
            self.send({"kind": "library"}, [plotly_js()])
        elif self._heart is not None:
            self.show(self._heart)

    def show(self, heart: Heart) -> None:
        """Draw the estimate, the stack's outlines, the slice and the LA cut looked at; while the
        browser has no plotly.js, only the last is kept for it."""
        self._heart = heart
        if not self._waiting:
            self.traces = [_message(trace) for trace in heart_traces(heart, **self._shown)]

    def show_ghost(self, meshes: Mapping[str, Mesh]) -> None:
        """Draw the truth's outer surfaces, if they are known."""
        self.ghost = [_message(trace) for trace in ghost_traces(meshes)]

    def toggle(self, ghost: bool, slices: bool, cut: bool) -> None:
        """Show or hide the truth, the slices and the LA cut."""
        self.shows_ghost, self._shown = ghost, {"slices": slices, "cut": cut}
        if self._heart is not None:
            self.show(self._heart)


@cache
def plotly_js() -> bytes:
    """plotly.js of the installed package, packed by gzip: 1.5 of 4.8 MB, and no network."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes())


def page(heart: Heart, ghost: Mapping[str, Mesh]) -> str:
    """The view as a page of its own, plotly.js inside."""
    from plotly.io import to_html

    traces = [*heart_traces(heart), *([] if heart.paint else ghost_traces(ghost))]
    style = layout() | {"title": {"text": texts.TITLE, "y": 0.97}, "paper_bgcolor": "white"}
    config = {"displaylogo": False, "responsive": True}
    written: str = to_html({"data": traces, "layout": style}, config, include_plotlyjs=True)
    return written.replace("<head>", f"<head><title>{texts.TITLE}</title>", 1)


def layout() -> dict[str, Any]:
    """Axes in mm of the same scale, and where they are seen from."""
    names = zip(("xaxis", "yaxis", "zaxis"), texts.HEART_AXES, REACH, strict=True)
    axes = {
        name: {
            "title": {"text": title, "font": {"size": 11}},
            "range": [-reach, reach],
            "tickvals": TICKS,
            "gridcolor": theme.GRID,
            "zerolinecolor": theme.GRID,
            "showspikes": False,
        }
        for name, title, reach in names
    }
    return {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "paper_bgcolor": CLEAR,
        "showlegend": False,
        "font": {"family": theme.FONT, "size": 11, "color": theme.INK},
        "scene": axes
        | {
            "aspectmode": "manual",
            "aspectratio": dict(zip("xyz", (mm / max(REACH) for mm in REACH), strict=True)),
            "bgcolor": CLEAR,
            "camera": {"eye": EYE, "center": _MIDDLE},
        },
    }


def heart_traces(heart: Heart, slices: bool = True, cut: bool = True) -> list[Trace]:
    """The estimate and the scan; opaque ones first, then from the inside outwards."""
    left, myocardium, right = (
        _surface(name, mesh, tissue, heart.paint)
        for (name, mesh), tissue in zip(heart.meshes.items(), TISSUE_COLOURS, strict=True)
    )
    outlines = heart.outlines
    planes, lines = [], []
    if slices:
        planes.append(heart.slices)
        lines += [*zip(outlines.structures.values(), TISSUE_COLOURS.values(), strict=True)]
        lines.append((outlines.frame, theme.MIDDLE))
    if cut:
        planes.append(heart.cut)
        lines += [(outlines.cut, theme.CUT), (outlines.view, theme.MIDDLE)]
    if heart.paint is not None:
        left |= {"showscale": True, "colorbar": COLOUR_BAR}
    tiles = [
        _mesh(plane.mesh, plane.labels == label, name=texts.AS_SCANNED.format(tissue), color=colour)
        for plane in planes
        for label, (tissue, colour) in enumerate(TISSUE_COLOURS.items(), 1)
    ]
    # The right ventricle lies behind the myocardium as often as before it, and hides more.
    return [left, *tiles, *(_line(*line) for line in lines), right, myocardium]


def ghost_traces(meshes: Mapping[str, Mesh]) -> list[Trace]:
    """The truth, or nothing where it is not known."""
    look = {"color": theme.TRUTH, "opacity": GHOST_OPACITY, "lighting": LIT}
    return [_mesh(mesh, name=texts.TRUTH) | look for mesh in meshes.values()]


COLOUR_BAR = {"title": {"text": "mm"}, "thickness": 11, "len": 0.6, "x": 1, "xanchor": "right"}


def _surface(name: str, mesh: Mesh, tissue: str, paint: Paint | None) -> Trace:
    trace = _mesh(mesh, name=tissue, lighting=LIT)
    if paint is None:
        return trace | {"color": TISSUE_COLOURS[tissue], "opacity": OPACITY[tissue]}
    values = paint.values[name].astype(np.float32)
    return trace | {
        "intensity": values,
        "customdata": values,
        "cmin": 0.0,
        "cmax": paint.most,
        "colorscale": theme.SEQUENTIAL,
        "showscale": False,
        "hovertemplate": f"<b>%{{customdata:.1f}} mm</b><br>{trace['hovertemplate']}",
    }


def _mesh(mesh: Mesh, chosen: Any = slice(None), *, name: str, **look: Any) -> Trace:
    kind = np.uint32 if len(mesh.vertices) > np.iinfo(np.uint16).max else np.uint16
    faces = mesh.faces[chosen].astype(kind)
    return {
        "type": "mesh3d",
        "name": name,
        **_columns("xyz", plot_axes(mesh.vertices)),
        **_columns("ijk", faces),
        "lighting": FLAT,
        "hovertemplate": f"<b>{name}</b><br>{texts.PLACE}<extra></extra>",
    } | look


def _line(points: np.ndarray, colour: str) -> Trace:
    return {
        "type": "scatter3d",
        "mode": "lines",
        **_columns("xyz", plot_axes(points)),
        "line": {"color": colour, "width": LINE},
        "hoverinfo": "skip",
    }


def plot_axes(points: np.ndarray) -> np.ndarray:
    """Model frame (N, 3) in (D, H, W), mm → x, y, z of the view.

    (W, H, D) is right-handed as RAS is (the model's frame is not), so nothing is mirrored.
    """
    return points[:, ::-1]


def _columns(names: Sequence[str], rows: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip(names, np.ascontiguousarray(rows.T), strict=True))


def _message(trace: Trace) -> Trace:
    """Arrays as they lie in memory, each with the name of its type."""
    arrays = {name: value for name, value in trace.items() if isinstance(value, np.ndarray)}
    packed = {name: {"kind": a.dtype.name, "numbers": a.tobytes()} for name, a in arrays.items()}
    return trace | packed
