"""The heart on the stack's own voxels, as the images are stored, and where somebody looked."""

import json
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

import srheart_demo as sr
from srheart_demo.cli import main
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.samples import FOLDER
from srheart_demo.scan.volume import write_volume


@pytest.mark.parametrize(
    ("axes", "edge"), [((0, 1, 2), 0), ((2, 1, 0), 0), ((2, 0, 1), 0), ((2, 0, 1), 1)]
)
def test_a_mask_lies_on_the_voxels_of_the_file_as_they_are_stored(
    axes: tuple[int, ...], edge: int, tmp_path: Path
) -> None:
    """From base to apex, too, and the displaced slices are where they were scanned.

    Nor does a picture whose edge is that of its labels become another.
    """
    given = nibabel.load(FOLDER / "healthy_1" / "S_LR_severe.nii.gz")
    labels = np.asarray(given.dataobj)[::-1]
    affine = given.affine @ np.diag([-1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] += given.affine[:3, 0] * (len(labels) - 1)
    first = edge * int(np.flatnonzero(labels.any(axis=(0, 2)))[0])
    labels, affine[:3, 3] = labels[:, first:], affine[:3, 3] + affine[:3, 1] * first
    stored = nibabel.Nifti1Image(labels.transpose(axes), affine[:, [*axes, 3]])
    stored.header.set_xyzt_units("mm")
    stored.to_filename(tmp_path / "stack.nii.gz")
    found = sr.enhance(sr.read_scan(tmp_path / "stack.nii.gz"), settings=sr.INTERACTIVE)
    found.write(tmp_path / "out", surface=False, on_stack=True)
    mask = nibabel.load(tmp_path / "out" / "S_stack.nii.gz")
    assert mask.shape == stored.shape
    np.testing.assert_allclose(mask.affine, stored.affine, atol=1e-4)
    assert mean_dice(np.asarray(mask.dataobj), np.asarray(stored.dataobj)) > 0.98


def test_a_sheared_stack_keeps_its_shear_where_readers_look(tmp_path: Path) -> None:
    """A qform cannot hold it, and says nothing then; a reader that prefers one would be misled."""
    volume = sr.load_sample("healthy_1").stacks["none"]
    sheared = volume.affine.copy()
    sheared[:3, 0] += 0.3 * sheared[:3, 1]
    for affine, code in ((volume.affine, 1), (sheared, 0)):
        write_volume(replace(volume, affine=affine), tmp_path / "stack.nii.gz")
        image = nibabel.load(tmp_path / "stack.nii.gz")
        assert int(image.header["qform_code"]) == code
        np.testing.assert_allclose(image.affine, affine, atol=1e-4)
        if code:
            np.testing.assert_allclose(image.get_qform(), affine, atol=1e-3)


def test_what_lies_beyond_the_slices_can_be_had_cut_off(tmp_path: Path) -> None:
    """Of a scan that ends too early, turned over: the base, which the heart itself goes on to."""
    given = nibabel.load(FOLDER / "healthy_1" / "S_LR_severe.nii.gz")
    labels, gap = np.asarray(given.dataobj)[:8][::-1], given.header.get_zooms()[0]
    affine = given.affine @ np.diag([-1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] += given.affine[:3, 0] * 7
    stack, out = tmp_path / "stack.nii.gz", tmp_path / "out"
    short = nibabel.Nifti1Image(labels, affine)
    short.header.set_xyzt_units("mm")
    short.to_filename(stack)
    options = ["--preset", "interactive", "--no-check", "-o", str(out)]
    assert main(["enhance", str(stack), "--unlabelled", "unknown", "--within", *options]) == 0
    whole, cut = (nibabel.load(out / f"{name}.nii.gz") for name in ("S_SR", "S_within"))
    assert f"cut {gap / 2:g} mm beyond" in str(cut.header["descrip"])
    np.testing.assert_array_equal(cut.affine, whole.affine)

    def index_in_stack(labels: np.ndarray) -> np.ndarray:
        voxels = np.argwhere(labels)
        return (np.linalg.inv(affine) @ whole.affine @ np.c_[voxels, 0 * voxels[:, 0] + 1].T)[0]

    before, after = np.asarray(whole.dataobj), np.asarray(cut.dataobj)
    outermost = np.flatnonzero(labels.any((1, 2)))[[0, -1]]
    assert index_in_stack(before).min() < outermost[0] - 1
    kept = index_in_stack(after)
    assert outermost[0] - 0.51 < kept.min() < outermost[0] - 0.2
    assert kept.max() < outermost[1] + 0.51
    first, last = json.loads((out / "d.json").read_text())["S_SR_planes_within"]
    np.testing.assert_array_equal(after[first : last + 1], before[first : last + 1])
    assert not after[:first].any()
    assert not after[last + 1 :].any()


@pytest.mark.parametrize("option", ["--on-stack", "--within"])
def test_of_a_cine_it_is_refused(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack = FOLDER / "healthy_1" / "S_LR_none.nii.gz"
    told = main(["enhance", str(stack), option, "--frames", "all", "-o", str(tmp_path / "o")])
    assert told != 0
    assert option in capsys.readouterr().err
