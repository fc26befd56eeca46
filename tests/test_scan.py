"""From files to a placed scan: strays left out, slices nobody looked at, views and their frames."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from simple_heart import heart_labels, long_axis_view, scanner_from_model, short_axis_stack

from srheart_demo.cli import chosen, main
from srheart_demo.cli.enhance import RESULTS
from srheart_demo.heart.distances import tissue_box, widened
from srheart_demo.heart.generator import load_generator
from srheart_demo.scan.crossing import turned_over
from srheart_demo.scan.read import HowToRead, read_cycle, read_scan
from srheart_demo.scan.samples import SAMPLES, load_sample
from srheart_demo.scan.scan import Scan, _at_the_edge
from srheart_demo.scan.space import heart_of
from srheart_demo.scan.volume import SENTENCES, InvalidVolume, LabelVolume, write_volume
from srheart_demo.solver.problem import Problem

TRUTH = scanner_from_model()
SCANNED = load_sample(SAMPLES[0])
HEARTS = {
    "analytic": short_axis_stack(TRUTH),
    **{name: load_sample(name).stacks["severe"] for name in SAMPLES},
}


def within_empty_slices(stack: LabelVolume, n: int = 3) -> LabelVolume:
    """The same with n empty slices more at each end."""
    affine = stack.affine.copy()
    affine[:3, 3] -= n * affine[:3, 0]
    return replace(stack, labels=np.pad(stack.labels, ((n, n), (0, 0), (0, 0))), affine=affine)


def with_islands(labels: NDArray[np.uint8], seed: int) -> NDArray[np.uint8]:
    """A few stray patches of some voxels, anywhere: beside, above and below the heart."""
    rng, labels = np.random.default_rng(seed), labels.copy()
    for _ in range(rng.integers(1, 5)):
        k, row, column = (int(rng.integers(0, n - 6)) for n in (len(labels) + 6, *labels.shape[1:]))
        patch = labels[k, row : row + rng.integers(1, 6), column : column + rng.integers(1, 6)]
        patch[patch == 0] = rng.integers(1, 4)
    return labels


def stored(volume: LabelVolume, path: Path) -> Path:
    write_volume(volume, path)
    return path


@pytest.mark.parametrize("name", HEARTS)
def test_a_few_stray_voxels_anywhere_do_not_place_the_heart(name: str, tmp_path: Path) -> None:
    clean = within_empty_slices(HEARTS[name])
    wanted = Scan.of(clean).placement
    for seed in range(12):
        stack = replace(clean, labels=with_islands(clean.labels, seed))
        placement = read_scan(stored(stack, tmp_path / f"{seed}.nii")).placement
        turned = placement.world_from_model[:3, :3].T @ wanted.world_from_model[:3, :3]
        moved = placement.world_from_model[:3, 3] - wanted.world_from_model[:3, 3]
        assert placement.flipped == wanted.flipped
        assert np.degrees(np.arccos(np.clip((np.trace(turned) - 1) / 2, -1, 1))) < 3.0
        # Next to the heart a patch may pass for the end of it: half a slice.
        assert np.linalg.norm(moved) < 7.0


@pytest.mark.parametrize("beyond", [2, 3])
@pytest.mark.parametrize("end", ["apex", "base"])
def test_strays_beyond_the_ends_are_left_out_and_said(
    end: str, beyond: int, tmp_path: Path
) -> None:
    stack = within_empty_slices(HEARTS["analytic"])
    slices, labels = np.flatnonzero(stack.labelled), stack.labels.copy()
    k = slices[0] - beyond if end == "apex" else slices[-1] + beyond
    labels[k, 40:45, 30:36] = 3
    scan = read_scan(stored(replace(stack, labels=labels), tmp_path / "s.nii"))
    np.testing.assert_array_equal(scan.stack.labels, stack.labels)
    assert any(f"30 labelled voxels (slice {k} in" in note for note in scan.notes)


@pytest.mark.parametrize("tissue", [1, 3])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_vessel_above_the_base_is_no_part_of_the_heart(name: str, tissue: int) -> None:
    """As networks take the aorta, or the pulmonary trunk, for a ventricle: 24 mm wide."""
    stack = within_empty_slices(load_sample(name).stacks["none"])
    labels, k = stack.labels.copy(), np.flatnonzero(stack.labelled)[-1]
    rows, columns = np.indices(labels.shape[1:])
    middle = np.argwhere(labels[k - 1]).mean(axis=0)
    labels[k + 2][np.hypot(rows - middle[0], columns - middle[1]) < 10] = tissue
    assert not heart_of(labels, stack.spacing)[k + 1 :].any()


def test_muscles_in_the_cavity_that_nobody_drew_are_lv(tmp_path: Path) -> None:
    """But not a scar in the wall, nor what lies beyond the LV."""
    true = SCANNED.stacks["none"]
    labels, cavity = true.labels.copy(), true.labels == 1
    deep = binary_erosion(cavity, np.ones((1, 9, 9))) & (np.indices(cavity.shape)[2] % 8 < 4)
    scar = binary_erosion(true.labels == 2, np.ones((1, 3, 3)))
    labels[deep | scar] = 0
    read = read_scan(stored(replace(true, labels=labels), tmp_path / "S.nii.gz")).stack
    np.testing.assert_array_equal(read.labels, np.where(deep, 1, labels))
    assert any(f"{deep.sum()} voxels without a label" in note for note in read.notes)


@pytest.mark.parametrize("k", [3, 6])
def test_a_copy_of_a_slice_is_said(k: int) -> None:
    stack = SCANNED.stacks["none"]
    twice = replace(stack, labels=np.insert(stack.labels, k, stack.labels[k], axis=0))
    said = [note for note in Scan.of(twice).notes if "the very labels" in note]
    assert [note.split(" shows")[0] for note in said] == [f"Slice {k + 1}"]
    assert not any("the very labels" in note for note in Scan.of(stack).notes)


def test_no_part_of_a_heart_counts_as_stray() -> None:
    """Neither a displaced apex nor the sliver of a leaning base."""
    for stack in HEARTS.values():
        for labels in (stack.labels, stack.labels[::-1]):
            kept = heart_of(labels, stack.spacing)
            np.testing.assert_array_equal(kept, labels > 0)


def labelled_only(stack: LabelVolume, slices: list[int]) -> LabelVolume:
    labels = np.zeros_like(stack.labels)
    labels[slices] = stack.labels[slices]
    return replace(stack, labels=labels)


@pytest.mark.parametrize("name", SAMPLES)
def test_ends_that_nobody_labelled_are_no_ends_of_the_heart(name: str) -> None:
    """As if the file ended with the labels, and said so; from either end of the file."""
    stack = load_sample(name).stacks["none"]
    middle = np.flatnonzero(stack.labelled)[3:-2].tolist()
    for volume in (stack, replace(stack, labels=stack.labels[::-1].copy())):
        slices = middle if volume is stack else [len(stack.labels) - 1 - k for k in middle]
        scan = Scan.of(labelled_only(volume, sorted(slices)))
        np.testing.assert_array_equal(scan.looked_at, scan.stack.labelled)
        assert any("not looked at" in note for note in scan.notes)
        empty = Scan.of(labelled_only(volume, sorted(slices)), unlabelled="empty")
        assert empty.looked_at.all()


@pytest.mark.parametrize("name", HEARTS)
def test_who_wants_slices_beyond_taken_as_empty_hears_that_there_are_none(name: str) -> None:
    stack = within_empty_slices(HEARTS[name])
    labelled = np.flatnonzero(stack.labelled)
    for first, last, end in ((0, 99, ""), (labelled[0], 99, "apex"), (0, labelled[-1], "base")):
        cut = replace(stack, labels=stack.labels[first : last + 1])
        notes = [
            note for note in Scan.of(cut, unlabelled="empty").notes if "no slice beyond" in note
        ]
        assert bool(notes) == bool(end)
        assert all(f"at the {end}, " in note for note in notes)


@pytest.mark.parametrize("step", [2, 3])
@pytest.mark.parametrize("name", SAMPLES)
def test_who_labels_one_slice_of_some_has_not_looked_at_those_beyond_the_last(
    name: str, step: int
) -> None:
    stack = within_empty_slices(load_sample(name).stacks["none"])
    labelled = np.flatnonzero(stack.labelled)[1::step]
    scan = Scan.of(labelled_only(stack, labelled.tolist()))
    assert not scan.looked_at[scan.stack.gaps].any()
    for end, towards in ((labelled[0], -1), (labelled[-1], 1)):
        assert not scan.looked_at[[end + towards * i for i in range(1, step)]].any()
        assert scan.looked_at[end + towards * step]
    assert any(f"one slice of {step}" in note for note in scan.notes)


@pytest.mark.parametrize("name", HEARTS)
def test_a_heart_that_ends_is_taken_at_its_word(name: str) -> None:
    scan = Scan.of(within_empty_slices(HEARTS[name]))
    assert scan.looked_at.all()
    assert not any("not looked at" in note for note in scan.notes)
    unknown = Scan.of(within_empty_slices(HEARTS[name]), unlabelled="unknown")
    np.testing.assert_array_equal(unknown.looked_at, unknown.stack.labelled)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (slice(-5, None), "from the LV's base"),
        (slice(None, 5), "from the LV's apex"),
        (slice(4, 6), "between others with an RV and have none (2 such)"),
    ],
    ids=["base", "apex", "middle"],
)
@pytest.mark.parametrize("name", SAMPLES)
def test_an_rv_that_was_not_drawn_everywhere_is_said(name: str, where: slice, said: str) -> None:
    stack = load_sample(name).stacks["none"]
    labels = stack.labels.copy()
    there = np.flatnonzero(stack.labelled)[where]
    labels[there] *= labels[there] != 3
    scan = Scan.of(replace(stack, labels=labels))
    (note,) = (note for note in scan.notes if "taken to be absent" in note)
    assert said in note
    assert scan.doubts == ((note,) if where == slice(4, 6) else ())
    assert not any("taken to be absent" in note for note in Scan.of(stack).notes)


@pytest.mark.parametrize("margin", [0, 1, 4, 12])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_that_was_cropped_to_its_labels_is_the_same_problem(
    name: str, margin: int, tmp_path: Path
) -> None:
    whole = load_sample(name).stacks["normal"]
    _, *box = tissue_box(whole.labels)
    rows, columns = widened(box, (margin, margin))
    affine = whole.affine.copy()
    affine[:3, 3] += affine[:3, 1:3] @ [rows.start, columns.start]
    tight = replace(whole, labels=whole.labels[:, rows, columns], affine=affine)
    files = (stored(stack, tmp_path / f"{stack.shape}.nii.gz") for stack in (whole, tight))
    (one, other) = (Problem.of(read_scan(file), load_generator()) for file in files)
    np.testing.assert_array_equal(one.S_LR, other.S_LR)
    np.testing.assert_allclose(one.stack.pixels(), other.stack.pixels(), atol=1e-3)


@pytest.mark.parametrize("motion", ["none", "normal"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_picture_that_ends_amid_the_heart_is_said(name: str, motion: str) -> None:
    """At any of its edges, and not of one that was cropped to its labels."""
    stack = load_sample(name).stacks[motion]
    _, rows, columns = (slice(held.min(), held.max() + 1) for held in np.nonzero(stack.labels))
    tight = stack.labels[:, rows, columns]
    assert not any("picture ends" in note for note in Scan.of(replace(stack, labels=tight)).notes)
    turned = (tight, tight[:, ::-1], tight.transpose(0, 2, 1), tight.transpose(0, 2, 1)[:, ::-1])
    for picture, cut in ((picture, cut) for picture in turned for cut in (18, 24)):
        notes, doubts = _at_the_edge(replace(stack, labels=picture[:, cut:]))
        assert "picture ends amid the heart" in notes[0]
        assert doubts == (notes if cut == 24 else doubts)


@pytest.mark.parametrize("direction", [(1, 0), (-0.6, 0.8)])
def test_a_shift_of_slices_is_doubted_where_the_heart_leans_for_it(
    direction: tuple[float, float],
) -> None:
    """Where it is that of the scan, the pixels have gone the other way and the heart is upright."""
    upright = HEARTS["analytic"]
    affine = upright.affine.copy()
    shift = 3.0 * affine[:3, 1:3] / upright.spacing[1:] @ direction
    affine[:3, 0] += shift
    affine[:3, 3] -= shift * (len(upright.labels) - 1) / 2
    false = replace(upright, affine=affine)
    true = replace(false, labels=heart_labels((false.points() - TRUTH[:3, 3]) @ TRUTH[:3, :3]))
    assert not Scan.of(upright).doubts
    assert not Scan.of(true).doubts
    (doubt,) = Scan.of(false).doubts
    assert "shift of 3.0 mm" in doubt
    assert doubt in Scan.of(false).notes


def test_a_view_that_is_given_twice_is_said_to_count_twice() -> None:
    view = long_axis_view(TRUTH)
    other = replace(view, labels=np.where(view.labels == 3, 0, view.labels))
    for second, said in ((view, True), (other, False)):
        scan = Scan.of(HEARTS["analytic"], view, replace(second, name="deep/again.nii"))
        assert (
            any(note.startswith("again.nii: This view is another") for note in scan.notes) is said
        )


def test_a_view_that_belongs_to_the_stack_agrees_with_it_where_they_cross() -> None:
    scan = Scan.of(HEARTS["analytic"], long_axis_view(TRUTH))
    assert min(scan.crossing[0].values()) > 0.9
    assert any("agree to Dice" in note for note in scan.notes)


def test_a_view_that_lies_elsewhere_is_said_to_agree_the_worse_the_farther_it_is_off() -> None:
    said = []
    for mm in (0.0, 12.0, 16.0, 24.0):
        view = long_axis_view(TRUTH)
        affine = view.affine.copy()
        affine[:3, 3] += mm * affine[:3, 2] / np.linalg.norm(affine[:3, 2])
        (note,) = (
            n
            for n in Scan.of(HEARTS["analytic"], replace(view, affine=affine)).notes
            if "cross" in n
        )
        said.append(note)
    words = ("agree to", "poorly", "hardly")
    found = [next(i for i, word in enumerate(words) if word in note) for note in said]
    assert found == sorted(found)
    assert set(found) == {0, 1, 2}


@pytest.mark.parametrize("values", [(0, 3, 2, 1), (0, 1, 2, 0)])
def test_a_view_of_other_labels_is_said_to_disagree(values: tuple[int, ...]) -> None:
    """An RV that is the view's LV, and one that lies where the stack has none."""
    view = long_axis_view(TRUTH)
    labels = np.array(values, np.uint8)[view.labels]
    labels[0, :8, :8] = 3
    notes = Scan.of(HEARTS["analytic"], replace(view, labels=labels)).notes
    assert any("hardly agree" in note for note in notes)


TURNED = {
    "upside down": np.flipud,
    "mirrored": np.fliplr,
    "turned by 180°": lambda labels: labels[::-1, ::-1],
    "turned by 90°": np.rot90,
    "with rows and columns exchanged": np.transpose,
}


@pytest.mark.parametrize("way", TURNED)
@pytest.mark.parametrize("columns_first", [False, True])
def test_a_view_that_is_turned_over_is_named_and_not_trusted(
    way: str, columns_first: bool, tmp_path: Path
) -> None:
    """Where it shows a heart of the same place, whichever axis of the file runs along that."""
    view = SCANNED.views["4ch", "none"]
    labels = np.ascontiguousarray(TURNED[way](view.labels[0]))[None]
    turned = replace(view, labels=labels)
    if columns_first:
        turned = replace(
            turned, labels=labels.transpose(0, 2, 1), affine=view.affine[:, [0, 2, 1, 3]]
        )
    files = [
        stored(volume, tmp_path / f"{name}.nii.gz")
        for name, volume in (("SA", SCANNED.stacks["normal"]), ("LA", turned))
    ]
    (doubt,) = (doubt for doubt in read_scan(*files).doubts if "agrees better" in doubt)
    assert doubt.startswith("LA.nii.gz: ")
    assert f"slices {way} (" in doubt


@pytest.mark.parametrize("motion", ["none", "normal", "severe"])
def test_a_view_that_lies_as_it_should_is_not_said_to_be_turned(motion: str) -> None:
    for (_, displaced), view in SCANNED.views.items():
        if displaced == motion:
            assert not turned_over(SCANNED.stacks[motion], view)


@pytest.fixture(scope="module")
def cine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stack and view of four frames; in frame 2 the stack lacks its RV. And views of one frame."""
    folder = tmp_path_factory.mktemp("cine")
    stack, view = HEARTS["analytic"], long_axis_view(TRUTH)
    lost = stack.labels * (stack.labels != 3)
    LV = view.labels == 1
    smaller = np.where(LV & ~binary_erosion(LV, np.ones((1, 5, 5))), 2, view.labels)
    frames = {
        "stack": ([stack.labels, stack.labels, lost, stack.labels], stack.affine),
        "view": ([view.labels, smaller, view.labels, view.labels], view.affine),
        "two": ([view.labels, view.labels], view.affine),
        "one": ([view.labels], view.affine),
    }
    for name, (labels, affine) in frames.items():
        image = nibabel.Nifti1Image(np.stack(labels, axis=-1), affine)
        nibabel.save(image, folder / f"{name}.nii.gz")
    return {name: folder / f"{name}.nii.gz" for name in frames}


def test_a_views_frame_is_the_stacks(cine: dict[str, Path]) -> None:
    ends = {}
    for frame in (0, 1):
        scan = read_scan(cine["stack"], cine["view"], how=HowToRead(frame=frame))
        ends[frame] = (scan.views[0].labels == 1).sum()
    assert ends[0] > ends[1]
    chosen = read_scan(cine["stack"], cine["view"], how=HowToRead(frame=1, view_frame=0))
    assert (chosen.views[0].labels == 1).sum() == ends[0]


def test_in_a_cycle_each_frame_has_its_own_view_and_a_bad_one_stops_no_other(
    cine: dict[str, Path],
) -> None:
    scans = read_cycle(cine["stack"], cine["view"])
    good = [scan for scan in scans if isinstance(scan, Scan)]
    (bad,) = (error for error in scans if isinstance(error, InvalidVolume))
    assert [scan.frame for scan in good] == [0, 1, 3]
    assert "frame 2" in str(bad)
    lv = [sum(int((view.labels == 1).sum()) for view in scan.views) for scan in good]
    assert lv[0] == lv[2] > lv[1]


def test_a_view_of_one_frame_belongs_to_the_frame_that_is_named(cine: dict[str, Path]) -> None:
    with pytest.raises(InvalidVolume, match="which of the stack's frames") as refused:
        read_cycle(cine["stack"], cine["one"])
    assert refused.value.remedy == "view_frame"
    scans = read_cycle(cine["stack"], cine["one"], how=HowToRead(view_frame=3))
    views = [bool(scan.views) for scan in scans if isinstance(scan, Scan)]
    assert views == [False, False, True]
    for frame in (2, 4):  # without an RV, and not there
        with pytest.raises(InvalidVolume, match=f"frame {frame}.* frames 0 to 1 and 3") as refused:
            read_cycle(cine["stack"], cine["one"], how=HowToRead(view_frame=frame))
        assert refused.value.remedy == "view_frame"


def test_a_stack_of_one_labelled_slice_is_refused() -> None:
    stack = HEARTS["analytic"]
    middle = len(stack.labels) // 2
    for one in (labelled_only(stack, [middle]), replace(stack, labels=stack.labels[middle:][:1])):
        with pytest.raises(InvalidVolume, match="slice"):
            Scan.of(one)


def test_what_is_to_be_known_of_any_frame_is_said(
    cine: dict[str, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = nibabel.load(cine["stack"])
    labels = np.asarray(image.dataobj).copy()
    labels[:, :3, :3, 1] = 3
    nibabel.save(nibabel.Nifti1Image(labels, image.affine), tmp_path / "s.nii")
    small = load_generator(latent_size=8)
    monkeypatch.setattr(chosen, "generator", lambda name: small)
    given = ["--frames", "all", "--preset", "interactive", "--no-check"]
    assert main(["enhance", str(tmp_path / "s.nii"), *given, "-o", str(tmp_path / "out")]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "no part of the heart" in line]
    assert [line.split(":")[0] for line in said] == ["Note (frame 1)"]
    # Nobody asked how sure the volumes are.
    with (tmp_path / "out" / "volumes.csv").open() as file:
        assert {row["LV_ml_sd"] for row in csv.DictReader(file)} == {""}
    # Nor do results of all frames and those of one stay beside each other.
    of_all = {path.name for path in (tmp_path / "out").iterdir()}
    of_one = ["--frame", "0", "--preset", "interactive", "--no-check"]
    assert main(["enhance", str(tmp_path / "s.nii"), *of_one, "-o", str(tmp_path / "out")]) == 0
    assert f"Removed {tmp_path / 'out' / 'volumes.csv'}: " in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*RESULTS}
    assert main(["enhance", str(tmp_path / "s.nii"), *given, "-o", str(tmp_path / "out")]) == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == of_all


def test_a_view_of_another_cycle_is_refused(cine: dict[str, Path]) -> None:
    with pytest.raises(InvalidVolume, match="2 frames and the stack 4"):
        read_cycle(cine["stack"], cine["two"])


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["check", "stack"], "(--frame N)"),
        (["check", "stack", "--frame", "0", "--long-axis", "two"], "(--view-frame N)"),
        (["enhance", "stack", "-o", "out"], "(--frame N)"),
        (
            ["enhance", "stack", "--frames", "all", "--long-axis", "one", "-o", "o"],
            "--view-frame N",
        ),
    ],
)
def test_advice_names_an_option_that_the_command_has(
    arguments: list[str],
    option: str,
    cine: dict[str, Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        status = main([str(cine.get(word, word)) for word in arguments])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    assert option in capsys.readouterr().err


@pytest.mark.usefixtures("few_draws")
def test_what_check_knows_stands_in_what_enhance_writes_and_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a heart that the prior knows, and of one whose picture is mirrored."""
    stack = load_sample(SAMPLES[0]).stacks["none"]
    mirrored = replace(stack, labels=stack.labels[:, :, ::-1].copy())
    for volume, verdict in ((stack, "fine"), (mirrored, "distrust")):
        path, out = stored(volume, tmp_path / "s.nii.gz"), tmp_path / verdict
        assert main(["enhance", str(path), "--preset", "interactive", "-o", str(out)]) == 0
        trust = json.loads((out / "d.json").read_text())["trust"]
        assert trust["verdict"] == verdict
        said = capsys.readouterr().out
        assert f"Verdict: {trust['words']}" in said
        assert all(reason in said for reason in trust["reasons"])
        assert bool(trust["reasons"]) == (verdict != "fine")


def test_every_sentence_is_said_and_is_there(root: Path) -> None:
    """Sentences are looked up by their keys, which no type checker knows."""
    package = root / "srheart_demo"
    code, all_code = (
        "".join(path.read_text("utf-8") for path in folder)
        for folder in ((package / "scan").glob("*.py"), package.rglob("*.py"))
    )
    notes, refusals = (SENTENCES[part].keys() for part in ("notes", "refusals"))
    assert not {key for key in notes | refusals if f'"{key}"' not in all_code}
    assert set(re.findall(r'remark\(\s*"([^"]+)"', code)) <= notes
    assert set(re.findall(r'\.of\(\s*[^,"]+,\s*"([^"]+)"', code)) <= refusals
    assert SENTENCES["remedies"].keys() <= refusals


def half_outlined(labels: NDArray[np.uint8], tissue: int) -> NDArray[np.uint8]:
    """Half of a tissue, as if somebody had begun to outline it."""
    half = np.cumsum(labels == tissue).reshape(labels.shape) > (labels == tissue).sum() / 2
    return np.where((labels == tissue) & half, np.uint8(0), labels)


def test_what_nobody_outlined_in_a_view_is_the_same_said_or_seen(tmp_path: Path) -> None:
    """An RV that was begun and one that was never drawn, in every place that looks at views."""
    view = long_axis_view(TRUTH)
    begun = replace(view, labels=half_outlined(view.labels, 3))
    never = replace(view, labels=view.labels * (view.labels != 3))
    stack = stored(HEARTS["analytic"], tmp_path / "stack.nii.gz")
    files = [stored(v, tmp_path / f"{n}.nii.gz") for n, v in (("2ch", begun), ("none", never))]
    scans = [
        read_scan(stack, files[0]),
        read_scan(stack, files[0], how=HowToRead(view_lacks=(("2CH", "RV"),))),
        read_scan(stack, files[1]),
    ]
    assert [scan.lacking for scan in scans] == [[[]], [["RV"]], [["RV"]]]
    views = [Problem.of(scan, load_generator()).views[0] for scan in scans]
    assert [view.lacks for view in views] == [(), (3,), (3,)]
    assert torch.equal(views[1].S_LA, views[2].S_LA)
    assert scans[1].crossing == scans[2].crossing
    assert "RV" in scans[0].crossing[0]
    assert "RV" not in scans[1].crossing[0]
    count = int((begun.labels == 3).sum())
    assert [any(f"{count} voxels of RV" in n for n in scan.notes) for scan in scans] == [0, 1, 0]


def test_one_view_lacks_what_another_shows(tmp_path: Path) -> None:
    view, stack = long_axis_view(TRUTH), stored(HEARTS["analytic"], tmp_path / "s.nii.gz")
    files = [stored(view, tmp_path / f"LA_{name}.nii.gz") for name in ("4CH", "2CH")]
    one, both, no = (
        read_scan(stack, *files, how=HowToRead(view_lacks=((pattern, "RV"),))).lacking
        for pattern in ("*_2ch", "*", "3ch")
    )
    assert (one, both, no) == ([[], ["RV"]], [["RV"], ["RV"]], [[], []])
    nothing = HowToRead(view_lacks=tuple(("LA_2CH.nii.gz", t) for t in ("LV", "MYO", "RV")))
    with pytest.raises(InvalidVolume, match=r"LA_2CH.*nobody outlined any tissue"):
        read_scan(stack, *files, how=nothing)


def test_a_wall_alone_can_agree_with_the_slices(tmp_path: Path) -> None:
    stack, view = stored(HEARTS["analytic"], tmp_path / "s.nii.gz"), long_axis_view(TRUTH)
    how = HowToRead(view_lacks=(("*", "LV"), ("*", "RV")))
    scan = read_scan(stack, stored(view, tmp_path / "la.nii.gz"), how=how)
    assert [*scan.crossing[0]] == ["MYO"]
    assert scan.doubts == ()


@pytest.mark.parametrize(
    ("command", "end"), [("check", ["--json", "--no-solve"]), ("enhance", ["--no-check"])]
)
def test_commands_say_and_write_what_a_view_lacks(
    command: str, end: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack, view = (
        stored(volume, tmp_path / name)
        for volume, name in ((HEARTS["analytic"], "s.nii"), (long_axis_view(TRUTH), "la_2ch.nii"))
    )
    words = [command, str(stack), "--long-axis", str(view), "--view-lacks", "la_2ch=RV", *end]
    if command == "enhance":
        words += ["--preset", "interactive", "-o", str(tmp_path / "out")]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "voxels of RV in this view were not taken" in said
    if command == "check":
        assert json.loads(said)["files"][0]["facts"]["view_lacks"] == [["RV"]]
    else:
        written = json.loads((tmp_path / "out" / "d.json").read_text())
        assert written["view_lacks"] == [["RV"]]
    for wrong, why in (("RA", "no tissue"), ("la_4ch=RV", "no view is called 'la_4ch'")):
        words[words.index("--view-lacks") + 1] = wrong
        assert main(words) == 2
        assert why in capsys.readouterr().err
        words[words.index("--view-lacks") + 1] = "la_2ch=RV"
