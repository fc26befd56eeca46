"""Label pictures of an estimate beside its data and the truth."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor

from srheart_demo.explorer.scene import Scene
from srheart_demo.heart.generator import likeliest
from srheart_demo.scan.degradation import Stack, degrade
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import plane_geometry
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.gauge import labels_at

SHOWN_PIXELS = 112  # Rows and columns of a picture; 140 mm hold a large heart and its motion

LabelMap = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Pictures:
    """One view, each (h, w) labels."""

    input: LabelMap  # what was scanned
    redegraded: LabelMap  # what a scan of the estimate would show
    estimate: LabelMap  # the heart found
    truth: LabelMap | None  # the true heart, or None where nobody knows it


@dataclass(frozen=True, eq=False)
class Cuts:
    """The heart of a moment, cut along a slice and along its long axis."""

    number: int  # of the slice, from 1 at the apex, of `of`
    of: int
    short_axis: Pictures
    angle: float  # of the plane of `long_axis` to the LA view, degrees
    acquired: bool  # whether the input of `long_axis` is the LA view itself
    long_axis: Pictures


@dataclass(frozen=True, eq=False)
class Side:
    """The stack seen from the side: of each slice one row and one column of pixels."""

    scanned: LabelMap  # (2, K, n) labels along columns, and along rows, as scanned
    put_back: LabelMap  # the same, each slice moved back by the estimated d


def short_axis(scene: Scene, field: Tensor, d: Tensor, k: int) -> Pictures:
    """Slice k of the stack."""
    twice = scene.stack.slices([k, k])
    shifts = torch.cat([d[:, k : k + 1], scene.gauge(d).expand(1, 1, 2)], dim=1)
    redegraded, estimate = _planes(field, twice, shifts)
    truth = scene.once(("true slice", k), lambda: _true_slice(scene, k))
    window = shown(scene.subject.extent)
    true = None if truth is None else truth[window]
    return Pictures(scene.S_LR[k][window], redegraded[window], estimate[window], true)


def _true_slice(scene: Scene, k: int) -> LabelMap | None:
    """What slice k would show of the true heart without motion, or None where nobody knows it."""
    truth = scene.subject.field
    still = torch.zeros(1, 1, 2)
    return None if truth is None else _planes(truth, scene.stack.slices([k]), still)[0]


def _planes(field: Tensor, stack: Stack, d: Tensor) -> LabelMap:
    return likeliest(degrade(field, stack, d)[0])


def side(scene: Scene, d: Tensor) -> Side:
    """The stack from the side: through the middle of its tissue, along columns and along rows."""
    stack = scene.stack
    still = -stack.in_slice_axes(stack.offsets).numpy() / np.array(stack.spacing)
    back = still + (d[0] - scene.gauge(d)).numpy() / np.array(stack.spacing)
    return Side(_profiles(scene, still), _profiles(scene, back))


def _profiles(scene: Scene, moved: NDArray[np.floating]) -> LabelMap:
    """(2, K, n) labels along the middle row and the middle column of a window that follows d."""
    k = np.arange(len(scene.S_LR))[:, None]
    lengths = [np.arange(side.start, side.stop) for side in shown(scene.subject.extent)]
    middle = [line[len(line) // 2] for line in lengths]
    profiles = []
    for lines in ((middle[0], lengths[1]), (lengths[0], middle[1])):
        rows, columns = (line + moved[:, i : i + 1] for i, line in enumerate(lines))
        at = np.broadcast_arrays(k, np.rint(rows), np.rint(columns))
        profiles.append(map_coordinates(scene.S_LR, at, order=0))
    return np.stack(profiles)


@dataclass(frozen=True, eq=False)
class Cut:
    """What a run does not change about a plane through the LV's long axis."""

    points: Tensor  # (h, w, 3) mm, base on top
    acquired: bool  # whether the input is the LA view itself; elsewhere it is the stack, cut
    input: LabelMap  # (h, w) labels
    truth: LabelMap | None  # (h, w) labels, or None where nobody knows them
    slices: NDArray[np.intp]  # (h, w) the stack's nearest to each point; −1 beyond
    pixels: NDArray[np.intp]  # (h, w, 2) the nearest of that slice


def cut(scene: Scene, angle: float) -> Cut:
    """A plane through the LV's long axis, turned by `angle` degrees from the LA view."""
    return scene.once(("cut", angle), lambda: _cut(scene, angle))


def _cut(scene: Scene, angle: float) -> Cut:
    points = turn(scene.subject.plane, angle).points
    truth = scene.subject.field
    window = shown((stack_at(scene, points)[0] if truth is None else labels_at(truth, points)) > 0)
    points = points[window].flip(0)
    seen, slices, pixels = stack_at(scene, points)
    acquired = scene.has_view and angle == 0
    if acquired:
        seen = scene.scan.views[0].labels[0][window][::-1]
    true = None if truth is None else labels_at(truth, points)
    return Cut(points, acquired, seen, true, slices, pixels)


def stack_at(scene: Scene, points: Tensor) -> tuple[LabelMap, NDArray[np.intp], NDArray[np.intp]]:
    """What the stack shows nearest to points (..., 3), 0 beyond it; and where: slice and pixel."""
    stack = scene.stack
    slices = stack.nearest_slice(points[..., 0])
    pixels = stack.nearest_pixel(points[..., 1:] - stack.offsets[slices]).numpy()
    k = np.where((pixels >= 0).all(-1), slices.numpy(), -1)
    seen = scene.S_LR[k, pixels[..., 0], pixels[..., 1]]
    return np.where(k < 0, np.uint8(0), seen), k, pixels


def stack_put_back(scene: Scene, points: Tensor, d: Tensor) -> LabelMap:
    """What the stack shows nearest to points (h, w, 3), its slices where an estimate d puts
    them."""
    moved = points.clone()
    moved[..., 1:] += scene.slices_back(d)[scene.stack.nearest_slice(points[..., 0])]
    return stack_at(scene, moved)[0]


@dataclass(frozen=True, eq=False)
class Overlay:
    """A long-axis view over the slices where its plane cuts them, as it lies in its file, but with
    the base on top.
    """

    spacing: tuple[float, float]  # mm from row to row and from column to column
    turned: bool  # whether its rows come in the other order than in its file
    scanned: LabelMap  # (2, h, w) labels of the slices and of the view, as scanned
    put_back: LabelMap  # the same, slices and view moved back by the estimated displacements


def overlay(scene: Scene, step: Step, v: int) -> Overlay:
    """View v over the slices."""
    plane, window, slices = scene.once(("overlay", v), lambda: _overlaid(scene, v))
    labels = scene.scan.views[v].labels[0]
    turned = bool(plane.directions[0, 0] > 0)
    back = (scene.view_back(step, v) / torch.tensor(plane.spacing)).numpy()
    first = np.array([side.start for side in window])
    pixels = np.indices(slices.shape) + (first + back)[:, None, None]
    scanned = np.stack([slices, labels[window]])
    moved = map_coordinates(labels, pixels, order=0)
    put_back = np.stack([stack_put_back(scene, plane.points, step.d), moved])
    if turned:
        scanned, put_back = scanned[:, ::-1], put_back[:, ::-1]
    return Overlay(plane.spacing, turned, scanned, put_back)


def _overlaid(scene: Scene, v: int) -> tuple[Plane, tuple[slice, slice], LabelMap]:
    """What a run does not change of it: the plane that is shown, the rows and columns of the view
    that it is, and what the slices show in it."""
    plane = plane_geometry(scene.scan.views[v], scene.scan.placement)
    slices, *_ = stack_at(scene, plane.points)
    window = shown(slices > 0)  # not of the view, which would seem to stay where it is dragged to
    return plane.crop(*window), window, slices[window]


def long_axis(scene: Scene, field: Tensor, step: Step, plane: Cut) -> Pictures:
    """A plane through the LV's long axis; re-degraded is what the input should show."""
    d = step.d
    if plane.acquired:
        moved = step.d_LA[0, 0] @ scene.problem.views[0].plane.directions
        redegraded = labels_at(field, plane.points - moved)
    else:
        h, w = plane.pixels[..., 0], plane.pixels[..., 1]
        redegraded = labels_at(field, scene.stack.points(d)[0][plane.slices, h, w])
        redegraded[plane.slices < 0] = 0
    estimate = labels_at(field, plane.points, shift=scene.gauge(d))
    return Pictures(plane.input, redegraded, estimate, plane.truth)


def turn(plane: Plane, angle: float) -> Plane:
    """The plane turned by `angle` degrees about its middle column, the heart's long axis."""
    centre, w = plane.points.mean((0, 1)), plane.points.shape[1]
    axis = (plane.points[-1, w // 2] - plane.points[0, w // 2]).double()
    across = torch.linalg.cross((axis / axis.norm()).expand(3, 3), torch.eye(3).double())
    # Each row of `across` is what axis × makes of a unit vector: its exponential is the rotation.
    turned = torch.linalg.matrix_exp(np.radians(angle) * across).float()
    return Plane(centre + (plane.points - centre) @ turned)


def shown(tissue: NDArray[np.bool_]) -> tuple[slice, slice]:
    """`SHOWN_PIXELS` rows and columns around the middle of the tissue in a picture."""
    window = []
    for axis, size in enumerate(tissue.shape):
        there = np.flatnonzero(tissue.any(1 - axis))
        middle = int(there[0] + there[-1] + 1) // 2 if len(there) else size // 2
        start = min(max(middle - SHOWN_PIXELS // 2, 0), max(size - SHOWN_PIXELS, 0))
        window.append(slice(start, min(start + SHOWN_PIXELS, size)))
    return window[0], window[1]
