"""Published statistics of real hearts, that synthetic ones are held against.

No patient's data: these are figures of means and spreads.
"""

from typing import NamedTuple


class MeanSD(NamedTuple):
    """Mean and SD over hearts."""

    mean: float
    sd: float


HEALTHY = {
    "LV volume": MeanSD(146, 38),
    "MYO volume": MeanSD(125, 27),
    "RV volume": MeanSD(174, 43),
    "RV/LV volume": MeanSD(1.20, 0.13),
    "MYO/LV volume": MeanSD(0.87, 0.08),
    "LV length": MeanSD(93, 8),
    "RV length": MeanSD(92, 7),
    "apex wall": MeanSD(6.6, 1.9),
    "RV above apex": MeanSD(1.4, 3.3),
    "endocardium 0.1": MeanSD(14.0, 1.5),
    "endocardium 0.25": MeanSD(20.2, 2.1),
    "endocardium 0.4": MeanSD(24.0, 2.5),
    "endocardium 0.55": MeanSD(26.2, 2.7),
    "endocardium 0.7": MeanSD(26.6, 2.7),
    "endocardium 0.85": MeanSD(24.7, 2.5),
    "epicardium 0.1": MeanSD(22.1, 1.6),
    "epicardium 0.25": MeanSD(28.0, 2.3),
    "epicardium 0.4": MeanSD(32.0, 2.7),
    "epicardium 0.55": MeanSD(34.4, 3.0),
    "epicardium 0.7": MeanSD(35.1, 3.1),
    "epicardium 0.85": MeanSD(33.4, 2.9),
    "wall 0.1": MeanSD(8.1, 0.7),
    "wall 0.85": MeanSD(8.6, 0.6),
    "septal wall": MeanSD(8.4, 1.1),
    "lateral wall": MeanSD(7.8, 0.6),
    "2r/L": MeanSD(0.57, 0.04),
    "minor/major axis": MeanSD(0.87, 0.04),
    "septal/mean radius": MeanSD(0.94, 0.03),
    "tilt": MeanSD(7.9, 4.0),
    "bend": MeanSD(4.2, 1.1),
    "base tilt": MeanSD(4.7, 2.3),
    "RV along D": MeanSD(6.3, 3.4),
    "RV in plane": MeanSD(40.8, 4.4),
    "RV arc 0.25": MeanSD(106, 12),
    "RV arc 0.55": MeanSD(130, 12),
    "RV arc 0.85": MeanSD(144, 12),
    "RV arc from": MeanSD(-66, 7),
    "RV arc to": MeanSD(59, 6),
    "RV width 0.55": MeanSD(33, 5),
    "RV width 0.85": MeanSD(37, 5),
    "RV diameter": MeanSD(91, 8),
    "RV/LV area 0.25": MeanSD(0.73, 0.2),
    "RV/LV area 0.55": MeanSD(1.16, 0.2),
    "RV/LV area 0.85": MeanSD(1.70, 0.2),
    "box D": MeanSD(100, 8),
    "box H": MeanSD(96, 9),
    "box W": MeanSD(102, 10),
}
"""Healthy adults at end-diastole, by the names of `anatomy.statistics`.

190 samples of the paper's authors' public generator, which was trained on 1,000 healthy adults of
the UK Digital Heart Project. Where only the range of the SDs over levels is known, radii have
theirs in proportion to the radius, and arcs the middle.
"""

VOLUMES_ACDC = {
    "dilated": (285, 162, 178),
    "hypertrophic": (129, 169, 118),
    "infarct": (172, 117, 119),
    "rv_overload": (107, 74, 196),
    "end_systole": (52, 114, 69),
}
"""Mean LV, MYO and RV volumes, ml, of patients in ACDC (Bernard et al. 2018); end-systole is of its
normal group."""

MEAN_TOLERANCE = 1 / 3
"""How far a mean may lie from the published one, in published SDs."""
SD_TOLERANCE = 0.3
"""How far an SD may lie from the published one, as a share of it."""


def outside(drawn: MeanSD, target: MeanSD) -> list[str]:
    """Which of ``mean`` and ``SD`` lie outside their tolerance."""
    wrong = []
    if abs(drawn.mean - target.mean) > MEAN_TOLERANCE * target.sd:
        wrong.append("mean")
    if abs(drawn.sd / target.sd - 1) > SD_TOLERANCE:
        wrong.append("SD")
    return wrong
