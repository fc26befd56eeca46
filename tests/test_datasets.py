"""Folders of nnU-Net and of BIDS through `srheart cohort`: labels and hearts as they have them."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from srheart_demo.cli import main
from srheart_demo.enhancement.cohort import Cohort
from srheart_demo.enhancement.datasets import Legends, places
from srheart_demo.enhancement.folder import find_subjects
from srheart_demo.scan.labels import parse_convention
from srheart_demo.scan.read import HowToRead, read_scan
from srheart_demo.scan.samples import FOLDER
from srheart_demo.solver.settings import INTERACTIVE

OWN = (7, 5, 3)  # Values of LV, MYO and RV that no order has
TSV = (
    "index\tname\n0\tbackground\n7\tLeft ventricle\n5\tLeft ventricular myocardium\n3\tRV\n9\tLA\n"
)
V2 = {"labels": {"background": 0, "RV": 3, "MLV": 5, "LVC": 7, "aorta": 9}, "file_ending": ".nii"}
V1 = {"labels": {"0": "background", "7": "LVBP", "5": "LV_Myo", "3": "RV"}}


def stack(path: Path, values: tuple[int, int, int] = OWN, name: str = "S_LR_none") -> None:
    """A shipped file, with such values for LV, MYO and RV."""
    image = nibabel.load(FOLDER / "healthy_1" / f"{name}.nii.gz")
    stored = np.array([0, *values], np.int16)[np.asarray(image.dataobj)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(stored, image.affine).to_filename(path)


def say(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


@pytest.mark.parametrize(
    ("legend", "content", "file"),
    [
        ("dataset.json", V2, "labelsTr/case_001.nii.gz"),
        ("dataset.json", V1, "case_001.nii"),
        ("dseg.tsv", TSV, "sub-1/anat/sub-1_desc-heart_dseg.nii.gz"),
        ("sub-1/anat/sub-1_dseg.tsv", "\ufeff" + TSV, "sub-1/anat/sub-1_desc-heart_dseg.nii.gz"),
    ],
)
def test_labels_are_read_by_their_names(
    tmp_path: Path, legend: str, content: object, file: str
) -> None:
    stack(tmp_path / file)
    say(tmp_path / legend, content)
    (subject,) = find_subjects(tmp_path).subjects
    as_told = HowToRead(convention=parse_convention(["LV=7", "MYO=5", "RV=3"]))
    known = read_scan(tmp_path / file, how=as_told).stack
    scan = subject.read()
    np.testing.assert_array_equal(scan.stack.labels, known.labels)
    assert any(Path(legend).name in note for note in scan.notes)


def test_labels_of_a_folder_that_is_given_alone(tmp_path: Path) -> None:
    """nnU-Net's labelsTr, whose legend lies beside it."""
    stack(tmp_path / "labelsTr/case.nii.gz")
    stack(tmp_path / "others/case.nii.gz")
    say(tmp_path / "dataset.json", V2)
    assert find_subjects(tmp_path / "labelsTr").subjects[0].meaning
    assert not find_subjects(tmp_path / "others").subjects[0].meaning


def test_the_legend_that_lies_nearest_and_names_the_most_counts(tmp_path: Path) -> None:
    file = "sub-1/anat/sub-1_desc-heart_dseg.nii.gz"
    for name in ("dseg.tsv", "sub-1/dseg.tsv", "sub-1/anat/desc-heart_dseg.tsv"):
        say(tmp_path / name, TSV)
        found = Legends(tmp_path).of(file)
        assert found
        assert found.file == tmp_path / name
    say(tmp_path / "sub-1/anat/desc-other_dseg.tsv", TSV)
    say(tmp_path / "sub-1/anat/sub-1_desc-heart_dseg.tsv", TSV)
    assert Legends(tmp_path).of(file).file.name == "sub-1_desc-heart_dseg.tsv"
    assert Legends(tmp_path).of("sub-2/anat/sub-2_desc-other_dseg.nii").file.parent == tmp_path


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        [],
        {},
        {"labels": ["LV"]},
        {"labels": {"one": 1, "two": 2}},
        {"labels": {"LV": 1, "MYO": 1, "RV": 3}},
        {"labels": {"LV": 0, "MYO": 1, "RV": 3}},
        {"labels": {"LV": "x", "MYO": 2}},
    ],
)
def test_a_legend_that_does_not_help_is_named_and_labels_are_recognised(
    tmp_path: Path, content: object
) -> None:
    stack(tmp_path / "case.nii.gz", (3, 2, 1))
    say(tmp_path / "dataset.json", content)
    (subject,) = find_subjects(tmp_path).subjects
    assert "dataset.json does not name LV and MYO" in subject.notes_on(HowToRead())[0]
    assert set(np.unique(subject.read().stack.labels)) == {0, 1, 2, 3}


def test_what_the_user_says_counts_more(tmp_path: Path) -> None:
    stack(tmp_path / "case.nii.gz")
    say(tmp_path / "dataset.json", {"labels": {"LV": 3, "MYO": 5, "RV": 7}})
    (subject,) = find_subjects(tmp_path).subjects
    how = HowToRead(convention=parse_convention(["LV=7", "MYO=5", "RV=3"]))
    known = np.asarray(nibabel.load(FOLDER / "healthy_1/S_LR_none.nii.gz").dataobj)
    counts = [int((known == label).sum()) for label in (1, 2, 3)]
    assert [int((subject.read(how).stack.labels == label).sum()) for label in (1, 2, 3)] == counts
    wrong = [int((subject.read().stack.labels == label).sum()) for label in (1, 2, 3)]
    assert wrong == counts[::-1], "as the legend has it"


def test_a_view_whose_labels_mean_another_thing_is_left_out(tmp_path: Path) -> None:
    stack(tmp_path / "sa/p1.nii.gz")
    stack(tmp_path / "la/p1.nii.gz", name="S_LA")
    say(tmp_path / "dataset.json", V2)
    (subject,) = find_subjects(tmp_path).subjects
    assert subject.views == ("la/p1.nii.gz",)
    assert len(subject.read().views) == 1
    say(tmp_path / "la/dataset.json", {"labels": {"LV": 3, "MYO": 5, "RV": 7}})
    (subject,) = find_subjects(tmp_path).subjects
    assert subject.views == ()
    assert "another meaning than the stack's" in subject.notes[0]


def test_another_legend_makes_results_anew(tmp_path: Path) -> None:
    stack(tmp_path / "in/case.nii.gz")
    made = []
    for labels in ({"LV": 7, "MYO": 5, "RV": 3}, {"LV": 3, "MYO": 5, "RV": 7}):
        say(tmp_path / "in/dataset.json", {"labels": labels})
        (subject,) = find_subjects(tmp_path / "in").subjects
        made.append(Cohort(tmp_path / "out", INTERACTIVE).record(subject).made_with)
    assert made[0]["how"] != made[1]["how"]


def test_where_hearts_are_kept() -> None:
    names = ["site/a", "sub-01/anat/sub-01_acq-sax_desc-heart_dseg", "p 2_frame_003",
             "x/sub-3_ses-b_dseg_frame_012"]  # fmt: skip
    assert list(places("nnunet", names).values()) == [
        "site_a.nii.gz",
        "sub-01_anat_sub-01_acq-sax_desc-heart_dseg.nii.gz",
        "p 2_frame_003.nii.gz",
        "x_sub-3_ses-b_dseg_frame_012.nii.gz",
    ]
    assert list(places("bids", names).values()) == [
        "sub-sitea/anat/sub-sitea_desc-srheart_dseg.nii.gz",
        "sub-01/anat/sub-01_acq-sax_desc-srheart_dseg.nii.gz",
        "sub-p2/anat/sub-p2_desc-srheartFrame003_dseg.nii.gz",
        "sub-3/ses-b/anat/sub-3_ses-b_desc-srheartFrame012_dseg.nii.gz",
    ]
    with pytest.raises(ValueError, match="two hearts"):
        places("nnunet", ["a/b", "a_b"])


@pytest.mark.usefixtures("warm_processes")
def test_a_cohort_gives_what_a_cohort_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """nnU-Net's and BIDS's folders of hearts, which are found again with their labels."""
    stack(tmp_path / "in/labelsTr/sub-1.nii.gz")
    say(tmp_path / "in/dataset.json", V2)
    out = tmp_path / "out"
    for layout in ("nnunet", "bids"):
        command = ["cohort", str(tmp_path / "in"), str(out), "--layout", layout]
        assert main([*command, "--preset", "interactive", "--no-surface", "--no-check"]) == 0
        assert str(out / f"S_SR_{layout}") in capsys.readouterr().out
    heart = (out / "labelsTr/sub-1/S_SR.nii.gz").read_bytes()
    told = json.loads((out / "S_SR_nnunet/dataset.json").read_text("utf-8"))
    assert told == {
        "labels": {"background": 0, "LV": 1, "MYO": 2, "RV": 3},
        "file_ending": ".nii.gz",
    }
    assert (out / "S_SR_nnunet/labelsTr_sub-1.nii.gz").read_bytes() == heart
    files = {p.relative_to(out / "S_SR_bids").as_posix() for p in (out / "S_SR_bids").rglob("*.*")}
    kept = "sub-1/anat/sub-1_desc-srheart_dseg.nii.gz"
    assert files == {"dataset_description.json", "dseg.tsv", kept}
    assert (out / "S_SR_bids" / kept).read_bytes() == heart
    about = json.loads((out / "S_SR_bids/dataset_description.json").read_text("utf-8"))
    assert about["DatasetType"] == "derivative"
    for layout in ("nnunet", "bids"):
        (subject,) = find_subjects(out / f"S_SR_{layout}").subjects
        assert subject.meaning
        assert subject.meaning.tissues == {"LV": (1,), "MYO": (2,), "RV": (3,)}
    assert not (out / ".staging").exists()
