"""Label pictures of an estimate beside its data and the truth, and the stack's outlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.show import Outlines, Pictures, Side, Tiles
from srheart_demo.explorer.subjects import SURFACES
from srheart_demo.heart.surface import STRUCTURES, Mesh
from srheart_demo.scan.degradation import Stack, degrade
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.gauge import labels_at

SHOWN_PIXELS = 112
"""Rows and columns of a picture; 140 mm hold a large heart and its motion."""
INSET = 16
"""Rows and columns of a picture that are left outside the frame that marks it in 3-D."""
THINNING = 2
"""Of the points of an outline, every so many-th is drawn."""
TILE = 2
"""Of a picture's rows and columns of pixels, every so many-th is painted in 3-D."""

_Labels = NDArray[np.uint8]


def short_axis(scene: Scene, field: Tensor, d: Tensor, k: int) -> Pictures:
    """Slice k of the stack."""
    twice = scene.stack.slices([k, k])
    shifts = torch.cat([d[:, k : k + 1], scene.gauge(d).expand(1, 1, 2)], dim=1)
    redegraded, estimate = _planes(field, twice, shifts)
    window = _window(scene.subject.extent)
    truth = scene.once(("true slice", k), lambda: _true_slice(scene, k))
    return Pictures(
        input=scene.S_LR[k][window],
        redegraded=redegraded[window],
        estimate=estimate[window],
        truth=None if truth is None else truth[window],
    )


def _true_slice(scene: Scene, k: int) -> _Labels | None:
    """What slice k would show of the true heart without motion, or None where nobody knows it."""
    truth = scene.subject.field
    if truth is None:
        return None
    stack = scene.stack
    return _planes(truth, stack.slices([k]), torch.zeros(1, 1, 2))[0]


def side(scene: Scene, d: Tensor) -> Side:
    """The stack from the side: through the middle of its tissue, along columns and along rows."""
    stack, window = scene.stack, _window(scene.subject.extent)
    still = -stack.in_slice_axes(stack.offsets).numpy() / np.array(stack.spacing)
    pixels = still + (d[0] - scene.gauge(d)).numpy() / np.array(stack.spacing)
    return Side(
        slices=(scene.slices + 1).astype(np.int32),
        of=scene.of,
        pixel_mm=stack.spacing[1],
        scanned=_profiles(scene.S_LR, window, still),
        put_back=_profiles(scene.S_LR, window, pixels),
    )


def _profiles(
    S_LR: _Labels, window: tuple[slice, slice], moved: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """(2, K, n) labels along the middle row and the middle column of a window that follows d."""
    middle = [(side.start + side.stop) // 2 for side in window]
    lengths = [np.arange(side.start, side.stop) for side in window]
    profiles = []
    for along in (1, 0):
        across = 1 - along
        fixed = np.rint(middle[across] + moved[:, across]).astype(int)[:, None]
        running = np.rint(lengths[along] + moved[:, along : along + 1]).astype(int)
        rows, columns = (fixed, running) if along else (running, fixed)
        inside = (rows >= 0) & (rows < S_LR.shape[1]) & (columns >= 0)
        inside &= columns < S_LR.shape[2]
        k = np.arange(len(S_LR))[:, None]
        profiles.append(
            np.where(inside, S_LR[k, rows * inside, columns * inside], 0).astype(np.uint8)
        )
    return np.stack(profiles)


@dataclass(frozen=True, eq=False)
class Cut:
    """What a run does not change about a plane through the LV's long axis.

    Attributes:
        points: (h, w, 3) mm, base on top.
        acquired: whether the input is the LA view itself; elsewhere it is the stack, cut.
        input: (h, w) labels.
        truth: (h, w) labels, or None where nobody knows them.
        slices, pixels: (h, w), (h, w, 2) the stack's pixel nearest to each point; slice −1 beyond.
    """

    points: Tensor
    acquired: bool
    input: _Labels
    truth: _Labels | None
    slices: NDArray[np.intp]
    pixels: NDArray[np.intp]


def cut(scene: Scene, angle: float) -> Cut:
    """A plane through the LV's long axis, turned by `angle` degrees from the LA view."""
    return scene.once(("cut", angle), lambda: _cut(scene, angle))


def _cut(scene: Scene, angle: float) -> Cut:
    points = turn(scene.subject.plane, angle).points
    truth = scene.subject.field
    shown = _stack_at(scene, points)[0] if truth is None else labels_at(truth, points)
    window = _window(shown > 0)
    points = points[window].flip(0)
    seen, slices, pixels = _stack_at(scene, points)
    acquired = scene.has_view and angle == 0
    if acquired and scene.subject.S_LA is not None:
        seen = scene.subject.S_LA[window][::-1]
    return Cut(
        points=points,
        acquired=acquired,
        input=seen,
        truth=None if truth is None else labels_at(truth, points),
        slices=slices,
        pixels=pixels,
    )


def _stack_at(scene: Scene, points: Tensor) -> tuple[_Labels, NDArray[np.intp], NDArray[np.intp]]:
    """What the stack shows nearest to points, and the slices and pixels where."""
    slices, pixels = _nearest_pixels(scene.stack, points)
    seen = np.where(slices < 0, np.uint8(0), scene.S_LR[slices, pixels[..., 0], pixels[..., 1]])
    return seen, slices, pixels


def long_axis(scene: Scene, field: Tensor, d: Tensor, plane: Cut) -> Pictures:
    """A plane through the LV's long axis; re-degraded is what the input should show."""
    shown = plane.points
    if not plane.acquired:
        h, w = plane.pixels[..., 0], plane.pixels[..., 1]
        shown = scene.stack.points(d)[0][plane.slices, h, w]
    redegraded = labels_at(field, shown)
    if not plane.acquired:
        redegraded = np.where(plane.slices < 0, np.uint8(0), redegraded)
    estimate = labels_at(field, plane.points, shift=scene.gauge(d))
    return Pictures(plane.input, redegraded, estimate, plane.truth)


def turn(plane: Plane, angle: float) -> Plane:
    """The plane turned by `angle` degrees about its middle column, the heart's long axis."""
    w = plane.points.shape[1]
    centre = plane.points.mean((0, 1))
    axis = plane.points[-1, w // 2] - plane.points[0, w // 2]
    axis = axis / axis.norm()
    offset = plane.points - centre
    along = (offset @ axis)[..., None] * axis
    across = offset - along
    side = torch.linalg.cross(axis.expand_as(across), across)
    radians = torch.deg2rad(torch.tensor(angle))
    return Plane(centre + along + torch.cos(radians) * across + torch.sin(radians) * side)


class StackOutlines:
    """The outlines of what was scanned, found once, and moved with every d."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lines = {name: _contours(scene, name) for name in SURFACES}
        view = scene.subject.plane.points if scene.has_view else torch.zeros(0, 0, 3)
        self._view = _border(view)

    def _put_back(self, d: Tensor) -> NDArray[np.float32]:
        """(K, 2) in-plane mm from where an estimate d puts each slice to where it was scanned."""
        stack = self._scene.stack
        return (stack.in_model_axes(d)[0] - self._scene.gauge(d)).numpy()

    def moved_back(self, d: Tensor, k: int, plane: Cut) -> Outlines:
        """Outlines where an estimate d puts the slices, and the borders of slice k and a cut."""
        stack, shift = self._scene.stack, self._put_back(d)
        structures = {}
        for name, (points, slices) in self._lines.items():
            moved = points.copy()
            moved[:, 1:] -= shift[slices]
            structures[name] = moved
        rows, columns = (
            (side.start + INSET, side.stop - INSET) for side in _window(self._scene.subject.extent)
        )
        corners = [(rows[i], columns[j]) for i, j in ((0, 0), (0, 1), (1, 1), (1, 0), (0, 0))]
        frame = _in_mm(stack, np.array(corners, np.float32), k)
        frame[:, 1:] -= shift[k]
        view = self._view[:0] if plane.acquired else self._view
        return Outlines(structures, frame, _border(plane.points), view)

    def slices(self, d: Tensor, numbers: Sequence[int]) -> Tiles:
        """The tissue that some slices show, where an estimate d puts them."""
        shift = self._put_back(d)
        vertices, faces, labels, so_far = [], [], [], 0
        for k in numbers:
            tiles = self._tiles[k]
            vertices.append(tiles.mesh.vertices - [0, *shift[k]])
            faces.append(tiles.mesh.faces + so_far)
            labels.append(tiles.labels)
            so_far += len(tiles.mesh.vertices)
        return Tiles(
            Mesh(np.concatenate(vertices).astype(np.float32), np.concatenate(faces)),
            np.concatenate(labels),
        )

    def cut(self, d: Tensor, plane: Cut) -> Tiles:
        """The tissue that a cut shows: the LA view itself, or the stack where d puts its slices."""
        points = plane.points[::TILE, ::TILE]
        seen = plane.input[::TILE, ::TILE]
        if not plane.acquired:
            stack = self._scene.stack
            moved = points.clone()
            moved[..., 1:] += torch.from_numpy(self._put_back(d))[
                stack.nearest_slice(points[..., 0])
            ]
            seen = _stack_at(self._scene, moved)[0]
        corner, down, across = (points[i, j].numpy() for i, j in ((0, 0), (1, 0), (0, 1)))
        steps = np.stack([down - corner, across - corner])
        return _strips(seen, lambda pixels: (corner + (pixels - 0.5) @ steps).astype(np.float32))

    @cached_property
    def _tiles(self) -> list[Tiles]:
        """Each slice's tissue as scanned."""
        stack, window = self._scene.stack, _window(self._scene.subject.extent)
        first = np.array([side.start - 0.5 for side in window])

        def place(k: int, pixels: NDArray[np.float64]) -> NDArray[np.float32]:
            return _in_mm(stack, TILE * pixels + first, k)

        return [
            _strips(labels[window][::TILE, ::TILE], partial(place, k))
            for k, labels in enumerate(self._scene.S_LR)
        ]


def _border(points: Tensor) -> NDArray[np.float32]:
    """The border (5, 3) of a plane's points (h, w, 3), `INSET` from their own; (0, 3) of none."""
    inset = points[INSET:-INSET, INSET:-INSET]
    corners = ((0, 0), (0, -1), (-1, -1), (-1, 0), (0, 0)) if inset.numel() else ()
    return np.array([inset[corner].numpy() for corner in corners], np.float32).reshape(-1, 3)


def _strips(labels: _Labels, place: Callable[[NDArray[np.float64]], NDArray[np.float32]]) -> Tiles:
    """A picture's tissue as strips of one label; `place` puts pixels' corners (N, 2) in mm."""
    beside = np.pad(labels, ((0, 0), (1, 1)))
    begins = (labels > 0) & (labels != beside[:, :-2])
    ends = (labels > 0) & (labels != beside[:, 2:])
    i, first = np.nonzero(begins)
    last = np.nonzero(ends)[1] + 1
    corners = np.stack([[i, first], [i, last], [i + 1, last], [i + 1, first]]).transpose(2, 0, 1)
    faces = 4 * np.arange(len(i))[:, None] + np.array([[0, 1, 2, 0, 2, 3]])
    return Tiles(
        Mesh(place(corners.reshape(-1, 2).astype(float)), faces.reshape(-1, 3).astype(np.int32)),
        np.repeat(labels[i, first], 2).astype(np.float32),
    )


def _contours(scene: Scene, structure: str) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """All outlines of a structure: points (N, 3), NaN between lines, and each point's slice."""
    from skimage.measure import find_contours

    points, slices = [], []
    for k, labels in enumerate(scene.S_LR):
        inside = np.isin(labels, STRUCTURES[structure]).astype(np.float32)
        for contour in find_contours(inside, 0.5):
            line = np.concatenate([contour[:-1:THINNING], contour[-1:]])
            points += [_in_mm(scene.stack, line, k), np.full((1, 3), np.nan)]
            slices += [k] * (len(line) + 1)
    if not points:
        return np.zeros((0, 3), np.float32), np.zeros(0, np.intp)
    return np.concatenate(points).astype(np.float32), np.array(slices)


def _in_mm(stack: Stack, pixels: NDArray[np.floating], k: int) -> NDArray[np.float32]:
    """Fractional pixels (N, 2) of slice k → (N, 3) mm."""
    steps = torch.stack([stack.row_step, stack.column_step]).numpy()
    in_plane = (stack.origin + stack.offsets[k]).numpy() + pixels @ steps
    height = np.full((len(pixels), 1), float(stack.z[k]))
    return np.concatenate([height, in_plane], axis=1).astype(np.float32)


def _planes(field: Tensor, stack: Stack, d: Tensor) -> _Labels:
    # Several times as fast as torch's argmax over the first axis.
    return degrade(field, stack, d)[0].numpy().argmax(0).astype(np.uint8)


def _nearest_pixels(stack: Stack, points: Tensor) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The slice (...), −1 beyond the stack, and the pixel (..., 2) of it nearest to each point."""
    slices = stack.nearest_slice(points[..., 0])
    pixels = stack.nearest_pixel(points[..., 1:] - stack.offsets[slices])
    inside = (pixels >= 0).all(-1)
    return torch.where(inside, slices, -1).numpy(), pixels.numpy()


def _window(tissue: NDArray[np.bool_]) -> tuple[slice, slice]:
    """`SHOWN_PIXELS` rows and columns around the middle of the tissue in a picture."""
    return tuple(  # type: ignore[return-value]
        _centred(np.flatnonzero(tissue.any(axis)), tissue.shape[1 - axis]) for axis in (1, 0)
    )


def _centred(present: NDArray[np.intp], size: int) -> slice:
    middle = int(present[0] + present[-1] + 1) // 2 if len(present) else size // 2
    start = min(max(middle - SHOWN_PIXELS // 2, 0), max(size - SHOWN_PIXELS, 0))
    return slice(start, min(start + SHOWN_PIXELS, size))
