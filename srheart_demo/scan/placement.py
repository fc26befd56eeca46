"""Puts a short-axis stack into the model's frame by its own labels.

The generator has seen hearts with the apex at low D, the middle of the heart near the centre of
the box, and the RV at about 290° from the LV (0° down the rows, 90° along the columns, so at the
left of the picture). A scan has its own order of slices, rows and columns, so the stack's labels
say where apex, centre and RV are, and its affine says whether the picture is mirrored.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from nibabel.affines import apply_affine, from_matvec
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from srheart_demo.frame import HALF_EXTENT, HR_SHAPE, HR_SPACING, TISSUES, hr_affine
from srheart_demo.heart.population import RV_AZIMUTH
from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, holding, remark

AZIMUTH_TOLERANCE = 25.0
"""Hearts this near to `RV_AZIMUTH` are within the population's spread and stay unrotated."""
CLEAR_TAPER = 0.25
"""Relative difference in area between the stack's ends that tells apex from base. In 57 real
stacks it was never under 0.28; see `apex_contrast`."""
TO_BASE = (1.0, -1.0, 1.0)
"""From apex to base in the world (RAS+): to the patient's right, back and head. The axes of seven
real and synthetic hearts with true affines lie within 26° of it."""
SHIFTED = 0.2
"""A shift from slice to slice by the affine, mm, that is worth a note; rounding makes less."""
LEAST_AREA = 0.05
"""Of the largest slice's tissue, which an end slice must have to tell apex from base."""


@dataclass(frozen=True)
class ByHand:
    """What a user corrects in the placement that was found."""

    turn_deg: float = 0.0  # a further in-plane rotation of the heart, from H to W, degrees
    flip: bool = False  # take the other end of the stack for the apex
    mirror: bool = False  # read the columns the other way


AUTOMATIC = ByHand()


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the model's frame lies in the world, and how that was found."""

    # (4, 4) model mm (D, H, W) to world RAS+ mm; its linear part is orthogonal
    world_from_model: NDArray[np.float64]
    azimuth_deg: float  # direction of the RV from the LV as found, before the rotation
    rotation_deg: float  # in-plane rotation that brings it to the model's; 0 if it was near enough
    flipped: bool  # whether the slices run from base to apex in the file
    # whether the affine says how the scanner lay. If it carries spacing only, the picture is taken
    # as displayed (rows down, columns right), never mirrored.
    orientation_known: bool
    notes: tuple[str, ...] = ()  # what a user should know, in plain sentences

    def apex_first(self, volume: LabelVolume) -> LabelVolume:
        """The volume with its slices from apex to base; world positions stay as they are."""
        return _reverse_slices(volume) if self.flipped else volume

    def from_apex(self, of_slices: NDArray) -> NDArray:
        """What is said of each slice (D, ...), from apex to base; and the way back."""
        return of_slices[::-1].copy() if self.flipped else of_slices

    def to_model(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        """World points (..., 3), RAS+ mm → model points (..., 3), mm (D, H, W)."""
        return (world - self.world_from_model[:3, 3]) @ self.world_from_model[:3, :3]


def place(stack: LabelVolume, by_hand: ByHand = AUTOMATIC) -> Placement:
    """Find apex end, orientation and centre of a stack from its labels and affine.

    The true anatomy makes (D, H, W) → RAS+ a reflection (determinant −1), so a stack whose
    affine says otherwise shows a mirror image and its columns are read the other way. A stack of
    which no slice shows both ventricles is refused as an `InvalidVolume`.
    """
    if not stack.labels.any():
        raise InvalidVolume.of(stack.name, "empty")
    to_base, axes = apex_contrast(stack), _orthogonal_axes(stack)
    unclear = abs(to_base) < CLEAR_TAPER
    orientation_known = not np.allclose(np.abs(axes).max(axis=0), 1.0, atol=1e-4)
    if by_body := unclear and orientation_known:
        to_base = float(axes[:, 0] @ TO_BASE)
    flipped = bool(to_base < 0) != by_hand.flip
    ordered = _reverse_slices(stack) if flipped else stack
    axes = _orthogonal_axes(ordered)
    mirrored = orientation_known and bool(np.linalg.det(axes) > 0)
    if mirrored != by_hand.mirror:
        axes = axes * [1.0, 1.0, -1.0]
    shift = float(np.linalg.norm(axes[:, 1:].T @ stack.affine[:3, 0]))
    azimuth = rv_azimuth(ordered, axes)
    rotation = _rotation(azimuth) + by_hand.turn_deg
    axes = axes @ _in_plane_rotation(rotation)
    centre, low, high = _bounding_box(ordered, axes)
    world_from_model = from_matvec(axes, axes @ centre)
    done = holding(
        (by_hand.turn_deg, f"the heart was turned by a further {by_hand.turn_deg:g}°"),
        (by_hand.flip, "the other end of the stack was taken for the apex"),
        (by_hand.mirror, "columns were read the other way"),
    )
    end, why = "last" if flipped else "first", remark("by the body") if by_body else ""
    beyond = (np.maximum(centre - low, high - centre) > HALF_EXTENT).any()
    turned = remark("turned", azimuth=azimuth, rotation=rotation, model=RV_AZIMUTH)
    notes = holding(
        (unclear and not by_hand.flip, remark("hardly tapers", end=end, why=why)),
        (not orientation_known and not by_hand.mirror, remark("spacing only")),
        (mirrored, remark("mirrored")),
        (shift > SHIFTED, remark("shifted", shift=shift)),
        (rotation != by_hand.turn_deg, turned),
        (beyond, remark("outside")),
        (by_hand != AUTOMATIC, remark("by hand", done=", ".join(done))),
    )
    return Placement(world_from_model, azimuth, rotation, flipped, orientation_known, notes)


def apex_contrast(stack: LabelVolume) -> float:
    """Tissue area in the last third of the labelled slices against the first, from −1 to 1.

    Positive when the slices run from apex to base, because a heart tapers to its apex. Slices of
    next to no tissue do not count, since they would make any end look like an apex. Nor does a
    single one where there are four or more: the last may show a part of the base.
    """
    area = (stack.labels > 0).sum(axis=(1, 2)).astype(float)
    area = area[area >= LEAST_AREA * area.max()]
    third = max(len(area) // 3, min(2, len(area) // 2), 1)
    first, last = area[:third].sum(), area[-third:].sum()
    return float((last - first) / (last + first))


def rv_azimuth(stack: LabelVolume, axes: NDArray[np.float64]) -> float:
    """Direction of the RV from the LV along the second and third of `axes`, degrees in [0, 360).

    Measured slice by slice between centroids, weighted by the RV's area, so that slices that
    moved against each other do not turn it.
    """
    towards_rv = np.zeros(3)
    in_plane = axes.T @ stack.affine[:3, 1:3]
    for labels in stack.labels:
        lv, rv = np.argwhere(labels == 1), np.argwhere(labels == 3)
        if len(lv) and len(rv):
            towards_rv += len(rv) * in_plane @ (rv.mean(axis=0) - lv.mean(axis=0))
    if not towards_rv[1:].any():
        raise InvalidVolume.of(stack.name, "no orientation")
    # Twice, since the first makes 360 of an angle just below 0.
    return float(np.degrees(np.arctan2(towards_rv[2], towards_rv[1])) % 360 % 360)


def stack_geometry(stack: LabelVolume, placement: Placement) -> Stack:
    """Where the slices of a volume lie in the model's frame, in the volume's own order.

    Slices that are not stacked at right angles, by an affine with shear, each have their offset.
    """
    index = np.arange(stack.shape[0])[:, None]
    corners = placement.to_model(stack.affine[:3, 3] + index * stack.affine[:3, 0])
    steps = placement.world_from_model[:3, :3].T @ stack.affine[:3, :3]
    # To a micrometre, so that an affine's own rounding is no shear.
    offset = np.round(corners[:, 1:] - corners[0, 1:], 3)
    return Stack(
        z=torch.tensor(corners[:, 0], dtype=torch.float32),
        origin=torch.tensor(corners[0, 1:], dtype=torch.float32),
        row_step=torch.tensor(steps[1:, 1], dtype=torch.float32),
        column_step=torch.tensor(steps[1:, 2], dtype=torch.float32),
        shape=stack.shape[1:],
        offset=torch.tensor(offset, dtype=torch.float32) if offset.any() else None,
    )


def plane_geometry(long_axis: LabelVolume, placement: Placement) -> Plane:
    """Where the pixels of a long-axis view lie in the model's frame."""
    points = placement.to_model(long_axis.points()[0])
    return Plane(torch.tensor(points, dtype=torch.float32))


def check_long_axis(long_axis: LabelVolume, stack: LabelVolume, placement: Placement) -> None:
    """Make sure that a long-axis view shows the heart of the stack, or raise `InvalidVolume`.

    It is one plane, which must not run along the slices, and most of its tissue must lie in the box
    around the stack's (widened by one slice and by 10 mm in-plane).
    """
    if len(long_axis.labels) > 1:
        raise InvalidVolume.of(long_axis.name, "several planes", n=len(long_axis.labels))
    normal = placement.world_from_model[:3, :3].T @ _orthogonal_axes(long_axis)[:, 0]
    if abs(normal[0]) > np.cos(np.radians(45)):
        raise InvalidVolume.of(long_axis.name, "along the slices", stack=stack.name)
    tissue = placement.to_model(np.concatenate([*map(stack.tissue_points, range(stack.shape[0]))]))
    seen = placement.to_model(long_axis.tissue_points(0))
    margin = np.array([stack.spacing[0], 10.0, 10.0])
    low, high = tissue.min(axis=0) - margin, tissue.max(axis=0) + margin
    if ((seen >= low) & (seen <= high)).all(axis=1).mean() < 0.5:
        raise InvalidVolume.of(long_axis.name, "view misses the heart", stack=stack.name)


def same_plane(a: LabelVolume, b: LabelVolume) -> bool:
    """Whether two long-axis views lie in one plane: turned by less than 10°, less than 5 mm off."""
    normals = [_orthogonal_axes(view)[:, 0] for view in (a, b)]
    apart = (a.tissue_points(0).mean(0) - b.affine[:3, 3]) @ normals[1]
    return abs(normals[0] @ normals[1]) > np.cos(np.radians(10)) and abs(apart) < 5


def is_on_hr_grid(heart: LabelVolume) -> bool:
    """Whether the voxels are the HR grid's in shape, size (to a thousandth) and right angles."""
    axes = heart.affine[:3, :3] / HR_SPACING
    return heart.shape == HR_SHAPE and np.allclose(axes.T @ axes, np.eye(3), atol=2e-3)


def on_hr_grid(heart: LabelVolume) -> LabelVolume:
    """A high-resolution heart with the voxels of the HR grid.

    One that has them stays where it is, its slices from apex to base. Another is placed by its own
    labels, and each HR voxel takes the label that prevails around it (trilinear interpolation, then
    argmax): the nearest one would hang on rounding where a voxel lies half-way between two.
    """
    if is_on_hr_grid(heart):
        return _reverse_slices(heart) if apex_contrast(heart) < 0 else heart
    affine = place(heart).world_from_model @ hr_affine()
    hr = LabelVolume(np.zeros(HR_SHAPE, np.uint8), affine, heart.name)
    index = apply_affine(np.linalg.inv(heart.affine), hr.points())
    at, labels = np.moveaxis(index, -1, 0), range(1, len(TISSUES))
    shares = [map_coordinates(np.float32(heart.labels == n), at, order=1) for n in labels]
    hr.labels[:] = np.argmax([1 - np.sum(shares, axis=0), *shares], axis=0)
    return hr


def _reverse_slices(volume: LabelVolume) -> LabelVolume:
    affine = volume.affine.copy()
    affine[:3, 3] += (volume.shape[0] - 1) * affine[:3, 0]
    affine[:3, 0] *= -1
    return replace(volume, labels=np.ascontiguousarray(volume.labels[::-1]), affine=affine)


def _orthogonal_axes(volume: LabelVolume) -> NDArray[np.float64]:
    """World directions of D, H, W as columns: rows and columns as the affine has them, made
    orthogonal, and the normal of their plane on the side of the next slice."""
    across, *in_plane = volume.affine[:3, :3].T
    u, _, vt = np.linalg.svd(np.stack([step / np.linalg.norm(step) for step in in_plane], 1), False)
    rows, columns = (u @ vt).T
    normal = np.cross(rows, columns)
    return np.stack([normal * np.sign(normal @ across), rows, columns], axis=1)


def _rotation(azimuth: float) -> float:
    """In-plane rotation, degrees in (−180, 180]; none or quarter turns if that is near enough, so
    that it does not depend on which axes are stored as rows and columns."""
    needed = float((RV_AZIMUTH - azimuth + 180) % 360 - 180)
    quarters = 90.0 * round(needed / 90)
    near = abs(needed - quarters) <= AZIMUTH_TOLERANCE
    return (180.0 if quarters == -180 else quarters) if near else needed


def _in_plane_rotation(degrees: float) -> NDArray[np.float64]:
    """Turns the axes back, so that what they measure turns forward."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])


def _bounding_box(stack: LabelVolume, axes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Centre, lowest and highest corner of the heart's bounding box along `axes`, mm.

    Displaced slices stretch the box, so for the centre each in-plane face is the mean over the
    third of the slices that reach farthest: on real hearts nearest to the unmoved heart's centre.
    """
    tissue = [stack.tissue_points(k) @ axes for k in np.flatnonzero(stack.labelled).tolist()]
    low = np.sort([slice_.min(axis=0) for slice_ in tissue], axis=0)
    high = np.sort([slice_.max(axis=0) for slice_ in tissue], axis=0)
    third = max(1, len(tissue) // 3)
    centre = (low[:third].mean(axis=0) + high[-third:].mean(axis=0)) / 2
    centre[0] = (low[0, 0] + high[-1, 0]) / 2
    return centre, low[0], high[-1]
