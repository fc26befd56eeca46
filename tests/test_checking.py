"""What `srheart check` says of scans that are known, and of some that are wrong on purpose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from benchmarks.check import ODD, scan
from srheart_demo.cli import main
from srheart_demo.enhancement.check import judged, report_on
from srheart_demo.enhancement.enhance import enhance
from srheart_demo.enhancement.quantities import (
    QUANTITIES,
    Grade,
    Range,
    judge,
    measured,
    of_heart,
)
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.placement import AUTOMATIC, ByHand
from srheart_demo.scan.read import read_scan
from srheart_demo.scan.samples import FOLDER, load_sample
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver.settings import INTERACTIVE, PAPER

SCAN = FOLDER / "healthy_1" / "S_LR_normal.nii.gz"


def worst(stack: LabelVolume, by_hand: ByHand = AUTOMATIC) -> Grade:
    return max(
        m.verdict for m in judge(measured(Scan.of(stack, by_hand=by_hand), load_generator()))
    )


def test_a_sample_lies_inside_what_the_prior_knows() -> None:
    report = report_on(read_scan(SCAN), load_generator())
    assert report.verdict == Grade.FINE
    assert not report.reasons
    assert {m.name for m in report.measures} == set(QUANTITIES)
    assert report.facts["labelled_slices"] == list(range(1, 11))
    assert report.facts["slice_order"] == "apex to base"


def test_what_speaks_against_the_scan_speaks_against_its_heart() -> None:
    doubtful = replace(read_scan(SCAN), doubts=("The view shows another heart.",))
    report = report_on(doubtful, load_generator())
    assert report.verdict == Grade.DISTRUST
    assert report.reasons == doubtful.doubts


def test_a_heart_that_is_unlike_its_scan_is_not_to_be_trusted() -> None:
    """PAPER hardly leaves z = 0; a quick solve of the same scan does better."""
    G, scan = load_generator(), read_scan(SCAN)
    found = enhance(scan, G, replace(PAPER, iterations=3))
    assert found.trust is None
    trust = judged(found).trust
    assert trust is not None
    assert trust.verdict == "distrust"
    assert "outlines" in trust.reasons[0]


WRONG = {"mirrored": 31_000, "LV and RV exchanged": 31_000, "blobs": 20_001}
"""The last cannot be measured as a heart."""


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_not_to_be_trusted(what: str) -> None:
    stack, by_hand = ODD[what](WRONG[what])
    assert worst(stack, by_hand) == Grade.DISTRUST


def test_the_same_scan_unharmed_is_no_worse_than_unusual() -> None:
    assert worst(scan(31_000)) < Grade.DISTRUST


def test_a_mirrored_picture_is_put_right_by_hand() -> None:
    """Where the affine does not say how the scanner lay, only the heart's form can tell."""
    mirrored, _ = ODD["mirrored, spacing only"](31_001)
    as_it_is = measured(Scan.of(mirrored), load_generator())
    by_hand = measured(Scan.of(mirrored, by_hand=ByHand(mirror=True)), load_generator())
    assert as_it_is["mirrored"] > QUANTITIES["mirrored"].usual.most
    assert by_hand["mirrored"] == pytest.approx(-as_it_is["mirrored"], abs=1.0)


def test_slices_apart_are_judged_alike_as_gaps_and_as_a_file_of_their_own() -> None:
    volume = read_scan(SCAN).stack
    first, step = np.eye(4), np.diag([2.0, 1.0, 1.0, 1.0])
    first[0, 3] = 1
    apart = replace(volume, labels=volume.labels[1:10:2], affine=volume.affine @ first @ step)
    with_gaps = replace(volume, labels=volume.labels[1:10].copy(), affine=volume.affine @ first)
    with_gaps.labels[1::2] = 0
    short = replace(INTERACTIVE, iterations=2)
    a, b = (enhance(Scan.of(stack), load_generator(), short) for stack in (apart, with_gaps))
    assert of_heart(a) == pytest.approx(of_heart(b), nan_ok=True)
    assert np.array_equal(a.planes_within, b.planes_within)


def test_a_range_judges_its_ends() -> None:
    known = Range(low=2.0, high=5.0, least=1.0, most=6.0)
    verdicts = {2.0: 0, 5.0: 0, 1.5: 1, 5.5: 1, 0.9: 2, 6.1: 2, np.nan: 2}
    assert {value: int(known.grade(value)) for value in verdicts} == verdicts


def test_too_good_is_not_suspicious() -> None:
    (found,) = judge({"outlines": 0.0})
    assert found.verdict == Grade.FINE


def test_what_was_found_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack = short_axis_stack(scanner_from_model())
    labels = np.array([0, 3, 2, 1], np.uint8)[stack.labels]
    labels[4] = 0
    apex = 9 - np.flatnonzero(stack.labelled)[0]
    write_volume(replace(stack, labels=labels[::-1].copy()), tmp_path / "s.nii.gz")
    assert main(["check", str(tmp_path / "s.nii.gz"), "--no-solve"]) == 0
    said = capsys.readouterr().out
    for words in ("ACDC", "slices 5 hold none", f"apex is at slice {apex}", "not for clinical use"):
        assert words in said
    assert "Verdict" not in said


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.nii.gz"
    bad.write_bytes(b"no scan")
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(SCAN), str(bad), "--json"])
    output = capsys.readouterr()
    good, refused = json.loads(output.out)["files"]
    assert good["verdict"] == "fine"
    assert set(good["measures"]) == set(QUANTITIES)
    assert good["measures"]["LV volume"]["value"] == pytest.approx(120, rel=0.15)
    assert refused["error"].startswith(str(bad))
    assert output.err.count(str(bad)) == 1


def test_the_exit_status_says_that_a_heart_is_not_to_be_trusted(tmp_path: Path) -> None:
    stack, _ = ODD["slices twice as far apart"](31_002)
    write_volume(stack, tmp_path / "s.nii.gz")
    with pytest.raises(SystemExit, match="1"):
        main(["check", str(tmp_path / "s.nii.gz")])


def test_a_view_belongs_to_one_scan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_volume(long_axis_view(scanner_from_model()), tmp_path / "view.nii.gz")
    view = ["--long-axis", str(tmp_path / "view.nii.gz")]
    assert main(["check", str(SCAN), str(SCAN), *view]) == 2
    assert "check that scan alone" in capsys.readouterr().err


def test_a_slice_and_a_view_that_lie_far_off_are_named() -> None:
    sample = load_sample("healthy_1")
    stack = sample.stacks["none"]
    labels = stack.labels.copy()
    labels[5] = np.roll(labels[5], (13, 9), axis=(0, 1))
    view = sample.views["2ch", "none"]
    moved = replace(view, labels=np.roll(view.labels, 12, axis=2), name="two chambers.nii.gz")
    report = report_on(Scan.of(replace(stack, labels=labels), sample.S_LA, moved), load_generator())
    said = [sentence for sentence in report.besides if "went astray" in sentence]
    assert [sentence.split(" lies ")[0] for sentence in said] == ["Slice 5", "two chambers.nii.gz"]
    assert not [s for s in report_on(Scan.of(stack), load_generator()).besides if "astray" in s]


def test_a_slice_of_next_to_no_tissue_is_not_said_to_be_astray() -> None:
    """In a whole heart of 2 mm planes the last may show a tip of the RV, and little tells where."""
    S_HR = load_sample("healthy_2").S_HR
    labels = S_HR.labels.copy()
    k = np.flatnonzero(S_HR.labelled)[-1]
    labels[k] = np.roll(labels[k], (12, 12), axis=(0, 1))
    heart = enhance(Scan.of(replace(S_HR, labels=labels)), settings=INTERACTIVE)
    assert np.hypot(*heart.d[k]) > 10
    assert heart.astray == ()
