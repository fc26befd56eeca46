"""The controller of a run: everything that the dashboard shows, without a browser."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from srheart_demo.degradation import degrade
from srheart_demo.frame import N_CLASSES
from srheart_demo.presets import RECOMMENDED, REFERENCE
from srheart_demo.samples import SAMPLES
from srheart_demo.session import Scan, Scene, Session, Subject
from srheart_demo.session.pictures import WINDOW, StackOutlines, cut, turn

SHORT = replace(RECOMMENDED, iterations=6)


@pytest.fixture(scope="module")
def run() -> Session:
    """A short run under severe motion, at its end."""
    session = Session(Scan(SAMPLES[0], motion=4.0), SHORT)
    session.advance(1e9)
    return session


@pytest.fixture(scope="module")
def subject() -> Subject:
    return Subject(SAMPLES[0])


def test_a_session_starts_at_iteration_0_with_no_motion_and_the_presets_first_heart() -> None:
    session = Session()
    assert session.progress().iteration == 0
    assert session.step.z.any()
    assert not session.step.d.any()
    assert not session.finished
    session.preset("PAPER")
    assert not session.step.z.any()


def test_a_run_ends_by_itself_and_then_stands_still(run: Session) -> None:
    assert run.progress().iteration == 6
    assert run.finished
    run.advance()
    assert run.progress().iteration == 6


def test_curves_hold_every_iteration_and_add_up(run: Session) -> None:
    curves = run.curves()
    assert curves.iteration.tolist() == list(range(7))
    np.testing.assert_allclose(curves.loss, curves.loss_sa + curves.loss_la, rtol=1e-5)
    assert curves.loss[-1] < curves.loss[0]


def test_a_run_brings_the_stack_back_and_beats_nearest_neighbour_on_motion(run: Session) -> None:
    scores = run.scores()
    assert scores.motion_error < 0.6 * scores.motion_uncorrected
    assert set(scores.dice) == set(scores.nearest) == {"LV", "MYO", "RV"}


def test_the_heart_is_that_of_z_and_at_the_end_agrees_with_the_slices_too() -> None:
    session = Session(settings=replace(SHORT, iterations=1))
    problem = session.scene.problem
    assert torch.equal(session.field(), problem.G.decode(session.step.z))
    session.advance()
    d = session.step.d
    errors = [
        float((degrade(field, problem.stack, d)[0].argmax(0) != problem.S_LR).float().mean())
        for field in (problem.G.decode(session.step.z), session.field())
    ]
    assert errors[1] < 0.5 * errors[0]


def test_gamma_acts_on_the_next_iteration() -> None:
    session = Session(settings=replace(REFERENCE, iterations=3))
    session.advance()
    session.gamma = 3.0
    session.advance()
    curves = session.curves()
    weights = (curves.loss - curves.loss_sa) / curves.loss_la
    np.testing.assert_allclose(weights, [1, 1, 3], rtol=1e-4)


def test_without_a_long_axis_view_the_loss_is_the_short_axis_loss() -> None:
    session = Session(Scan(SAMPLES[0], long_axis=False), SHORT)
    session.advance()
    curves = session.curves()
    assert np.isnan(curves.loss_la).all()
    np.testing.assert_array_equal(curves.loss, curves.loss_sa)
    assert not session.frame(6, 0.0).long_axis_acquired


def test_reset_repeats_the_run_exactly() -> None:
    session = Session(settings=SHORT)
    session.advance(1e9)
    first = session.step.z
    session.reset()
    assert session.progress().iteration == 0
    session.advance(1e9)
    assert torch.equal(session.step.z, first)


def test_another_preset_or_scan_goes_back_to_the_start() -> None:
    session = Session(settings=SHORT)
    session.advance()
    session.preset("PAPER")
    assert (session.settings.name, session.progress().iteration) == ("PAPER", 0)
    session.advance()
    session.scan(SAMPLES[1], motion=2.5)
    assert session.scene.scan == Scan(SAMPLES[1], 2.5)
    assert session.progress().iteration == 0


def test_shifts_are_centred_on_the_slices_with_tissue(run: Session) -> None:
    shifts = run.shifts()
    assert 0 < shifts.tissue.sum() < len(shifts.slices)
    for d in (shifts.estimate, shifts.truth):
        np.testing.assert_allclose(d[shifts.tissue].mean(0), 0, atol=1e-4)


def test_motionless_input_is_the_truth(subject: Subject) -> None:
    session = Session(Scan(SAMPLES[0], motion=0.0), SHORT)
    picture = session.frame(6, 90.0).short_axis
    np.testing.assert_array_equal(picture.input, picture.truth)
    np.testing.assert_array_equal(session.scene.S_LR, subject.slices)


@pytest.mark.parametrize("angle", [-90.0, -30.0, 0.0, 90.0])
def test_pictures_have_one_size_and_hold_labels(run: Session, angle: float) -> None:
    frame = run.frame(3, angle)
    for view in (frame.short_axis, frame.long_axis):
        for picture in (view.input, view.redegraded, view.estimate, view.truth):
            assert picture.shape == (WINDOW, WINDOW)
            assert picture.dtype == np.uint8
            assert picture.max() < N_CLASSES
    assert frame.long_axis_acquired == (angle == 0)


def test_the_cut_at_0_degrees_is_the_acquired_view(run: Session) -> None:
    plane = cut(run.scene, 0.0)
    assert np.mean(plane.input != plane.truth) < 0.01


def test_a_full_turn_of_a_plane_is_no_turn(subject: Subject) -> None:
    turned = turn(turn(subject.plane, 120.0), 240.0)
    torch.testing.assert_close(turned.points, subject.plane.points, atol=1e-3, rtol=0)


def test_the_true_d_moves_the_outlines_back_to_those_of_a_motionless_stack(
    subject: Subject,
) -> None:
    generator = Session()._generator
    moved, still = (Scene(Scan(subject.name, motion), subject, generator) for motion in (1.0, 0.0))
    back = StackOutlines(moved).moved_back(moved.d, k=6)
    rest = StackOutlines(still).moved_back(still.d, k=6)
    moved_by = back.frame - rest.frame
    np.testing.assert_allclose(moved_by[:, 1:], np.tile(-moved.d[0, 6], (5, 1)), atol=1e-4)
    for name, lines in back.structures.items():
        np.testing.assert_allclose(
            np.nanmean(lines, axis=0), np.nanmean(rest.structures[name], axis=0), atol=0.7
        )


def test_a_common_translation_changes_no_score(run: Session) -> None:
    shift = torch.tensor([1.25, -2.5])
    scene, d = run.scene, run.step.d
    assert scene.motion_error(d + shift) == pytest.approx(scene.motion_error(d), abs=1e-4)
    torch.testing.assert_close(scene.gauge(d + shift), scene.gauge(d) + shift)


def test_the_coarse_heart_is_light_enough_for_a_live_view(run: Session) -> None:
    coarse, full = run.heart(6, coarse=True), run.heart(6)
    triangles = [sum(len(m.faces) for m in heart.meshes.values()) for heart in (coarse, full)]
    assert triangles[0] <= 8000 < triangles[1]
    assert list(coarse.meshes) == list(coarse.outlines.structures)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    session = Session(settings=SHORT)
    with pytest.raises(KeyError, match="healthy_1"):
        session.scan("nobody")
    with pytest.raises(KeyError, match="RECOMMENDED"):
        session.preset("nonsense")
