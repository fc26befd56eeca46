"""The controller of a run: everything that the dashboard shows, without a browser."""

from __future__ import annotations

import gc
import json
import re
import shutil
import weakref
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from srheart_demo.cli import chosen, main
from srheart_demo.dashboard import sentences
from srheart_demo.enhancement.check import judged
from srheart_demo.enhancement.enhance import enhance
from srheart_demo.enhancement.quantities import Grade
from srheart_demo.explorer import saved, takeaway
from srheart_demo.explorer import session as session_module
from srheart_demo.explorer.moment import QUALITY, UNKNOWNS, Estimate
from srheart_demo.explorer.own import OwnFile, OwnScan, OwnView
from srheart_demo.explorer.pictures import SHOWN_PIXELS, cut, turn
from srheart_demo.explorer.planes import StackOutlines
from srheart_demo.explorer.saved import link_of
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.session import Session
from srheart_demo.explorer.subjects import KnownHeart, ScanSettings, load_subject
from srheart_demo.explorer.watch import Cancelled, Watch
from srheart_demo.frame import N_CLASSES
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.degradation import degrade
from srheart_demo.scan.labels import Convention
from srheart_demo.scan.placement import ByHand
from srheart_demo.scan.read import read_short_axis
from srheart_demo.scan.samples import FOLDER, SAMPLES, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver.algorithm import Step, latent_optimisation
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, REFERENCE, Settings

SHORT = replace(RECOMMENDED, iterations=6)


@pytest.fixture(scope="module")
def run() -> Session:
    """A short run under severe motion, at its end."""
    session = Session(ScanSettings(SAMPLES[0], motion=4.0), SHORT)
    session.advance(1e9)
    return session


@pytest.fixture(scope="module")
def subject() -> KnownHeart:
    heart = load_subject(SAMPLES[0])
    assert isinstance(heart, KnownHeart)
    return heart


def test_a_session_starts_at_iteration_0_with_no_motion_and_the_presets_first_heart() -> None:
    session = Session()
    assert session.now.at == 0
    assert session.step.z.any()
    assert not session.step.d.any()
    assert not session.finished
    session.preset("PAPER")
    assert not session.step.z.any()


def test_a_run_ends_by_itself_and_then_stands_still(run: Session) -> None:
    assert run.now.at == 6
    assert run.finished
    run.advance()
    assert run.now.at == 6


def test_curves_hold_every_iteration_and_add_up(run: Session) -> None:
    ((loss, loss_sa, loss_la),) = run.now.losses
    assert len(loss) == 7
    np.testing.assert_allclose(loss, loss_sa + loss_la, rtol=1e-5)
    assert loss[-1] < loss[0]


def test_a_run_brings_the_stack_back_and_beats_nearest_neighbour_on_motion(run: Session) -> None:
    now = run.now
    assert now.motion_error < 0.6 * now.motion_uncorrected
    assert set(now.dice) == set(now.nearest) == {"LV", "MYO", "RV"}


def test_the_heart_is_that_of_z_and_at_the_end_agrees_with_the_slices_too() -> None:
    session = Session(settings=replace(SHORT, iterations=1))
    problem = session.scene.problem
    assert torch.equal(session.now.estimate.field, problem.G.decode(session.step.z))
    session.advance()
    d = session.step.d
    errors = [
        float((degrade(field, problem.stack, d)[0].argmax(0) != problem.S_LR).float().mean())
        for field in (problem.G.decode(session.step.z), session.now.estimate.field)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_gamma_acts_on_the_next_iteration() -> None:
    session = Session(settings=replace(REFERENCE, iterations=3))
    session.advance()
    session.configure(gamma=3.0)
    session.advance()
    ((loss, loss_sa, loss_la),) = session.now.losses
    weights = (loss - loss_sa) / loss_la
    np.testing.assert_allclose(weights, [1, 1, 3], rtol=1e-4)


def test_without_a_long_axis_view_the_loss_is_the_short_axis_loss() -> None:
    session = Session(ScanSettings(SAMPLES[0], long_axis=False), SHORT)
    session.advance()
    ((loss, loss_sa, loss_la),) = session.now.losses
    assert np.isnan(loss_la).all()
    np.testing.assert_array_equal(loss, loss_sa)
    assert not session.now.cuts(6, 0.0).acquired


def test_reset_repeats_the_run_exactly() -> None:
    session = Session(settings=SHORT)
    session.advance(1e9)
    first = session.step.z
    session.reset()
    assert session.now.at == 0
    session.advance(1e9)
    assert torch.equal(session.step.z, first)


def test_a_run_that_is_forgotten_meanwhile_cannot_be_looked_at() -> None:
    """Its button may be pressed before it is gone."""
    session = Session(settings=SHORT)
    session.advance()
    session.history.fork()
    session.reset()
    session.history.choose(1)
    assert session.history.active is session.history.runs[0]


def test_another_preset_or_scan_goes_back_to_the_start() -> None:
    session = Session(settings=SHORT)
    session.advance()
    session.preset("PAPER")
    assert (session.settings.name, session.now.at) == ("PAPER", 0)
    session.advance()
    session.scan(ScanSettings(SAMPLES[1], motion=2.5))
    assert session.scene.settings == ScanSettings(SAMPLES[1], 2.5)
    assert session.now.at == 0


def test_a_moment_stays_as_it_was_when_the_run_goes_on() -> None:
    session = Session(settings=SHORT)
    session.advance()
    then = session.now
    d, heart = then.step.d.clone(), then.estimate.field
    session.advance(0.5)
    session.history.fork()
    assert len(session.history.active.steps) > 2
    assert then.last == then.at == 1
    assert [losses.shape for losses in then.losses] == [(3, 2)]
    assert torch.equal(then.step.d, d)
    assert torch.equal(heart, session.scene.problem.G.decode(then.step.z))
    assert session.now.estimate is not then.estimate


def test_shifts_are_centred_on_the_slices_with_tissue(run: Session) -> None:
    shifts = run.now.shifts
    assert 0 < shifts.tissue.sum() < len(run.scene.slices)
    for d in (shifts.estimate, shifts.truth):
        np.testing.assert_allclose(d[: len(shifts.tissue)][shifts.tissue].mean(0), 0, atol=1e-4)


def test_motionless_input_is_the_truth(subject: KnownHeart) -> None:
    session = Session(ScanSettings(SAMPLES[0], motion=0.0), SHORT)
    picture = session.now.cuts(6, 90.0).short_axis
    np.testing.assert_array_equal(picture.input, picture.truth)
    np.testing.assert_array_equal(session.scene.S_LR, subject.S_HR[2::5])


@pytest.mark.parametrize("angle", [-90.0, -30.0, 0.0, 90.0])
def test_pictures_have_one_size_and_hold_labels(run: Session, angle: float) -> None:
    cuts = run.now.cuts(3, angle)
    for view in (cuts.short_axis, cuts.long_axis):
        for picture in (view.input, view.redegraded, view.estimate, view.truth):
            assert picture.shape == (SHOWN_PIXELS, SHOWN_PIXELS)
            assert picture.dtype == np.uint8
            assert picture.max() < N_CLASSES
    assert cuts.acquired == (angle == 0)


def test_the_cut_at_0_degrees_is_the_acquired_view(run: Session) -> None:
    plane = cut(run.scene, 0.0)
    assert plane.truth is not None
    assert np.mean(plane.input != plane.truth) < 0.01


def test_a_full_turn_of_a_plane_is_no_turn(subject: KnownHeart) -> None:
    turned = turn(turn(subject.plane, 120.0), 240.0)
    torch.testing.assert_close(turned.points, subject.plane.points, atol=1e-3, rtol=0)


def test_the_true_d_moves_the_outlines_back_to_those_of_a_motionless_stack(
    subject: KnownHeart,
) -> None:
    generator = Session().generator
    moved, still = (
        Scene(ScanSettings(subject.name, motion), subject, generator) for motion in (1.0, 0.0)
    )
    back, rest = (
        StackOutlines(scene).moved_back(true_step(scene), 6, cut(scene, 0.0))
        for scene in (moved, still)
    )
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


def test_painted_slices_show_what_was_scanned_where_the_estimate_puts_it() -> None:
    session = Session(settings=SHORT)
    one = session.now.heart(6).slices
    session.all_painted = True
    tiles = session.now.heart(6).slices
    corners = tiles.mesh.vertices[tiles.mesh.faces].astype(float)
    areas = (
        np.linalg.norm(
            np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
        )
        / 2
    )
    stack = session.scene.problem.stack
    seen = session.scene.S_LR
    for label in (1, 2, 3):
        scanned = float(np.count_nonzero(seen == label) * np.prod(stack.spacing))
        assert areas[tiles.labels == label].sum() == pytest.approx(scanned, rel=0.02)
    heights = np.unique(corners[..., 0])
    np.testing.assert_allclose(heights, np.sort(stack.z[session.scene.problem.tissue].numpy()))
    assert set(one.mesh.vertices[:, 0]) == {float(stack.z[6])}

    def undisplaced() -> np.ndarray:
        vertices = session.now.heart(6).slices.mesh.vertices
        d = stack.in_model_axes(session.step.d)[0, 6] - session.scene.gauge(session.step.d)
        return vertices[vertices[:, 0] == float(stack.z[6]), 1:] + d.numpy()

    at_first = undisplaced()
    session.advance(0.5)
    assert session.step.d.abs().max() > 1
    np.testing.assert_allclose(undisplaced(), at_first, atol=1e-3)


def test_the_painted_long_axis_cut_lies_in_its_plane_and_follows_the_estimate() -> None:
    session = Session(settings=SHORT)
    scene, at_first = session.scene, session.step
    plane = cut(scene, 0.0)
    acquired = session.now.heart(6, 0.0).cut
    corners = acquired.mesh.vertices[acquired.mesh.faces].astype(float)
    sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    areas = np.linalg.norm(sides, axis=1) / 2
    steps = plane.points[1, 0] - plane.points[0, 0], plane.points[0, 1] - plane.points[0, 0]
    pixel = float(torch.linalg.cross(*steps).norm())
    for label in (1, 2, 3):
        seen = np.count_nonzero(plane.input == label) * pixel
        assert areas[acquired.labels == label].sum() == pytest.approx(seen, rel=0.05)
    normal = sides[0] / np.linalg.norm(sides[0])
    away = (acquired.mesh.vertices - plane.points[0, 0].numpy()) @ normal
    np.testing.assert_allclose(away, 0, atol=1e-3)

    # Turned, it shows the stack: each slice where d puts it.
    turned = session.now.heart(6, 90.0)
    assert not np.allclose(turned.outlines.cut, turned.outlines.view)
    session.advance(0.5)
    assert session.step.d.abs().max() > 1
    moved = session.now.heart(6, 90.0).cut
    assert moved.mesh.vertices.shape != turned.cut.mesh.vertices.shape or not np.allclose(
        moved.mesh.vertices, turned.cut.mesh.vertices
    )
    back = StackOutlines(scene).cut(at_first, cut(scene, 90.0))
    np.testing.assert_array_equal(back.mesh.vertices, turned.cut.mesh.vertices)


def test_the_coarse_heart_is_light_enough_for_a_live_view(run: Session) -> None:
    coarse, full = run.now.heart(6, coarse=True), run.now.heart(6)
    triangles = [sum(len(m.faces) for m in heart.meshes.values()) for heart in (coarse, full)]
    assert triangles[0] <= 8000 < triangles[1]
    assert list(coarse.meshes) == list(coarse.outlines.structures)


def test_unknown_names_are_answered_with_the_known_ones() -> None:
    session = Session(settings=SHORT)
    with pytest.raises(KeyError, match="healthy_1"):
        session.scan(ScanSettings("nobody"))
    with pytest.raises(KeyError, match="RECOMMENDED"):
        session.preset("nonsense")


# -- the scan ------------------------------------------------------------------------------


def true_step(scene: Scene) -> Step:
    """A step that has found the true displacements."""
    start = next(latent_optimisation(scene.problem, SHORT))
    assert scene.d is not None
    assert scene.d_LA is not None
    return replace(start, d=scene.d, d_LA=scene.d_LA)


def scene_of(subject: KnownHeart, settings: ScanSettings) -> Scene:
    return Scene(settings, subject, load_generator())


def test_a_slice_moved_by_hand_moves_its_picture_and_its_true_d(subject: KnownHeart) -> None:
    still = ScanSettings(SAMPLES[0], motion=0.0)
    before, after = scene_of(subject, still), scene_of(subject, still.moved(6, 5.0, -10.0))
    assert after.d is not None
    assert after.d[0, 6].tolist() == [5.0, -10.0]
    assert not after.d[0, [5, 7]].any()
    np.testing.assert_array_equal(after.S_LR[6], np.roll(before.S_LR[6], (4, -8), (0, 1)))
    assert still.moved(6, 5.0, 0.0).moved(6, -2.0, 1.0).by_hand == ((6, 3.0, 1.0),)


def test_missing_slices_are_left_out_and_come_back(subject: KnownHeart) -> None:
    scan = ScanSettings(SAMPLES[0]).toggled(4).toggled(7)
    taken = scene_of(subject, scan)
    assert taken.slices.tolist() == [0, 1, 2, 3, 5, 6, 8, 9, 10, 11, 12]
    assert len(taken.S_LR) == taken.stack.K == 11
    assert scan.toggled(7).toggled(4) == ScanSettings(SAMPLES[0])


def test_spacing_sets_the_number_of_slices(subject: KnownHeart) -> None:
    wide, narrow = (scene_of(subject, ScanSettings(SAMPLES[0], spacing=mm)) for mm in (16.0, 6.0))
    assert (wide.stack.K, narrow.stack.K) == (8, 21)
    torch.testing.assert_close(wide.stack.z.diff(), torch.full((7,), 16.0))


def test_noise_errs_where_it_should_and_is_the_same_each_time(subject: KnownHeart) -> None:
    clean, noisy, again = (
        scene_of(subject, ScanSettings(SAMPLES[0], noise=share)).S_LR for share in (0.0, 0.1, 0.1)
    )
    np.testing.assert_array_equal(noisy, again)
    assert 0 < np.mean(clean != noisy) < 0.05


def test_a_random_heart_is_the_same_for_a_seed_and_has_a_four_chamber_view() -> None:
    first, second, other = (load_subject(f"random_{seed}") for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.S_HR, second.S_HR)
    assert (first.S_HR != other.S_HR).any()
    scan, *_ = first.take(ScanSettings("random_3"))
    assert set(np.unique(scan.views[0].labels)) == {0, 1, 2, 3}


def test_a_scan_of_ones_own_is_solved_without_a_truth() -> None:
    session = Session(settings=replace(SHORT, iterations=2))
    folder = FOLDER / SAMPLES[1]
    stack = (folder / "S_LR_normal.nii.gz").read_bytes()
    session.load(
        OwnFile(
            "mine.nii.gz", stack, (OwnView("la.nii.gz", (folder / "S_LA.nii.gz").read_bytes()),)
        )
    )
    session.advance(1e9)
    now, cuts = session.now, session.now.cuts(6, 0.0)
    assert session.own == ("mine.nii.gz",)
    assert cuts.short_axis.truth is None
    assert cuts.acquired
    assert np.isnan(now.shifts.truth).all()
    assert now.dice == {}
    assert min(now.agreement.values()) > 0.8
    assert session.scene.subject.ghost == {}
    session.scan(ScanSettings(SAMPLES[0]))
    session.scan(ScanSettings("mine.nii.gz", motion=1.0, long_axis=False))
    assert session.scene.of == len(session.scene.S_LR) == len(session.now.shifts.tissue)


def test_a_scan_of_ones_own_is_read_as_its_owner_says() -> None:
    stack = nibabel.load(FOLDER / SAMPLES[1] / "S_LR_none.nii.gz")
    frame = np.asarray(stack.dataobj)
    renumbered = np.array([0, 7, 8, 9], np.uint8)[frame]
    frames = np.stack([0 * frame, renumbered, 0 * frame, renumbered], -1)
    content = nibabel.Nifti1Image(frames, stack.affine).to_bytes()
    told = OwnFile("cine.nii", content, convention=Convention((7,), (8,), (9,)))
    session = Session(settings=SHORT)
    with pytest.raises(ValueError, match="LV=7 MYO=8 RV=9"):
        session.load(replace(told, convention=None))
    assert session.report() is None
    session.load(told)
    first = session.scene.subject
    assert isinstance(first, OwnScan)
    assert (first.frames, first.read.frame) == ([1, 3], 1)
    report = session.report()
    assert report is not None
    assert report.verdict == Grade.FINE
    assert session.report() is report
    session.load(replace(told, frame=3, by_hand=ByHand(mirror=True)))
    second = session.report()
    assert second is not None
    assert second.verdict == Grade.DISTRUST
    assert any("mirror" in sentence for sentence in second.reasons)


def test_a_file_that_is_no_scan_is_refused_in_words() -> None:
    session = Session(settings=SHORT)
    with pytest.raises(ValueError, match="NIfTI"):
        session.load(OwnFile("notes.txt", b"hello"))
    with pytest.raises(ValueError, match="mine"):
        session.load(OwnFile("mine.nii.gz", b"hello"))
    assert session.scene.settings.subject == SAMPLES[0]


def test_the_side_view_puts_slices_back_by_d() -> None:
    session = Session(ScanSettings(SAMPLES[0], motion=0.0).moved(6, 0.0, 12.5), SHORT)
    session.advance(1e9)
    side = session.now.side
    width = [np.flatnonzero(side.scanned[0, 6]).mean(), np.flatnonzero(side.put_back[0, 6]).mean()]
    assert (width[0] - width[1]) * session.scene.stack.spacing[1] == pytest.approx(12.5, abs=2.5)


# -- history -------------------------------------------------------------------------------


def test_looking_back_shows_the_heart_of_then(run: Session) -> None:
    end = run.now.estimate.field
    run.history.look(2)
    assert run.now.at == 2
    assert run.now.last == 6
    assert torch.equal(
        run.now.estimate.field, run.scene.problem.G.decode(run.history.active.steps[2].z)
    )
    run.advance()
    assert (run.history.at, len(run.history.runs)) == (3, 1)
    run.history.look(99)
    assert torch.equal(run.now.estimate.field, end)


def test_a_change_in_the_past_forks_and_both_runs_stay() -> None:
    session = Session(settings=replace(RECOMMENDED, iterations=5))
    session.advance(1e9)
    first = list(session.history.active.steps)
    session.history.look(2)
    session.configure(gamma=0.0)
    session.advance(1e9)
    old, new = session.history.runs
    assert old.steps == first
    assert new.steps[:3] == first[:3]
    assert new.parted == 2
    assert new.steps[3].state.settings.gamma == 0
    assert (session.now.active, len(session.now.losses)) == (1, 2)
    assert old.colour != new.colour
    session.history.choose(0)
    assert session.step is first[-1]


def test_a_fork_without_a_change_repeats_the_numbers() -> None:
    session = Session(settings=replace(RECOMMENDED, iterations=5))
    session.advance(1e9)
    session.history.look(2)
    session.history.fork()
    session.advance(1e9)
    a, b = (run.steps[-1] for run in session.history.runs)
    assert torch.equal(a.z, b.z)
    assert torch.equal(a.d, b.d)


def test_the_oldest_run_gives_way_to_a_fourth() -> None:
    session = Session(settings=replace(REFERENCE, iterations=9))
    session.advance()
    first = session.history.active
    for _ in range(3):
        session.history.fork()
        session.advance()
    assert len(session.history.runs) == 3
    assert first not in session.history.runs
    assert {run.colour for run in session.history.runs} == {0, 1, 2}


def test_single_settings_act_in_midrun_or_begin_another_run() -> None:
    session = Session(settings=replace(REFERENCE, iterations=9))
    session.advance()
    session.configure(lr_z=0.05)
    session.advance()
    assert session.step.state.settings.lr_z == 0.05
    assert session.history.at == 2
    session.configure(prior=True)
    assert session.history.at == 0
    assert session.step.state.settings.prior
    assert len(session.history.runs) == 2


@pytest.mark.parametrize("as_link", [False, True])
def test_a_text_or_link_leads_back_to_the_very_same_state(as_link: bool) -> None:
    session = Session(
        ScanSettings(SAMPLES[2], 2.0, noise=0.03).moved(5, 4.0, 0.0).toggled(3), SHORT
    )
    session.advance(1e9)
    session.history.look(2)
    session.configure(gamma=0.5)
    session.advance()
    session.preset("REFERENCE")
    session.configure(solver="lbfgs", lr_z=0.7)
    session.advance()
    session.advance()
    session.history.look(1)
    other = Session()
    other.restore(session.link() if as_link else session.text())
    assert other.scene.settings == session.scene.settings
    assert other.text() == session.text()
    assert other.history.at == 1
    for a, b in zip(session.history.runs, other.history.runs, strict=True):
        assert torch.equal(a.steps[-1].z, b.steps[-1].z)
        assert torch.equal(a.steps[-1].d, b.steps[-1].d)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not the whole"),
        ("hello", "not the whole"),
        ("{}", "not the whole"),
        ('{"srheart":1,"scan":{}}', "not the whole"),
        ('{"srheart":9}', "of version 9, this explorer reads 1"),
        ("[" * 10**5, "not the whole"),
        ("#Anatomy", "not the whole"),
        ("http://localhost:8866/#state=", "not the whole"),
        ("#state=heart", "not the whole"),
        ("#state=" + "é" * 9, "not the whole"),
        (link_of('{"srheart":1}')[:-4], "not the whole"),
        (link_of(" " * 2**21 + "{}"), "not the whole"),
        (link_of("null"), "not the whole"),
        (link_of('{"srheart":9}'), "of version 9"),
        ('{"srheart":1,"runs":[],"scan":{"subject":"dilated","spin":3}}', "does not know (spin)"),
    ],
)
def test_a_text_or_link_that_is_no_state_is_refused_in_words(text: str, said: str) -> None:
    session = Session(settings=SHORT)
    before = session.step
    with pytest.raises(saved.NoState) as refused:
        session.restore(text)
    assert said in sentences.problem(refused.value)
    assert session.step is before


@pytest.mark.parametrize("at", ["Infinity", "1e999", '"0x"', "[]", "null"])
def test_numbers_of_a_text_that_are_none_are_refused(run: Session, at: str) -> None:
    text = re.sub(r'"at":\d+', f'"at":{at}', run.text())
    with pytest.raises(saved.NoState):
        saved.read(text)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        (r'"settings":{', '"settings":{"reach":1e9,'),
        (r'"settings":{', '"settings":{"lr_z":-1,'),
        (r'"changes":\[', '"changes":[[1,{"gamma":-5}]'),
        (r'"changes":\[', '"changes":[[1,{"d":[1,2]}]'),
        (r'"changes":\[', '"changes":[[1,{"stop":true}]'),
        (r'"scan":{', '"scan":{"long_axis":-1,'),
    ],
)
def test_what_no_run_and_no_scan_can_have_is_refused_before_anything_is_computed(
    run: Session, part: str, wrong: str
) -> None:
    assert saved.read(run.text())
    text, n = re.subn(part, wrong, run.text(), count=1)
    assert n == 1
    with pytest.raises(saved.NoState):
        saved.read(text)


IMPOSSIBLE = [
    *({"scan": {"by_hand": moved}} for moved in ([[-20, 1, 1]], [[-1, 20, 1]], [[1.5, 1, 1]])),
    *({"scan": {"by_hand": moved}} for moved in ([[3, 1e999, 1]], [[3, 1]], [["3", 1, 1]], 3)),
    *({"scan": {"views_by_hand": moved}} for moved in ([[-9, 1, 1]], None)),
    *({"scan": {"long_axis": n}} for n in (1.5, "1", None)),
    *({"scan": wrong} for wrong in ({"subject": 5}, {"noise": "0.1"}, {"missing": [-1]})),
    *({"settings": {"search_at": at}} for at in (5, [0.5], "0")),
    *({"settings": {"seed": seed}} for seed in ("x", -1, 10**30)),
    *({"settings": wrong} for wrong in ({"prior_of": 3}, {"prior": "yes"}, {"lr_z": 1e300})),
    *({"run": {name: -5}} for name in ("iterations", "parted", "colour")),
    *({"state": {"at": at}} for at in (-1, 0.5, 10**400)),
]


@pytest.mark.parametrize("wrong", IMPOSSIBLE, ids=json.dumps)
def test_an_impossible_value_is_refused_by_the_name_of_what_has_it(
    run: Session, wrong: dict[str, dict[str, object]]
) -> None:
    """Some came as errors that nothing expects, and the dashboard gave up."""
    state = json.loads(run.text())
    (made,) = state["runs"]
    parts = {"scan": state["scan"], "settings": made["settings"], "run": made, "state": state}
    ((part, change),) = wrong.items()
    parts[part] |= change
    with pytest.raises(saved.NoState) as refused:
        run.restore(json.dumps(state))
    (name,) = change
    assert f"the value of {name} is not possible" in sentences.problem(refused.value)


@pytest.mark.parametrize(
    ("part", "wrong", "said"),
    [
        ("scan", {"by_hand": [[3, 1e9, 1]]}, "its by_hand is not within -30 and 30"),
        ("scan", {"views_by_hand": [[0, 1, -31]]}, "its views_by_hand is not within -30 and 30"),
        ("settings", {"reach": 999.0, "name": "far"}, "far: reach is 999.0"),
        ("settings", {"solver": "sgd"}, "unknown solver 'sgd'"),
    ],
)
def test_a_value_out_of_range_is_refused_with_what_it_may_be(
    run: Session, part: str, wrong: dict[str, object], said: str
) -> None:
    state = json.loads(run.text())
    {"scan": state["scan"], "settings": state["runs"][0]["settings"]}[part].update(wrong)
    with pytest.raises(saved.NoState) as refused:
        run.restore(json.dumps(state))
    assert said in sentences.problem(refused.value)


def test_a_scan_with_all_that_it_may_have_comes_back(run: Session) -> None:
    full = ScanSettings(
        SAMPLES[0],
        long_axis=2,
        views_move=True,
        noise=0.1,
        missing=(2, 4),
        by_hand=((3, 1.5, -30.0), (12, 0.0, 30.0)),
        views_by_hand=((1, 0.25, 3.0),),
    )
    text = saved.write(full, run.history)
    assert saved.read(text).scan == full


def test_a_link_is_an_address_and_not_a_long_one(run: Session) -> None:
    link = run.link()
    assert re.fullmatch(r"#state=[\w-]+", link)
    assert len(link) < 400
    assert saved.read(f" http://10.0.0.7:8866/{link}\n") == saved.read(run.text())


def test_a_state_of_ones_own_scan_says_which_file_it_lacks_and_comes_when_that_is_there() -> None:
    mine = OwnFile("mine.nii.gz", (FOLDER / SAMPLES[0] / "S_LR_normal.nii.gz").read_bytes())
    session, other = Session(settings=SHORT), Session(settings=SHORT)
    session.load(mine)
    session.advance(1e9)
    before = other.scene
    with pytest.raises(saved.NoState) as refused:
        other.restore(session.link())
    assert "The scan mine.nii.gz is not here" in sentences.problem(refused.value)
    assert other.scene is before
    other.load(mine)
    assert other.restore(session.link()) == ()
    assert torch.equal(other.step.z, session.step.z)


def test_restoring_can_be_cancelled_and_leaves_all_as_it_was() -> None:
    session = Session(settings=SHORT)
    session.advance(1e9)
    text = session.text()
    session.scan(ScanSettings(SAMPLES[1]))
    watch = Watch()
    watch.cancel()
    with pytest.raises(Cancelled):
        session.restore(text, watch)
    assert session.scene.settings.subject == SAMPLES[1]


def test_a_live_solution_is_interactive_whatever_is_chosen() -> None:
    session = Session(settings=REFERENCE)
    session.reset(live=True)
    session.advance(1e9)
    assert session.step.state.settings == INTERACTIVE
    assert session.settings is REFERENCE


# -- painting ------------------------------------------------------------------------------


def test_the_painted_error_is_small_where_the_heart_is_right(run: Session) -> None:
    run.paint = "error"
    paint = run.now.heart(6).paint
    run.paint = ""
    assert paint is not None
    for name, mesh in run.now.heart(6).meshes.items():
        assert paint.values[name].shape == (len(mesh.vertices),)
        assert 0 < np.median(paint.values[name]) < 4
    assert run.now.heart(6).paint is None


def test_the_spread_of_random_starts_is_a_length(run: Session) -> None:
    run.history.look(99)
    run.paint = "spread"
    assert run.now.hearts is None
    run.spread("spread", Watch())
    paint = run.now.heart(6, coarse=True).paint
    run.paint = ""
    assert paint is not None
    assert all((sd >= 0).all() and np.median(sd) < 10 for sd in paint.values.values())


# -- other scans, other files ----------------------------------------------------------------


def test_subjects_that_are_looked_at_no_more_are_forgotten() -> None:
    session = Session(settings=SHORT)
    seen = []
    for seed in range(4):
        session.scan(ScanSettings(f"random_{seed}"))
        session.advance()
        now = session.now
        now.found(*UNKNOWNS, *QUALITY), now.cuts(6, 0.0), now.cuts(5, 30.0), now.heart(6)
        seen += [weakref.ref(session.scene), weakref.ref(session.scene.subject)]
    del now
    gc.collect()
    assert [kept() is not None for kept in seen] == [False] * 6 + [True] * 2
    other = weakref.ref(session.scene)
    del session
    gc.collect()
    assert other() is None


@pytest.mark.parametrize("live", [False, True])
def test_another_scan_begins_one_run_and_knows_the_directions_of_z_already(
    live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(settings=SHORT)
    begun: list[str] = []

    def begin(problem: Problem, settings: Settings, *start: Step) -> object:
        begun.append(settings.name)
        return latent_optimisation(problem, settings, *start)

    monkeypatch.setattr(session_module, "latent_optimisation", begin)
    monkeypatch.setattr(torch.linalg, "eigh", None)
    session.scan(ScanSettings(SAMPLES[0], motion=2.0), live=live)
    assert begun == ["INTERACTIVE" if live else "RECOMMENDED"]


def written(folder: Path) -> dict[str, bytes]:
    """Files of a folder, without times and versions."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    files["d.json"] = re.sub(rb'"seconds": [\d.]+', b'"seconds": 0', files["d.json"])
    return files


def downloads(session: Session, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    for kind in ("S_SR", "d", "stl"):
        name, content = takeaway.file(session, kind)
        (folder / name).write_bytes(content)
    return written(folder)


@pytest.fixture
def small_generator(monkeypatch: pytest.MonkeyPatch, few_draws: None) -> None:
    """Of sessions and of the command: how sure an answer is, is soon found."""
    G = load_generator(latent_size=16)
    monkeypatch.setattr(session_module, "load_generator", lambda: G)
    monkeypatch.setattr(chosen, "generator", lambda name: G)


@pytest.mark.parametrize(("view", "base_first"), [(False, True), (True, False)])
@pytest.mark.usefixtures("small_generator")
def test_a_file_and_its_download_are_those_of_the_command(
    view: bool, base_first: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the command names a file as it was given
    stack, plane = Path("mine.nii.gz"), Path("view.nii.gz")
    shutil.copy(FOLDER / SAMPLES[1] / "S_LA.nii.gz", plane)
    read = read_short_axis(FOLDER / SAMPLES[1] / "S_LR_severe.nii.gz")
    labels, affine = read.labels.copy(), read.affine.copy()
    labels[5] = 0  # nobody looked there
    if base_first:
        labels = labels[::-1]
        affine[:3, 3] += (len(labels) - 1) * affine[:3, 0]
        affine[:3, 0] *= -1
    write_volume(LabelVolume(np.ascontiguousarray(labels), affine), stack)
    seen = ["--long-axis", str(plane)] if view else []
    out = tmp_path / "out"
    assert main(["enhance", str(stack), *seen, "--preset", "interactive", "-o", str(out)]) == 0
    session = Session(settings=INTERACTIVE)
    views = (OwnView(plane.name, plane.read_bytes()),) if view else ()
    session.load(OwnFile(stack.name, stack.read_bytes(), views))
    session.advance(1e9)
    expected = written(out)
    del expected["convergence.csv"]
    assert downloads(session, tmp_path / "downloads") == expected


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.usefixtures("small_generator")
def test_a_samples_download_is_what_the_command_writes_where_the_place_is_known(
    view: bool, tmp_path: Path
) -> None:
    settings = replace(INTERACTIVE, iterations=3, far_iterations=3)
    session = Session(ScanSettings(SAMPLES[0], motion=4.0, long_axis=view), settings)
    session.advance(1e9)
    sample = load_sample(SAMPLES[0])
    known = takeaway.enhancement(session)
    shown = known.scan
    stack = replace(sample.stacks["severe"], name=shown.stack.name)
    planes = [replace(sample.S_LA, name=view.name) for view in shown.views]
    scan = Scan.of(stack, *planes, placement=shown.placement)
    G = session.scene.problem.G
    e = judged(enhance(scan, G, settings))
    (tmp_path / "out").mkdir()
    e.write(tmp_path / "out")
    expected = written(tmp_path / "out")
    del expected["convergence.csv"]
    got = downloads(session, tmp_path / "downloads")
    assert got.keys() == expected.keys()
    ours, theirs = (json.loads(files["d.json"]) for files in (got, expected))
    assert ours["L"] == pytest.approx(theirs["L"], abs=2e-3)
    for name in ("d_mm", "d_mean_removed_mm", "d_world_mm", "z"):
        # Rounding in the scanner's frame, carried through 3 iterations.
        np.testing.assert_allclose(ours[name], theirs[name], atol=0.05)
    assert {n: ours[n] for n in ("gauge", "slice_has_tissue", "settings", "placement")} == {
        n: theirs[n] for n in ("gauge", "slice_has_tissue", "settings", "placement")
    }


def test_what_was_left_out_or_dragged_is_so_in_the_files(tmp_path: Path) -> None:
    scan = (
        ScanSettings(SAMPLES[0], motion=0.0, long_axis=False)
        .toggled(0)
        .toggled(5)
        .moved(7, 10.0, 0.0)
    )
    session = Session(scan, INTERACTIVE)
    session.advance(1e9)
    e = takeaway.enhancement(session)
    assert e.d.shape == (13, 2)
    assert not e.d[[0, 5]].any()
    assert not e.scan.stack.labels[[0, 5]].any()
    assert e.d[7, 0] - e.d[6, 0] == pytest.approx(10, abs=3)


def test_a_scan_of_ones_own_is_never_shaken() -> None:
    session = Session(settings=SHORT)
    name = f"{'random_heart'}.nii.gz"
    session.load(OwnFile(name, (FOLDER / SAMPLES[1] / "S_LR_none.nii.gz").read_bytes()))
    before = session.scene.S_LR
    session.scan(ScanSettings(name, motion=4.0, noise=0.2, spacing=6.0))
    np.testing.assert_array_equal(session.scene.S_LR, before)


def test_masks_are_one_map_as_for_the_command() -> None:
    def masks(name: str, *tissues: int) -> bytes:
        image = nibabel.load(FOLDER / SAMPLES[1] / f"{name}.nii.gz")
        each = [np.asarray(image.dataobj) == tissue for tissue in tissues]
        return nibabel.Nifti1Image(np.stack(each, -1).astype(np.uint8), image.affine).to_bytes()

    view = OwnView("la.nii", masks("S_LA", 1, 2, 3))
    for shown in (view, replace(view, content=masks("S_LA", 1, 2))):
        own = OwnScan(OwnFile("masks.nii", masks("S_LR_none", 1, 2, 3), (shown,)))
        assert (own.frames, own.view_frames, own.refused) == ([0], {"la.nii": [0]}, {})
        truth = nibabel.load(FOLDER / SAMPLES[1] / "S_LR_none.nii.gz")
        assert (own.read.stack.labels > 0).sum() == (np.asarray(truth.dataobj) > 0).sum()
        assert len(own.read.views) == 1


@pytest.mark.parametrize("frames", ["one", "as many", "fewer"])
def test_a_view_of_several_frames_is_read_at_the_stacks_or_at_the_one_that_is_chosen(
    frames: str,
) -> None:
    def cine(name: str, labelled: list[int], of: int) -> bytes:
        image = nibabel.load(FOLDER / SAMPLES[1] / f"{name}.nii.gz")
        frame = np.asarray(image.dataobj)
        stacked = [frame if i in labelled else 0 * frame for i in range(of)]
        return nibabel.Nifti1Image(np.stack(stacked, -1), image.affine).to_bytes()

    labelled, of = {"one": ([0], 1), "as many": ([1, 2], 4), "fewer": ([1, 2], 3)}[frames]
    view = OwnView("la.nii", cine("S_LA", labelled, of))
    file = OwnFile("cine.nii", cine("S_LR_none", [1, 2], 4), (view,), frame=2)
    own = OwnScan(file)
    assert own.read.view_readings[0].frame == {"one": 0, "as many": 2, "fewer": 1}[frames]
    assert own.view_frames == {"la.nii": labelled}
    if frames != "one":
        (other,) = OwnScan(replace(file, views=(replace(view, frame=2),))).read.view_readings
        assert other.frame == 2


def test_a_view_that_is_none_leaves_the_other_views_and_is_named() -> None:
    home = FOLDER / SAMPLES[1]
    stack = (home / "S_LR_none.nii.gz").read_bytes()
    four, two = (
        OwnView(f"patient_{name}.nii.gz", (home / f"{file}.nii.gz").read_bytes())
        for name, file in (("LA_4CH", "S_LA"), ("2ch", "S_LA_2ch"))
    )
    broken, none = replace(two, name="broken.nii", content=b"hello"), OwnView("none.nii.gz", stack)
    session = Session(settings=SHORT)
    session.load(OwnFile("mine.nii.gz", stack, (four, broken, replace(two, lacks=("RV",)), none)))
    own = session.scene.subject
    assert isinstance(own, OwnScan)
    assert own.refused.keys() == {"broken.nii", "none.nii.gz"}
    assert all(why.startswith(name) for name, why in own.refused.items())
    assert session.scene.view_names == ("4ch", "2ch")
    assert own.read.lacking == [[], ["RV"]]
    assert [view.lacks for view in session.problem.views] == [(), (3,)]
    session.load(OwnFile("mine.nii.gz", stack, (two,)))
    assert session.scene.view_names == ("2ch",)


# -- texts of another machine ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"iterations": 9}, "ended after 6 iterations here, 9"),
        ({"iterations": 6, "loss": 0.5}, "0.5000 where the state was made"),
        ({"iterations": 6}, ""),
    ],
)
def test_a_text_that_leads_elsewhere_here_is_restored_and_said(
    run: Session, changed: dict, said: str
) -> None:
    run.history.look(99)
    state = json.loads(run.text())
    state["runs"][0] |= changed
    other = Session(ScanSettings(SAMPLES[1]), SHORT)
    otherwise = sentences.otherwise(other.restore(link_of(json.dumps(state))))
    assert said in otherwise
    assert bool(otherwise) == bool(said)
    assert other.history.last == 6
    assert torch.equal(other.step.z, run.step.z)


@pytest.mark.parametrize(
    "change",
    [
        {"runs": []},
        {"active": 3},
        {"scan": {"subject": "healthy_1", "spacing": 0}},
        {"scan": {"subject": "healthy_1", "motion": "much"}},
        {"scan": {"subject": "healthy_1", "by_hand": [3]}},
        {"runs": [{"colour": 9}]},
        {"runs": [{"settings": {"name": "RECOMMENDED", "solver": "magic"}}]},
        {"runs": [{"settings": {"name": "RECOMMENDED", "start": "nowhere"}}]},
        {"scan": {"subject": "somebody"}},
    ],
)
def test_a_text_that_cannot_be_followed_leaves_all_as_it_was(run: Session, change: dict) -> None:
    run.history.look(99)
    state, step, scene = json.loads(run.text()), run.step, run.scene
    runs = change.get("runs")
    if runs:
        change = change | {"runs": [state["runs"][0] | runs[0]]}
    with pytest.raises(saved.NoState):
        run.restore(json.dumps(state | change))
    assert run.step is step
    assert run.scene is scene


# -- names, and how long it may take ---------------------------------------------------------


def test_a_run_is_called_by_the_settings_that_it_ran_with() -> None:
    session = Session(settings=replace(REFERENCE, iterations=500), live=True)
    assert session.now.name == "INTERACTIVE"
    assert [run.name for run in session.now.runs] == ["INTERACTIVE"]
    session.again()
    assert session.now.name == "REFERENCE"
    session.configure(gamma=2.0)
    session.advance()
    assert session.now.name == "REFERENCE"
    session.configure(lr_z=0.05)
    session.advance()
    assert session.now.name == "REFERENCE, changed"
    session.preset("RECOMMENDED")
    session.configure(prior=False)
    assert session.now.runs[-1].name == "RECOMMENDED, changed"


def test_another_generator_begins_another_run_and_each_run_keeps_its_own() -> None:
    session = Session(settings=replace(REFERENCE, iterations=2))
    session.advance(1e9)
    usual = session.step
    session.explain_with("dcgan")
    assert session.now.name == "REFERENCE, changed on dcgan"
    session.advance(1e9)
    assert session.now.at == 2
    assert session.step.z.shape != usual.z.shape or not torch.equal(session.step.z, usual.z)
    field = load_generator("dcgan").decode(session.step.z)
    assert torch.equal(session.now.estimate.field, field)
    assert [len(path) for path in session.now.paths] == [0, 3]
    session.history.choose(0)
    assert session.now.name == "REFERENCE, changed"
    assert torch.equal(session.now.estimate.field, load_generator().decode(usual.z))
    session.again()
    assert session.now.name.endswith("on dcgan")
    session.scan(ScanSettings(SAMPLES[0], 2.0), live=True)
    assert session.now.name == "INTERACTIVE on dcgan"


def test_a_text_names_the_generator_of_each_run_that_has_not_the_usual_one() -> None:
    session = Session(settings=replace(REFERENCE, iterations=2))
    session.advance(1e9)
    session.preset("RECOMMENDED", "dcgan")
    session.advance()
    runs = json.loads(session.text())["runs"]
    assert [run.get("generator") for run in runs] == [None, "dcgan"]
    other = Session()
    assert other.restore(session.text()) == ()
    assert other.text() == session.text()
    assert other.now.name == "RECOMMENDED on dcgan"
    assert torch.equal(other.step.z, session.step.z)
    with pytest.raises(saved.NoState, match="gan"):
        other.restore(session.text().replace("dcgan", "gan"))


def test_how_long_a_run_takes_is_said_by_how_such_runs_end() -> None:
    session = Session(
        settings=replace(SHORT, iterations=120, stop_window=3, stop_dice=0.05, stop_mm=9.0)
    )
    while not session.finished:
        assert session.now.left is None
        session.advance()
    end = session.history.last
    assert end > 5
    session.reset()
    for _ in range(5):
        assert session.now.left is None
        session.advance()
    left = session.now.left
    assert left is not None
    assert left < 3 * (end - 5) * session.step.seconds / 5
    always = Session(settings=replace(REFERENCE, iterations=50))
    for _ in range(5):
        always.advance()
    assert always.now.left is not None


def test_views_that_are_displaced_are_found_and_drawn_beside_the_slices() -> None:
    scan = ScanSettings(SAMPLES[0], motion=4.0, long_axis=3, views_move=True)
    session = Session(scan, INTERACTIVE)
    session.advance(1e9)
    shifts, scene = session.now.shifts, session.scene
    assert scene.view_names == ("4ch", "2ch", "3ch")
    assert len(shifts.estimate) == len(shifts.truth) == len(scene.slices) + 3
    apart = np.linalg.norm((shifts.estimate - shifts.truth)[-3:], axis=1)
    assert np.linalg.norm(shifts.truth[-3:], axis=1).max() > 5
    # Across its own normal a view's displacement goes with where the heart lies.
    assert np.median(apart) < 2.5
    borders = session.now.heart(6, 0.0, coarse=True).outlines.view
    assert np.isnan(borders).any(1).sum() == 1  # between the two that are not the cut
    assert scene.d_LA is not None
    still = Session(replace(scan, views_move=False), INTERACTIVE).scene
    assert still.d_LA is not None
    assert not still.d_LA.any()
    known = load_sample(SAMPLES[0])
    for view, name in zip(still.scan.views, scene.view_names, strict=True):
        np.testing.assert_array_equal(view.labels, known.views[name, "none"].labels)
    for view, name in zip(scene.scan.views, scene.view_names, strict=True):
        assert (view.labels == known.views[name, "severe"].labels).mean() > 0.995


def test_a_view_is_dragged_as_a_slice_is_and_found_where_it_was_dragged_to(
    subject: KnownHeart,
) -> None:
    scan = ScanSettings(SAMPLES[0], motion=1.0, long_axis=2, views_move=True)
    dragged = scan.moved(1, 10.0, -5.0, of="views_by_hand")
    assert dragged.moved(1, 40.0, 0.0, of="views_by_hand").views_by_hand == ((1, 30.0, -5.0),)
    assert dragged.by_itself == scan
    before, after = scene_of(subject, scan), scene_of(subject, dragged)
    assert before.d_LA is not None
    assert after.d_LA is not None
    torch.testing.assert_close((after.d_LA - before.d_LA)[0], torch.tensor([[0, 0], [10.0, -5.0]]))
    one, other = (scene.scan.views[1].labels[0] for scene in (before, after))
    assert (np.roll(one, (8, -4), (0, 1)) == other).mean() > 0.995
    still = scene_of(subject, replace(dragged, views_move=False))
    assert not still.views_may_move
    assert still.d_LA is not None
    assert not still.d_LA.any()

    session = Session(dragged, INTERACTIVE)
    session.advance(1e9)
    estimate, truth = session.now.shifts.estimate[-1], session.now.shifts.truth[-1]
    np.testing.assert_allclose(estimate, truth, atol=2.5)
    # Put back it covers the slices better than as scanned.
    over = session.now.overlay(1)
    agree = [np.mean(a[a > 0] == b[a > 0]) for a, b in (over.scanned, over.put_back)]
    assert agree[1] > agree[0] + 0.05
    again = Session(settings=SHORT)
    again.restore(session.text())
    assert again.scene.settings == dragged
    own = replace(INTERACTIVE, name="mine", iterations=2, views_search_at=(1,), far_iterations=3)
    mine = Session(dragged, own)
    mine.advance(1e9)
    again.restore(mine.text())
    assert again.history.active.settings == own
    assert again.step.loss == mine.step.loss


def test_a_view_of_ones_own_is_dragged() -> None:
    home = FOLDER / SAMPLES[0]
    view = OwnView("la.nii.gz", (home / "S_LA.nii.gz").read_bytes())
    session = Session(settings=SHORT)
    session.load(OwnFile("mine.nii.gz", (home / "S_LR_none.nii.gz").read_bytes(), (view,)))
    labels = session.scene.scan.views[0].labels[0]
    session.scan(session.scene.settings.moved(0, 5.0, 0.0, of="views_by_hand"))
    assert session.scene.views_may_move
    np.testing.assert_array_equal(session.scene.scan.views[0].labels[0], np.roll(labels, 4, 0))


def test_the_lean_is_what_a_drift_along_the_stack_is_of_the_motion_error() -> None:
    leans = []
    for views in (0, 3):
        session = Session(ScanSettings(SAMPLES[3], 4.0, views, views_move=True), INTERACTIVE)
        session.advance(1e9)
        leans.append(session.now.lean)
        said = sentences.lean(session.now)
        assert ("a view sees it" in said) == (views == 0)
    assert leans[0] > 2 * leans[1]
    z, tissue = session.problem.stack.z, session.problem.tissue
    drift = session.now.scene.d + 0.1 * torch.stack([z, 0 * z], dim=-1)
    drifted = replace(
        session.now, estimate=Estimate(replace(session.step, d=drift), session.problem)
    )
    assert drifted.lean == pytest.approx(drifted.motion_error, rel=1e-3)
    assert drifted.lean == pytest.approx(0.1 * float(z[tissue].std(correction=0)), rel=1e-3)


def test_with_views_the_interactive_solution_is_nearly_the_best_one() -> None:
    """And without views it has ten iterations at most, and one search."""
    assert (INTERACTIVE.searches(0), INTERACTIVE.searches(1)) == ((0,), (0, 6))
    trusting = replace(INTERACTIVE, moving_views=False)
    assert trusting.searches(3) == (0,)
    session = Session(ScanSettings(SAMPLES[2], 4.0, 3, views_move=True), INTERACTIVE)
    p = session.problem
    assert next(latent_optimisation(p, trusting)).most == 10
    assert next(latent_optimisation(replace(p, views=()), INTERACTIVE)).most == 10
    session.advance(1e9)
    assert 6 < session.step.iteration <= 14
    assert np.mean([*session.now.dice.values()]) > 0.97
    assert session.now.motion_error < 0.8
