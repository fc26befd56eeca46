"""``srheart experiment rivals``: other methods' answers from a folder, scored as ours are."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simple_heart import scanner_from_model, short_axis_stack

from srheart_demo.cli import main
from srheart_demo.scan.volume import LabelVolume, write_volume

WORLD = scanner_from_model()
TRUE = short_axis_stack(WORLD, 55, (2.0, 1.5, 1.5))


def lay(folder: Path, **answers: LabelVolume) -> list[str]:
    """A folder with a true heart, its stack and answers, and the command that scores them."""
    folder.mkdir()
    write_volume(TRUE, folder / "7_truth_HR.nii.gz")
    # A slice at every fifth plane, but for the topmost with tissue.
    affine = TRUE.affine.copy()
    affine[:3, 0] *= 5
    write_volume(LabelVolume(TRUE.labels[:50:5], affine), folder / "7_rest_SA.nii.gz")
    for name, answer in answers.items():
        write_volume(answer, folder / f"7_rest_{name}_prediction_HR.nii.gz")
    out = folder.with_name("out")
    return ["experiment", "rivals", str(folder), "--methods", "NN", "-o", str(out)]


def test_an_answer_is_scored_by_its_place_its_tissues_and_its_pieces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = replace(TRUE, labels=np.roll(TRUE.labels, (3, -2), axis=(1, 2)))
    labels = np.where(TRUE.labels == 3, np.uint8(0), TRUE.labels)
    labels[27, 2, 2] = 2
    labels[:, :, :50][labels[:, :, :50] == 1] = 0
    command = lay(tmp_path / "in", moved=moved, poor=replace(TRUE, labels=labels))
    (tmp_path / "in" / "notes.txt").write_text("by hand")
    assert main(command) == 0
    assert "passed over: notes.txt" in capsys.readouterr().err
    with (tmp_path / "out" / "results.csv").open(newline="") as file:
        found = {row["method"]: row for row in csv.DictReader(file)}
    assert [*found] == ["moved", "poor", "NN"]
    for of in ("dice_LV", "dice_RV", "inside_dice_MYO", "outside_dice_mean"):
        assert float(found["moved"][of]) == 1.0
    poor = found["poor"]
    assert poor["dice_RV"] == ""
    assert float(poor["inside_dice_LV"]) < 0.9 < float(poor["inside_dice_MYO"])
    assert float(poor["inside_dice_mean"]) == pytest.approx(
        (float(poor["inside_dice_LV"]) + float(poor["inside_dice_MYO"])) / 2, abs=1e-4
    )
    assert (poor["pieces"], poor["open_lv"]) == ("1", "1")
    assert (found["moved"]["pieces"], found["moved"]["open_lv"]) == ("0", "0")
    assert 0.5 < float(found["NN"]["inside_dice_mean"]) < 1.0
    assert float(found["NN"]["outside_dice_mean"]) < float(found["NN"]["inside_dice_mean"])
    assert "| poor |" in (tmp_path / "out" / "summary.md").read_text()


def test_an_answer_that_lies_elsewhere_is_no_answer(tmp_path: Path) -> None:
    affine = TRUE.affine.copy()
    affine[:3, 3] += 2.0
    assert main(lay(tmp_path / "in", off=replace(TRUE, affine=affine))) == 0
    assert "voxels do not lie where those of" in (tmp_path / "out" / "summary.md").read_text()


def test_a_folder_without_rivals_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path, tmp_path / "missing"):
        assert main(["experiment", "rivals", str(folder), "-o", str(tmp_path / "out")]) == 2
        assert "SUBJECT_SCAN_SA" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
