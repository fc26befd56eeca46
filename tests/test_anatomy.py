"""Hearts whose measures are known in closed form, and hearts with one thing wrong."""

import numpy as np
import pytest

from benchmarks.shape import statistics
from srheart_demo.enhancement.quantities import SIZES
from srheart_demo.frame import HR_SPACING, lattice_axes
from srheart_demo.heart.anatomy import LV, MYO, RV, faults, sizes, topology
from srheart_demo.heart.published import HEALTHY

LENGTH, RADIUS, WALL, APEX_WALL = 90.0, 26.0, 9.0, 7.0
RV_DEPTH, RV_HALF_ARC, RV_APEX, RV_HEIGHT = 30.0, np.radians(62.0), 6.0, 84.0
SLOPE = 0.12
AZIMUTH = np.radians(290.0)


def spheroid_heart() -> np.ndarray:
    """Half spheroids for endo- and epicardium, and an RV of constant depth on a sector.

    The axis is tilted along the azimuth, away from the RV with height; the base is a plane.
    """
    d, h, w = np.meshgrid(*lattice_axes(), indexing="ij", sparse=True)
    height = d + 42.0
    h, w = h + SLOPE * d * np.cos(AZIMUTH), w + SLOPE * d * np.sin(AZIMUTH)
    rho, angle = np.hypot(h, w), np.arctan2(w, h) - AZIMUTH

    def inside(length: float, radius: float, above: float) -> np.ndarray:
        along = 1 - (height + above) / (length + above)
        return (rho / radius) ** 2 + along**2 <= 1

    below_base = height < LENGTH
    lv = inside(LENGTH, RADIUS, 0.0) & below_base
    epi = inside(LENGTH, RADIUS + WALL, APEX_WALL) & below_base
    outside_epi = rho - (RADIUS + WALL) * np.sqrt(
        np.clip(1 - (1 - (height + APEX_WALL) / (LENGTH + APEX_WALL)) ** 2, 0, None)
    )
    sector = np.cos(angle) > np.cos(RV_HALF_ARC)
    rv_heights = (height > RV_APEX) & (height < RV_HEIGHT)
    rv = (outside_epi < RV_DEPTH) & ~epi & sector & rv_heights
    return np.where(lv, LV, np.where(epi, MYO, np.where(rv, RV, 0))).astype(np.uint8)


HEART = spheroid_heart()


def profile(s: float, radius: float, above: float = 0.0) -> float:
    return radius * np.sqrt(1 - (1 - (s * LENGTH + above) / (LENGTH + above)) ** 2)


def test_measures_of_a_known_body():
    found = statistics(HEART)
    expected = {
        "LV volume": (2 / 3 * np.pi * RADIUS**2 * LENGTH / 1000, 1.0),
        "LV length": (LENGTH, 2.0),
        "RV length": (RV_HEIGHT - RV_APEX, 2.0),
        "apex wall": (APEX_WALL, 2.0),
        "RV above apex": (RV_APEX, 2.0),
        "tilt": (np.degrees(np.arctan(SLOPE)), 0.4),
        "bend": (0.0, 0.4),
        "base tilt": (0.0, 0.1),
        "minor/major axis": (1.0, 0.03),
        "septal/mean radius": (1.0, 0.03),
        "septal wall": (profile(0.55, RADIUS + WALL, APEX_WALL) - profile(0.55, RADIUS), 0.7),
        "lateral wall": (profile(0.55, RADIUS + WALL, APEX_WALL) - profile(0.55, RADIUS), 0.7),
        "RV width 0.55": (RV_DEPTH, 0.8),
        "RV arc 0.55": (2 * np.degrees(RV_HALF_ARC), 3.0),
        "RV arc from": (-np.degrees(RV_HALF_ARC), 3.0),
        "RV arc to": (np.degrees(RV_HALF_ARC), 3.0),
        "azimuth": (290.0, 1.0),
        "box D": (LENGTH + APEX_WALL, 2.0),
    }
    for s in (0.25, 0.55, 0.85):
        endo, epi = profile(s, RADIUS), profile(s, RADIUS + WALL, APEX_WALL)
        area = RV_HALF_ARC * ((epi + RV_DEPTH) ** 2 - epi**2)
        expected |= {f"endocardium {s}": (endo, 0.4), f"epicardium {s}": (epi, 0.4)}
        expected |= {f"RV/LV area {s}": (area / (np.pi * endo**2), 0.08)}
    for name, (value, tolerance) in expected.items():
        assert found[name] == pytest.approx(value, abs=tolerance), name
    reach = 2 * (profile(0.7, RADIUS + WALL, APEX_WALL) + RV_DEPTH) * np.sin(RV_HALF_ARC)
    assert found["RV diameter"] == pytest.approx(reach, abs=2.0)


def test_every_published_statistic_is_measured():
    assert set(HEALTHY) <= set(statistics(HEART))


def test_measures_move_with_the_heart_only_in_place():
    moved = np.roll(HEART, (3, -5, 4), axis=(0, 1, 2))
    before, after = statistics(HEART), statistics(moved)
    shift = {"centre D": 3 * HR_SPACING[0], "centre H": -5 * 1.25, "centre W": 4 * 1.25}
    for name in before:
        assert after[name] - before[name] == pytest.approx(shift.get(name, 0.0), abs=1e-6), name


def test_a_heart_without_a_tissue_is_refused():
    with pytest.raises(ValueError, match="without RV"):
        sizes(np.where(HEART == RV, 0, HEART))
    assert faults(np.where(HEART == RV, 0, HEART)) == ["There is no RV."]


def test_a_sound_heart_passes():
    assert faults(HEART, volumes={"LV": (100.0, 160.0)}) == []


def _voxels(k: int, label: int) -> np.ndarray:
    return np.argwhere(HEART[k] == label)


def test_what_is_wrong_is_found():
    k = 36
    middle = _voxels(k, LV).mean(axis=0).astype(int)
    hole = HEART.copy()
    lateral = _voxels(k, MYO)[_voxels(k, MYO)[:, 1] > middle[1]]
    row = lateral[np.abs(lateral[:, 0] - middle[0]) < 1]
    hole[k, row[:, 0], row[:, 1]] = 0
    assert faults(hole) == ["The LV is not closed by myocardium below its base."]

    speck = HEART.copy()
    speck[k, 5, 5] = RV
    assert faults(speck) == ["The RV is in 2 pieces."]

    gap = HEART.copy()
    rv = HEART[k] == RV
    beside = np.zeros_like(rv)
    for shift in ((0, 1), (0, -1), (1, 0), (-1, 0)):
        beside |= np.roll(HEART[k] == MYO, shift, axis=(0, 1))
    gap[k][rv & beside] = 0
    assert faults(gap) == ["There is a gap between RV and myocardium at the septum."]

    assert faults(HEART, volumes={"MYO": (10.0, 20.0)})[0].startswith("The MYO holds 1")


def test_faults_are_counted():
    assert set(topology(HEART).values()) == {0.0}
    k = 36
    middle = _voxels(k, LV).mean(axis=0).astype(int)
    wrong = HEART.copy()
    wrong[k, 5, 5] = wrong[k, 9, 9] = RV
    wrong[k, *middle] = 0
    assert topology(wrong) == {"pieces": 2.0, "open_lv": 1.0, "holes": 1.0}
    assert topology(np.zeros_like(HEART)) == {"pieces": 0.0, "open_lv": 1.0, "holes": 0.0}


def test_the_base_may_be_open():
    open_above = HEART.copy()
    top = np.flatnonzero((HEART == LV).any(axis=(1, 2)))[-1]
    open_above[top - 2 :][open_above[top - 2 :] == MYO] = 0
    assert faults(open_above) == []


def test_every_size_that_a_verdict_judges_is_measured():
    assert set(SIZES) <= set(sizes(HEART))
