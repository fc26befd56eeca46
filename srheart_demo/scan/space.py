"""How a stored array lies in space as slices, rows and columns, and whether a heart can be so.

And which labelled voxels are the heart, which islands: the strays that networks leave.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_fill_holes, distance_transform_edt, label

from srheart_demo.heart.distances import tissue_box
from srheart_demo.scan.labels import USUAL_ORDER, Anatomy
from srheart_demo.scan.nifti import FARTHEST, NiftiLabels, times
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, between_planes, remark

HEART_EXTENT = (20.0, 300.0)
"""No labelled heart is smaller or larger than this in-plane, mm; a wrong spacing makes it so."""
LONGEST = 220.0  # No labelled heart is longer than this, mm: real ones have 60 to 120
FARTHEST_SLICES = 50.0
"""No scan has slices farther apart, mm: the sparsest have two or three, up to 40 mm apart."""
CLOSE_SLICES, SHORTEST = 4.0, 30.0
"""Scanners lay short-axis slices 5 to 20 mm apart. Closer ones were resampled from a whole heart,
so they reach at least so far, mm, or their spacing was lost. Two slices 5 mm apart are just few."""
CLEARLY_WIDER = 1.5
"""Slices this much farther apart than pixels tell their axis; else the anatomy does."""
CLEARLY_CLOSED = 0.05
"""Share of the LV's border by which one axis must close it more than the next to tell the slices'.
Real and synthetic hearts: 0.1 or more."""
MOST_TISSUE = 2**22
"""Voxels of the box around the labels; 30 slices of 0.5 mm pixels around a large heart have 3 M."""

TOGETHER = 10.0
"""Tissue this near to other tissue, mm, hangs together with it, within a slice or from one to the
next: an apex of 5 mm may lie off by a breath-hold."""
FEW = 0.05  # Islands have less tissue than this share of the heart; larger parts are kept
STRAY_END = 0.05
"""Slices beyond others without a label are stray if none of them has so much of the largest slice's
tissue, or where there is no myocardium `VESSEL`: a vessel above the base."""
VESSEL = 0.25
SLIVER, ABRUPT = 0.005, 0.5
"""So is an end slice of less than the first share right beside one of more than the second."""


def slices_first(axis: int) -> tuple[int, int, int]:
    """Stored axes in the order (D, H, W), where `axis` runs across the slices."""
    return (0, 1, 2) if axis == 0 else (axis, 2 if axis == 1 else 1, 0)


def check_size(box: tuple[int, ...], name: str) -> None:
    """Raise `InvalidVolume` if labels lie in a box of more voxels than any heart's."""
    if np.prod(box) > MOST_TISSUE:
        raise InvalidVolume.of(name, "large box", box=times(box))


def cropped(stored: NDArray[np.int32], name: str) -> NDArray[np.int32]:
    """What lies in the box around the labels; see `check_size`."""
    box = stored[tissue_box(stored)]
    check_size(box.shape, name)
    return box


def filled(stored: NDArray[np.int32]) -> NDArray[np.int32]:
    """Values (D, H, W) where each background that others close in, as papillary muscles are, within
    a slice has the value that most of its border lies against."""
    in_plane = np.array([[[0] * 3] * 3, [[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[0] * 3] * 3])
    part, n = label(binary_fill_holes(stored, in_plane) & (stored == 0), in_plane)
    values = np.unique(stored[stored != 0])[::-1]
    beside = (part[binary_dilation(stored == value, in_plane)] for value in values)
    most = np.argmax([np.bincount(parts, minlength=n + 1) for parts in beside], axis=0)
    return np.where(part > 0, values[most][part], stored)


@np.errstate(all="ignore")
def find_slice_axis(image: NiftiLabels, box: NDArray[np.int32]) -> tuple[int, str]:
    """The stored axis across the slices of a `cropped` array, and a note where it was guessed."""
    spacing = np.nan_to_num(np.linalg.norm(image.affine[:3, :3], axis=0))
    widest = int(spacing.argmax())
    if spacing[widest] >= CLEARLY_WIDER * np.delete(spacing, widest).max():
        return widest, ""
    across = [box.transpose(slices_first(axis)) for axis in range(3)]
    closed = [Anatomy(slices, image.affine).closure() for slices in across]
    best, next_ = np.argsort(closed)[::-1][:2].tolist()
    if closed[best] - closed[next_] >= CLEARLY_CLOSED:
        axis, why = best, "across it the LV is closed in by its wall"
    else:
        equal = [axis for axis in range(3) if spacing[axis] > 0.99 * spacing[widest]]
        axis = min(equal, key=lambda axis: (image.shape[axis], -axis))
        why = "it has the fewest voxels"
    return axis, remark("slice axis", spacing=times(spacing.round(2)), axis=axis, why=why)


@np.errstate(all="ignore")
def in_space(
    image: NiftiLabels, axes: tuple[int, int, int], name: str, plane: int | None = None
) -> NDArray[np.float64]:
    """The affine of (D, H, W), if slices are parallel planes of rectangular pixels.

    Slices may be offset against each other: the first axis may be sheared. A single `plane` lies
    where its rows and columns do, whatever the header says of the axis across it.
    """
    affine, stated = image.affine[:, [*axes, 3]].copy(), image.spacing[list(axes)]
    used = slice(0 if plane is None else 1, None)
    across, rows, columns, origin = affine[:3].T
    if plane:
        origin += plane * across
    normal, area = np.cross(rows, columns), np.linalg.norm(rows) * np.linalg.norm(columns)
    near = np.isfinite(affine[:, used]).all() and np.abs(affine[:, used]).max() < FARTHEST
    flat = near and np.linalg.norm(normal) > 1e-3 * area
    if plane is not None and flat:
        normal /= np.linalg.norm(normal)
        thickness = float(across @ normal)
        known = np.isfinite(thickness) and 1e-3 < abs(thickness) < FARTHEST
        across[:] = normal * (thickness if known else 1.0)
    upright = abs(across @ normal) > 1e-3 * np.linalg.norm(across) * np.linalg.norm(normal)
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    agree = np.isclose(lengths, stated, rtol=0.01)
    agree[0] |= plane is not None or np.isclose(between_planes(affine), stated[0], rtol=0.01)
    positive = np.isfinite(stated[used]) & (stated[used] > 0)
    if not positive.all():
        raise InvalidVolume.of(name, "spacing", spacing=times(image.spacing))
    if not (flat and upright):
        raise InvalidVolume.of(name, "no place")
    if abs(rows @ columns) > 0.005 * area:
        raise InvalidVolume.of(name, "sheared")
    if not agree.all():
        raise InvalidVolume.of(name, "disagreeing", lengths=times(lengths), stated=times(stated))
    return affine


def check_extent(volume: LabelVolume) -> None:
    """Raise `InvalidVolume` if no heart reaches so far, or so little, in-plane."""
    pixels = [held.stop - held.start for held in tissue_box(volume.labels)[1:]]
    extent = np.multiply(pixels, volume.spacing[1:])
    smallest, largest = HEART_EXTENT
    if min(extent) < smallest or max(extent) > largest:
        raise InvalidVolume.of(volume.name, "extent", h=extent[0], w=extent[1])


def check_stack(volume: LabelVolume, sure: bool = False) -> None:
    """Raise `InvalidVolume` if these cannot be the slices of a heart, by how far they reach."""
    slices, *in_plane = (held.stop - held.start for held in tissue_box(volume.labels))
    distance = volume.spacing[0]
    length = slices * distance
    if slices == 1:
        raise InvalidVolume.of(volume.name, "one labelled slice")
    short = distance < CLOSE_SLICES and length < SHORTEST
    if not sure and (short or length > LONGEST or distance > FARTHEST_SLICES):
        facts = {"slices": slices, "distance": distance, "length": length}
        raise InvalidVolume.of(volume.name, "no heart is so long", **facts)
    check_extent(volume)
    check_size((len(volume.labels), *in_plane), volume.name)


def misfits(volume: LabelVolume) -> list[str]:
    """What of a stack in the usual order of labels is unlike a heart's slices, in words."""
    whole = filled(cropped(volume.labels.astype(np.int32), volume.name))
    found = Anatomy(whole, volume.affine).misfits(USUAL_ORDER)
    distance, *pixel = volume.spacing
    if max(pixel) >= CLEARLY_WIDER * distance:
        found.append(f"they lie {distance:.3g} mm apart, and their pixels {max(pixel):.3g} mm")
    return found


def heart_of(labels: NDArray[np.uint8], spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    """The labelled voxels that belong to the heart.

    Within a slice, tissue in reach of each other is a piece; pieces of neighbouring labelled
    slices hang together where their surroundings overlap. What hangs together with the most
    tissue is the heart, and with it every other part of `FEW` or more. Its ends are then cut back
    to where a heart can end, since few voxels right above the base overlap with it.
    `labels` are (D, H, W), `spacing` is mm along these.
    """
    inside = labels > 0
    if not inside.any():
        return inside
    box = tissue_box(inside)
    kept = np.zeros_like(inside)
    least = np.where((labels[box] == 2).any(axis=(1, 2)), STRAY_END, VESSEL)
    kept[box] = _without_stray_ends(_main_parts(inside[box], spacing), least)
    return kept


def _main_parts(inside: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    held = inside.any(axis=(1, 2))
    far = np.stack([distance_transform_edt(~seen, sampling=spacing[1:]) for seen in inside[held]])
    meet = np.zeros((3, 3, 3))
    meet[1] = meet[:, 1, 1] = 1  # All around within a slice, right above it from one to the next
    part, n = label(far <= TOGETHER / 2, meet)
    tissue = np.bincount(part[inside[held]], minlength=n + 1)
    kept = inside.copy()
    kept[held] &= (tissue >= FEW * tissue.max())[part]
    return kept


def _without_stray_ends(kept: np.ndarray, least: np.ndarray) -> np.ndarray:
    area = kept.sum(axis=(1, 2)) / max(1, kept.sum(axis=(1, 2)).max())
    slices = np.flatnonzero(area)
    runs = np.split(slices, np.flatnonzero(np.diff(slices) > 1) + 1)
    for end in (0, -1):
        while (area < least)[runs[end]].all():
            kept[runs.pop(end)] = False
        run = runs[end]
        if len(run) > 1 and area[run[end]] < SLIVER and area[run[1 if end == 0 else -2]] > ABRUPT:
            kept[run[end]] = False
    return kept
