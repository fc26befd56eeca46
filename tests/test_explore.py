"""Why a run goes as it goes: what the views beside the run are computed from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from simple_heart import volume_ml

from srheart_demo.dashboard.sentences import race_table
from srheart_demo.explorer.portrait import portrait
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import ScanSettings
from srheart_demo.explorer.watch import Cancelled, Watch
from srheart_demo.explorer.why import (
    FEATURES,
    FIELDS,
    Lane,
    along,
    features,
    field_volumes_ml,
    gauge_curve,
    gauge_heart,
    gauge_shift,
    named_directions,
    principal_directions,
    race,
    shift_map,
    traverse,
    valley,
)
from srheart_demo.frame import LATTICE_SHAPE, lattice_points
from srheart_demo.heart.population import VOLUME_RANGES
from srheart_demo.scan.degradation import sample
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.solver.losses import multi_view_loss
from srheart_demo.solver.settings import PRESETS, RECOMMENDED, STEPS


@pytest.fixture(scope="module")
def run() -> Session:
    session = Session(ScanSettings(SAMPLES[0], motion=2.0), replace(RECOMMENDED, iterations=6))
    session.advance(1e9)
    return session


def test_principal_directions_are_orthonormal_and_most_telling_first(run: Session) -> None:
    G = run.scene.problem.G
    directions = principal_directions(G, 4)
    torch.testing.assert_close(directions @ directions.T, torch.eye(4), atol=1e-4, rtol=0)
    told = ((directions @ G.information) * directions).sum(1)
    assert (told.diff() <= 0).all()


def test_z_along_a_direction_keeps_the_rest(run: Session) -> None:
    z, u = run.step.z, principal_directions(run.scene.problem.G, 1)[0]
    moved = along(z, u, 1.5)
    assert float(moved @ u) == pytest.approx(1.5, abs=1e-4)
    torch.testing.assert_close(moved - (moved @ u)[:, None] * u, z - (z @ u)[:, None] * u)


def test_volumes_of_a_field_are_those_of_its_meshes(run: Session) -> None:
    meshes = run.now.heart(6).meshes
    volumes = field_volumes_ml(run.now.estimate.field)
    assert volumes["LV"] == pytest.approx(volume_ml(meshes["LV"]), rel=0.03)
    assert volumes["RV"] == pytest.approx(volume_ml(meshes["RV"]), rel=0.03)


def test_directions_are_named_by_what_they_change(run: Session) -> None:
    directions = named_directions(run.generator, run.principal, Watch())
    assert {direction.changes for direction in directions} <= set(FEATURES)
    sized = next(d for d in directions if d.changes in ("LV", "MYO", "RV"))
    volumes = traverse(run.generator, run.step.z, sized.vector, Watch()).volumes[sized.changes]
    assert (volumes[-1] - volumes[0]) * sized.sign > 0


@pytest.mark.parametrize(
    ("rows", "columns"), [(10.0, 0.0), (0.0, 10.0), (10.0, -10.0), (-10.0, -10.0)]
)
def test_where_a_heart_lies_is_told_along_rows_and_along_columns(
    run: Session, rows: float, columns: float
) -> None:
    field = run.now.estimate.field
    nodes = torch.tensor(lattice_points(LATTICE_SHAPE), dtype=field.dtype)
    moved = sample(field, nodes - torch.tensor([0.0, rows, columns]))
    change = dict(zip(FEATURES, features(moved) - features(field), strict=True))
    assert change["place_rows"] == pytest.approx(rows, abs=1)
    assert change["place_columns"] == pytest.approx(columns, abs=1)


def test_hearts_beyond_the_population_are_told_from_those_within(run: Session) -> None:
    vector = principal_directions(run.scene.problem.G, 1)[0]
    way = traverse(run.generator, run.step.z, vector, Watch())
    assert way.outside(0.0) == []
    assert 0 < way.share_outside < 0.5
    for tissue, (low, high) in VOLUME_RANGES.items():
        inside = (way.volumes[tissue] >= low) & (way.volumes[tissue] <= high)
        np.testing.assert_array_equal(way.beyond(tissue), ~inside)
    farthest = [float(way.amounts[i]) for i in (0, -1)]
    assert any(way.outside(amount) for amount in farthest)


def test_the_shift_map_is_lowest_near_the_runs_own_d(run: Session) -> None:
    k = 6
    landscape = shift_map(run.scene.problem, run.history.path, k, None)
    row, column = np.unravel_index(landscape.L.argmin(), landscape.L.shape)
    lowest = landscape.x[column], landscape.y[row]
    np.testing.assert_allclose(lowest, landscape.path[-1], atol=2.5)
    assert len(landscape.path) == 7


def test_the_valley_holds_the_loss_of_the_step_that_it_is_seen_from(run: Session) -> None:
    vector, k = principal_directions(run.scene.problem.G, 1)[0], 6
    map_ = valley(run.scene.problem, run.history.path, vector, k, Watch())
    i, j = 4, 9
    z = along(run.step.z, vector, float(map_.x[i]))
    d = run.step.d.clone()
    d[0, k, 1] = float(map_.y[j])
    with torch.no_grad():
        heart = run.scene.problem.decode(z, None)
        gamma, d_LA = run.step.state.settings.gamma, run.step.d_LA
        loss = multi_view_loss(heart, d, run.scene.problem, gamma, d_LA=d_LA)[0]
    assert map_.L[j, i] == pytest.approx(loss.item(), rel=1e-3)


@pytest.mark.parametrize("kind", ["translate", "shear"])
def test_the_stack_does_not_see_what_the_long_axis_view_sees(run: Session, kind: str) -> None:
    curve = gauge_curve(run.scene.problem, run.now.estimate.field, run.step, kind, Watch())
    near = np.abs(curve.amounts) < 8
    assert np.ptp(curve.loss_sa[near]) < 0.2 * np.ptp(curve.loss_la[near])
    assert abs(curve.amounts[near][curve.loss_la[near].argmin()]) <= 2.5


def test_a_sheared_heart_stays_where_the_shear_is_zero(run: Session) -> None:
    field = run.now.estimate.field
    torch.testing.assert_close(gauge_heart(field, "shear", 0.0), field, atol=1e-3, rtol=1e-4)
    shift = gauge_shift("shear", 10.0, torch.tensor([-50.0, 0.0, 50.0]))
    assert shift[:, 1].tolist() == [-5, 0, 5]
    with pytest.raises(ValueError, match="shear"):
        gauge_shift("twist", 1.0, torch.zeros(1))


def test_all_presets_race_from_one_start(run: Session) -> None:
    shown: list[list[Lane]] = []
    presets = [replace(s, iterations=3) for s in FIELDS["presets"]]
    lanes = race(run.scene, 1.0, Watch(), shown.append, presets, seconds=30.0)
    assert [lane.name for lane in lanes] == list(PRESETS)
    # INTERACTIVE estimates L from fewer voxels.
    assert [lane.loss[0] for lane in lanes] == pytest.approx([lanes[0].loss[0]] * 4, rel=0.01)
    assert all(lane.stopped and np.isfinite(lane.motion_error).all() for lane in lanes)
    assert shown


def test_the_steps_from_the_papers_method_race_and_tell_what_each_is_worth(run: Session) -> None:
    field = [replace(step, iterations=3) for step in FIELDS["steps"]]
    lanes = race(run.scene, 1.0, Watch(), lambda lanes: None, field, seconds=30.0)
    assert [lane.name for lane in lanes] == [step.name for step in STEPS]
    assert all(0 < lane.dice < 1 for lane in lanes)
    assert lanes[-1].dice != lanes[-2].dice
    table = race_table(lanes)
    assert all(name in table for name in ("Reference", "+ L-BFGS", "+ residual"))
    assert f"{lanes[-1].dice:.3f}" in table


def test_what_takes_long_says_how_far_it_is_and_can_be_ended(run: Session) -> None:
    heard: list[float] = []
    watch = Watch(heard.append)
    gauge_curve(run.scene.problem, run.now.estimate.field, run.step, "shear", watch)
    assert heard == sorted(heard)
    assert max(heard) <= 1
    watch.cancel()
    with pytest.raises(Cancelled):
        gauge_curve(run.scene.problem, run.now.estimate.field, run.step, "shear", watch)


def test_a_portrait_shows_the_heart_on_nothing(run: Session) -> None:
    picture = portrait(run.now.estimate.field, size=48, depth=40)
    assert picture.shape == (48, 48, 4)
    assert set(np.unique(picture[..., 3])) == {0, 255}
    assert 0.15 < (picture[..., 3] > 0).mean() < 0.7
    assert not picture[0, :, 3].any()
    red, _, blue = picture[picture[..., 3] > 0][:, :3].astype(int).T
    assert (blue > red).any()
    assert (red > blue).any()
