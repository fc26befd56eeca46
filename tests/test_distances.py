import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.distances import in_plane_distances, signed_distance
from srheart_demo.heart.phantom import label_maps
from srheart_demo.heart.population import draw

REACH = 6.0


def test_distances_are_negative_inside_and_half_a_pixel_at_a_border() -> None:
    labels = np.zeros((1, 9, 12), np.uint8)
    labels[:, :, 4:] = 2
    distances = in_plane_distances(labels, (1.5, 1.5), REACH)
    assert distances.shape == (1, N_CLASSES, 9, 12)
    expected = (3.5 - np.arange(12)) * 1.5
    np.testing.assert_allclose(
        distances[0, 2], np.tile(expected.clip(-REACH, REACH), (9, 1)), rtol=1e-6
    )
    np.testing.assert_allclose(distances[0, 0], -distances[0, 2])


def test_a_class_that_a_slice_lacks_is_far_away_everywhere() -> None:
    labels = np.stack([np.zeros((5, 6), np.uint8), np.full((5, 6), 3, np.uint8)])
    distances = in_plane_distances(labels, (2.0, 2.0), REACH)
    inside = np.array([[0], [3]]) == np.arange(N_CLASSES)
    expected = np.where(inside, -REACH, REACH)[..., None, None]
    assert (distances == expected).all()


def test_distances_keep_to_their_own_slice() -> None:
    labels = label_maps(draw(1, seed=5))[0, 10:50:10]
    alone = np.concatenate([in_plane_distances(one[None], (1.25, 1.25), 9.0) for one in labels])
    np.testing.assert_array_equal(in_plane_distances(labels, (1.25, 1.25), 9.0), alone)


def test_the_distance_to_a_ball_is_that_of_its_radius() -> None:
    spacing = (2.0, 1.25, 1.0)
    d, h, w = (np.arange(n) * s - n * s / 2 for n, s in zip((30, 48, 60), spacing, strict=True))
    radius = np.sqrt(d[:, None, None] ** 2 + h[:, None] ** 2 + w**2)
    found = signed_distance(radius < 20, spacing, reach=8.0)
    # Half of the greatest side, where half of the smallest was taken.
    assert abs(found - (radius - 20).clip(-8, 8)).max() < 1.6
    assert found.mean() == pytest.approx((radius - 20).clip(-8, 8).mean(), abs=0.3)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_look_near_the_border_only_changes_nothing(share: float) -> None:
    inside = np.zeros((40, 50), bool)
    inside[5:12, 8:45] = np.random.default_rng(1).random((7, 37)) < share
    for region in (inside, ~inside):
        sides = (distance_transform_edt(side, sampling=(1.5, 2.0)) for side in (~region, region))
        whole = next(sides) - next(sides)
        whole = (whole - 0.75 * np.sign(whole)).clip(-REACH, REACH)
        np.testing.assert_array_equal(
            signed_distance(region, (1.5, 2.0), REACH), whole.astype(np.float32)
        )


@pytest.mark.parametrize("spacing", [(1.25, 1.25), (0.7, 1.6), (np.float64(1.7),) * 2, (0.3, 0.3)])
def test_distances_within_slices_are_those_to_each_class(spacing: tuple[float, float]) -> None:
    drawn = label_maps(draw(1, seed=5))[0, 5:64:9]
    noise = np.random.default_rng(2).integers(0, N_CLASSES, (2, *drawn.shape[1:]))
    # Tissue up to the picture's edges, slices thinner than the reach, and nothing at all.
    labels = np.concatenate([drawn, noise, 0 * noise[:1]])
    for shown in (labels, labels[:, 40:60, 50:53], labels[:, 60:61]):
        found = in_plane_distances(shown, spacing, REACH)
        exact = [
            [signed_distance(one == c, spacing, REACH) for c in range(N_CLASSES)] for one in shown
        ]
        np.testing.assert_allclose(found, exact, atol=1e-5)
