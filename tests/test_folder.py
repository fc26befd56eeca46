"""What the files of a folder are, as datasets lay them out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from srheart_demo.enhancement.folder import Found, find_subjects
from srheart_demo.enhancement.names import Choice, Pattern
from srheart_demo.files import Unusable
from srheart_demo.scan.samples import FOLDER

FRAMES = 6


@cache
def sample(name: str) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Labels and affine of a shipped file."""
    image = nibabel.load(FOLDER / "healthy_1" / f"{name}.nii.gz")
    return np.asarray(image.dataobj), image.affine


def write(path: Path, what: str) -> None:
    """A file as its description has it, such as ``stack``, ``view picture`` or ``stack 0 3``.

    Whole numbers are the frames, of six, that hold labels.
    """
    kind, *rest = what.split()
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "other":
        path.write_bytes(b"something")
        return
    labels, affine = sample("S_LA" if kind == "view" else "S_LR_none")
    array = labels.astype(np.int16)
    if "acdc" in rest:
        array = np.array([0, 3, 2, 1])[array].astype(np.int16)
    if "two" in rest:
        array[array == 3] = 0
    if "atria" in rest:
        array = np.isin(array, (1, 3)).astype(np.int16)
    if "empty" in rest:
        array[...] = 0
    if "picture" in rest:
        array = (np.random.default_rng(0).normal(100, 30, array.shape) + 50 * array).astype(
            np.int16
        )
    if "cine" in rest:
        array = np.repeat(array[..., None], FRAMES, axis=-1)
    if frames := [int(word) for word in rest if word.isdigit()]:
        whole = np.zeros((*array.shape, FRAMES), np.int16)
        whole[..., frames] = array[..., None]
        array = whole
    content = nibabel.Nifti1Image(array, affine).to_bytes()
    path.write_bytes(content)


def laid_out(root: Path, files: Mapping[str, str]) -> Path:
    """A folder with these files."""
    for name, what in files.items():
        write(root / name, what)
    return root


def subjects(found: Found) -> dict[str, str | None]:
    """Result folder → view."""
    return {subject.name: subject.long_axis for subject in found.subjects}


def kinds(found: Found) -> Counter[str]:
    return Counter(passed.kind for passed in found.passed_over)


def patterns(*texts: str) -> tuple[Pattern, ...]:
    return tuple(map(Pattern, texts))


LAYOUTS: dict[str, tuple[dict[str, str], dict[str, str | None], dict[str, int]]] = {
    "ACDC": (
        {
            "training/patient001/patient001_4d.nii.gz": "stack picture cine",
            "training/patient001/patient001_frame01.nii.gz": "stack picture",
            "training/patient001/patient001_frame01_gt.nii.gz": "stack acdc",
            "training/patient001/patient001_frame12.nii.gz": "stack picture",
            "training/patient001/patient001_frame12_gt.nii.gz": "stack acdc",
            "training/patient001/Info.cfg": "other",
        },
        {
            "training/patient001/patient001_frame01_gt": None,
            "training/patient001/patient001_frame12_gt": None,
        },
        {"picture": 3},
    ),
    "M&Ms": (
        {
            "Training/Labeled/A0S9V9/A0S9V9_sa.nii.gz": "stack picture cine",
            "Training/Labeled/A0S9V9/A0S9V9_sa_gt.nii.gz": "stack 0 3",
            "Training/Unlabeled/B0H7V0/B0H7V0_sa.nii.gz": "stack picture cine",
            "Training/Unlabeled/B0H7V0/B0H7V0_sa_gt.nii.gz": "stack empty cine",
        },
        {
            "Training/Labeled/A0S9V9/A0S9V9_sa_gt_frame_000": None,
            "Training/Labeled/A0S9V9/A0S9V9_sa_gt_frame_003": None,
        },
        {"picture": 2, "file without labels": 1},
    ),
    "M&Ms-2": (
        {
            f"dataset/001/001_{file}.nii.gz": what
            for file, what in {
                "SA_ED": "stack picture",
                "SA_ED_gt": "stack",
                "LA_ED": "view picture",
                "LA_ED_gt": "view",
                "SA_ES": "stack picture",
                "SA_ES_gt": "stack",
                "LA_ES": "view picture",
                "LA_ES_gt": "view",
                "SA_CINE": "stack picture cine",
                "LA_CINE": "view picture cine",
            }.items()
        },
        {
            "dataset/001/001_SA_ED_gt": "dataset/001/001_LA_ED_gt.nii.gz",
            "dataset/001/001_SA_ES_gt": "dataset/001/001_LA_ES_gt.nii.gz",
        },
        {"picture": 6},
    ),
    "ukbb_cardiac": (
        {
            f"1000001/{file}.nii.gz": what
            for file, what in {
                "sa": "stack picture cine",
                "la_4ch": "view picture cine",
                "label_sa_ED": "stack",
                "label_la_4ch_ED": "view",
                "seg_sa_ED": "stack",
                "seg_la_2ch_ED": "view atria",
                "seg_la_4ch_ED": "view two",
                "seg4_la_4ch_ED": "view",
                "seg_sa_ES": "stack",
                "seg_sa": "stack 0 2",
                "seg4_la_4ch": "view 0 2",
            }.items()
        },
        {
            "1000001/label_sa_ED": "1000001/label_la_4ch_ED.nii.gz",
            "1000001/seg_sa_ED": "1000001/seg4_la_4ch_ED.nii.gz",
            "1000001/seg_sa_ES": None,
            "1000001/seg_sa_frame_000": "1000001/seg4_la_4ch.nii.gz",
            "1000001/seg_sa_frame_002": "1000001/seg4_la_4ch.nii.gz",
        },
        {"picture": 2, "view that was not taken": 2},
    ),
    "nnU-Net": (
        {
            "case_0001.nii.gz": "stack acdc",
            "case_0002.nii.gz": "stack acdc",
            "dataset.json": "other",
            "plans.json": "other",
        },
        {"case_0001": None, "case_0002": None},
        {},
    ),
    "nnU-Net's raw folder": (
        {"imagesTr/p_001_0000.nii.gz": "stack picture", "labelsTr/p_001.nii.gz": "stack"},
        {"labelsTr/p_001": None},
        {"picture": 1},
    ),
    "BIDS": (
        {
            "derivatives/sub-01/ses-1/anat/sub-01_ses-1_acq-sax_desc-heart_dseg.nii.gz": "stack",
            "derivatives/sub-01/ses-1/anat/sub-01_ses-1_acq-lax4ch_desc-heart_dseg.nii.gz": "view",
            "derivatives/sub-01/ses-1/anat/sub-01_ses-1_acq-sax_desc-heart_dseg.json": "other",
            "sub-01/ses-1/anat/sub-01_ses-1_acq-sax_cine.nii.gz": "stack picture cine",
        },
        {
            "derivatives/sub-01/ses-1/anat/sub-01_ses-1_acq-sax_desc-heart_dseg": (
                "derivatives/sub-01/ses-1/anat/sub-01_ses-1_acq-lax4ch_desc-heart_dseg.nii.gz"
            )
        },
        {"picture": 1},
    ),
    "plain names": (
        {
            "a.nii": "stack",
            "a_LA.nii.gz": "view",
            "a_LA/e.nii": "stack",
            "deep/b_SA.nii.gz": "stack",
            "deep/b_la.NII.GZ": "view",
            "deep/c.NII": "stack",
            "c_LA.nii.gz": "view",
            "d.nrrd": "other",
            "e.IMG": "other",
            "f.mha": "other",
            "._a.nii": "stack",
            ".trash/d.nii.gz": "stack",
        },
        {
            "a": "a_LA.nii.gz",
            "a_LA/e": None,
            "deep/b_SA": "deep/b_la.NII.GZ",
            "deep/c": None,
        },
        {"view without a stack": 1, "file in another format": 3},
    ),
    "folders of their own": (
        {"sax/p1.nii.gz": "stack", "LAX_4CH/p1.nii.gz": "view", "lax_2ch/P1.nii.gz": "view"},
        {"sax/p1": "LAX_4CH/p1.nii.gz"},
        {"view that was not taken": 1},
    ),
    "a folder for each": (
        {
            "p1/stack.nii.gz": "stack",
            "p1/long-axis.nii.gz": "view",
            "p2/seg.nii.gz": "stack",
            "p2/view_3ch.nii.gz": "view",
            "p3/one.nii.gz": "stack",
            "p3/two.nii.gz": "stack",
            "p3/4ch.nii.gz": "view",
        },
        {
            "p1/stack": "p1/long-axis.nii.gz",
            "p2/seg": "p2/view_3ch.nii.gz",
            "p3/one": None,
            "p3/two": None,
        },
        {"view without a stack": 1},
    ),
    "a site and patients called LA": (
        {
            "LA/p1.nii.gz": "stack",
            "LA/doe_la_sa.nii.gz": "stack",
            "LA/de_la_Cruz.nii.gz": "stack",
            "LA/de_la_Cruz_4CH.nii.gz": "view",
            "LA/p2_2ch_stack.nii.gz": "stack 0 3",
        },
        {
            "LA/p1": None,
            "LA/doe_la_sa": None,
            "LA/de_la_Cruz": "LA/de_la_Cruz_4CH.nii.gz",
            "LA/p2_2ch_stack_frame_000": None,
            "LA/p2_2ch_stack_frame_003": None,
        },
        {},
    ),
    "names with more words": (
        {
            "p1_stack.nii": "stack",
            "p2_stack.nii": "stack",
            "p1_LA.nii": "view",
            "p3.nii": "stack",
            "p3_lax_second-reader.nii": "view",
            "p3_ED.nii": "stack",
            "p4_SA_ED.nii": "stack",
            "p4_SA_ES.nii": "stack",
            "p4_LA.nii": "view",
        },
        {
            "p1_stack": "p1_LA.nii",
            "p2_stack": None,
            "p3": "p3_lax_second-reader.nii",
            "p3_ED": None,
            "p4_SA_ED": None,
            "p4_SA_ES": None,
        },
        {"view without a stack": 1},
    ),
    "other phases": (
        {"p1/seg_sa_ED.nii.gz": "stack", "p1/seg_la_4ch_ES.nii.gz": "view"},
        {"p1/seg_sa_ED": None},
        {"view without a stack": 1},
    ),
    "single planes of another name": (
        {"p1/seg_sa.nii.gz": "stack", "p1/seg_ao.nii.gz": "view"},
        {"p1/seg_sa": None},
        {"view without a stack": 1},
    ),
    "results of an earlier run": (
        {
            "a.nii.gz": "stack",
            "old/a/S_SR.nii.gz": "stack",
            "old/a/S_stack.nii.gz": "stack",
            "old/a/d.json": "other",
            "old/S_SR_nnunet/a.nii.gz": "stack",
            "site/S_stack.nii.gz": "stack",
        },
        {"a": None, "site/S_stack": None},
        {"result": 3},
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_stacks_and_their_views_are_found_and_the_rest_is_counted(
    name: str, tmp_path: Path
) -> None:
    files, expected, rest = LAYOUTS[name]
    found = find_subjects(laid_out(tmp_path / "in", files), tmp_path / "in" / "out")
    assert subjects(found) == expected
    assert kinds(found) == rest
    assert all(passed.why for passed in found.passed_over)


def test_a_view_goes_frame_by_frame_or_not_at_all(tmp_path: Path) -> None:
    def views(stack: str, view: str) -> list[tuple[int | None, int | None]]:
        """The frames of stack and view of each subject that has a view."""
        files = {"a.nii": stack, "a_LA.nii": view}
        found = find_subjects(laid_out(tmp_path, files)).subjects
        for subject in found:
            assert (
                subject.long_axis
                or "nothing says" in "".join(subject.notes)
                or ("no labels" in "".join(subject.notes))
            )
        return [(s.frame, *s.view_frames) for s in found if s.long_axis]

    assert views("stack", "view") == [(None, None)]
    assert views("stack 0 3", "view 0 3 5") == [(0, 0), (3, 3)]
    assert views("stack 0 3", "view 3") == [(3, 3)]
    assert views("stack 0 3", "view") == []
    assert views("stack 3", "view") == [(3, None)]
    assert views("stack", "view 2") == [(None, 2)]
    assert views("stack", "view 2 4") == []


@pytest.mark.parametrize(
    ("choice", "expected", "rest"),
    [
        (Choice(), {"x/p1_sa": "x/p1_4ch.nii"}, {"view without a stack": 1}),
        (
            Choice(views=patterns("{}_AXIAL-long")),
            {"x/p1_sa": None},
            {"file left out by a pattern": 2},
        ),
        (
            Choice(views=patterns("*OTHER")),
            {"x/p1_sa": None},
            {"view without a stack": 1, "file left out by a pattern": 1},
        ),
        (
            Choice(views=patterns("p1_4?h")),
            {"x/p1_sa": "x/p1_4ch.nii"},
            {"file left out by a pattern": 1},
        ),
        (
            Choice(match=patterns("*"), views=patterns("{}_other")),
            {"x/p1_sa": None},
            {"view without a stack": 1, "file left out by a pattern": 1},
        ),
        (
            Choice(match=patterns("x/q*"), views=patterns("*_sa")),
            {},
            {"view without a stack": 1, "file left out by a pattern": 2},
        ),
        (
            Choice(match=patterns("{}_sa"), views=patterns("{}_other.NII")),
            {"x/p1_sa": "x/p1_other.nii"},
            {"file left out by a pattern": 1},
        ),
        (
            Choice(match=patterns("x/{}_sa.nii"), views=patterns("**/{}_*")),
            {"x/p1_sa": "x/p1_4ch.nii"},
            {"view that was not taken": 1},
        ),
        (
            Choice(exclude=patterns("*4CH*")),
            {"x/p1_sa": None},
            {"file left out by a pattern": 1, "view without a stack": 1},
        ),
    ],
)
def test_patterns_say_what_names_do_not(
    choice: Choice, expected: dict[str, str | None], rest: dict[str, int], tmp_path: Path
) -> None:
    files = {"x/p1_sa.nii": "stack", "x/p1_4ch.nii": "view", "x/p1_other.nii": "view"}
    found = find_subjects(laid_out(tmp_path, files), choice=choice)
    assert subjects(found) == expected
    assert kinds(found) == rest


def test_a_pattern_that_no_file_has_is_found(tmp_path: Path) -> None:
    laid_out(tmp_path, {"x/p1_sa.nii": "stack", "x/p1_4ch.nii": "view"})
    choice = Choice(patterns("*_sa", "x"), patterns("*_2ch", "*_4ch"), patterns("y", "x/q*"))
    idle = {("match", "x"), ("views", "*_2ch"), ("exclude", "y"), ("exclude", "x/q*")}
    assert set(find_subjects(tmp_path, choice=choice).idle) == idle
    assert not find_subjects(tmp_path, choice=Choice(exclude=patterns("x"))).idle


@pytest.mark.parametrize(
    ("pattern", "file", "covered"),
    [
        ("*_gt", "a/b_gt.nii.gz", True),
        ("*_GT.nii", "a/b_gt.nii.gz", False),
        ("unlabeled", "Training/Unlabeled/B0/B0_sa.nii", True),
        ("Unlabeled/*", "Training/Unlabeled/B0/B0_sa.nii", True),
        ("Training/*/A?", "Training/Unlabeled/B0/B0_sa.nii", False),
        ("Training/**/*_sa", "Training/Unlabeled/B0/B0_sa.nii", True),
        ("B0", "Training/B0H7/x.nii", False),
        ("p[1]", "p[1].nii", True),
    ],
)
def test_a_pattern_is_of_a_name_or_of_the_end_of_a_path(
    pattern: str, file: str, covered: bool
) -> None:
    assert Pattern(pattern).covers(file) == covered


def test_a_picture_is_told_by_its_first_frame_and_labels_by_all(tmp_path: Path) -> None:
    """So that a cine of pictures is not unpacked whole. Cut off, no more of it can be read."""
    files = {"cine.nii": "stack picture cine", "labels.nii": "stack 0 3"}
    for name in laid_out(tmp_path, files).iterdir():
        content = name.read_bytes()
        name.write_bytes(content[: len(content) // 3])
    found = find_subjects(tmp_path)
    assert [(subject.file, subject.frame) for subject in found.subjects] == [("labels.nii", None)]
    assert kinds(found) == {"picture": 1}


def test_a_mask_for_each_tissue_is_no_frame(tmp_path: Path) -> None:
    for name, source in (("a", "S_LR_none"), ("a_LA", "S_LA")):
        labels, affine = sample(source)
        masks = np.stack([labels == tissue for tissue in (1, 2, 3)], axis=-1).astype(np.uint8)
        nibabel.save(nibabel.Nifti1Image(masks, affine), tmp_path / f"{name}.nii.gz")
    (subject,) = find_subjects(tmp_path).subjects
    assert (subject.name, subject.frame) == ("a", None)
    assert (subject.views, subject.view_frames) == (("a_LA.nii.gz",), (None,))


def test_a_view_that_cannot_be_used_is_no_bad_stack(tmp_path: Path) -> None:
    labels, affine = sample("S_LA")
    odd = np.stack([labels == 1, labels == 3], axis=-1).astype(np.uint8)
    laid_out(tmp_path, {"a.nii": "stack", "b_LA.nii": "view empty", "b.nii": "stack"})
    nibabel.save(nibabel.Nifti1Image(odd, affine), tmp_path / "a_LA.nii")
    found = find_subjects(tmp_path)
    assert subjects(found) == {"a": None, "b": None}
    assert "The view a_LA.nii was left out: " in found.subjects[0].notes[0]
    assert kinds(found) == {"view that was not taken": 1, "file without labels": 1}


def test_a_view_that_cannot_be_read_is_left_out_of_its_stack(tmp_path: Path) -> None:
    """One whose stack is not there may be one: it is tried, and so reported."""
    files = {"p_LA.nii": "other", "p_SA.nii": "stack 0 3", "p_4ch.nii": "view 0 3"}
    found = find_subjects(laid_out(tmp_path, files | {"0_LA.nii": "other", "q.nii": "stack"}))
    alone, *frames, q = found.subjects
    assert (alone.file, q.file, q.notes) == ("0_LA.nii", "q.nii", ())
    for frame in frames:
        assert (frame.file, frame.long_axis) == ("p_SA.nii", "p_4ch.nii")
        assert "The view p_LA.nii was left out: this is not a readable NIfTI" in frame.notes[0]
    assert kinds(found) == {"view that was not taken": 1}
    assert found.passed_over[0].file == "p_LA.nii"


@pytest.mark.parametrize("values", ["float", "rgb", "scaled", "masked", "eight bits"])
def test_pictures_of_any_kind_are_no_failures(values: str, tmp_path: Path) -> None:
    labels, affine = sample("S_LR_none")
    rng = np.random.default_rng(0)
    array = rng.normal(size=labels.shape).astype(np.float32)
    if values == "rgb":
        array = np.zeros(labels.shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    elif values in ("scaled", "masked"):
        array = (1000 + 200 * array).astype(np.int16)
    elif values == "eight bits":
        array = (128 + 30 * array).clip(0, 255).astype(np.uint8)
    if values == "masked":
        array[: len(array) // 2] = 0
    image = nibabel.Nifti1Image(array, affine)
    if values == "scaled":
        image.header.set_slope_inter(0.37, 2.0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    found = find_subjects(tmp_path)
    assert not found.subjects
    assert kinds(found) == {"picture": 1}


def test_labels_that_are_none_are_tried_and_so_reported(tmp_path: Path) -> None:
    """A file that its name calls labels is not passed over for being interpolated or damaged."""
    labels, affine = sample("S_LR_none")
    blurred = labels + np.float32(0.25) * (labels == 2)
    nibabel.save(nibabel.Nifti1Image(blurred, affine), tmp_path / "one_seg.nii")
    (tmp_path / "two.nii").write_bytes(b"no NIfTI")
    assert set(subjects(find_subjects(tmp_path))) == {"one_seg", "two"}


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["a.nii", "a.nii.gz"], "a.nii and a.nii.gz would share"),
        (["a.nii.gz", "a/deep/b.nii"], "a.nii.gz and a/deep/b.nii would share"),
    ],
)
def test_scans_that_would_share_a_folder_are_refused(
    files: list[str], complaint: str, tmp_path: Path
) -> None:
    laid_out(tmp_path, dict.fromkeys(files, "stack"))
    with pytest.raises(Unusable, match=complaint):
        find_subjects(tmp_path)


def test_folders_are_entered_by_links_as_well_each_once(tmp_path: Path) -> None:
    root, other = tmp_path / "in", tmp_path / "elsewhere"
    laid_out(root, {"a/one.nii": "stack"})
    laid_out(other, {"two.nii": "stack", "out/old/three.nii": "stack"})
    laid_out(root, {".store/f/four.nii": "stack"})
    links = {"a/back": root, "b": root / "a", "c": other, "d": other, "f": root / ".store" / "f"}
    for name, target in links.items():
        (root / name).symlink_to(target, target_is_directory=True)
    (root / "e.nii").symlink_to(other / "two.nii")
    (root / "lost.nii").symlink_to(other / "gone.nii")
    found = find_subjects(root, other / "out")
    assert set(subjects(found)) == {"a/one", "c/two", "e", "f/four", "lost"}
    assert "no such file" in found.subjects[-1].notes[0]


def test_a_folder_of_results_may_hold_that_of_the_scans(tmp_path: Path) -> None:
    laid_out(tmp_path, {"in/a.nii": "stack"})
    assert set(subjects(find_subjects(tmp_path / "in", tmp_path))) == {"a"}


def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, because permissions do not bind root."""
    laid_out(tmp_path, {"a/one.nii": "stack", "locked/two.nii": "stack"})
    look = os.scandir

    def refuse(folder: str) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied", folder)
        return look(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    found = find_subjects(tmp_path)
    assert set(subjects(found)) == {"a/one"}
    assert found.rest == "1 folder that cannot be read"
    assert found.passed_over[0].file == "locked"
    assert found.passed_over[0].why == "Permission denied"


def test_pictures_beside_labels_of_the_same_name_do_not_clash(tmp_path: Path) -> None:
    files = {"a.nii": "stack picture", "a.nii.gz": "stack"}
    found = find_subjects(laid_out(tmp_path, files))
    assert [subject.file for subject in found.subjects] == ["a.nii.gz"]
