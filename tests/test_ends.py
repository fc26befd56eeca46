"""Where the left ventricle ends: its base and its apex, in the heart, in the world, in words."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from simple_heart import LENGTH, heart_labels, scanner_from_model, short_axis_stack
from torch import Tensor

import srheart_demo as sr
from srheart_demo.cli import main
from srheart_demo.enhancement.enhance import Enhancement, sure
from srheart_demo.frame import HR_SPACING, lattice_points
from srheart_demo.heart.ends import ends
from srheart_demo.scan.degradation import one_hot_field
from srheart_demo.scan.samples import FOLDER
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver import uncertainty
from srheart_demo.solver.algorithm import Change, latent_optimisation
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.uncertainty import FROM_ALL_SLICES, heights_sd, laplace
from tests.problems import toy_problem

QUICK = replace(sr.INTERACTIVE, iterations=3)
VOXEL = HR_SPACING[0]


class Always:
    """A generator of one heart."""

    latent_size = 1
    information = torch.eye(1)

    def __init__(self, labels: np.ndarray) -> None:
        self.field = one_hot_field(labels)

    def decode(self, z: Tensor) -> Tensor:
        return self.field + 0 * z.sum()


def cut(top: float = 100.0, bottom: float = -100.0, slope: float = 0.0) -> np.ndarray:
    """A heart of `LENGTH` about 0 on the HR grid, without what lies above and below, mm."""
    points = lattice_points()
    height = points[..., 0] - slope * points[..., 2]
    return heart_labels(points) * ((height < top) & (height > bottom)).astype(np.uint8)


def found(stack: LabelVolume, labels: np.ndarray) -> Enhancement:
    """As if this had been restored of a stack."""
    p = Problem.of(Scan.of(stack), Always(labels))
    return Enhancement(Scan.of(stack), p, [next(latent_optimisation(p, sr.PAPER))])


@pytest.mark.parametrize("height", [5.0, 23.0, 38.0])
def test_a_heart_ends_where_it_is_cut(height: float) -> None:
    base, apex = ends(one_hot_field(cut(top=height, bottom=-height)))[0]
    assert abs(base[0] - height) < VOXEL
    assert abs(apex[0] + height) < VOXEL


def test_a_whole_heart_ends_at_its_base_and_tip_on_its_axis() -> None:
    base, apex = ends(one_hot_field(cut()))[0]
    assert abs(base[0] - LENGTH / 2) < VOXEL
    assert abs(apex[0] + LENGTH / 2) < VOXEL
    # The LV's axis: the simple heart's RV lies at 290° from it, 32 mm off.
    axis = -16 * np.array([np.cos(np.radians(290)), np.sin(np.radians(290))])
    for end in (base, apex):
        np.testing.assert_allclose(end[1:], axis, atol=1)


def test_a_base_that_is_tilted_ends_at_its_mean_height() -> None:
    """On the axis, which lies 15 mm off the map's."""
    slope = np.tan(np.radians(12))
    base, _ = ends(one_hot_field(cut(top=20.0, slope=slope)))[0]
    assert abs(base[0] - (20.0 + slope * 16 * -np.sin(np.radians(290)))) < VOXEL


def test_hearts_are_measured_each_by_itself_and_one_without_lv_has_no_ends() -> None:
    labels = cut(top=20.0)
    fields = torch.cat([one_hot_field(labels), one_hot_field(labels * (labels == 3))])
    both = ends(fields)
    torch.testing.assert_close(both[:1], ends(fields[:1]))
    assert both[1].isnan().all()
    e = found(short_axis_stack(scanner_from_model()), labels * (labels == 3))
    assert (e.ends, e.ends_said) == ({}, "")


def test_ends_lie_beyond_the_slices_or_inside_them() -> None:
    """Slices −25 to 15 mm along the simple heart; the model's frame has their middle at 0."""
    stack = short_axis_stack(scanner_from_model())
    below = replace(stack, labels=stack.labels[2:7].copy())
    below.affine[:3, 3] += 2 * stack.affine[:3, 0]
    e = found(below, cut(top=30.0, bottom=-25.0))
    assert e.ends["base"].beyond_mm == pytest.approx(30 - 20, abs=VOXEL)
    assert e.ends["apex"].beyond_mm == pytest.approx(25 - 20, abs=VOXEL)
    base, apex = (round(e.ends[name].beyond_mm) for name in ("base", "apex"))
    assert e.ends_said == (
        f"The LV's base lies {base} mm beyond the slices that show tissue, its apex {apex} mm"
        " beyond them."
    )
    shorter = found(below, cut(top=8.0, bottom=-25.0))
    assert shorter.ends["base"].beyond_mm == pytest.approx(8 - 20, abs=VOXEL)
    assert "base lies 12 mm inside the slices that show tissue" in shorter.ends_said
    told = replace(shorter, sds={"base": 3.6, "apex": 0.2}).ends_said
    assert "base lies 12 ± 4 mm inside" in told
    assert f"apex {apex} ± 1 mm beyond" in told


@pytest.fixture(scope="module")
def stack() -> LabelVolume:
    """A sample's, whose two highest slices with tissue are left out."""
    given = sr.load_sample("healthy_1").stacks["none"]
    return replace(given, labels=given.labels[: np.flatnonzero(given.labelled)[-2]])


@pytest.fixture(scope="module")
def restored(stack: LabelVolume) -> Enhancement:
    return sr.enhance(Scan.of(stack), settings=QUICK)


def test_the_world_moves_with_the_scan(stack: LabelVolume, restored: Enhancement) -> None:
    """A file with its slices from base to apex has the same ends."""
    moved = np.eye(4)
    moved[:3, :3] = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    moved[:3, 3] = [30.0, -12.0, 7.0]
    turned = replace(stack, labels=stack.labels[::-1].copy(), affine=stack.affine.copy())
    turned.affine[:3, 3] += (len(stack.labels) - 1) * stack.affine[:3, 0]
    turned.affine[:3, 0] *= -1
    for other, way in ((replace(stack, affine=moved @ stack.affine), moved), (turned, np.eye(4))):
        e = sr.enhance(Scan.of(other), settings=QUICK)
        for name, end in restored.ends.items():
            at = way[:3, :3] @ end.world_mm + way[:3, 3]
            np.testing.assert_allclose(e.ends[name].world_mm, at, atol=0.3)
            assert e.ends[name].beyond_mm == pytest.approx(end.beyond_mm, abs=0.3)


def test_the_point_lies_as_far_beyond_the_last_slice_as_it_is_said_to(
    stack: LabelVolume, restored: Enhancement
) -> None:
    along = stack.affine[:3, 0] / np.linalg.norm(stack.affine[:3, 0])
    first, last = (stack.affine[:3, 3] + k * stack.affine[:3, 0] for k in _outermost(stack))
    base, apex = (restored.ends[name] for name in ("base", "apex"))
    assert (base.world_mm - last) @ along == pytest.approx(base.beyond_mm, abs=0.1)
    assert (first - apex.world_mm) @ along == pytest.approx(apex.beyond_mm, abs=0.1)


def _outermost(stack: LabelVolume) -> list[int]:
    return np.flatnonzero(stack.labelled)[[0, -1]].tolist()


def test_the_base_of_a_heart_that_was_not_scanned_to_its_end_is_found(
    stack: LabelVolume, restored: Enhancement
) -> None:
    truth = sr.load_sample("healthy_1").S_HR
    true = ends(one_hot_field(truth.labels))[0, 0]
    true_mm = true[0] + 64 - (0.5 * VOXEL)  # from the first plane of the map
    along = truth.affine[:3, 0] / VOXEL
    base = np.array(restored.ends["base"].world_mm)
    assert restored.ends["base"].beyond_mm > 5
    assert abs((base - truth.affine[:3, 3]) @ along - float(true_mm)) < 10


def test_a_run_without_priors_is_not_said_how_sure_its_ends_are(stack: LabelVolume) -> None:
    e = found(stack, cut())
    assert sure(e) is e
    assert e.ends["base"].sd_mm is None


def test_the_command_says_where_the_heart_ends_and_how_sure_that_is(
    stack: LabelVolume, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_volume(stack, tmp_path / "stack.nii.gz")
    asked = ["enhance", str(tmp_path / "stack.nii.gz"), "--preset", "interactive", "-o"]
    reports, said = [], []
    for out, options in (("sure", []), ("quick", ["--no-check"])):
        assert main([*asked, str(tmp_path / out), *options]) == 0
        said.append(capsys.readouterr().out)
        reports.append(json.loads((tmp_path / out / "d.json").read_text()))
    checked, unchecked = reports
    for name in ("base", "apex"):
        assert checked[name]["sd_mm"] > 0
        assert unchecked[name] == checked[name] | {"sd_mm": None}
        assert name in checked["ends"]
    for tissue, volume in checked["volumes"].items():
        told = re.search(rf"{tissue} (\d+) ± (\d+) ml", said[0])
        assert told
        assert abs(int(told[1]) - volume["ml"]) <= 0.6
        assert int(told[2]) == max(round(volume["sd_ml"]), 1)
        assert unchecked["volumes"][tissue] == volume | {"sd_ml": None}
    assert {*checked["base"]} == {"world_mm", "beyond_mm", "sd_mm"}
    assert all(field in checked["ends"] for field in checked["base"])
    base = checked["base"]
    figure = f"{base['beyond_mm']:.0f} ± {max(base['sd_mm'], 1):.0f} mm beyond"
    assert f"The LV's base lies {figure} the slices that show tissue, its apex" in said[0]
    assert f"The LV's base lies {base['beyond_mm']:.0f} mm beyond" in said[1]


def test_check_says_it_of_its_quick_solve(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(FOLDER / "healthy_1" / "S_LR_none.nii.gz")])
    assert "The LV's base lies " in capsys.readouterr().out


def test_of_a_heart_that_g_does_not_hold_no_draw_tells_where_between_two_slices_it_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    p, _, d = toy_problem()
    run = latent_optimisation(p, replace(sr.RECOMMENDED, iterations=1))
    next(run)
    posterior = laplace(run.send(Change(d=d)), p)
    drawn, beyond = torch.tensor([2.0, 0.0]), torch.tensor([100.0, -60.0])
    torch.testing.assert_close(heights_sd(posterior, beyond, drawn), FROM_ALL_SLICES * drawn)
    heights, trust = torch.tensor([-5.0, 30.0]), torch.full((32,), 0.25)
    monkeypatch.setattr(uncertainty, "trust_in_slices", lambda *_: trust)
    anywhere = torch.full((2,), 14 / 12**0.5 / 2)  # of 14 mm from slice to slice
    expected = (FROM_ALL_SLICES * drawn).hypot(anywhere)
    torch.testing.assert_close(heights_sd(posterior, heights, drawn), expected)
