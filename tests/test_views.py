import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from srheart_demo.frame import HR_SHAPE, LATTICE_SHAPE, lattice_axes, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.population import draw
from srheart_demo.scan.long_axis import LONG_AXIS_VIEWS, Plane, long_axis_view, standard_view
from tests.problems import oblique_plane


@pytest.fixture(scope="module")
def heart() -> np.ndarray:
    return phantom.nearest_labels(phantom.on_lattice(draw(1, seed=5)))[0]


def test_gradients_of_long_axis_view():
    rng = torch.Generator().manual_seed(0)
    field = torch.randn(1, 2, 4, 5, 6, generator=rng, dtype=torch.float64, requires_grad=True)
    plane = oblique_plane(torch.float64, size=5)
    assert gradcheck(lambda f: long_axis_view(f, plane), (field,))
    points = plane.points.clone().requires_grad_()
    assert gradcheck(lambda x: long_axis_view(field.detach(), Plane(x)), (points,))


def test_an_identity_plane_is_plain_slicing():
    rng = torch.Generator().manual_seed(1)
    field = torch.randn(1, 2, *LATTICE_SHAPE, generator=rng, dtype=torch.float64)
    plane = Plane(torch.tensor(lattice_points(LATTICE_SHAPE)[:, 20]))
    torch.testing.assert_close(long_axis_view(field, plane), field[:, :, :, 20])


def test_an_oblique_plane_cuts_a_ball_in_a_disc_of_the_right_size():
    points = torch.tensor(lattice_points(HR_SHAPE))
    centre, radius = torch.tensor([3.0, 1.0, 2.0]), 30.0
    field = radius - (points - centre).norm(dim=-1)[None, None]
    plane = oblique_plane(torch.float64, size=161)
    inside = long_axis_view(field, plane)[0, 0] > 0
    area = inside.sum().item() * np.prod(plane.spacing)
    assert area == pytest.approx(np.pi * radius**2, rel=0.005)


@pytest.mark.parametrize("view", LONG_AXIS_VIEWS)
def test_standard_views_contain_the_long_axis(heart, view):
    plane = standard_view(heart, view)
    points = plane.points.double().numpy()
    normal = np.cross(points[1, 0] - points[0, 0], points[0, 1] - points[0, 0])
    normal /= np.linalg.norm(normal)
    D, H, W = (axis for axis in lattice_axes())
    mid = heart.shape[0] // 2
    rows, columns = np.nonzero(heart[mid] == 1)
    centroid = np.array([D[mid], H[rows].mean(), W[columns].mean()])
    assert abs((centroid - points[0, 0]) @ normal) < 4.0
    assert abs(normal[0]) < 0.3
    assert plane.spacing == pytest.approx((1.25, 1.25), abs=1e-5)


def test_the_four_chamber_view_shows_the_rv_left_of_the_lv_and_the_apex_on_top(heart):
    field = torch.nn.functional.one_hot(torch.tensor(heart.astype(np.int64)), 4).movedim(-1, 0)
    labels = long_axis_view(field[None].float(), standard_view(heart, "4ch"))[0].argmax(0)
    rows, columns = (torch.nonzero(labels == c).float().mean(0) for c in (1, 3))
    assert columns[1] < rows[1]
    assert (labels[:30] == 1).sum() < (labels[-60:-30] == 1).sum()


def test_standard_view_says_what_it_needs(heart):
    with pytest.raises(KeyError, match="4ch, 3ch, 2ch"):
        standard_view(heart, "5ch")
    with pytest.raises(ValueError, match="an LV and an RV"):
        standard_view(np.zeros(HR_SHAPE, np.uint8))
