"""A long-axis view over the slices that it cuts: whether they show one heart."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import map_coordinates

from srheart_demo.explorer.pictures import LabelMap, shown, stack_at, stack_put_back
from srheart_demo.explorer.scene import Scene
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import plane_geometry
from srheart_demo.solver.algorithm import Step


@dataclass(frozen=True, eq=False)
class Overlay:
    """A long-axis view over the slices where its plane cuts them, as it lies in its file, but with
    the base on top.
    """

    name: str  # of the view
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
    put_back = np.stack(
        [stack_put_back(scene, plane.points, step.d), map_coordinates(labels, pixels, order=0)]
    )
    if turned:
        scanned, put_back = scanned[:, ::-1], put_back[:, ::-1]
    return Overlay(scene.view_names[v], plane.spacing, turned, scanned, put_back)


def _overlaid(scene: Scene, v: int) -> tuple[Plane, tuple[slice, slice], LabelMap]:
    """What a run does not change of it: the plane that is shown, the rows and columns of the view
    that it is, and what the slices show in it."""
    plane = plane_geometry(scene.scan.views[v], scene.scan.placement)
    slices, *_ = stack_at(scene, plane.points)
    window = shown(slices > 0)  # not of the view, which would seem to stay where it is dragged to
    return plane.crop(*window), window, slices[window]
