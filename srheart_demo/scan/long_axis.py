"""R⊙ of Eq. 4: the heart cut along a long-axis (LA) plane."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from srheart_demo.frame import HR_SHAPE, HR_SPACING, lattice_points
from srheart_demo.scan.degradation import sample

LONG_AXIS_VIEWS = {"4ch": 14.0, "3ch": -46.0, "2ch": 74.0}
"""Degrees from the direction LV → RV, towards inferior, at which each standard plane lies.
The four-chamber plane was measured 9-20° from that direction; the others stand 60° apart."""
BY_WORTH = ("4ch", "2ch", "3ch")
"""In the order in which they are looked at: the second stands across the first."""


@dataclass(frozen=True, eq=False)
class Plane:
    """A long-axis plane.

    >>> scan = sr.load_sample("healthy_1").scan("severe", views=["4ch"])
    >>> plane = sr.Problem.of(scan, G).views[0].plane  # cut to the heart and 10 mm around it
    >>> plane.points.shape[2], [round(mm, 2) for mm in plane.spacing]
    (3, [1.25, 1.25])

    Attributes:
        points: (h, w, 3) pixel positions in the model's frame, mm.
    """

    points: Tensor

    @property
    def _steps(self) -> Tensor:
        return torch.stack([self.points[1, 0], self.points[0, 1]]) - self.points[0, 0]

    @property
    def directions(self) -> Tensor:
        """(2, 3) unit vectors from one row to the next and from one column to the next."""
        return self._steps / self._steps.norm(dim=1, keepdim=True)

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between rows and between columns, mm."""
        rows, columns = self._steps.norm(dim=1).tolist()
        return rows, columns

    @property
    def normal(self) -> Tensor:
        """(3,) unit vector across the plane."""
        normal = torch.linalg.cross(*self.directions)
        return normal / normal.norm()

    def nearest(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """The fractional row and column (..., 2) nearest to each point (..., 3), and how far the
        point lies across the plane (...), mm."""
        apart = points - self.points[0, 0]
        across = self.normal.to(apart.dtype)
        index = apart @ self.directions.T.to(apart.dtype) / apart.new_tensor(self.spacing)
        return index, apart @ across

    def crop(self, rows: slice, columns: slice) -> "Plane":
        """The same plane with only these rows and columns."""
        return replace(self, points=self.points[rows, columns])

    def padded(self, rows: int, columns: int) -> "Plane":
        """The same plane with so many more rows and columns on every side."""
        (h, w, _), (down, right) = self.points.shape, self._steps
        i = torch.arange(-rows, h + rows, dtype=down.dtype)[:, None, None]
        j = torch.arange(-columns, w + columns, dtype=down.dtype)[:, None]
        return replace(self, points=self.points[0, 0] + i * down + j * right)


def long_axis_view(field: Tensor, plane: Plane, d: Tensor | None = None) -> Tensor:
    """R⊙field of Eq. 4: class logits (B, C, h, w) on the plane.

    >>> scan = sr.load_sample("healthy_1").scan("severe", views=["4ch"])
    >>> plane = sr.Problem.of(scan, G).views[0].plane
    >>> sr.long_axis_view(G.decode(step.z), plane).shape[2:] == plane.points.shape[:2]
    True

    The displacements of slices do not enter: an LA view is a breath-hold of its own. Its own, d
    (B, 2), mm along its rows and columns, is none in the paper; a displaced view shows at x what
    lies at x − d.
    """
    points = plane.points.to(field.dtype)
    if d is None:
        return sample(field, points)
    shift = d.to(field.dtype) @ plane.directions.to(field.dtype)
    return sample(field, points - shift[:, None, None], each=True)


def standard_view(
    S_HR: np.ndarray, view: str = "4ch", size: int = 128, spacing: float = 1.25
) -> Plane:
    """The plane of a standard LA view of a heart, its labels on the HR grid (64, 128, 128).

    It contains the LV's long axis (through the centroids of its slices); its `size` rows run from
    apex to base, as many columns from the RV's side to the LV's, `spacing` mm apart.
    """
    if view not in LONG_AXIS_VIEWS:
        raise KeyError(f"unknown view {view!r}; known: {', '.join(LONG_AXIS_VIEWS)}")
    points = lattice_points(HR_SHAPE)
    if not (S_HR == 1).any() or not (S_HR == 3).any():
        raise ValueError("a long-axis view needs a heart with an LV and an RV")
    # Slices that show enough LV for a stable centroid, mm².
    area = (S_HR == 1).sum((1, 2)) * HR_SPACING[1] * HR_SPACING[2]
    levels = np.flatnonzero(area >= min(100.0, area.max()))
    centroids = np.array([points[k][S_HR[k] == 1].mean(0) for k in levels])
    middle = centroids.mean(0)
    axis = np.linalg.svd(centroids - middle)[2][0]
    axis *= np.sign(axis[0])
    to_rv = points[S_HR == 3].mean(0) - middle
    turn = np.deg2rad(LONG_AXIS_VIEWS[view])
    h, w = to_rv[1], to_rv[2]
    cos, sin = np.cos(turn), np.sin(turn)
    towards = np.array([0, h * cos - w * sin, h * sin + w * cos])
    towards -= axis * (towards @ axis)
    towards /= np.linalg.norm(towards)
    offsets = (np.arange(size) - (size - 1) / 2) * spacing
    grid = middle + offsets[:, None, None] * axis - offsets[None, :, None] * towards
    return Plane(torch.tensor(grid, dtype=torch.float32))
