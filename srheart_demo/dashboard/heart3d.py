"""The 3-D view: the estimate, the truth as a ghost, and the scan's planes in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import anywidget
import numpy as np
import traitlets

from srheart_demo.dashboard import texts, theme
from srheart_demo.dashboard.chart import HERE, script
from srheart_demo.frame import TISSUE_COLOURS

if TYPE_CHECKING:
    from srheart_demo.explorer.show import Heart
    from srheart_demo.heart.surface import Mesh

OPACITY = {"LV": 1.0, "MYO": 0.18, "RV": 0.5}
GHOST_OPACITY = 0.16
UNIT = 0.01
"""Places go to the browser as whole multiples of it, mm; the least one stands for NaN."""
NOWHERE = np.iinfo(np.int16).min
SCRIPT = script("scene", "heart")
LINE = 2.2
"""Width of an outline, pixels."""

Part = dict[str, Any]
"""A mesh or a line as `heart.js` takes it."""


class HeartView(anywidget.AnyWidget):
    """Model frame in mm, base on top, right ventricle to the left; turned, moved and zoomed by
    hand, and that stays whatever is drawn.

    Attributes:
        heart, ghost: meshes and lines, each of a group.
        hidden: groups that are not shown, of "truth", "slices" and "view".
        scale: what the surface's colours mean; empty where they are the tissues'.
    """

    _esm = SCRIPT

    heart: traitlets.List[Part] = traitlets.List().tag(sync=True)
    ghost: traitlets.List[Part] = traitlets.List().tag(sync=True)
    hidden: traitlets.List[str] = traitlets.List(["view"]).tag(sync=True)
    scale = traitlets.Dict().tag(sync=True)
    words: traitlets.Dict[str, Any] = traitlets.Dict({"no3D": texts.NO_3D}).tag(sync=True)

    def show(self, heart: Heart) -> None:
        """Draw the estimate, the stack's outlines and the slice looked at."""
        with self.hold_sync():
            self.heart, self.scale = heart_parts(heart), scale(heart)

    def show_ghost(self, meshes: Mapping[str, Mesh]) -> None:
        """Draw the truth's outer surfaces, if they are known."""
        self.ghost = ghost_parts(meshes)

    def take_over(self, other: HeartView) -> None:
        """Show what another view shows."""
        with self.hold_sync():
            self.heart, self.scale = other.heart, other.scale
            self.ghost, self.hidden = other.ghost, other.hidden

    def toggle(self, ghost: bool, slices: bool, view: bool) -> None:
        """Show or hide the truth, the slices and the LA plane."""
        shown = {"truth": ghost, "slices": slices, "view": view}
        self.hidden = [group for group, is_shown in shown.items() if not is_shown]


def heart_parts(heart: Heart) -> list[Part]:
    """The estimate and the stack; opaque ones first, then from the inside outwards."""
    paint = heart.paint
    surfaces = []
    for (name, mesh), (tissue, colour) in zip(
        heart.meshes.items(), TISSUE_COLOURS.items(), strict=True
    ):
        part = _mesh(mesh, "estimate", colour, OPACITY[tissue] if paint is None else 1.0)
        if paint is not None:
            shares = np.clip(paint.values[name] / paint.most, 0, 1)
            part["paint"] = np.rint(255 * shares).astype(np.uint8).tobytes()
        surfaces.append(part | {"name": tissue})
    tiles = [
        _mesh(tiles.mesh, group, colour, 1.0, tiles.labels == label, lit=False)
        for tiles, group in ((heart.slices, "slices"), (heart.cut, "view"))
        for label, colour in enumerate(TISSUE_COLOURS.values(), 1)
    ]
    outlines = heart.outlines
    lines = [
        _line(line, "slices", colour)
        for line, colour in zip(outlines.structures.values(), TISSUE_COLOURS.values(), strict=True)
    ]
    lines += [
        _line(outlines.frame, "slices", theme.MIDDLE),
        _line(outlines.view, "view", theme.RUNS[1]),
    ]
    # The right ventricle lies behind the myocardium as often as before it, and hides more.
    left, myocardium, right = surfaces
    return [left, *tiles, *lines, right, myocardium]


def ghost_parts(meshes: Mapping[str, Mesh]) -> list[Part]:
    """The truth, or nothing where it is not known."""
    name = {"name": texts.TRUTH}
    return [_mesh(mesh, "truth", theme.TRUTH, GHOST_OPACITY) | name for mesh in meshes.values()]


def scale(heart: Heart) -> dict[str, Any]:
    """What the colours on the surface mean."""
    paint = heart.paint
    return {} if paint is None else {"most": paint.most, "colours": theme.SEQUENTIAL}


def page(heart: Heart, ghost: Mapping[str, Mesh]) -> str:
    """The view as a page of its own, which needs nothing else."""
    state = {
        "heart": heart_parts(heart),
        "ghost": ghost_parts(ghost),
        "hidden": ["view"],
        "scale": scale(heart),
        "words": {"no3D": texts.NO_3D},
    }
    written = json.dumps(state, default=lambda data: {"base64": base64.b64encode(data).decode()})
    template = (HERE / "heart.html").read_text("utf-8")
    fill = {"TITLE": texts.TITLE, "STATE": written, "SCRIPT": SCRIPT}
    for name, text in fill.items():
        template = template.replace(f"${name}$", text)
    return template


def plot_axes(points: np.ndarray) -> np.ndarray:
    """Model frame (N, 3) in (D, H, W), mm → x, y, z of the view.

    (W, H, D) is right-handed as RAS is (the model's frame is not), so nothing is mirrored.
    """
    return points[:, ::-1]


def _places(points: np.ndarray) -> bytes:
    finite = np.isfinite(points).all(1, keepdims=True)
    units = np.where(finite, np.rint(plot_axes(points) / UNIT), NOWHERE)
    return units.astype(np.int16).tobytes()


def _mesh(
    mesh: Mesh,
    group: str,
    colour: str,
    opacity: float,
    chosen: np.ndarray | slice = slice(None),
    lit: bool = True,
) -> Part:
    kind = np.uint32 if len(mesh.vertices) > np.iinfo(np.uint16).max else np.uint16
    return {
        "group": group,
        "colour": colour,
        "opacity": opacity,
        "lit": lit,
        "vertices": _places(mesh.vertices),
        "faces": mesh.faces[chosen].astype(kind).tobytes(),
    }


def _line(points: np.ndarray, group: str, colour: str) -> Part:
    return {"group": group, "colour": colour, "width": LINE, "points": _places(points)}
