"""Experiments as a library: what is hidden, what is scored, what is in bold, what is kept."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from simple_heart import heart_labels, scanner_from_model, short_axis_stack
from torch import Tensor

from srheart_demo.experiments.ablation import Gap, dice_at_best_shifts
from srheart_demo.experiments.cases import (
    CLINICAL_NOISE,
    Case,
    HeldOut,
    clinical,
    drawn_heart,
    read_heart,
    simulated,
)
from srheart_demo.experiments.methods import (
    LADDER,
    METHODS,
    LatentOptimisation,
    Restoration,
    method,
    weights_in_use,
)
from srheart_demo.experiments.real_stacks import HiddenSlices, hide, on_hidden_slices, score_hidden
from srheart_demo.experiments.runner import Experiment, Task, measure_all
from srheart_demo.experiments.scoring import COLUMNS, apart, sampled, score
from srheart_demo.experiments.summary import PRINTED, Plot, paired_interval, top_two
from srheart_demo.experiments.tables import Cell, Results, Table
from srheart_demo.frame import HR_SHAPE
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.long_axis import BY_WORTH
from srheart_demo.scan.placement import is_on_hr_grid, on_hr_grid
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, write_volume
from srheart_demo.solver import best_code
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import REFERENCE
from srheart_demo.solver.workers import WorkerDied

SEED = 5_000_007


@pytest.fixture(scope="module")
def case() -> Case:
    return simulated(drawn_heart("healthy", SEED), "severe", SEED)


def oracle(case: Case, by: Tensor) -> Restoration:
    """The true heart moved by `by` mm along H and W, as a method would give it."""

    def at(points: Tensor) -> NDArray[np.uint8]:
        model = points.double().numpy() - [0.0, *by.tolist()]
        frame = case.scan.placement.world_from_model
        index_from_model = np.linalg.inv(case.S_HR.affine) @ frame
        index = np.rint(model @ index_from_model[:3, :3].T + index_from_model[:3, 3]).astype(int)
        d, h, w = np.moveaxis(index.clip(0, np.array(HR_SHAPE) - 1), -1, 0)
        return case.S_HR.labels[d, h, w]

    return Restoration(case.d - by, lambda grid: at(grid.points()), lambda plane: at(plane.points))


def test_a_common_translation_costs_the_raw_scores_only(case: Case) -> None:
    moved = score(lambda scan: oracle(case, torch.tensor([5.0, -2.5])), case)
    assert moved["dice_mean"] == pytest.approx(1.0, abs=1e-3)
    assert moved["assd_MYO_mm"] == pytest.approx(0.0, abs=0.01)
    assert moved["motion_error_mm"] == pytest.approx(0.0, abs=1e-4)
    assert moved["raw_motion_error_mm"] == pytest.approx(math.hypot(5.0, 2.5), abs=1e-4)
    assert moved["raw_dice_MYO"] < 0.8
    # Nearest voxels on an oblique plane are not its interpolated labels, hence the margin.
    assert moved["la_dice_LV"] > 0.97 > moved["raw_la_dice_LV"] + 0.02

    still = score(lambda scan: oracle(case, torch.zeros(2)), case)
    for name in ("dice_LV", "hd95_RV_mm", "la_dice_MYO", "motion_error_mm"):
        assert still[f"raw_{name}"] == pytest.approx(still[name], abs=1e-6)
    assert still["volume_LV_ml"] == pytest.approx(still["true_volume_LV_ml"], rel=1e-3)
    assert still["lv_mass_g"] == pytest.approx(1.05 * still["true_volume_MYO_ml"], rel=1e-3)
    assert set(still) == set(COLUMNS)


def test_a_baseline_finds_no_motion(case: Case) -> None:
    figures = score(METHODS["NN"], case)
    d = case.d[0, torch.as_tensor(case.scan.stack.labelled)]
    rms = d.square().sum(-1).mean().sqrt()
    assert figures["raw_motion_error_mm"] == pytest.approx(float(rms), rel=1e-4)
    spread = (d - d.mean(0)).square().sum(-1).mean().sqrt()
    assert figures["motion_error_mm"] == pytest.approx(float(spread), rel=1e-4)
    assert figures["dice_MYO"] < 0.6


def test_edsr_is_that_of_the_level() -> None:
    with pytest.raises(KeyError, match="unknown method 'EDSR'; known: NN, SBI"):
        method("EDSR", "hidden slices")
    assert method("LO (ours)", "normal") is METHODS["LO (ours)"]


def test_a_run_goes_on_with_the_same_weights_only() -> None:
    used = weights_in_use(["NN", "LO (ours)", "EDSR"], ["none"])
    assert set(used) == {"traits", "EDSR (none)"}
    assert len(set(used.values())) == 2
    assert weights_in_use(["NN", "SBI"], ["none"]) == {}


def test_the_clinical_protocol() -> None:
    heart = drawn_heart("healthy", SEED)
    case, same, another = clinical(heart, 1), clinical(heart, 1), clinical(heart, 2)
    scan, again, other = case.scan, same.scan, another.scan
    assert scan.stack.spacing == pytest.approx((10.0, 1.8, 1.8), rel=1e-4)
    assert scan.views[0].spacing[1:] == pytest.approx((1.8, 1.8), rel=1e-4)
    np.testing.assert_array_equal(scan.stack.labels, again.stack.labels)
    np.testing.assert_array_equal(scan.views[0].labels, again.views[0].labels)
    assert not np.allclose(scan.stack.affine, other.stack.affine)
    assert not torch.allclose(case.d, another.d)
    wrong = (scan.views[0].labels != case.S_LA.labels).mean()
    assert 0 < wrong < CLINICAL_NOISE
    assert len({view.labels.tobytes() for view in scan.views}) == len(BY_WORTH)


def test_a_heart_of_another_grid_is_resampled(tmp_path: Path) -> None:
    pose = scanner_from_model()
    write_volume(short_axis_stack(pose, 90, (1.5, 1.5, 1.5), 90), tmp_path / "fine.nii.gz")
    heart = read_heart(tmp_path / "fine.nii.gz")
    assert is_on_hr_grid(heart)
    points = (heart.points() - pose[:3, 3]) @ pose[:3, :3]
    assert mean_dice(heart.labels, heart_labels(points)) > 0.96


def stack(slices: int = 9) -> LabelVolume:
    """Slices 8 mm apart of a straight heart."""
    return short_axis_stack(scanner_from_model(), slices, (8.0, 1.5, 1.5))


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (np.diag([1, 1.0005, 1.0005, 1]), True),
        (np.diag([1, 1.004, 1.004, 1]), False),
        (np.diag([1.02, 1, 1, 1]), False),
        (np.array([[1, 0, 0, 0], [0.2, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]), False),
    ],
    ids=["rounding", "1.255 mm pixels", "2.04 mm planes", "shear"],
)
def test_a_heart_a_little_off_the_hr_grid_is_resampled(change: np.ndarray, kept: bool) -> None:
    exact = drawn_heart("healthy", SEED)
    heart = replace(exact, affine=exact.affine @ change)
    on_grid = on_hr_grid(heart)
    assert is_on_hr_grid(on_grid)
    assert (on_grid is heart) == kept


def test_a_heart_of_the_hr_grid_is_scanned_from_apex_to_base_however_it_is_stored() -> None:
    exact = drawn_heart("healthy", SEED)
    back = np.diag([-1.0, 1.0, 1.0, 1.0])
    back[0, 3] = exact.shape[0] - 1
    stored = replace(exact, labels=exact.labels[::-1].copy(), affine=exact.affine @ back)
    on_grid = on_hr_grid(stored)
    np.testing.assert_array_equal(on_grid.labels, exact.labels)
    np.testing.assert_allclose(on_grid.affine, exact.affine, atol=1e-9)


@pytest.mark.parametrize("name", ["NN", "SBI", "LO (INTERACTIVE)"])
def test_a_slice_that_nobody_labelled_is_not_one_without_a_heart(name: str) -> None:
    plain = stack(20)
    gap = int(np.flatnonzero(plain.labelled)[4])
    labels = plain.labels.copy()
    labels[gap] = 0
    case = hide(replace(plain, labels=labels))
    scan = case.scan
    (gap,) = np.flatnonzero(~scan.looked_at)
    labels = scan.stack.labels.copy()
    labels[gap] = labels[gap - 1].T
    holed = METHODS[name](scan)
    without = METHODS[name](replace(scan, stack=replace(scan.stack, labels=labels)))
    there = holed.on_grid(case.stack)
    np.testing.assert_array_equal(there, without.on_grid(case.stack))
    assert (there[gap] > 0).sum() > 0.8 * min((there[gap + i] > 0).sum() for i in (-1, 1))
    assert holed.d.shape == (1, case.stack.K, 2)
    assert not holed.d[0, gap].any()
    torch.testing.assert_close(holed.d, without.d)


def test_a_hidden_slice_that_nobody_labelled_is_not_scored() -> None:
    plain = stack(10)
    first = int(np.flatnonzero(plain.labelled)[0])
    labels = plain.labels.copy()
    labels[first + 3] = 0
    case, whole = hide(replace(plain, labels=labels)), hide(plain)
    assert case.labels.any(axis=(1, 2)).all()
    assert len(case.labels) == case.grid.K == len(whole.labels) - 1


def test_hidden_slices_are_really_hidden() -> None:
    """What a hidden slice shows changes no restoration, only its score."""
    plain = stack(10)
    spoilt = replace(plain, labels=plain.labels.copy())
    first = int(np.flatnonzero(plain.labels.any(axis=(1, 2)))[0])
    spoilt.labels[first + 3] = np.roll(spoilt.labels[first + 3], 12, axis=0)
    for name in ("NN", "SBI", "LO (INTERACTIVE)"):
        cases = hide(plain), hide(spoilt)
        one, other = (METHODS[name](c.scan).on_grid(c.grid) for c in cases)
        np.testing.assert_array_equal(one, other)
        dice = [score_hidden(METHODS[name], c)["dice_MYO"] for c in cases]
        assert dice[1] < dice[0] - 0.05


@pytest.mark.parametrize("slices", [9, 10])
def test_every_second_slice_is_hidden_between_two_that_are_seen(slices: int) -> None:
    plain = stack(slices)
    case = hide(plain)
    tissue = plain.labels.any(axis=(1, 2))
    first, last = np.flatnonzero(tissue)[[0, -1]]
    hidden = np.arange(first + 1, last, 2)
    np.testing.assert_array_equal(case.labels, plain.labels[hidden])
    assert case.stack.gap == pytest.approx(16.0, rel=1e-4)
    seen = case.stack.z[torch.as_tensor(case.scan.stack.labelled)]
    assert bool(((case.grid.z > seen.min()) & (case.grid.z < seen.max())).all())
    assert score_hidden(METHODS["SBI"], case)["dice_mean"] > 0.9


def test_the_order_of_the_slices_does_not_matter() -> None:
    """Hiding and scoring see the heart, not the file."""
    plain = stack()
    affine = plain.affine.copy()
    affine[:3, 3] += (plain.shape[0] - 1) * affine[:3, 0]
    affine[:3, 0] *= -1
    reversed_ = replace(plain, labels=plain.labels[::-1].copy(), affine=affine)
    one, other = (score_hidden(METHODS["SBI"], hide(s)) for s in (plain, reversed_))
    assert one["dice_mean"] == pytest.approx(other["dice_mean"], abs=1e-6)
    upwards = Problem.of(hide(reversed_).scan, load_generator()).stack.z.diff()
    assert bool((upwards > 0).all())


def test_a_stack_of_which_nothing_is_left_is_refused() -> None:
    plain = stack()
    labels = np.zeros_like(plain.labels)
    labels[3:5] = plain.labels[3:5]
    with pytest.raises(InvalidVolume, match="three such slices"):
        hide(replace(plain, labels=labels))


def drifting(case: HiddenSlices, slope: float) -> Restoration:
    """A straight heart whose slices a method found to drift by `slope` mm for each mm along D."""

    def on_grid(grid: Stack) -> NDArray[np.uint8]:
        points = grid.points().double().numpy()
        # The heart leans the other way, so that the slices are explained.
        points[..., 1] += slope * points[..., 0]
        return heart_labels(points)

    z = case.stack.z
    d = torch.stack([slope * z, torch.zeros_like(z)], dim=-1)[None]
    return Restoration(d, on_grid, lambda plane: heart_labels(plane.points.numpy()))


def test_a_hidden_slice_is_predicted_between_its_neighbours() -> None:
    case = hide(stack())
    straight = on_hidden_slices(drifting(case, 0.0), case)
    assert mean_dice(straight, case.labels) > 0.97
    np.testing.assert_array_equal(on_hidden_slices(drifting(case, 0.2), case), straight)


def test_an_interval_of_known_numbers() -> None:
    a = np.repeat([0.0, 1.0], 200)
    mean, low, high = paired_interval(a, np.zeros(400))
    assert mean == 0.5
    assert (low, high) == pytest.approx((0.5 - 1.96 * 0.025, 0.5 + 1.96 * 0.025), abs=0.004)
    assert paired_interval(a + 3.0, a) == pytest.approx((3.0, 3.0, 3.0))
    # Pairs, not groups: a spread that both methods share does not widen it.
    noise = np.random.default_rng(0).normal(0, 10, 400)
    assert paired_interval(a + noise, noise) == pytest.approx((mean, low, high), abs=1e-9)
    with pytest.raises(ValueError, match="pairs"):
        paired_interval(a, a[1:])


def test_the_two_best_are_in_bold() -> None:
    column = {"a": Cell(0.7, 0.1), "b": Cell(0.9, 0.1), "c": Cell(0.8, 0.1), "d": Cell(math.inf, 0)}
    assert [name for name, c in top_two(column).items() if c.bold] == ["b", "c"]
    assert str(column["a"]) == "0.700 ± 0.100"


def test_the_ladder_leads_from_the_papers_system_to_ours() -> None:
    (first, *rest), last = LADDER.values(), METHODS["LO-multi-view (ours)"]
    assert first == METHODS["LO (paper)"] == LatentOptimisation(REFERENCE, generator="betavae")
    assert rest[0] == replace(first, generator="traits")
    assert replace(rest[-4].settings, name="RECOMMENDED") == METHODS["LO (ours)"].settings
    assert rest[-2] == last
    assert rest[-1] == replace(last, views=3)
    expected = [["settings"]] * (len(rest) - 4) + [["settings", "views"], ["settings"], ["views"]]
    for (before, after), names in zip(pairwise(rest), expected, strict=True):
        changed = [
            f.name for f in fields(after) if getattr(before, f.name) != getattr(after, f.name)
        ]
        assert changed == names


def test_a_best_code_is_scored_with_the_true_motion(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_code, "ITERATIONS", 3)
    measure = Gap(HeldOut(), ("traits, best code",)).measures("severe")["traits, best code"]
    found = measure(case)
    assert set(found) == set(Gap.figures)
    assert found["motion_error_mm"] == found["raw_motion_error_mm"] == 0
    assert found["dice_mean"] > 0.9
    assert found["faulty"] == 0
    # With any other motion, the same heart explains the scan worse.
    wrong = replace(case, d=case.d.flip(1))
    assert found["loss"] < 0.1 < measure(wrong)["loss"]


def test_each_tissue_at_its_best_shift_hides_what_is_torn_apart() -> None:
    truth = drawn_heart("healthy", SEED).labels
    torn = np.where(truth == 3, 0, truth)
    torn[np.roll(truth, 9, axis=1) == 3] = 3
    assert mean_dice(torn, truth) < 0.95
    assert dice_at_best_shifts(np.roll(truth, 5, axis=2), truth) == pytest.approx(1.0)
    assert dice_at_best_shifts(torn, truth) > mean_dice(torn, truth) + 0.05


def test_the_papers_tables_agree_with_each_other() -> None:
    """They were copied by hand: means, and what is printed twice."""
    for rows in PRINTED["table_s1"].values():
        for figures in rows.values():
            tissues = [figures[name][0] for name in ("LV", "MYO", "RV")]
            assert figures["mean"][0] == pytest.approx(np.mean(tissues), abs=0.0101)
    severe = PRINTED["table_s1"]["severe"]
    for name, figures in PRINTED["table_1"].items():
        assert figures.items() <= severe[name].items()
    for level, rows in PRINTED["table_s1"].items():
        assert PRINTED["table_2"]["LO (paper)"][level] == rows["LO (paper)"]["mean"]
        assert PRINTED["table_2"][f"EDSR ({level})"][level] == rows["EDSR"]["mean"]


def row(subject: str, method: str = "LO", **more: str) -> dict[str, str]:
    return {"subject": subject, "level": "none", "method": method, **more}


def test_a_half_written_row_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    results = Results(path, ["dice"])
    results.add(row("one", dice="0.5"))
    results.add(row("two", error='said "no", then left'))
    whole = path.read_bytes()
    path.write_bytes(whole + b"three,none,LO,0.")
    again = Results(path, ["dice"])
    assert path.read_bytes() == whole
    assert again.done == {("one", "none", "LO"), ("two", "none", "LO")}
    assert [r["error"] for r in again.failures] == ['said "no", then left']
    path.write_bytes(b"subject,le")
    assert Results(path, ["dice"]).rows == []
    with pytest.raises(ValueError, match="other columns"):
        Results(path, ["assd"])


def test_columns_that_came_since_are_empty_in_older_rows(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    Results(path, ["dice"]).add(row("one", dice="0.5"))
    before = path.read_bytes()
    grown = Results(path, ["holes", "dice"])
    assert path.read_bytes() == before  # to look at a file changes nothing in it
    assert grown.by_subject("holes", "none", "LO") == {}
    grown.add(row("two", holes="1", dice="0.6"))
    again = Results(path, ["holes", "dice"])
    assert again.by_subject("dice", "none", "LO") == {"one": 0.5, "two": 0.6}
    assert again.by_subject("holes", "none", "LO") == {"two": 1.0}
    assert path.read_bytes().startswith(b"subject,level,method,holes,dice,error")


def test_scores_inside_and_outside_the_slices(case: Case) -> None:
    """Of a heart cut off at its outermost slices nothing is wrong between them."""
    inside = sampled(case.stack, case.tissue, case.grid)
    shown = np.flatnonzero(case.tissue)
    assert inside.sum() == 5 * (len(shown) - 1) + 1
    true = case.S_HR.labels
    found = apart(true * inside[:, None, None], true, inside)
    assert found["inside_dice_mean"] == 1.0
    assert true[~inside].any()
    assert found["outside_dice_mean"] == 0.0
    without = np.where((true == 3) & ~inside[:, None, None], np.uint8(0), true)
    of_both = apart(without, without, inside)
    assert math.isnan(of_both["outside_dice_RV"])
    assert of_both["outside_dice_mean"] == 1.0


def test_methods_are_compared_on_the_subjects_that_all_have(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.csv", ["dice"])
    for subject, ours, theirs in (("b", "0.9", "0.4"), ("a", "0.8", ""), ("c", "0.7", "0.6")):
        results.add(row(subject, dice=ours))
        results.add(row(subject, "NN", dice=theirs, error="" if theirs else "lost"))
    paired = results.paired("dice", "none", ["NN", "LO"])
    np.testing.assert_array_equal(paired["LO"], [0.9, 0.7])
    np.testing.assert_array_equal(paired["NN"], [0.4, 0.6])


class Deadly(Experiment):
    """One of its cases ends its process."""

    title, figures = "Deadly", ("length",)

    def settings(self) -> dict[str, object]:
        return {}

    def tasks(self) -> Sequence[Task]:
        cases = {"dies": partial(os._exit, 1), "lives": partial(str, "abc")}
        return [Task(name, "", case, {"len": length}) for name, case in cases.items()]

    def tables(self, results: Results) -> list[Table]:
        return []

    def plots(self, results: Results) -> list[Plot]:
        return []


def length(case: str) -> dict[str, float]:
    return {"length": float(len(case))}


def test_a_process_that_dies_leaves_its_case_open_and_the_others_go_on(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.csv", Deadly.figures)
    with pytest.raises(WorkerDied):
        measure_all(Deadly(), results, jobs=2)
    kept = Results(tmp_path / "results.csv", Deadly.figures).rows
    assert [(row["subject"], row["length"], row["error"]) for row in kept] == [("lives", "3", "")]


def test_a_table_shows_itself_in_a_notebook() -> None:
    table = Table("A < B", ("of", "Dice"), [("x & y", Cell(0.9, 0.1, bold=True)), ("z", "")], "so")
    shown = table._repr_html_()
    assert "<b>A &lt; B</b>" in shown
    assert "<b>0.900 ± 0.100</b>" in shown
    assert "x &amp; y" in shown
    assert table.markdown() == [
        "| of | Dice |",
        "|---|---|",
        "| x & y | **0.900 ± 0.100** |",
        "| z |  |",
        "",
        "so",
        "",
    ]
