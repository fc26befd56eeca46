"""Measures labelled hearts: their sizes, and whether each is a heart at all.

Label maps are (D, H, W) with D from apex to base. Levels are relative: s = 0 at the lower face of
the lowest slice with LV, s = 1 at the upper face of the highest; a quantity "at s" is that of the
slice that holds s. Directions are angles from H to W around the centroid of the slice's LV,
counted from the azimuth, the direction from the whole LV's centroid to the RV's.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from srheart_demo.frame import HR_SPACING, TISSUES
from srheart_demo.heart.distances import Spacing, tissue_box

LV, MYO, RV = 1, 2, 3
MID, WIDE = 0.55, 0.7  # Half way up, and where a ventricle is about as wide as anywhere
OPEN_BASE = 12.0
"""Below its highest slice, mm, a ventricle may be open: a base is tilted, up to about 10°."""


def sizes(labels: NDArray[np.uint8], spacing: Spacing = HR_SPACING) -> dict[str, float]:
    """Volumes, ml, lengths, mm, and ratios of them, by name.

    - ``LV, MYO, RV volume``; ``RV/LV, MYO/LV volume``: ratios.
    - ``LV, RV length``: height of the slices that hold the tissue.
    - ``apex wall``: height of the tissue below the LV's lowest slice.
    - ``RV above apex``: the RV's lowest slice above the LV's.
    - ``wall 0.55``: at s = 0.55, radius of the disk with the area of LV and myocardium, less that
      of the LV's. ``2r/L``: twice the latter at s = 0.7, by the LV's length.

    Labels (D, H, W) hold LV, myocardium and RV.
    """
    for label, tissue in enumerate(TISSUES[1:], start=1):
        if not (labels == label).any():
            raise ValueError(f"a heart without {tissue} cannot be measured")
    heart = LabelledHeart(labels, spacing)
    lv, myo, rv = heart.ml(LV), heart.ml(MYO), heart.ml(RV)
    dz, rv_slices = heart.spacing[0], heart.slices(RV)
    return {
        "LV volume": lv,
        "MYO volume": myo,
        "RV volume": rv,
        "RV/LV volume": rv / lv,
        "MYO/LV volume": myo / lv,
        "LV length": heart.length,
        "RV length": float(rv_slices[-1] + 1 - rv_slices[0]) * dz,
        "apex wall": float(heart.first - heart.slices(MYO)[0]) * dz,
        "RV above apex": float(rv_slices[0] - heart.first) * dz,
        f"wall {MID}": heart.radius(MID, LV, MYO) - heart.radius(MID, LV),
        "2r/L": 2 * heart.radius(WIDE, LV) / heart.length,
    }


def faults(
    labels: NDArray[np.uint8],
    spacing: Spacing = HR_SPACING,
    volumes: Mapping[str, tuple[float, float]] | None = None,
) -> list[str]:
    """What is wrong with a heart, in plain sentences; nothing for a sound one.

    - Each tissue is one piece. Voxels that share a corner hang together; a single voxel apart is
      a second piece.
    - Up to 12 mm below its highest slice, the LV's voxels share faces with LV and myocardium only.
    - There, and as far below the RV's highest slice but above its lowest, no background lies
      between the LV's centroid and the middle half of the RV in the same slice.
    - Volumes lie within the given ranges, ml, by tissue, such as `population.VOLUME_RANGES`.
    """
    missing = [t for i, t in enumerate(TISSUES) if i and not (labels == i).any()]
    if missing:
        return [f"There is no {tissue}." for tissue in missing]
    heart = LabelledHeart(labels, spacing)
    pieces = zip(TISSUES[1:], _pieces(heart.labels), strict=True)
    findings = [f"The {tissue} is in {n} pieces." for tissue, n in pieces if n > 1]
    if _leaks(heart.labels, heart.closed):
        findings.append("The LV is not closed by myocardium below its base.")
    with_rv = heart.slices(RV)
    filled = min(heart.closed, with_rv[-1] + 1 - heart.top + heart.closed)
    if any(_septal_gap(heart, k) for k in with_rv[1:] if heart.first <= k < filled):
        findings.append("There is a gap between RV and myocardium at the septum.")
    for tissue, (low, high) in (volumes or {}).items():
        volume = heart.ml(TISSUES.index(tissue))
        if not low <= volume <= high:
            usual = f"not between {low:.0f} and {high:.0f}"
            findings.append(f"The {tissue} holds {volume:.0f} ml, {usual}.")
    return findings


def topology(labels: NDArray[np.uint8], spacing: Spacing = HR_SPACING) -> dict[str, float]:
    """What is wrong with a heart's connections, counted; all 0 for a sound one.

    - ``pieces``: of tissue, beyond one of each that is there, as `faults` counts them.
    - ``open_lv``: 1 where the LV is not closed by myocardium below its base, or is missing.
    - ``holes``: bubbles of background inside the heart. Voxels of one share faces.
    """
    if not (labels == LV).any():
        return {"pieces": 0.0, "open_lv": 1.0, "holes": 0.0}
    heart = LabelledHeart(labels, spacing)
    return {
        "pieces": float(sum(max(n - 1, 0) for n in _pieces(heart.labels))),
        "open_lv": float(_leaks(heart.labels, heart.closed)),
        "holes": float(pieces_of(heart.labels, 0)[1] - 1),
    }


def pieces_of(labels: NDArray[np.uint8], label: int) -> tuple[NDArray[np.int32], int]:
    """The pieces of a label, numbered from 1, 0 elsewhere, and how many there are.

    Voxels of a tissue that share a corner hang together, of background those that share faces.
    """
    found: tuple[NDArray[np.int32], int] = ndimage.label(labels == label)
    # By faces takes two thirds of the time, and one piece by faces is one by corners.
    if label and found[1] > 1:
        found = ndimage.label(labels == label, np.ones((3, 3, 3)))
    return found


def _pieces(labels: NDArray[np.uint8]) -> list[int]:
    """In how many pieces each tissue is."""
    return [pieces_of(labels, label)[1] for label in range(1, len(TISSUES))]


class LabelledHeart:
    """Labels cropped to the tissue and one voxel around, with what several measures need.

    Slices are counted in the crop; `first` is the lowest with LV, `top` the one above the highest,
    and below `closed` the LV has a wall all round.
    d, h and w are the voxel centres' coordinates in the crop, and `centres` (4, D, 2) each label's
    (H, W) in each slice, or 0. All are mm.
    """

    def __init__(self, labels: NDArray[np.uint8], spacing: Spacing) -> None:
        crop = tissue_box(labels)
        self.labels, self.spacing = np.pad(labels[crop], 1), spacing
        masks = [self.labels == label for label in range(4)]
        self.pixels = np.stack([np.count_nonzero(mask, axis=(1, 2)) for mask in masks])
        self.pixel = spacing[1] * spacing[2]
        lv = self.slices(LV)
        self.first, self.top = int(lv[0]), int(lv[-1]) + 1
        self.closed = self.top - int(np.ceil(OPEN_BASE / spacing[0]))
        self.length = (self.top - self.first) * spacing[0]
        sides = zip(self.labels.shape, spacing, strict=True)
        self.d, self.h, self.w = ((np.arange(n) + 0.5) * mm for n, mm in sides)
        sums = np.stack([(mask.sum(2) @ self.h, mask.sum(1) @ self.w) for mask in masks])
        self.centres = sums.transpose(0, 2, 1) / np.maximum(self.pixels, 1)[..., None]
        self.rv_from_lv = self._centroid(RV) - self._centroid(LV)
        self.azimuth = float(np.arctan2(self.rv_from_lv[2], self.rv_from_lv[1]))

    def _centroid(self, label: int) -> NDArray[np.float64]:
        n = self.pixels[label]
        return np.array([n @ self.d, *(n @ self.centres[label])]) / max(n.sum(), 1)

    def slices(self, label: int) -> NDArray[np.int64]:
        """Those that hold a label."""
        return np.flatnonzero(self.pixels[label])

    def slice_at(self, s: float) -> int:
        """The slice that holds a level."""
        return self.first + int(s * (self.top - self.first))

    def ml(self, label: int) -> float:
        """Volume of a label."""
        return float(self.pixels[label].sum() * np.prod(self.spacing) / 1000)

    def area(self, k: int, *labels: int) -> float:
        """Area of labels in a slice, mm²."""
        return float(sum(self.pixels[label, k] for label in labels) * self.pixel)

    def radius(self, s: float, *labels: int) -> float:
        """Radius of the disk with the area of labels at a level, mm."""
        return float(np.sqrt(self.area(self.slice_at(s), *labels) / np.pi))

    def polar(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distance of each pixel from the LV's centroid in a slice, mm, and its direction."""
        dh, dw = self.h[:, None] - self.centres[LV, k, 0], self.w - self.centres[LV, k, 1]
        turned = np.arctan2(dw, dh) - self.azimuth
        return np.hypot(dh, dw), (turned + np.pi) % (2 * np.pi) - np.pi


def _leaks(labels: NDArray[np.uint8], below: int) -> bool:
    """Whether LV and background or RV share a face in the slices under `below`."""
    for axis in range(3):
        here, there = labels.swapaxes(0, axis)[:-1], labels.swapaxes(0, axis)[1:]
        meet = ((here == LV) & np.isin(there, (0, RV))) | ((there == LV) & np.isin(here, (0, RV)))
        if meet.swapaxes(0, axis)[:below].any():
            return True
    return False


def _septal_gap(heart: LabelledHeart, k: int) -> bool:
    """Whether background lies between the LV's centroid and the middle half of the RV."""
    turned = heart.polar(k)[1][heart.labels[k] == RV]
    angle = heart.azimuth + np.quantile(turned, np.linspace(0.25, 0.75, 13))
    size = np.array(heart.labels.shape[1:])
    step = np.array(heart.spacing[1:])
    ray = np.arange(0, np.hypot(*(size * step)), step.min() / 2)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    points = heart.centres[LV, k] + ray[:, None] * along[:, None]
    row, column = np.moveaxis((points / step).astype(int).clip(0, size - 1), -1, 0)
    seen = heart.labels[k][row, column]
    before_rv = ~np.logical_or.accumulate(seen == RV, axis=1) & (seen == RV).any(axis=1)[:, None]
    return bool(((seen == 0) & before_rv).any())
