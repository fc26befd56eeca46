import hashlib

import numpy as np
import pytest

from srheart_demo.frame import HR_SHAPE, HR_SPACING
from srheart_demo.scan.degradation import MOTION_LEVELS
from srheart_demo.scan.samples import FOLDER, SAMPLES, load_sample, make_samples
from srheart_demo.scan.simulate import scanner_frame


def checksums(folder) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_the_samples_are_made_again_byte_for_byte(tmp_path):
    make_samples(tmp_path)
    assert checksums(tmp_path) == checksums(FOLDER)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_complete_and_consistent(name):
    sample = load_sample(name)
    assert sample.S_HR.shape == HR_SHAPE
    assert sample.S_HR.spacing == pytest.approx(HR_SPACING, abs=1e-4)
    assert set(sample.stacks) == set(MOTION_LEVELS)
    still = sample.stacks["none"]
    np.testing.assert_array_equal(still.labels, sample.S_HR.labels[2::5])
    np.testing.assert_allclose(still.points()[3], sample.S_HR.points()[17], atol=1e-3)
    assert (sample.stacks["severe"].labels != still.labels).any()
    assert sample.S_LA.shape[0] == 1
    assert np.linalg.det(sample.S_HR.affine[:3, :3]) < 0
    lengths = np.linalg.norm(sample.d("severe"), axis=1)
    np.testing.assert_allclose(lengths, 4 * np.abs(sample.motion.amplitude), rtol=1e-5)


def test_the_long_axis_view_lies_in_the_heart():
    sample = load_sample(SAMPLES[0])
    world = sample.S_LA.points()[0]
    inverse = np.linalg.inv(sample.S_HR.affine)
    index = np.rint(world @ inverse[:3, :3].T + inverse[:3, 3]).astype(int)
    inside = ((index >= 0) & (index < HR_SHAPE)).all(-1)
    nearest = sample.S_HR.labels[tuple(np.moveaxis(index * inside[..., None], -1, 0))] * inside
    assert (nearest == sample.S_LA.labels[0]).mean() > 0.98


def test_scanner_frames_mirror_as_real_hearts_do():
    for seed in range(20):
        frame = scanner_frame(seed)[:3, :3]
        np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-5)
        assert np.linalg.det(frame) == pytest.approx(-1, abs=1e-5)


def test_an_unknown_sample_lists_the_known_ones():
    with pytest.raises(KeyError, match="healthy_1"):
        load_sample("nobody")
