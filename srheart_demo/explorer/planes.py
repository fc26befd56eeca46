"""The planes of a scan in 3-D: outlines and painted tissue, where an estimate puts them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.explorer.pictures import Cut, LabelMap, shown, stack_put_back
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.subjects import SURFACES
from srheart_demo.heart.surface import STRUCTURES, Mesh
from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.placement import plane_geometry
from srheart_demo.solver.algorithm import Step

INSET = 16  # Rows and columns of a picture that are left outside the frame that marks it in 3-D
THINNING = 2  # Of the points of an outline, every so many-th is drawn
TILE = 2  # Of a picture's rows and columns of pixels, every so many-th is painted in 3-D
CORNERS = ((0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0))  # Of a plane's rows and columns, once around
GAP = np.full((1, 3), np.nan, np.float32)  # Between two lines

_Points = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Outlines:
    """The stack's outlines, moved back by the estimated d: (N, 3) mm, NaN between lines."""

    structures: dict[str, _Points]  # lines of each structure
    frame: _Points  # the border of the slice that is looked at
    cut: _Points  # the border of the LA cut that is looked at
    view: _Points  # the borders of the scanned LA planes but for the cut, NaN between them


@dataclass(frozen=True, eq=False)
class Tiles:
    """Labelled planes as a mesh: strips of tissue as pairs of triangles, each with its label."""

    mesh: Mesh
    labels: NDArray[np.float32]


class StackOutlines:
    """The outlines of what was scanned, found once, and moved with every d."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lines = {name: _contours(scene, name) for name in SURFACES}
        planes = [plane_geometry(view, scene.scan.placement) for view in scene.scan.views]
        self._views = [_border(plane.points) for plane in planes]

    def _view_back(self, step: Step, v: int) -> _Points:
        """(3,) mm from where an estimate puts view v to where it was scanned."""
        back = self._scene.view_back(step, v) @ self._scene.problem.views[v].plane.directions
        return back.numpy()

    def moved_back(self, step: Step, k: int, plane: Cut) -> Outlines:
        """Outlines where an estimate puts the slices, and the borders of slice k, of a cut and of
        the views."""
        stack, shift = self._scene.stack, self._scene.slices_back(step.d).numpy()
        structures = {}
        for name, (points, slices) in self._lines.items():
            structures[name] = points.copy()
            structures[name][:, 1:] -= shift[slices]
        window = shown(self._scene.subject.extent)
        rows, columns = ((side.start + INSET, side.stop - INSET) for side in window)
        frame = _in_mm(stack, np.array([(rows[i], columns[j]) for i, j in CORNERS]), k)
        frame[:, 1:] -= shift[k]
        views = [border - self._view_back(step, v) for v, border in enumerate(self._views)]
        # The first is the cut itself, where that is as it was acquired.
        border = views.pop(0) if plane.acquired else _border(plane.points)
        lines = [line for view in views for line in (GAP, view)]
        return Outlines(structures, frame, border, np.concatenate([GAP[:0], *lines[1:]]))

    def slices(self, d: Tensor, numbers: Sequence[int]) -> Tiles:
        """The tissue that some slices show, where an estimate d puts them."""
        shift = self._scene.slices_back(d).numpy()
        tiles = [self._tiles[k] for k in numbers]
        before = np.cumsum([0, *(len(each.mesh.vertices) for each in tiles)])
        vertices = [t.mesh.vertices - [0, *shift[k]] for k, t in zip(numbers, tiles, strict=True)]
        faces = [t.mesh.faces + n for n, t in zip(before, tiles, strict=False)]
        mesh = Mesh(np.concatenate(vertices).astype(np.float32), np.concatenate(faces))
        return Tiles(mesh, np.concatenate([each.labels for each in tiles]))

    def cut(self, step: Step, plane: Cut) -> Tiles:
        """The tissue that a cut shows, where an estimate puts it: the LA view itself, or the
        slices."""
        points, seen = plane.points[::TILE, ::TILE], plane.input[::TILE, ::TILE]
        if plane.acquired:
            points = points - torch.from_numpy(self._view_back(step, 0))
        else:
            seen = stack_put_back(self._scene, points, step.d)
        corner, down, across = (points[i, j].numpy() for i, j in ((0, 0), (1, 0), (0, 1)))
        steps = np.stack([down - corner, across - corner])
        return _strips(seen, lambda pixels: corner + (pixels - 0.5) @ steps)

    @cached_property
    def _tiles(self) -> list[Tiles]:
        """Each slice's tissue as scanned."""
        window = shown(self._scene.subject.extent)
        first = np.array([side.start - 0.5 for side in window])

        def place(k: int, pixels: NDArray[np.floating]) -> NDArray[np.floating]:
            return _in_mm(self._scene.stack, TILE * pixels + first, k)

        slices = enumerate(self._scene.S_LR)
        return [_strips(seen[window][::TILE, ::TILE], partial(place, k)) for k, seen in slices]


def _border(points: Tensor) -> _Points:
    """The border (5, 3) of a plane's points (h, w, 3), `INSET` from their own; (0, 3) of none."""
    inset = points[INSET:-INSET, INSET:-INSET]
    corners = CORNERS if inset.numel() else ()
    return np.array([inset[corner].numpy() for corner in corners], np.float32).reshape(-1, 3)


def _strips(
    labels: LabelMap, place: Callable[[NDArray[np.floating]], NDArray[np.floating]]
) -> Tiles:
    """A picture's tissue as strips of one label; `place` puts pixels' corners (N, 2) in mm."""
    beside = np.pad(labels, ((0, 0), (1, 1)))
    i, first = np.nonzero((labels > 0) & (labels != beside[:, :-2]))
    last = np.nonzero((labels > 0) & (labels != beside[:, 2:]))[1] + 1
    corners = np.stack([[i, first], [i, last], [i + 1, last], [i + 1, first]]).transpose(2, 0, 1)
    faces = 4 * np.arange(len(i))[:, None] + np.array([[0, 1, 2, 0, 2, 3]])
    vertices = place(corners.reshape(-1, 2).astype(float)).astype(np.float32)
    each = np.repeat(labels[i, first], 2).astype(np.float32)
    return Tiles(Mesh(vertices, faces.reshape(-1, 3).astype(np.int32)), each)


def _contours(scene: Scene, structure: str) -> tuple[_Points, NDArray[np.intp]]:
    """All outlines of a structure: points (N, 3), NaN between lines, and each point's slice."""
    from skimage.measure import find_contours

    points, slices = [np.zeros((0, 3), np.float32)], []
    for k, labels in enumerate(scene.S_LR):
        inside = np.isin(labels, STRUCTURES[structure]).astype(np.float32)
        for contour in find_contours(inside, 0.5):
            line = np.concatenate([contour[:-1:THINNING], contour[-1:]])
            points += [_in_mm(scene.stack, line, k), GAP]
            slices += [k] * (len(line) + 1)
    return np.concatenate(points), np.array(slices, np.intp)


def _in_mm(stack: Stack, pixels: NDArray[np.floating], k: int) -> _Points:
    """Fractional pixels (N, 2) of slice k → (N, 3) mm."""
    steps = torch.stack([stack.row_step, stack.column_step]).numpy()
    in_plane = (stack.origin + stack.offsets[k]).numpy() + pixels @ steps
    height = np.full((len(pixels), 1), float(stack.z[k]))
    return np.concatenate([height, in_plane], axis=1).astype(np.float32)
