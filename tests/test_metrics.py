import numpy as np
import pytest

from srheart_demo.heart.measures import (
    assd,
    dice,
    hd95,
    lv_mass_g,
    mean_dice,
    summary,
    surface_distances,
    volumes_ml,
)


def test_dice_by_hand():
    a = np.array([1, 1, 1, 2, 0, 0])
    b = np.array([1, 1, 0, 0, 2, 0])
    assert dice(a, b) == {"LV": pytest.approx(0.8), "MYO": 0.0, "RV": 1.0}
    assert dice(a, a) == {"LV": 1.0, "MYO": 1.0, "RV": 1.0}
    assert mean_dice(a, b) == pytest.approx(0.6)


def test_dice_needs_equal_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        dice(np.zeros(3), np.zeros(4))


def test_volumes_in_ml():
    labels = np.repeat([0, 1, 2, 3], [10, 1000, 500, 0])
    assert volumes_ml(labels, (1.0, 2.0, 0.5)) == {"LV": 1.0, "MYO": 0.5, "RV": 0.0}
    assert lv_mass_g(labels, (1.0, 2.0, 0.5)) == pytest.approx(0.525)


def box(tissue: int, *faces: tuple[int, int]) -> np.ndarray:
    labels = np.zeros((12, 14, 16), np.uint8)
    labels[tuple(slice(*pair) for pair in faces)] = tissue
    return labels


def test_surface_distances_of_a_shifted_box_by_hand():
    """A 4 × 4 × 4 box has 56 surface voxels; moved by one voxel along D, they lie 0 or 2 mm off.

    The 24 voxels of the sides' middle rows and the rims meet the other surface, but for the 16 of
    the end that leaves and the 4 of the inner end's middle, which lie a step inside it.
    """
    a = box(1, (3, 7), (4, 8), (5, 9))
    b = box(1, (4, 8), (4, 8), (5, 9))
    distances = surface_distances(a, b, (2.0, 5.0, 5.0))
    for way in distances["LV"]:
        np.testing.assert_array_equal(np.unique(way, return_counts=True), [[0.0, 2.0], [36, 20]])
    assert assd(a, b, (2.0, 5.0, 5.0)) == {"LV": pytest.approx(40 / 56), "MYO": 0.0, "RV": 0.0}
    assert hd95(a, b, (2.0, 5.0, 5.0))["LV"] == 2.0
    assert assd(a, a, (2.0, 5.0, 5.0))["LV"] == hd95(a, a, (2.0, 5.0, 5.0))["LV"] == 0.0


def test_surface_distance_of_concentric_balls_is_the_difference_of_their_radii():
    spacing = (2.0, 1.25, 1.0)
    d, h, w = (np.arange(n) * s - n * s / 2 for n, s in zip((36, 56, 70), spacing, strict=True))
    radius = np.sqrt(d[:, None, None] ** 2 + h[:, None] ** 2 + w**2)
    small, large = (3 * (radius < r).astype(np.uint8) for r in (22.0, 28.0))
    assert assd(small, large, spacing)["RV"] == pytest.approx(6.0, abs=0.4)
    assert hd95(small, large, spacing)["RV"] == pytest.approx(6.0, abs=0.6)
    assert assd(large, small, spacing) == assd(small, large, spacing)


def test_the_95_percent_distance_passes_over_a_stray_voxel():
    a = box(1, (2, 8), (2, 8), (2, 8))
    b = a.copy()
    b[11, 13, 15] = 1
    assert hd95(a, b, (1.0, 1.0, 1.0))["LV"] == 0.0
    assert assd(a, b, (1.0, 1.0, 1.0))["LV"] > 0.0


def test_a_tissue_of_one_map_only_is_infinitely_far():
    a = box(2, (2, 8), (2, 8), (2, 8))
    none = np.zeros_like(a)
    for measure in (assd, hd95):
        assert measure(a, none, (1.0, 1.0, 1.0)) == {"LV": 0.0, "MYO": np.inf, "RV": 0.0}
        assert measure(none, none, (1.0, 1.0, 1.0)) == {"LV": 0.0, "MYO": 0.0, "RV": 0.0}


def test_a_lost_tissue_is_counted_apart_from_the_mean():
    assert summary([1.0, np.inf, 3.0]) == (2.0, 1.0, 1)
    mean, sd, missing = summary([0.5])
    assert (mean, missing) == (0.5, 0)
    assert np.isnan(sd)
    mean, sd, missing = summary([np.inf, np.inf])
    assert mean == np.inf
    assert np.isnan(sd)
    assert missing == 2


def test_surface_distances_need_equal_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        surface_distances(np.zeros((2, 2, 2)), np.zeros((2, 2, 3)), (1.0, 1.0, 1.0))
