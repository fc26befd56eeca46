import math

import pytest
import torch
from torch import Tensor

from srheart_demo.enhancement.enhance import enhance
from srheart_demo.frame import lattice_points
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.degradation import Stack, degrade
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.samples import load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.algorithm import latent_optimisation
from srheart_demo.solver.gauge import (
    centred,
    common_translation,
    labels_at,
    motion_error,
    unseen,
    unsheared_motion_error,
)
from srheart_demo.solver.problem import Problem, View
from srheart_demo.solver.settings import INTERACTIVE, Settings
from srheart_demo.solver.step import Change, Step
from tests.problems import ToyHeart, rotated, toy_problem, toy_stack

TISSUE = torch.tensor([True, True, True, False])


def test_motion_error_ignores_a_common_translation_and_empty_slices():
    d_true = torch.tensor([[[1.0, 2.0], [0.0, -1.0], [3.0, 0.5], [0.0, 0.0]]])
    d = d_true + torch.tensor([4.0, -2.0])
    d[0, 3] = 100.0
    assert motion_error(d, d_true, TISSUE) == pytest.approx(0.0, abs=1e-6)
    torch.testing.assert_close(common_translation(d, d_true, TISSUE), torch.tensor([[4.0, -2.0]]))


def test_motion_error_is_the_rms_length():
    d = torch.zeros(1, 4, 2)
    d[0, 0] = torch.tensor([3.0, 4.0])
    d[0, 1] = torch.tensor([-3.0, -4.0])
    assert motion_error(d, torch.zeros_like(d), TISSUE) == pytest.approx((50 / 3) ** 0.5)


def test_a_shear_counts_until_it_is_removed_and_nothing_else_is():
    z = torch.tensor([0.0, 10.0, 20.0, 30.0])
    tissue = torch.ones(4, dtype=torch.bool)
    truth = torch.zeros(1, 4, 2)
    shear = torch.stack([0.1 * z + 3, -0.2 * z], dim=1)[None]
    assert motion_error(shear, truth, tissue) > 1
    assert unsheared_motion_error(shear, truth, z, tissue) < 1e-5
    bend = torch.tensor([[1.0, -1.0, -1.0, 1.0], [0.0] * 4]).T[None]
    assert unsheared_motion_error(shear + bend, truth, z, tissue) == pytest.approx(1, abs=1e-5)


def test_without_tissue_there_is_no_translation():
    d = torch.ones(1, 4, 2)
    nothing = torch.zeros(4, dtype=torch.bool)
    assert not common_translation(d, 0 * d, nothing).any()


def test_labels_follow_a_translation_of_the_heart():
    field = ToyHeart().decode(torch.zeros(1, 2))
    points = torch.tensor(lattice_points(), dtype=torch.float32)
    still = labels_at(field, points)
    moved = labels_at(field, points, torch.tensor([5 * 1.25, -2 * 1.25]))
    assert (moved[:, 5:, :-2] == still[:, :-5, 2:]).mean() > 0.9999


def test_centred_displacements_show_the_same_slices() -> None:
    G, stack = ToyHeart(), Stack.from_hr()
    field = G.decode(torch.zeros(1, 2))
    d = torch.randn(1, stack.K, 2, generator=torch.Generator().manual_seed(0)) + 4.0
    S_LR = degrade(field, stack, d)[0].argmax(0)
    p = Problem(G, stack, S_LR)
    found = centred(at(p, d, moving_views=False), p)
    there, shift = found.d, found.translation
    assert there[0, p.tissue].mean(0).abs().max() < 1e-5
    assert not there[0, ~p.tissue].any()
    # The heart moved by the shift, seen under what is left of d, is the heart seen under d.
    seen = labels_at(field, stack.points(there)[0], shift)[p.tissue]
    assert (seen == S_LR[p.tissue].numpy()).mean() > 0.9999


def at(p: Problem, d: Tensor, moving_views: bool) -> Step:
    """A run that has come to these displacements of slices, and to some of the views."""
    run = latent_optimisation(p, Settings(lr_z=0.0, lr_d=0.0, moving_views=moving_views))
    d_LA = torch.randn(1, len(p.views), 2, generator=torch.Generator().manual_seed(2))
    next(run)
    return run.send(Change(d=d, d_LA=d_LA))


def test_views_that_move_go_along_with_the_stack() -> None:
    p, _, d = toy_problem(view=True)
    step = at(p, d + 4.0, moving_views=True)
    found = centred(step, p)
    assert found.d[0, p.tissue].mean(0).abs().max() < 1e-5
    # The heart moved by the translation, on the view under what is left, is as it was.
    (view,) = p.views
    along = torch.cat([torch.zeros(1), found.translation])
    before = view.plane.points - step.d_LA[0, 0] @ view.plane.directions
    after = view.plane.points - found.d_LA[0, 0] @ view.plane.directions - along
    apart = (after - before).reshape(-1, 3)
    torch.testing.assert_close(apart, (apart @ view.plane.normal)[:, None] * view.plane.normal)


def planes_across(*normals: tuple[float, float, float]) -> list[Plane]:
    """Long-axis planes by their normals (D, H, W)."""
    planes = []
    for normal in normals:
        n = torch.tensor(normal) / torch.tensor(normal).norm()
        along = torch.eye(3)[0] - n * n[0]
        across = torch.linalg.cross(n, along)
        rows, columns = torch.meshgrid(torch.arange(3.0), torch.arange(4.0), indexing="ij")
        planes.append(Plane(rows[..., None] * along + columns[..., None] * across))
    return planes


@pytest.mark.parametrize(
    ("normals", "hidden"),
    [
        ([], [(1.0, 0.0), (0.0, 1.0)]),
        ([(0.0, 1.0, 0.0)], [(1.0, 0.0)]),
        ([(0.1, 0.6, -0.8)], [(0.6, -0.8)]),
        ([(-0.3, 0.6, 0.8)], [(0.6, 0.8)]),
        ([(0.0, 1.0, 0.0), (0.0, 0.98, 0.2)], [(0.995, 0.1)]),
        ([(0.0, 1.0, 0.0), (0.0, 0.5, 0.87)], []),
        ([(0.1, 1.0, 0.0), (0.0, 0.5, 0.87), (0.0, 0.5, -0.87)], []),
    ],
)
def test_views_hide_the_translations_across_all_their_planes(
    normals: list[tuple[float, float, float]], hidden: list[tuple[float, float]]
) -> None:
    directions = torch.tensor(hidden).reshape(-1, 2)
    expected = directions.T @ directions
    torch.testing.assert_close(unseen(planes_across(*normals)), expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("degrees", [0, 35, 160])
@pytest.mark.parametrize("azimuth", [0, 20, 75, 110])
def test_a_view_tells_the_translation_along_its_plane_and_no_other(
    azimuth: float, degrees: float
) -> None:
    G, stack = ToyHeart(), rotated(toy_stack(), degrees)
    S_LR = degrade(G.decode(torch.zeros(1, 2)), stack, torch.zeros(1, stack.K, 2))[0].argmax(0)
    across = torch.tensor([math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))])
    (plane,) = planes_across((0.05, *across.tolist()))
    p = Problem(G, stack, S_LR, (View(plane, torch.zeros(3, 4, dtype=torch.long)),))
    d = torch.randn(1, stack.K, 2, generator=torch.Generator().manual_seed(1)) + 5
    before = stack.in_model_axes(d[:, p.tissue].mean(1))[0]
    found = centred(at(p, d, moving_views=False), p)
    there, shift = found.d, found.translation
    after = stack.in_model_axes(there[:, p.tissue].mean(1))[0]
    assert abs(after @ across) < 1e-4
    torch.testing.assert_close(after + shift, before, atol=1e-4, rtol=0)
    along = torch.stack([-across[1], across[0]])
    assert abs(shift @ along) < 1e-4


@pytest.mark.parametrize("motion", ["none", "normal"])
def test_a_right_view_makes_no_place_wrong(motion: str) -> None:
    """This heart lies off where the generator expects one of its kind, by 7 mm across the view."""
    sample = load_sample("dilated")
    dice = {}
    for name, views in (("without", ()), ("with", (sample.S_LA,))):
        found = enhance(Scan.of(sample.stacks[motion], *views), settings=INTERACTIVE)
        points = found.scan.placement.to_model(sample.S_HR.points())
        shift = found.centred.translation
        dice[name] = mean_dice(
            labels_at(found.field, torch.tensor(points), shift), sample.S_HR.labels
        )
    assert dice["with"] > dice["without"] - 0.01
