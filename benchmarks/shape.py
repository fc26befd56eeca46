"""Size and shape of a labelled heart in numbers, as published for real ones; see `population`."""

import numpy as np
from numpy.typing import NDArray

from srheart_demo.frame import HR_SPACING
from srheart_demo.heart.anatomy import LV, MID, MYO, RV, WIDE, LabelledHeart, sizes
from srheart_demo.heart.distances import Spacing, tissue_box

LEVELS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)  # Levels at which radii are measured
BASE = 0.85
RV_LEVELS = (0.25, MID, BASE)  # Levels at which the RV is measured against the LV
SECTOR = np.radians(30.0)
"""The septal wall reaches this far to either side of the azimuth, the lateral of its opposite."""

Statistics = dict[str, float]


def statistics(labels: NDArray[np.uint8], spacing: Spacing = HR_SPACING) -> Statistics:
    """Size and shape of a heart, by name; in mm, ml, degrees, or ratios.

    - Those of `anatomy.sizes`.
    - ``endocardium, epicardium S``: radius at s of the disk with the area of the LV, and of LV and
      myocardium. ``wall S``: their difference.
    - ``septal, lateral wall``: the same difference at s = 0.55 within 30° of the azimuth, and
      of its opposite. ``septal/mean radius``: of the endocardium, in the septal sector and all
      round. ``minor/major axis``: of the LV there, by second moments.
    - ``tilt, bend``: the centroids of the LV's slices are fitted by Legendre polynomials of degree
      3 in 2 s − 1, weighed by area; tilt is the angle of the first's coefficient per half length
      against D, bend the size of the second's.
    - ``base tilt``: angle against D of the plane through the highest LV voxel of each column
      within 0.6 radii of the LV's centroid at s = 0.85.
    - ``RV along D, RV in plane``: the RV's centroid from the LV's.
    - ``RV arc S``: angle that the RV's voxels span; ``RV arc from, to``: its ends at 0.55.
    - ``RV/LV area S``: of the slice. ``RV width S``: depth of the RV within 15° of the direction
      of its centroid in the slice. ``RV diameter``: largest in-plane extent at s = 0.7.
    - ``box D, H, W``: extent of all tissue; ``centre D, H, W``: its middle, from that of the map.
    - ``azimuth``.

    Labels (D, H, W) hold LV, myocardium and RV, the LV in three slices or more.
    """
    found = sizes(labels, spacing) | _place(labels, spacing)
    heart = LabelledHeart(labels, spacing)
    for part in (_ventricle, _wall, _long_axis, _right_ventricle):
        found |= part(heart)
    return found | {"azimuth": float(np.degrees(heart.azimuth) % 360)}


def _place(labels: NDArray[np.uint8], spacing: Spacing) -> Statistics:
    ends = np.array([[held.start, held.stop] for held in tissue_box(labels)]).T
    box, centre = (ends[1] - ends[0]) * spacing, (ends.sum(0) - labels.shape) / 2 * spacing
    return {
        **{f"box {axis}": float(mm) for axis, mm in zip("DHW", box, strict=True)},
        **{f"centre {axis}": float(mm) for axis, mm in zip("DHW", centre, strict=True)},
    }


def _sector_radius(
    heart: LabelledHeart, k: int, towards: float, half_angle: float, *labels: int
) -> float:
    """Radius of the sector of a disk with the area that labels have in that sector, mm."""
    _, direction = heart.polar(k)
    sector = np.cos(direction - towards) > np.cos(half_angle)
    area = np.count_nonzero(np.isin(heart.labels[k], labels) & sector) * heart.pixel
    return float(np.sqrt(area / half_angle))


def _ventricle(heart: LabelledHeart) -> Statistics:
    found: Statistics = {}
    for s in LEVELS:
        endo, epi = heart.radius(s, LV), heart.radius(s, LV, MYO)
        found |= {f"endocardium {s}": endo, f"epicardium {s}": epi, f"wall {s}": epi - endo}
    return found


def _wall(heart: LabelledHeart) -> Statistics:
    k = heart.slice_at(MID)
    endo = {side: _sector_radius(heart, k, at, SECTOR, LV) for side, at in _SIDES.items()}
    epi = {side: _sector_radius(heart, k, at, SECTOR, LV, MYO) for side, at in _SIDES.items()}
    rows, columns = np.nonzero(heart.labels[k] == LV)
    minor, major = np.linalg.eigvalsh(np.cov(heart.h[rows], heart.w[columns]))
    return {
        **{f"{side} wall": epi[side] - endo[side] for side in _SIDES},
        "septal/mean radius": endo["septal"] / heart.radius(MID, LV),
        "minor/major axis": float(np.sqrt(minor / major)),
    }


_SIDES = {"septal": 0.0, "lateral": np.pi}


def _long_axis(heart: LabelledHeart) -> Statistics:
    k = heart.slices(LV)
    s = (k + 0.5 - heart.first) / (heart.top - heart.first)
    weight = np.sqrt(heart.pixels[LV, k])
    _, first, second, _ = np.polynomial.legendre.legfit(
        2 * s - 1, heart.centres[LV, k], 3, w=weight
    )
    at = heart.slice_at(BASE)
    rho, _ = heart.polar(at)
    lv = heart.labels == LV
    rows, columns = np.nonzero((rho < 0.6 * heart.radius(BASE, LV)) & lv.any(axis=0))
    highest = heart.d[len(lv) - 1 - lv[::-1, rows, columns].argmax(axis=0)]
    plane = np.stack([heart.h[rows], heart.w[columns], np.ones(len(rows))], axis=1)
    slope = np.linalg.lstsq(plane, highest, rcond=None)[0][:2]
    return {
        "tilt": float(np.degrees(np.arctan2(np.hypot(*first), heart.length / 2))),
        "bend": float(np.hypot(*second)),
        "base tilt": float(np.degrees(np.arctan(np.hypot(*slope)))),
    }


def _right_ventricle(heart: LabelledHeart) -> Statistics:
    along, *in_plane = heart.rv_from_lv
    found = {"RV along D": float(along), "RV in plane": float(np.hypot(*in_plane))}
    for s in RV_LEVELS:
        k = heart.slice_at(s)
        direction = heart.polar(k)[1][heart.labels[k] == RV]
        low, high = np.degrees([direction.min(), direction.max()]) if len(direction) else (0, 0)
        area = heart.area(k, RV) / heart.area(k, LV)
        found |= {f"RV arc {s}": float(high - low), f"RV/LV area {s}": area}
        if s == MID:
            found |= {"RV arc from": float(low), "RV arc to": float(high)}
    for s in (MID, BASE):
        k = heart.slice_at(s)
        dh, dw = heart.centres[RV, k] - heart.centres[LV, k]
        beam = np.arctan2(dw, dh) - heart.azimuth, SECTOR / 2
        width = _sector_radius(heart, k, *beam, LV, MYO, RV) - _sector_radius(
            heart, k, *beam, LV, MYO
        )
        found |= {f"RV width {s}": width}
    return found | {"RV diameter": _diameter(heart, heart.slice_at(WIDE))}


def _diameter(heart: LabelledHeart, k: int) -> float:
    """Largest extent of the RV in a slice over 36 directions, mm."""
    rows, columns = np.nonzero(heart.labels[k] == RV)
    if not len(rows):
        return 0.0
    angle = np.arange(36) * np.pi / 36
    across = np.outer(np.cos(angle), heart.h[rows]) + np.outer(np.sin(angle), heart.w[columns])
    return float(np.ptp(across, axis=1).max())
