"""Label values mean what the anatomy says, or what the user says, and never what they cannot."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.conventions import KNOWN, OURS, Convention, parse_convention
from srheart_demo.volume import (
    InvalidVolume,
    LabelVolume,
    read_frames,
    read_long_axis,
    read_short_axis,
    survey,
)

STACK = short_axis_stack(scanner_from_model())
VIEW = long_axis_view(scanner_from_model())


def save(path: Path, volume: LabelVolume, convention: Convention = OURS) -> Path:
    values = np.array([0, convention.LV[-1], convention.MYO[-1], convention.RV[-1]], np.int16)
    nibabel.save(nibabel.Nifti1Image(values[volume.labels], volume.affine), path)
    return path


def cine(path: Path, *frames: LabelVolume) -> Path:
    stacked = np.stack([frame.labels for frame in frames], axis=-1)
    nibabel.save(nibabel.Nifti1Image(stacked, STACK.affine), path)
    return path


def without(volume: LabelVolume, label: int) -> LabelVolume:
    return replace(volume, labels=volume.labels * (volume.labels != label))


@pytest.mark.parametrize("convention", KNOWN, ids=str)
def test_known_conventions_are_recognised(convention: Convention, tmp_path: Path) -> None:
    reading = survey(save(tmp_path / "s.nii", STACK, convention))
    assert reading.convention == convention
    np.testing.assert_array_equal(reading.volume.labels, STACK.labels)
    assert bool(reading.volume.notes) == (convention != OURS)
    view = read_long_axis(save(tmp_path / "v.nii", VIEW, convention))
    np.testing.assert_array_equal(view.labels, VIEW.labels)


def test_a_two_chamber_view_without_rv_is_recognised(tmp_path: Path) -> None:
    for convention in KNOWN:
        two = without(VIEW, 3)
        view = read_long_axis(save(tmp_path / "v.nii", two, convention))
        np.testing.assert_array_equal(view.labels, two.labels)


def test_a_mapping_of_ones_own_takes_the_rest_for_background(tmp_path: Path) -> None:
    values = np.array([0, 500, 200, 600], np.int16)[STACK.labels]
    papillary = (STACK.labels == 1) & (np.arange(80) % 7 == 0)
    values[papillary] = 420
    values[0, :5, :5] = 9
    nibabel.save(nibabel.Nifti1Image(values, STACK.affine), tmp_path / "s.nii")
    own = parse_convention(["MYO=200", "LV=500,420", "RV=600"])
    read = read_short_axis(tmp_path / "s.nii", own)
    np.testing.assert_array_equal(read.labels, STACK.labels)
    assert any("(9)" in note for note in read.notes)


def test_values_of_another_order_are_refused_with_the_right_one(tmp_path: Path) -> None:
    known = {(c.LV, c.MYO, c.RV) for c in KNOWN}
    for lv, myo, rv in permutations((1, 2, 3)):
        order = Convention((lv,), (myo,), (rv,))
        path = save(tmp_path / "s.nii", STACK, order)
        if (order.LV, order.MYO, order.RV) in known:
            read_short_axis(path)
            continue
        with pytest.raises(InvalidVolume, match=f"LV={lv} MYO={myo} RV={rv}"):
            read_short_axis(path)
        np.testing.assert_array_equal(read_short_axis(path, order).labels, STACK.labels)


@pytest.mark.parametrize(
    "words",
    [
        ["LV=1", "MYO=2", "MYO=3"],
        ["LV=1", "MYO=1", "RV=3"],
        ["LV=0", "MYO=2", "RV=3"],
        ["LV=one", "MYO=2", "RV=3"],
        ["1", "2", "3"],
        ["LV=1", "MYO=2"],
    ],
)
def test_a_mapping_that_is_none_is_refused(words: list[str]) -> None:
    with pytest.raises(ValueError, match="say it like"):
        parse_convention(words)


def test_the_only_labelled_frame_is_taken(tmp_path: Path) -> None:
    empty = replace(STACK, labels=np.zeros_like(STACK.labels))
    reading = survey(cine(tmp_path / "s.nii", empty, STACK, empty))
    assert (reading.frame, reading.frames) == (1, 3)
    assert any("frame 1" in note for note in reading.volume.notes)
    np.testing.assert_array_equal(reading.volume.labels, STACK.labels)


def test_a_frame_is_chosen_and_all_are_read(tmp_path: Path) -> None:
    empty = replace(STACK, labels=np.zeros_like(STACK.labels))
    smaller = short_axis_stack(scanner_from_model(), azimuth=270.0)
    path = cine(tmp_path / "s.nii.gz", STACK, empty, smaller)
    np.testing.assert_array_equal(read_short_axis(path, frame=2).labels, smaller.labels)
    assert [reading.frame for reading in read_frames(path)] == [0, 2]
    with pytest.raises(InvalidVolume, match="choose one"):
        read_short_axis(path)
    with pytest.raises(InvalidVolume, match="frames 0 to 2"):
        read_short_axis(path, frame=3)
    with pytest.raises(InvalidVolume, match=r"frame 1: all voxels are 0.* labels are in 0 and 2"):
        read_short_axis(path, frame=1)


def test_slices_without_labels_in_between_are_gaps() -> None:
    labels = STACK.labels.copy()
    labels[[0, 4, 9]] = 0
    volume = replace(STACK, labels=labels)
    assert np.flatnonzero(volume.gaps).tolist() == [4]
    assert np.flatnonzero(~volume.labelled).tolist() == [0, 4, 9]


def test_a_file_may_be_packed_or_not_whatever_its_name(tmp_path: Path) -> None:
    packed = save(tmp_path / "a.nii.gz", STACK)
    plain = save(tmp_path / "b.nii", STACK)
    for path, content in (("c.nii", packed.read_bytes()), ("d.nii.gz", plain.read_bytes())):
        (tmp_path / path).write_bytes(content)
        np.testing.assert_array_equal(read_short_axis(tmp_path / path).labels, STACK.labels)
