"""DICOM SEG in and out, by highdicom: where voxels lie, what segments mean, what it refers to."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import trimesh
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.cli import chosen, main
from srheart_demo.scan.dicom import REFERRED, write_segmentation
from srheart_demo.scan.nifti import Upload, load
from srheart_demo.scan.read import HowToRead, read_scan, read_short_axis, survey
from srheart_demo.scan.samples import FOLDER
from srheart_demo.scan.volume import InvalidVolume, LabelVolume
from srheart_demo.solver.settings import INTERACTIVE

STACK = short_axis_stack(scanner_from_model(), slices=7, spacing=(14.0, 4.0, 4.0), size=28)
NAMES = ("RV", "Left ventricular myocardium", "LV blood pool")
LABELS = np.array([0, 3, 2, 1], np.uint8)  # Ours as those segments


def series(stack: LabelVolume) -> list[pydicom.Dataset]:
    """MR slices, as a scanner leaves them, without their pixels."""
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ stack.affine
    rows, columns = affine[:3, 1], affine[:3, 2]
    of_series, frame, images = hd.UID(), hd.UID(), []
    for k in range(stack.shape[0]):
        image = pydicom.Dataset()
        image.file_meta = pydicom.dataset.FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, hd.UID()
        image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3", of_series
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = frame, ""
        image.PatientID, image.PatientName = "synthetic", "Heart^Synthetic"
        image.PatientBirthDate = image.PatientSex = image.AccessionNumber = image.StudyID = ""
        image.ReferringPhysicianName = image.StudyDate = image.StudyTime = ""
        image.Modality, image.InstanceNumber = "MR", k + 1
        image.Rows, image.Columns = stack.shape[1:]
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated = image.BitsStored = 16
        image.HighBit, image.PixelRepresentation = 15, 0
        image.ImagePositionPatient = (affine @ [k, 0, 0, 1])[:3].tolist()
        along = [direction / np.linalg.norm(direction) for direction in (columns, rows)]
        image.ImageOrientationPatient = np.concatenate(along).tolist()
        image.PixelSpacing = [float(np.linalg.norm(step)) for step in (rows, columns)]
        image.SliceThickness = stack.spacing[0]
        images.append(image)
    return images


def segmentation(
    pixels: np.ndarray,
    images: Sequence[pydicom.Dataset],
    names: Sequence[str] = NAMES,
    kind: str = "BINARY",
) -> hd.seg.Segmentation:
    heart = (codes.SCT.Organ, codes.SCT.Heart)
    segments = [
        hd.seg.SegmentDescription(n, name, *heart, "MANUAL") for n, name in enumerate(names, 1)
    ]
    ids = (hd.UID(), 7, hd.UID(), 1)
    return hd.seg.Segmentation(
        images, pixels, kind, segments, *ids, "maker", "model", "1", "serial"
    )


def content(made: pydicom.Dataset) -> bytes:
    stream = io.BytesIO()
    made.save_as(stream)
    return stream.getvalue()


def seg(**how: object) -> Upload:
    return Upload("SEG.dcm", content(segmentation(LABELS[STACK.labels], series(STACK), **how)))


def assert_same_in_world(found: LabelVolume, true: LabelVolume) -> None:
    """Each labelled voxel has its label at its place, to a hundredth, and there are no others."""
    from_world = np.linalg.inv(found.affine)
    points = true.points()[true.labels > 0]
    index = points @ from_world[:3, :3].T + from_world[:3, 3]
    at = np.rint(index).astype(int)
    np.testing.assert_allclose(index, at, atol=0.01)
    np.testing.assert_array_equal(found.labels[tuple(at.T)], true.labels[true.labels > 0])
    assert np.count_nonzero(found.labels) == len(points)


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL", "LABELMAP"])
def test_a_segmentation_is_read_where_it_lies_and_by_its_names(kind: str) -> None:
    read = read_scan(seg(kind=kind)).stack
    assert_same_in_world(read, STACK)
    assert any("3 LV, 2 MYO, 1 RV (as its segments are named)" in note for note in read.notes)


def test_a_long_axis_view_may_be_one_too() -> None:
    view = long_axis_view(scanner_from_model(), size=60)
    made = segmentation(LABELS[view.labels], series(view))
    scan = read_scan(seg(), Upload("LA.dcm", content(made)))
    assert_same_in_world(scan.views[0], view)
    assert scan.crossing[0]["LV"] > 0.9


def test_names_that_say_nothing_leave_it_to_the_anatomy_and_to_the_user() -> None:
    nameless = seg(names=("a", "b", "c"))
    assert load(nameless).convention is None
    np.testing.assert_array_equal(read_short_axis(nameless).labels, read_short_axis(seg()).labels)
    told = HowToRead(convention=load(seg()).convention)
    wrong = seg(names=("LV", "MYO", "RV"))
    np.testing.assert_array_equal(
        read_short_axis(wrong, told).labels, read_short_axis(seg()).labels
    )


def test_where_segments_lie_over_each_other_the_smallest_counts() -> None:
    """An epicardium that was drawn whole, so that it holds the LV."""
    masks = np.stack([STACK.labels == 1, np.isin(STACK.labels, (1, 2)), STACK.labels == 3], -1)
    made = segmentation(masks.astype(np.uint8), series(STACK), ("LV", "MYO", "RV"))
    found = read_short_axis(Upload("SEG.dcm", content(made)))
    np.testing.assert_array_equal(found.labels, read_short_axis(seg()).labels)


def test_a_slice_that_nobody_outlined_keeps_its_place() -> None:
    """Empty frames are left out of a SEG, but not the distance between the others."""
    pixels = LABELS[STACK.labels]
    pixels[3] = 0
    found = read_short_axis(Upload("SEG.dcm", content(segmentation(pixels, series(STACK)))))
    assert found.spacing[0] == pytest.approx(14.0, rel=1e-4)
    assert found.gaps.sum() == 1


@pytest.mark.parametrize("mm", [0.02, 0.5, 3.0, 12.0])
def test_slices_that_are_shifted_in_their_planes_stay_where_they_lie(mm: float) -> None:
    """As where the field of view followed the heart, and not at right angles to each other."""
    affine = STACK.affine.copy()
    affine[:3, 0] += mm * affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    stack = replace(STACK, affine=affine)
    made = content(segmentation(LABELS[stack.labels], series(stack)))
    found = read_scan(Upload("SEG.dcm", made))
    assert_same_in_world(found.stack, stack)
    assert any("shifted in its plane" in note for note in found.notes) == (mm > 0.2)


@pytest.mark.parametrize("stated", [0.0, 11.0, 28.0])
def test_slices_lie_where_they_lie_whatever_distance_is_stated(stated: float) -> None:
    """As where it is their thickness; and directions may be rounded to a thousandth."""
    made = pydicom.dcmread(io.BytesIO(seg().content))
    (shared,) = made.SharedFunctionalGroupsSequence
    shared.PixelMeasuresSequence[0].SpacingBetweenSlices = stated
    (lies,) = shared.PlaneOrientationSequence
    lies.ImageOrientationPatient = [round(float(x), 3) for x in lies.ImageOrientationPatient]
    found = read_short_axis(Upload("SEG.dcm", content(made)))
    assert found.spacing == pytest.approx(STACK.spacing, rel=1e-3)
    lie = (s.points()[s.labels > 0].mean(axis=0) for s in (found, STACK))
    np.testing.assert_allclose(next(lie), next(lie), atol=0.1)


def altered(**values: object) -> bytes:
    made = pydicom.dcmread(io.BytesIO(seg().content))
    for name, value in values.items():
        setattr(made, name, value)
    return content(made)


def test_what_is_no_stack_of_labels_is_refused_in_a_sentence() -> None:
    whole = seg().content
    image = series(STACK)[0]
    image.file_meta.MediaStorageSOPClassUID = MRImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, image, enforce_file_format=True)
    with pytest.raises(InvalidVolume, match=r"SEG\.dcm: .*modality is MR") as refusal:
        load(Upload("SEG.dcm", stream.getvalue()))
    assert refusal.value.kind == "picture"
    uneven = series(STACK)
    uneven[2].ImagePositionPatient = [9.0, 9.0, 9.0]
    crooked = content(segmentation(LABELS[STACK.labels], uneven))
    aside = series(STACK)
    aside[3].ImagePositionPatient[0] += 1.0
    empty = pydicom.dcmread(io.BytesIO(seg(kind="FRACTIONAL").content))
    empty.compress(pydicom.uid.RLELossless)
    empty.PixelData = pydicom.encaps.encapsulate([b"\0" * 64] * empty.NumberOfFrames)
    film = pydicom.dcmread(io.BytesIO(content(empty)))
    film.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    deflated = whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    cine = pydicom.dcmread(io.BytesIO(whole))
    frames, bits = cine.PerFrameFunctionalGroupsSequence, 28 * 28 * cine.NumberOfFrames
    cine.PerFrameFunctionalGroupsSequence = [*frames, *frames]
    cine.NumberOfFrames, cine.PixelData = 2 * len(frames), 2 * cine.PixelData[: bits // 8]
    for bad, why in [
        (content(cine), "several frames at one place"),
        (whole[: len(whole) // 2], "truncated"),
        (whole[:200], "truncated"),
        (crooked, "evenly spaced"),
        (content(segmentation(LABELS[STACK.labels], aside)), "evenly spaced"),
        (content(film), "packed"),
        (content(empty), "truncated or damaged"),
        (deflated, "deflated"),
        (altered(Rows=65535, Columns=65535), "claims"),
    ]:
        with pytest.raises(InvalidVolume, match=f"SEG.dcm: .*{why}"):
            load(Upload("SEG.dcm", bad))


def test_whatever_bytes_come_it_is_a_scan_or_a_sentence() -> None:
    rng, whole = np.random.default_rng(0), seg().content
    refused = 0
    for _ in range(60):
        bad = bytearray(whole)
        # The header is what misleads; pixels are the end of the file.
        for at in rng.integers(140, rng.choice([3000, len(whole)]), 3):
            bad[at] = rng.integers(256)
        try:
            survey(Upload("SEG.dcm", bytes(bad)))
        except InvalidVolume:  # Any other error fails the test.
            refused += 1
    assert 0 < refused < 60


def test_without_highdicom_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "srheart_demo.scan.dicom")
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InvalidVolume, match="pip install highdicom"):
        load(seg())


def test_a_heart_is_written_where_it_lies_and_refers_to_where_it_came_from(tmp_path: Path) -> None:
    """Its voxels are as large in-plane as those of the source, and its slices are thinner."""
    heart = read_short_axis(FOLDER / "healthy_1" / "S_HR.nii.gz")
    stack = read_short_axis(FOLDER / "healthy_1" / "S_LR_none.nii.gz")
    images = series(stack)
    source = segmentation(LABELS[stack.labels], images)
    (tmp_path / "SEG.dcm").write_bytes(content(source))
    write_segmentation(heart, tmp_path / "SEG.dcm", tmp_path / "S_SR.dcm")
    made = hd.seg.segread(tmp_path / "S_SR.dcm")
    assert [made.get_segment_description(n).segment_label for n in (1, 2, 3)] == ["LV", "MYO", "RV"]
    volume = made.get_volume(combine_segments=True)
    there = LabelVolume(volume.array, volume.get_affine("RAH"))
    assert there.spacing == pytest.approx(heart.spacing, rel=1e-4)
    assert_same_in_world(there, heart)
    assert (made.PatientID, made.StudyInstanceUID) == ("synthetic", "1.2.3")
    assert made.FrameOfReferenceUID == images[0].FrameOfReferenceUID
    referred = {of.SeriesInstanceUID for of in made.ReferencedSeriesSequence}
    assert referred == {source.SeriesInstanceUID, images[0].SeriesInstanceUID}
    assert made.SeriesInstanceUID not in referred


@pytest.mark.parametrize("how", ["without", "empty", "odd"])
def test_a_heart_is_written_whatever_its_source_lacks(how: str, tmp_path: Path) -> None:
    """As one that was made anonymous: of patient and study it has what is there."""
    source = pydicom.dcmread(io.BytesIO(seg().content))
    for name in REFERRED:
        if how == "without":
            delattr(source, name)
        else:
            setattr(source, name, "" if how == "empty" else "X")
    if how == "without":
        del source.FrameOfReferenceUID, source.StudyInstanceUID, source.SeriesInstanceUID
    file, out = tmp_path / "SEG.dcm", tmp_path / "S_SR.dcm"
    file.write_bytes(content(source))
    heart = read_short_axis(file)
    assert_same_in_world(heart, STACK)
    write_segmentation(heart, file, out)
    assert_same_in_world(read_short_axis(out), STACK)
    made = pydicom.dcmread(out)
    assert made.PatientID == ("X" if how == "odd" else "")
    assert not made.PatientBirthDate
    assert not made.PatientSex


def test_enhance_takes_a_segmentation_and_gives_one(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(INTERACTIVE, iterations=2)
    monkeypatch.setattr(chosen, "preset", lambda name: quick)
    # DICOM's files often have no ending, or a wrong one.
    file, out = tmp_path / "scan.nii.gz", tmp_path / "out"
    file.write_bytes(seg().content)
    assert main(["enhance", str(file), "--no-check", "--glb", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "convergence.csv, heart.stl, heart.glb and S_SR.dcm" in said
    heart, as_nifti = (read_short_axis(out / name) for name in ("S_SR.dcm", "S_SR.nii.gz"))
    assert_same_in_world(heart, as_nifti)
    assert json.loads((out / "d.json").read_text())["stack"] == str(file)
    assert set(trimesh.load_scene(out / "heart.glb").geometry) == {"LV", "MYO", "RV"}
    # Nothing of it stays beside the results of another scan.
    other = FOLDER / "healthy_1" / "S_LR_none.nii.gz"
    assert main(["enhance", str(other), "--no-check", "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert [f"Removed {out / name}: " in said for name in ("S_SR.dcm", "heart.glb")] == [True] * 2
    assert {path.name for path in out.iterdir()} == {
        *("S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl")
    }
    frames = ["enhance", str(file), "--glb", "--frames", "all", "-o", str(out)]
    assert main(frames) != 0
    assert "--glb" in capsys.readouterr().err
