"""A cine: one displacement for each breath-hold, muscle of one volume, runs that go on."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from benchmarks.cine import beating, error, restored, scanned, volumes
from srheart_demo.cli import chosen, main
from srheart_demo.cli.enhance import volumes_told
from srheart_demo.enhancement import cycle
from srheart_demo.enhancement.cycle import Beat, Kept, wandering
from srheart_demo.enhancement.enhance import Enhancement
from srheart_demo.heart.generator import load_generator, soft_volumes_ml, to_labels
from srheart_demo.scan.read import HowToRead, read_scan
from srheart_demo.scan.samples import load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.answer import muscle_field
from srheart_demo.solver.cycle import Alone, breath_holds, shared
from srheart_demo.solver.gauge import unseen
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED

SEED = 5_000_502


@pytest.fixture(scope="module")
def ways() -> tuple[dict[str, list[Enhancement]], np.ndarray]:
    """Three frames of a beating heart with a long-axis view, by each way; and the true d."""
    scans, d = scanned(beating(SEED, (0.0, 0.5, 1.0)), SEED, "severe", views=("4ch",))
    return {name: frames for name, _, frames in restored(scans)}, d


def test_one_displacement_for_all_frames_is_no_worse_than_each_frames_own(ways) -> None:
    frames, d = ways
    alone, together = (
        np.mean([error(e, d) for e in frames[name]]) for name in ("alone", "shared d")
    )
    assert together <= alone
    own, *others = frames["shared d"]
    for other in others:
        assert np.array_equal(own.d, other.d)
        assert np.array_equal(own.d_LA, other.d_LA)
    assert not np.array_equal(frames["alone"][0].d, frames["alone"][1].d)


def test_muscle_keeps_its_volume_over_the_cycle_unless_the_settings_let_it_vary(ways) -> None:
    frames, _ = ways
    held, free = (
        wandering(volumes(e.S_SR for e in frames[name])[1].tolist())
        for name in ("shared d and muscle", "shared d")
    )
    assert held < 0.05
    assert held < 0.6 * free


def test_muscle_grows_where_no_slice_tells_of_it_and_not_where_one_does() -> None:
    sample = load_sample("healthy_1")
    stack = sample.stacks["none"]
    thinned = replace(stack, labels=stack.labels[::2].copy())
    thinned.affine[:3, 0] *= 2
    p = Problem.of(Scan.of(thinned), load_generator())
    field = p.G.decode(torch.zeros(1, p.G.latent_size)).detach()
    ml = float(soft_volumes_ml(field)[0, 2])
    more = field + muscle_field(field, p, 1.1 * ml, 0.02)
    assert float(soft_volumes_ml(more)[0, 2]) == pytest.approx(1.1 * ml, rel=0.03)
    assert torch.equal(muscle_field(field, p, ml, 0.02), torch.zeros(1, 4, 32, 1, 1))
    grown = (to_labels(more) != to_labels(field)).sum(axis=(1, 2))
    at = np.linspace(-63, 63, 64)
    slices = np.abs(at[:, None] - p.stack.z.numpy()).min(1)
    between = (slices > 7) & (np.abs(at) < 35)
    assert grown[between].mean() > 2 * grown[(slices < 1.5) & (np.abs(at) < 35)].mean()


def test_frames_agree_on_d_whatever_their_translations_and_which_slices_they_show() -> None:
    """One frame lacks the basal slice, another puts a slice 20 mm off."""
    G = load_generator()
    stack = load_sample("healthy_1").stacks["none"]
    lower = replace(stack, labels=stack.labels.copy())
    lower.labels[np.flatnonzero(stack.labelled)[-1]] = 0
    placed = Scan.of(stack)
    scans = [placed, Scan.of(lower, placement=placed.placement), placed, placed]
    frames, holds = [Problem.of(scan, G) for scan in scans], breath_holds(scans)
    rng = torch.Generator().manual_seed(0)
    d = 3 * torch.randn(stack.shape[0], 2, generator=rng)
    tissue = torch.from_numpy(placed.placement.from_apex(stack.labelled))
    d = (d - d[tissue].mean(0)) * tissue[:, None]
    alone = []
    for p, at in zip(frames, holds, strict=True):
        moved = d[at] + p.carried @ (4 * torch.randn(2, generator=rng))
        alone.append(Alone(torch.zeros(1, G.latent_size), moved[None], 100.0))
    alone[2].d[0, 6] += 20
    for p, known in zip(frames, shared(frames, holds, alone, RECOMMENDED), strict=True):
        assert known.d[0, p.tissue] == pytest.approx(d[: p.stack.K][p.tissue], abs=0.1)
        assert known.muscle_ml == pytest.approx(100)


def test_a_view_is_one_breath_hold_however_it_was_cropped(tmp_path: Path) -> None:
    """Frames of a cropped view get room to other sides, as their own labels touch its edges."""
    sample, files = load_sample("healthy_1"), []
    view = sample.views["4ch", "none"]
    tissue = np.argwhere(view.labels > 0)
    (_, top, left), (_, bottom, right) = tissue.min(0), tissue.max(0)
    cut = (slice(None), slice(top, bottom + 1), slice(left - 5, right + 6))
    affine = view.affine.copy()
    affine[:3, 3] = view.affine[:3, :] @ (0, top, left - 5, 1)
    smaller = view.labels.copy()
    smaller[:, : top + 10] = 0
    for name, frames, at in (
        ("stack", [sample.stacks["none"].labels] * 2, sample.stacks["none"].affine),
        ("4ch", [view.labels[cut], smaller[cut]], affine),
    ):
        files.append(tmp_path / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(np.stack(frames, axis=-1), at), files[-1])
    scans = [read_scan(*files, how=HowToRead(frame=t, view_frame=(t,))) for t in (0, 1)]
    assert scans[0].views[0].shape != scans[1].views[0].shape
    first, second = breath_holds(scans)
    assert first[-1] == second[-1]


def test_a_run_that_was_cut_goes_on_and_ends_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hearts = beating(SEED, (0.0, 1.0))
    scans, _ = scanned(hearts, SEED, "normal")
    cine = np.stack([scan.stack.labels for scan in scans], axis=-1)
    file = tmp_path / "cine.nii.gz"
    nibabel.save(nibabel.Nifti1Image(cine, scans[0].stack.affine), file)
    solved: list[int] = []
    honest, cut = cycle.enhance, [True]

    def enhance(scan: Scan, *rest, **named) -> Enhancement:
        if cut[0] and len(solved) in (1, 4):
            cut[0] = False
            raise KeyboardInterrupt
        solved.append(scan.frame)
        return honest(scan, *rest, **named)

    def run(out: str) -> int:
        given = ["--frames", "all", "--preset", "interactive", "--no-check"]
        try:
            return main(["enhance", str(file), *given, "-o", str(tmp_path / out)])
        except SystemExit as stopped:
            return int(stopped.code or 0)

    monkeypatch.setattr(cycle, "enhance", enhance)
    small = load_generator(latent_size=8)  # of which a posterior is soon found
    monkeypatch.setattr(chosen, "generator", lambda name: small)
    assert run("cut") == 130
    assert "The same command goes on from" in capsys.readouterr().err
    assert run("cut") == 0
    assert solved == [0, 1, 0, 1]
    assert "0 of 2 frames are done" in capsys.readouterr().err
    assert run("cut") == 0
    assert solved == [0, 1, 0, 1]
    assert run("whole") == 0
    for name in ("volumes.csv", "frame_001/S_SR.nii.gz"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    ends = [json.loads((tmp_path / n / "frame_001/d.json").read_text()) for n in ("cut", "whole")]
    assert ends[0]["z"] == ends[1]["z"]
    assert ends[0]["d_mm"] == ends[1]["d_mm"]
    with (tmp_path / "cut" / "volumes.csv").open() as table:
        assert [row["frame"] for row in csv.DictReader(table)] == ["0", "1"]


@pytest.mark.parametrize(("ml", "held"), [((95.0, 105.0), True), ((80.0, 120.0), False)])
def test_muscle_that_no_heart_has_is_not_held(ml: tuple[float, float], held: bool) -> None:
    """Labels whose muscle shrinks by a third are wrong, or of several hearts."""
    G, scan = load_generator(), Scan.of(load_sample("healthy_1").stacks["none"])
    first = cycle.found_alone(cycle.enhance(scan, G, INTERACTIVE))
    kept = cycle.Kept(alone=[first._replace(muscle_ml=own) for own in ml])
    e = next(cycle.restore_cycle([scan, scan], G, INTERACTIVE, kept=kept))
    assert bool(e.last.state.settings.muscle_sd) == held


def test_frames_of_another_cine_do_not_stay_beside_new_ones(tmp_path: Path) -> None:
    kept = Kept.of(tmp_path, {})
    for frame in range(5):
        kept.folder(frame).mkdir()
        (kept.folder(frame) / "S_SR.nii.gz").write_text("")
    (tmp_path / "frame_notes").mkdir()
    inputs = [kept.folder(4) / "S_SR.nii.gz"]
    assert kept.forget_others([], inputs) == []  # Nobody knows whose they are.
    kept.save()
    (tmp_path / "volumes.csv").write_text("")
    assert kept.forget_others([0, 1], inputs) == [kept.folder(2), kept.folder(3)]
    there = {path.name for path in tmp_path.iterdir()}
    ours = {"frame_000", "frame_001", "cycle.json", "volumes.csv"}
    assert there == {*ours, "frame_004", "frame_notes"}
    assert {path.name for path in kept.forget_others([], inputs)} == ours
    assert {path.name for path in tmp_path.iterdir()} == {"frame_004", "frame_notes"}


def test_what_is_told_of_a_cycle_is_of_the_frames_that_there_are() -> None:
    full, empty = (Beat(i, ml, 100.0, ml, 10, 0.0) for i, ml in enumerate((120.0, 60.0)))
    assert [*volumes_told([full, empty], 0)] == [
        f"{side} 120 to 60 ml, ejection fraction 50 %." for side in ("LV", "RV")
    ]
    assert "more may be ejected" in [*volumes_told([full, empty], 3)][-1]
    assert not any("fraction" in line for line in volumes_told([full], 0))


def test_where_a_trusted_view_shows_a_translation_the_shared_d_keeps_it() -> None:
    G, sample = load_generator(), load_sample("healthy_1")
    scan = Scan.of(sample.stacks["none"], sample.views["4ch", "none"])
    p, settings = Problem.of(scan, G), replace(RECOMMENDED, moving_views=False)
    hidden = unseen([view.plane for view in p.views])
    assert 0 < hidden.trace() < 2
    off = torch.tensor([3.0, 5.0])
    d = (p.carried @ off) * p.moves(views=False)[:, None]
    alone = Alone(torch.zeros(1, G.latent_size), d[None], 100.0)
    for known in shared([p, p], breath_holds([scan, scan]), [alone, alone], settings):
        kept = torch.linalg.solve(p.carried[: p.stack.K], known.d[0, : p.stack.K])[p.tissue]
        assert kept == pytest.approx((off - hidden @ off).expand_as(kept), abs=1e-3)
        assert known.translation == pytest.approx(hidden @ off, abs=1e-3)
        assert not known.d[0, p.stack.K :].any()
