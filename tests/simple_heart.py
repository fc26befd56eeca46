"""An analytic heart, independent of the library: labels at any point of the model's frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from srheart_demo.heart.surface import Mesh
from srheart_demo.scan.volume import LabelVolume

LENGTH = 90.0
"""From apex to base, mm; the heart's box is centred on the origin."""


def heart_labels(points: NDArray[np.float64], azimuth: float = 290.0) -> NDArray[np.uint8]:
    """Labels (...) at points (..., 3), mm (D, H, W): half ellipsoids, the RV at `azimuth`."""
    direction = np.array([np.cos(np.radians(azimuth)), np.sin(np.radians(azimuth))])
    in_plane = points[..., 1:]
    s = points[..., 0] / LENGTH + 0.5
    taper = np.sqrt(np.clip(1 - (1 - s) ** 2, 0, None))
    inside = (s > 0) & (s < 1)
    from_lv = np.linalg.norm(in_plane + 16.0 * direction, axis=-1)
    from_rv = np.linalg.norm(in_plane - 16.0 * direction, axis=-1)
    labels = np.zeros(points.shape[:-1], np.uint8)
    labels[inside & (from_rv < 32.0 * taper)] = 3
    labels[inside & (from_lv < 32.0 * taper)] = 2
    labels[inside & (from_lv < 24.0 * taper) & (s > 0.1)] = 1
    return labels


def scanner_from_model(seed: int = 3) -> NDArray[np.float64]:
    """A true anatomical pose: an oblique world frame, (D, H, W) → RAS+ of determinant −1."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.random(rng=np.random.default_rng(seed)).as_matrix()
    affine[:3, 2] *= -1
    affine[:3, 3] = [12.0, -40.0, 25.0]
    return affine


def short_axis_stack(
    world_from_model: NDArray[np.float64],
    slices: int = 10,
    spacing: tuple[float, float, float] = (10.0, 1.5, 1.5),
    size: int = 80,
    azimuth: float = 290.0,
    d: NDArray[np.float64] | None = None,
) -> LabelVolume:
    """A stack of the heart, apex first, rows along H, columns along W; slices displaced by d."""
    centring = np.eye(4)
    centring[:3, 3] = [-(slices - 1) / 2, -(size - 1) / 2, -(size - 1) / 2]
    model_from_index = np.diag([*spacing, 1.0]) @ centring
    stack = LabelVolume(np.zeros((slices, size, size), np.uint8), model_from_index)
    points = stack.points()
    if d is not None:
        points[..., 1:] -= d[:, None, None, :]
    return LabelVolume(heart_labels(points, azimuth), world_from_model @ model_from_index, "stack")


def long_axis_view(world_from_model: NDArray[np.float64], size: int = 100) -> LabelVolume:
    """The plane through the long axis and both ventricles, 1.5 mm pixels."""
    towards_rv = np.array([0.0, np.cos(np.radians(290.0)), np.sin(np.radians(290.0))])
    normal = np.array([0.0, -towards_rv[2], towards_rv[1]])
    model_from_index = np.eye(4)
    model_from_index[:3, :3] = np.stack([normal, [1.5, 0.0, 0.0], 1.5 * towards_rv], axis=1)
    model_from_index[:3, 3] = -model_from_index[:3, 1:3].sum(axis=1) * (size - 1) / 2
    plane = LabelVolume(np.zeros((1, size, size), np.uint8), model_from_index)
    return LabelVolume(heart_labels(plane.points()), world_from_model @ model_from_index, "view")


def volume_ml(mesh: Mesh) -> float:
    """Enclosed volume of a mesh in mm; positive where normals point outward."""
    a, b, c = mesh.vertices.astype(np.float64)[mesh.faces.T]
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6000.0)
