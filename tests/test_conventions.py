"""Label values mean what the anatomy says, or what the user says, and never what they cannot."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.scan.labels import KNOWN, USUAL_ORDER, Convention, parse_convention
from srheart_demo.scan.read import (
    HowToRead,
    read_frames,
    read_long_axis,
    read_short_axis,
    survey,
    survey_view,
)
from srheart_demo.scan.volume import InvalidVolume, LabelVolume

STACK = short_axis_stack(scanner_from_model())
VIEW = long_axis_view(scanner_from_model())


def save(path: Path, volume: LabelVolume, convention: Convention = USUAL_ORDER) -> Path:
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
    assert bool(reading.volume.notes) == (convention != USUAL_ORDER)
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
    read = read_short_axis(tmp_path / "s.nii", HowToRead(own))
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
        np.testing.assert_array_equal(read_short_axis(path, HowToRead(order)).labels, STACK.labels)


def stored(path: Path, values: NDArray[np.integer], like: LabelVolume = STACK) -> Path:
    nibabel.save(nibabel.Nifti1Image(values.astype(np.int16), like.affine), path)
    return path


def wall(inner: float = 0.0, outer: float = 99.0, half: bool = False) -> NDArray[np.bool_]:
    """Of the stack's wall what lies between two distances from the LV's centre, mm, or half of it,
    away from the RV."""
    part = np.zeros(STACK.shape, bool)
    for k in np.flatnonzero((STACK.labels == 1).any(axis=(1, 2))):
        lv, rv = (np.argwhere(STACK.labels[k] == tissue).mean(axis=0) for tissue in (1, 3))
        offset = (np.indices(STACK.shape[1:]).transpose(1, 2, 0) - lv) * 1.5
        distance = np.linalg.norm(offset, axis=-1)
        lateral = offset @ (lv - rv) > (0.0 if half else 0.6 * distance * np.linalg.norm(lv - rv))
        part[k] = (STACK.labels[k] == 2) & lateral & (distance >= inner) & (distance < outer)
    return part


def disc_above() -> NDArray[np.bool_]:
    """A disc over the LV in the last slices, where the ventricles are cut away."""
    above = np.zeros(STACK.shape, bool)
    lv = np.argwhere(STACK.labels[7] == 1).mean(axis=0)
    near = np.linalg.norm(np.indices(STACK.shape[1:]).transpose(1, 2, 0) - lv, axis=-1) < 14
    above[8:] = near
    return above


def around() -> NDArray[np.bool_]:
    """A shell around the wall."""
    heart = (STACK.labels == 1) | (STACK.labels == 2)
    shell = np.zeros_like(heart)
    for step in range(-5, 6):
        for axis in (1, 2):
            shell |= np.roll(heart, step, axis)
    return shell & ~heart


def no_rv(part: NDArray[np.bool_], cut: bool = False) -> NDArray[np.integer]:
    """The stack without its RV, and 3 for something else."""
    values = np.where(STACK.labels == 3, 0, STACK.labels).astype(np.int16)
    values[8:] *= not cut
    values[part] = 3
    return values


@pytest.mark.parametrize(
    ("values", "says", "means"),
    [
        (no_rv(wall()), "scar", "LV=1 MYO=2,3"),
        (no_rv(wall(half=True)), "scar", "LV=1 MYO=2,3"),
        (no_rv(wall(outer=28.0, half=True)), "scar", "LV=1 MYO=2,3"),
        (no_rv(wall(inner=29.0, half=True)), "scar", "LV=1 MYO=2,3"),
        (no_rv(disc_above(), cut=True), "atrium", "LV=1 MYO=2;"),
        (no_rv(around()), "atrium or a vessel", "LV=1 MYO=2;"),
    ],
    ids=["transmural", "half", "inner", "outer", "atrium", "around"],
)
def test_what_lies_elsewhere_is_no_rv(
    values: NDArray[np.integer], says: str, means: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidVolume, match=f"label 3 .*{says}.*{means}.*label the RV") as refusal:
        survey(stored(tmp_path / "s.nii", values))
    assert refusal.value.remedy == "labels"


def scar_beside(values: dict[int, int], scar: int) -> NDArray[np.integer]:
    mapped = np.array([values[label] for label in range(4)], np.int16)[STACK.labels]
    mapped[wall()] = scar
    return mapped


def papillary() -> NDArray[np.integer]:
    values = STACK.labels.astype(np.int16)
    for k in range(3, 9):
        row, column = np.argwhere(STACK.labels[k] == 1).mean(axis=0).astype(int)
        values[k, row + 6 : row + 10, column : column + 4] = 4
    return values


@pytest.mark.parametrize(
    ("values", "means"),
    [
        (scar_beside({0: 0, 1: 1, 2: 2, 3: 3}, 4), "LV=1 MYO=2,4 RV=3"),
        (scar_beside({0: 0, 1: 500, 2: 200, 3: 600}, 2221), "LV=500 MYO=200,2221 RV=600"),
        (papillary(), "LV=1,4 MYO=2 RV=3"),
    ],
    ids=["scar", "MyoPS", "papillary"],
)
def test_parts_of_a_tissue_are_told_and_taken_by_the_mapping_that_is_told(
    values: NDArray[np.integer], means: str, tmp_path: Path
) -> None:
    path = stored(tmp_path / "s.nii", values)
    with pytest.raises(InvalidVolume, match=f"unknown label values.*{means}") as refusal:
        survey(path)
    assert refusal.value.remedy == "labels"
    volume = read_short_axis(path, HowToRead(parse_convention(means.split())))
    np.testing.assert_array_equal(volume.labels, STACK.labels)
    assert not any("though" in note for note in volume.notes)


def test_a_mapping_against_the_anatomy_is_taken_and_said(tmp_path: Path) -> None:
    path = stored(tmp_path / "s.nii", no_rv(wall()))
    notes = read_short_axis(path, HowToRead(USUAL_ORDER)).notes
    assert any("as it was given, though label 3 lies within the wall" in note for note in notes)
    with pytest.raises(InvalidVolume, match=r"labelled RV \(9\), but values are 1, 2, 3"):
        read_short_axis(path, HowToRead(Convention((1,), (2,), (9,))))


def test_an_atrium_above_the_ventricles_is_background(tmp_path: Path) -> None:
    values = STACK.labels.astype(np.int16)
    values[8:] = 0
    cut = values.copy()
    values[disc_above()] = 4
    volume = read_short_axis(stored(tmp_path / "s.nii", values))
    np.testing.assert_array_equal(volume.labels, cut)
    assert any("(4) were taken for background" in note for note in volume.notes)


def test_what_may_be_an_rv_beside_the_one_that_is_known_is_named(tmp_path: Path) -> None:
    values = STACK.labels.astype(np.int16)
    values[4:7, :16, :16] = 7
    with pytest.raises(InvalidVolume, match="label 7 lies beside the wall, like an RV; by the"):
        survey(stored(tmp_path / "s.nii", values))


def test_a_few_odd_voxels_do_not_change_what_labels_mean(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for convention in KNOWN:
        of = np.array([0, convention.LV[0], convention.MYO[0], convention.RV[0]])
        values = of[STACK.labels]
        odd = rng.random(values.shape) < 0.02
        values[odd] = of[rng.integers(0, 4, odd.sum())]
        assert survey(stored(tmp_path / "s.nii", values)).convention == convention


def view_with_atria(order: dict[int, int]) -> NDArray[np.integer]:
    """The view with 4 the left and 5 the right atrium before its values are changed by `order`."""
    values = VIEW.labels.astype(np.int16)
    rows = np.flatnonzero((VIEW.labels == 1).any(axis=(0, 2)))
    for ventricle, atrium in ((1, 4), (3, 5)):
        base = rows[-1] if VIEW.labels[0, rows[-1]].any() else rows[0]
        columns = np.flatnonzero(VIEW.labels[0, base] == ventricle)
        centre = base + 9, columns.mean()
        disc = np.hypot(*(np.indices(VIEW.shape[1:]).T - centre).T) < 10
        values[0][disc & (values[0] == 0)] = atrium
    return np.array([order.get(v, 0) for v in range(6)], np.int16)[values]


SEEN = {
    "1 to 5": ({1: 1, 2: 2, 3: 3, 4: 4, 5: 5}, (1, 2, 3)),
    "UK Biobank's and a left atrium": ({1: 1, 2: 2, 3: 4, 4: 3}, (1, 2, 4)),
    "ACDC's and atria": ({1: 3, 2: 2, 3: 1, 4: 4, 5: 5}, (3, 2, 1)),
    "two chambers": ({1: 1, 2: 2}, (1, 2, None)),
    "two chambers, the left atrium 3": ({1: 1, 2: 2, 4: 3}, (1, 2, None)),
    "two chambers, the left atrium 4": ({1: 1, 2: 2, 4: 4}, (1, 2, None)),
}


@pytest.mark.parametrize("name", SEEN)
def test_labels_of_a_view_are_its_own_and_atria_are_background(name: str, tmp_path: Path) -> None:
    order, (lv, myo, rv) = SEEN[name]
    reading = survey_view(stored(tmp_path / "v.nii", view_with_atria(order), VIEW))
    assert reading.convention.tissues == {
        "LV": (lv,),
        "MYO": (myo,),
        "RV": (rv,) * (rv is not None),
    }
    right = VIEW.labels * (VIEW.labels != (3 if rv is None else 9))
    np.testing.assert_array_equal(reading.volume.labels, right)
    said = " ".join(reading.volume.notes)
    assert ("taken for background" in said) == bool({4, 5} & order.keys())
    assert ("No RV is labelled" in said) == (rv is None)
    assert all(note.startswith("v.nii: ") for note in reading.volume.notes)


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({4: 1, 5: 2}, "atria alone"),
        ({4: 1}, "an atrium"),
        ({1: 1}, "one structure"),
        ({3: 1, 5: 2}, "no ventricle in its wall"),
        ({1: 2, 2: 1, 3: 3}, "LV=2 MYO=1 RV=3"),
        ({1: 2, 2: 3, 3: 4, 4: 1, 5: 5}, "LV=2 MYO=3 RV=4"),
    ],
)
def test_a_view_without_a_known_ventricle_is_refused_as_a_view(
    order: dict[int, int], says: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidVolume, match=says) as refusal:
        read_long_axis(stored(tmp_path / "v.nii", view_with_atria(order), VIEW))
    # What a single value means helps nobody; two may be a ventricle in its wall.
    assert refusal.value.remedy == ("labels" if len(order) > 1 else "")
    assert ("leave this view out" in str(refusal.value)) == (len(order) == 1)
    assert "stack" not in str(refusal.value)


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


def test_of_views_without_an_rv_a_mapping_is_as_messages_say_it() -> None:
    said = Convention((5,), (7,), ()).as_option()
    assert said == "LV=5 MYO=7"
    assert parse_convention(said.split(), of_view=True) == Convention((5,), (7,), ())


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
    np.testing.assert_array_equal(read_short_axis(path, HowToRead(frame=2)).labels, smaller.labels)
    assert [reading.frame for reading in read_frames(path)] == [0, 2]
    said = r"2 of 3 frames \(0 and 2, counted.*choose one"
    with pytest.raises(InvalidVolume, match=said) as choice:
        read_short_axis(path)
    assert choice.value.kind == "several frames"
    with pytest.raises(InvalidVolume, match="frames 0 to 2"):
        read_short_axis(path, HowToRead(frame=3))
    with pytest.raises(InvalidVolume, match=r"frame 1: all voxels are 0.* labels are in 0 and 2"):
        read_short_axis(path, HowToRead(frame=1))


def test_a_bad_frame_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    halves = STACK.labels * (np.arange(80) < 60)
    stacked = np.stack([STACK.labels, STACK.labels, halves, STACK.labels], axis=-1).astype(float)
    stacked[..., 1] *= 0.5
    stacked[..., 2][stacked[..., 2] == 3] = 0
    path = tmp_path / "s.nii"
    nibabel.save(nibabel.Nifti1Image(stacked, STACK.affine), path)
    frames = list(read_frames(path))
    assert [isinstance(frame, InvalidVolume) for frame in frames] == [False, True, True, False]
    assert f"{path}: frame 1: some values are not whole" in str(frames[1])
    assert f"{path}: frame 2: no voxel is labelled RV (3)" in str(frames[2])


def of_tissues(*masks: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.stack(masks, axis=-1).astype(np.uint8)


LV, MYO, RV = (STACK.labels == label for label in (1, 2, 3))
MASKS = {
    "one-hot": of_tissues(LV, MYO, RV),
    "with background": of_tissues(STACK.labels == 0, RV, MYO, LV),
    "as vectors": of_tissues(LV, MYO, RV)[..., None, :],
    "of 255": 255 * of_tissues(MYO, LV, RV),
    "layers": of_tissues(LV | MYO, LV, RV) * np.array([1, 2, 3], np.uint8),
    "heart, epicardium, LV": of_tissues(STACK.labels > 0, LV | MYO, LV),
}


@pytest.mark.parametrize("name", MASKS)
def test_a_further_axis_of_masks_is_tissues_not_time(name: str, tmp_path: Path) -> None:
    path = stored(tmp_path / "s.nii", MASKS[name])
    volume = read_short_axis(path)
    np.testing.assert_array_equal(volume.labels, STACK.labels)
    assert any("masks of tissues" in note for note in volume.notes)
    (only,) = read_frames(path)
    assert not isinstance(only, InvalidVolume)


@pytest.mark.parametrize("masks", [(LV, LV, LV), (LV | MYO | RV, LV, LV | MYO, LV), (LV, RV)])
def test_masks_that_are_no_heart_are_refused_with_what_to_do(
    masks: tuple[NDArray[np.bool_], ...], tmp_path: Path
) -> None:
    moved = [np.roll(mask, 12 * i, axis=1) for i, mask in enumerate(masks)]
    with pytest.raises(InvalidVolume, match="merge the masks of all tissues into one map"):
        read_short_axis(stored(tmp_path / "s.nii", of_tissues(*moved)))


@pytest.mark.parametrize("mask", [LV, 2 * MYO, 255 * RV])
def test_a_mask_of_one_tissue_is_told(mask: NDArray[np.integer], tmp_path: Path) -> None:
    with pytest.raises(InvalidVolume, match=r"mask of one structure.*merge the masks"):
        read_short_axis(stored(tmp_path / "s.nii", mask))


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
