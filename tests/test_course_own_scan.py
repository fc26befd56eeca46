"""Lesson 9: each typical mistake gets its own sentence; the stranger's scan is the same heart."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from srheart_demo.lessons import own_scan as check
from srheart_demo.lessons.own_scan import disguised, mirrored, shrunk
from srheart_demo.scan.placement import place
from srheart_demo.scan.read import read_frames, survey
from srheart_demo.scan.samples import SAMPLES, load_sample


def by_axis(affine, positive: str = "RAS", negative: str = "LPI") -> str:
    letters = ""
    for column in affine[:3, :3].T:
        i = int(np.abs(column).argmax())
        letters += (negative if column[i] < 0 else positive)[i]
    return letters


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda a: by_axis(a, "LPI", "RAS"), "opposite"),
        (lambda a: by_axis(a, "RAS", "RAS"), "signs"),
        (lambda a: by_axis(np.pad(a[:3, :3].T, (0, 1))), "by rows"),
        (lambda a: "".join("LPI"[i] if a[i, i] < 0 else "RAS"[i] for i in range(3)), "diagonal"),
        (lambda a: by_axis(a)[::-1], "wrong order"),
        (lambda a: "SLA", "for one affine"),
        (lambda a: 7, "a string is wanted, and you return a number"),
    ],
)
def test_orientation(mistake, word: str) -> None:
    verdict = check.orientation(mistake)
    assert not verdict.right
    assert word in verdict.sentence


@pytest.mark.parametrize("right", [by_axis, nibabel.aff2axcodes])
def test_orientation_by_the_greatest_component_or_by_nibabel(right) -> None:
    assert check.orientation(right).right


def in_turn(stored, meaning):
    labels = stored.copy()
    for value, label in meaning.items():
        labels[labels == value] = label
    return labels


def in_place(stored, meaning):
    stored[:] = np.vectorize(lambda v: meaning.get(v, 0))(stored)
    return stored


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (in_turn, "as they were stored"),
        (in_place, "changed too"),
        (lambda s, m: np.vectorize(lambda v: m.get(v, v))(s), "4 and 5"),
        (lambda s, m: np.vectorize({k: v for v, k in m.items()}.get)(s, 0), "backwards"),
        (lambda s, m: np.where(s > 3, 0, s), "dictionary is not used"),
        (
            lambda s, m: np.vectorize(lambda v: m.get(v, 0))(s).ravel(),
            "(3, 8, 8) here, and yours is (192,)",
        ),
        (lambda s, m: np.array([0, 3, 2, 1, 0, 0])[s], "IndexError"),
    ],
)
def test_relabelled(mistake, word: str) -> None:
    verdict = check.relabelled(mistake)
    assert not verdict.right
    assert word in verdict.sentence


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda s, n, a: (s == n).sum() * np.linalg.det(a) / 1000, "never negative"),
        (lambda s, n, a: (s == n).sum() * abs(np.linalg.det(a)), "mm³"),
        (lambda s, n, a: (s == n).sum(), "counts voxels"),
        (lambda s, n, a: (s == n).sum() * abs(np.prod(np.diag(a))) / 1000, "oblique"),
        (
            lambda s, n, a: (s == n).sum() * np.prod(np.linalg.norm(a[:3, :3], axis=1)) / 1000,
            "column j",
        ),
        (lambda s, n, a: (s > 0).sum() * abs(np.linalg.det(a)) / 1000, "all tissues"),
        (lambda s, n, a: (s == 1).sum() * abs(np.linalg.det(a)) / 1000, "another label"),
        (lambda s, n, a: 1.0, "you find"),
    ],
)
def test_volume(mistake, word: str) -> None:
    verdict = check.volume_ml(mistake)
    assert not verdict.right
    assert word in verdict.sentence


def test_a_disguised_scan_is_the_same_heart_in_the_same_place(tmp_path: Path) -> None:
    stack = load_sample(SAMPLES[0]).stacks["none"]
    reading = survey(disguised([stack], tmp_path / "s.nii.gz"))
    assert reading.stored_shape != stack.shape
    assert reading.slice_axis == 1
    found = reading.volume
    for label in (1, 2, 3):
        there, here = (v.points()[v.labels == label] for v in (found, stack))
        assert len(there) == len(here)
        assert there.mean(0) == pytest.approx(here.mean(0), abs=0.01)
        assert np.cov(there.T) == pytest.approx(np.cov(here.T), abs=0.1)


def test_a_mirroring_affine_is_of_the_same_box_and_the_other_hand(tmp_path: Path) -> None:
    stack = load_sample(SAMPLES[0]).stacks["none"]
    wrong = mirrored(stack.affine, stack.shape[2])
    assert np.linalg.det(wrong) == pytest.approx(-np.linalg.det(stack.affine))
    assert wrong @ [0, 0, 127, 1] == pytest.approx(stack.affine @ [0, 0, 0, 1])
    spoiled = survey(disguised([stack], tmp_path / "m.nii.gz", wrong)).volume
    assert place(spoiled).azimuth_deg == pytest.approx(-place(stack).azimuth_deg % 360, abs=1)


def test_frames_become_a_fourth_axis(tmp_path: Path) -> None:
    stack = load_sample(SAMPLES[0]).stacks["none"]
    small = shrunk(stack, 0.8)
    frames = list(read_frames(disguised([stack, small], tmp_path / "c.nii.gz")))
    large, little = (int((r.volume.labels > 0).sum()) for r in frames)
    assert little == pytest.approx(0.64 * large, rel=0.03)
