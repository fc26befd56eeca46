"""``srheart cohort``: every scan of a folder, whatever fails, dies or is interrupted."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import nibabel
import numpy as np
import pytest
from processes import in_foreground, wait_until

from srheart_demo.cli import main
from srheart_demo.enhancement.cohort import (
    RESULT_FILES,
    Cohort,
    Execute,
    Record,
)
from srheart_demo.enhancement.folder import CohortScan, find_subjects
from srheart_demo.files import Unusable, held
from srheart_demo.scan.samples import FOLDER
from srheart_demo.solver.settings import INTERACTIVE
from srheart_demo.solver.workers import Ends, in_cluster, in_processes

QUICK = ["--preset", "interactive", "--no-surface"]
QUICKEST = [*QUICK, "--no-check"]
QUICK_RESULTS = RESULT_FILES - {"heart.stl"}

pytestmark = pytest.mark.usefixtures("warm_processes")
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder of five scans."""
    folder = tmp_path / "in"
    for name in ("none", "severe"):
        (folder / name).mkdir(parents=True)
        for sample in ("healthy_1", "dilated"):
            file = FOLDER / sample / f"S_LR_{name}.nii.gz"
            shutil.copy(file, folder / name / f"{sample}.nii.gz")
    shutil.copy(FOLDER / "hypertrophic" / "S_LR_normal.nii.gz", folder / "another.nii.gz")
    return folder


NAMES = ["another", "none/dilated", "none/healthy_1", "severe/dilated", "severe/healthy_1"]
"""Those of the scans."""


def cohort(scans: Path, *options: str) -> int:
    """Status of the command."""
    try:
        return main(["cohort", str(scans), str(scans.parent / "out"), *options])
    except SystemExit as end:
        return int(end.code or 0)


def stamps(out: Path) -> dict[str, int]:
    """When each subject's record was written."""
    found = [path for path in out.rglob("record.json") if ".staging" not in path.parts]
    return {path.parent.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in found}


def rows(out: Path) -> dict[str, dict[str, str]]:
    """The summary, by subject."""
    with (out / "summary.csv").open(encoding="utf-8") as file:
        return {row["subject"]: row for row in csv.DictReader(file)}


def contents(folder: Path) -> set[str]:
    """Names in a folder."""
    return {path.name for path in folder.iterdir()}


def result_folders(out: Path) -> set[Path]:
    """Those that hold anything."""
    files = (path for path in out.rglob("*.*") if path.is_file() and ".staging" not in path.parts)
    return {path.parent for path in files} - {out}


def test_results_are_those_of_enhance_and_only_what_is_missing_is_made(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scans, out = tmp_path / "in", tmp_path / "out"
    (scans / "sub").mkdir(parents=True)
    for sample, source, name in [
        ("healthy_1", "S_LR_normal", "one_SA"),
        ("healthy_1", "S_LA", "one_LA"),
        ("dilated", "S_LR_severe", "sub/two"),
    ]:
        shutil.copy(FOLDER / sample / f"{source}.nii.gz", scans / f"{name}.nii.gz")
    bad = scans / "sub" / "bad.nii.gz"
    bad.write_bytes((scans / "one_SA.nii.gz").read_bytes()[:500])

    assert cohort(scans, "--preset", "interactive", "--jobs", "2") == 1
    assert f"{bad}: the file is truncated" in capfd.readouterr().err
    assert contents(out) == {"summary.csv", "one_SA", "sub"}
    assert contents(out / "one_SA") == contents(out / "sub" / "two") == RESULT_FILES
    assert contents(out / "sub" / "bad") == {"record.json"}
    files = [str(scans / "one_SA.nii.gz"), "--long-axis", str(scans / "one_LA.nii.gz")]
    for name, arguments in (("one_SA", files), ("sub/two", [str(scans / "sub" / "two.nii.gz")])):
        alone = tmp_path / "alone"
        options = ["--preset", "interactive", "--no-check", "-o", str(alone)]
        assert main(["enhance", *arguments, *options]) == 0
        for file in ("S_SR.nii.gz", "heart.stl"):
            assert (out / name / file).read_bytes() == (alone / file).read_bytes()

    table = rows(out)
    assert list(table) == ["one_SA", "sub/bad", "sub/two"]
    assert [row["status"] for row in table.values()] == ["done", "failed", "done"]
    assert table["sub/bad"]["file"] == "sub/bad.nii.gz"
    assert "truncated" in table["sub/bad"]["message"]
    one = table["one_SA"]
    assert one["long_axis"] == "one_LA.nii.gz"
    assert float(one["LV_mass_g"]) == pytest.approx(1.05 * float(one["MYO_ml"]), abs=0.1)
    assert float(table["sub/two"]["mean_d_mm"]) > float(one["mean_d_mm"]) > 0
    assert all(float(one[column]) > 0 for column in ("LV_ml", "RV_ml", "slices", "seconds", "L"))

    bad.unlink()
    first = stamps(out)
    assert cohort(scans, "--preset", "interactive") == 0
    assert stamps(out) == first
    assert list(rows(out)) == ["one_SA", "sub/two"]

    shutil.rmtree(out / "sub" / "two")
    assert cohort(scans, "--preset", "interactive") == 0
    second = stamps(out)
    assert second["one_SA"] == first["one_SA"]
    assert second["sub/two"] > first["sub/two"]

    assert cohort(scans, *QUICKEST) == 0
    assert all(stamps(out)[name] > second[name] for name in ("one_SA", "sub/two"))
    assert contents(out / "one_SA") == QUICK_RESULTS


def stopped_midway(scans: Path, out: Path, stop: signal.Signals) -> tuple[int, str]:
    """Status and messages of a run that gets a signal as soon as one more subject is done."""
    command = ["-m", "srheart_demo.cli", "cohort", str(scans), str(out), *QUICKEST, "--jobs", "1"]
    before = stamps(out)
    run = in_foreground(*command, stderr=subprocess.PIPE)
    wait_until(lambda: len(stamps(out)) > len(before))
    run.send_signal(stop)
    _, error = run.communicate(timeout=300)  # Ends when the run's own processes have ended too.
    after = stamps(out)
    assert before.items() <= after.items()
    assert all(contents(folder) == QUICK_RESULTS for folder in result_folders(out))
    return run.returncode, error


@posix
@pytest.mark.usefixtures("in_background")
def test_an_interrupted_run_goes_on_where_it_was(scans: Path) -> None:
    out = scans.parent / "out"
    status, error = stopped_midway(scans, out, signal.SIGINT)
    assert status == 130
    assert f"The same command goes on from {out}." in error
    assert "Traceback" not in error
    assert not (out / ".staging").exists()
    assert {row["status"] for row in rows(out).values()} == {"done", "waiting"}

    status, _ = stopped_midway(scans, out, signal.SIGKILL)
    assert status == -signal.SIGKILL
    done = stamps(out)
    assert len(done) < len(NAMES)
    (out / ".staging" / "left").mkdir(parents=True, exist_ok=True)

    assert cohort(scans, *QUICKEST, "--jobs", "2") == 0
    assert done.items() <= stamps(out).items()
    assert {name: row["status"] for name, row in rows(out).items()} == dict.fromkeys(NAMES, "done")
    assert contents(out) == {"summary.csv", "another", "none", "severe"}


def check_a_death(scans: Path, execute: Execute, kill: Callable[[], None]) -> None:
    made_so = Cohort(scans.parent / "out", INTERACTIVE, surface=False, check=False)
    subjects = find_subjects(scans, made_so.out).subjects
    with closing(made_so.restore_all(subjects, execute)) as ended:
        records = [next(ended)]
        before = stamps(made_so.out)
        kill()
        records += ended
    assert sorted(record.subject for record in records) == NAMES
    assert {record.status for record in records} == {"done"}
    assert before.items() <= stamps(made_so.out).items()
    assert all(contents(folder) == QUICK_RESULTS for folder in result_folders(made_so.out))
    assert not (made_so.out / ".staging").exists()
    assert not made_so.unfinished(subjects)
    assert made_so.restore(subjects[0]) in records  # Asked again, a worker does not do it again.


@posix
def test_a_killed_process_costs_nothing(scans: Path) -> None:
    def kill() -> None:
        for process in active_children():
            process.kill()

    check_a_death(scans, partial(in_processes, processes=2), kill)


@posix
def test_a_killed_worker_of_a_cluster_costs_nothing(scans: Path) -> None:
    import dask
    from distributed import LocalCluster

    method = {"distributed.worker.multiprocessing-method": "forkserver"}
    with (
        dask.config.set(method),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
    ):
        check_a_death(
            scans,
            partial(in_cluster, scheduler=cluster.scheduler_address),
            lambda: os.kill(cluster.workers[0].pid, signal.SIGKILL),
        )


def touched(folder: Path, *files: str) -> Path:
    """A folder with these files."""
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (["a.nii", "a.nii.gz"], "a.nii and a.nii.gz would share"),
        (["a.nii.gz", "a/deep/b.nii"], "a.nii.gz and a/deep/b.nii would share"),
        (["a.txt"], "no .nii"),
    ],
)
def test_folders_that_cannot_be_worked_on_are_refused(
    files: list[str], complaint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scans = touched(tmp_path / "in", *files)
    assert cohort(scans) == 2
    assert complaint in capfd.readouterr().err
    assert contents(tmp_path) == {"in"}


def test_results_do_not_go_among_the_scans_nor_over_other_files(scans: Path) -> None:
    with pytest.raises(Unusable, match="among the scans"):
        find_subjects(scans, scans / "none" / "..")
    made_so = Cohort(touched(scans.parent / "out", "none/dilated/mine.txt"), INTERACTIVE)
    with pytest.raises(Unusable, match=r"mine\.txt"):
        made_so.unfinished(find_subjects(scans, made_so.out).subjects)


@posix
def test_a_second_run_does_not_disturb_the_first(
    scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = touched(scans.parent / "out", ".staging/half.nii.gz")
    with held(out) as ours:
        assert ours
        assert cohort(scans, *QUICKEST) == 2
        assert f"{out}: another run is writing to it" in capfd.readouterr().err
        assert contents(out / ".staging") == {"half.nii.gz"}
    with held(out) as ours:  # It goes as the process does that held it.
        assert ours


def test_a_pattern_that_no_file_has_is_refused_or_said(
    scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cohort(scans, "--list", "--views", "*_4hc") == 2
    assert "--views: no file has '*_4hc'; correct it" in capfd.readouterr().err
    assert cohort(scans, "--list", "--exclude", "sevre") == 0
    said = capfd.readouterr()
    assert "Note: --exclude: no file has 'sevre'" in said.err
    assert "restore: severe/dilated.nii.gz" in said.out


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_ends_the_run_and_fails_no_scan(
    number: int, scans: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def full_disk(_: object, subjects: Sequence[CohortScan], processes: int) -> Ends[Record]:
        yield 0, ValueError("odd")
        yield 1, OSError(number, os.strerror(number))
        pytest.fail("the run goes on")

    monkeypatch.setattr("srheart_demo.cli.cohort.in_processes", full_disk)
    assert cohort(scans, *QUICKEST) == 2
    out = scans.parent / "out"
    refusal = f"{out}: results cannot be written here ({os.strerror(number)})"
    assert refusal in capfd.readouterr().err
    statuses = [row["status"] for row in rows(out).values()]
    assert statuses == ["failed", *(["waiting"] * 4)]
    assert contents(out) == {"summary.csv", NAMES[0]}


def broken(_: object, subjects: Sequence[CohortScan]) -> Ends[Record]:
    """Restores none."""
    for i in range(len(subjects)):
        yield i, OSError(5, "Input/output error")


def test_other_input_and_other_versions_are_done_anew(scans: Path) -> None:
    made_so = Cohort(scans.parent / "out", INTERACTIVE, version="0")
    subjects = find_subjects(scans, made_so.out).subjects
    records = list(made_so.restore_all(subjects, broken))
    assert all(record.message.endswith("Input/output error") for record in records)
    with pytest.raises(RuntimeError, match="another version"):
        made_so.restore(subjects[0])
    shutil.copy(subjects[1].paths[0], subjects[0].paths[0])
    again = find_subjects(scans, made_so.out)
    statuses = [record.status for record in made_so.summarise(again)]
    assert statuses == ["waiting", *(["failed"] * 4)]
    newer = Cohort(made_so.out, INTERACTIVE)
    assert {record.status for record in newer.summarise(again)} == {"waiting"}


def test_results_of_another_generator_are_not_mixed_with_these(
    scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made_so = Cohort(scans.parent / "out", INTERACTIVE, generator="dcgan")
    subjects = find_subjects(scans, made_so.out).subjects
    record = replace(made_so.record(subjects[1]), status="done")
    folder = made_so.out / subjects[1].name
    folder.mkdir(parents=True)
    (folder / "record.json").write_text(json.dumps(asdict(record)))
    assert len(made_so.unfinished(subjects)) == len(subjects) - 1
    assert cohort(scans, "--preset", "interactive") == 2
    error = capfd.readouterr().err
    assert f"{folder}: its results are those of the generator dcgan, not of traits" in error
    assert contents(folder) == {"record.json"}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A folder as people download them: two frames of labels, and phases with views."""
    folder = tmp_path / "in"
    folder.mkdir()
    stack, view = (
        nibabel.load(FOLDER / "healthy_1" / f"{n}.nii.gz") for n in ("S_LR_none", "S_LA")
    )
    labels = np.asarray(stack.dataobj)
    cine = np.zeros((*labels.shape, 5), np.uint8)
    cine[..., 1] = cine[..., 4] = labels
    grey = np.random.default_rng(0).normal(300, 50, cine.shape).astype(np.int16)
    for name, array, affine in (
        ("P1_sa_gt", cine, stack.affine),
        ("P1_sa", grey, stack.affine),
        ("P2_SA_ED_gt", labels, stack.affine),
        ("P2_SA_ED", grey[..., 0], stack.affine),
        ("P2_LA_ED_gt", np.asarray(view.dataobj), view.affine),
        ("P2_LA_ES_gt", np.asarray(view.dataobj), view.affine),
        ("P3_sa_gt", np.zeros_like(labels), stack.affine),
    ):
        nibabel.save(nibabel.Nifti1Image(array, affine), folder / f"{name}.nii.gz")
    (folder / "P4.nrrd").write_bytes(b"NRRD0004")
    return folder


def test_a_dataset_is_restored_and_what_is_no_scan_is_no_failure(
    dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cohort(dataset, *QUICK, "--jobs", "1") == 0
    counted = (
        "passed over: 2 pictures, 1 file without labels, 1 view without a stack, 1 file in another "
        "format"
    )
    said = capfd.readouterr()
    assert said.out.startswith("3 restored")
    assert f"; {counted}; see {out / 'summary.csv'}." in said.out
    assert f"3 to restore, 1 with a long-axis view; {counted}." in said.err
    table = rows(out)
    done = {name: row for name, row in table.items() if row["status"] == "done"}
    assert {name: (row["frame"], row["long_axis"]) for name, row in done.items()} == {
        "P1_sa_gt_frame_001": ("1", ""),
        "P1_sa_gt_frame_004": ("4", ""),
        "P2_SA_ED_gt": ("", "P2_LA_ED_gt.nii.gz"),
    }
    assert all(row["verdict"] for row in done.values())
    rest = {name: row["status"] for name, row in table.items() if name not in done}
    assert set(rest.values()) == {"passed over"}
    assert len(rest) == 5
    assert contents(out) == {"summary.csv", *done}

    before = stamps(out)
    assert cohort(dataset, *QUICK) == 0
    assert stamps(out) == before

    alone = tmp_path / "alone"
    stack = str(dataset / "P1_sa_gt.nii.gz")
    options = ["--frame", "4", "--preset", "interactive", "--no-check", "-o", str(alone)]
    assert main(["enhance", stack, *options]) == 0
    found, expected = (f / "S_SR.nii.gz" for f in (out / "P1_sa_gt_frame_004", alone))
    assert found.read_bytes() == expected.read_bytes()


def test_a_list_says_what_would_be_done_and_does_nothing(
    dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["cohort", str(dataset), "--list", "--exclude", "P1_*"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "restore: P2_SA_ED_gt.nii.gz, with P2_LA_ED_gt.nii.gz"
    assert any(line.startswith("pass over: P2_SA_ED.nii.gz: picture: ") for line in lines)
    assert any(line.startswith("pass over: P2_LA_ES_gt.nii.gz: view without") for line in lines)
    assert len(lines) == 8
    assert contents(tmp_path) == {"in"}


def test_a_folder_without_stacks_says_what_was_passed_over(
    dataset: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cohort(dataset, "--exclude", "*_SA_*", "--exclude", "P1_sa_gt") == 2
    assert "no label stack; passed over: 1 picture," in capfd.readouterr().err


def test_the_last_line_counts_what_is_not_to_be_trusted(
    scans: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made_so = Cohort(scans.parent / "out", INTERACTIVE)
    subjects = find_subjects(scans, made_so.out).subjects
    verdicts = ["distrust", "fine", "distrust", "unusual", None]
    for subject, verdict in zip(subjects, verdicts, strict=True):
        folder = made_so.out / subject.name
        folder.mkdir(parents=True)
        record = replace(made_so.record(subject), status="done", verdict=verdict)
        (folder / "record.json").write_text(json.dumps(asdict(record)))
    assert cohort(scans, "--preset", "interactive") == 0
    said = capfd.readouterr().out
    assert said.startswith("5 restored, 2 of them not to be trusted, 1 unusual; see ")


def test_a_refusal_names_the_option_that_helps(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    scans = tmp_path / "in"
    scans.mkdir()
    stack = nibabel.load(FOLDER / "healthy_1" / "S_LR_none.nii.gz")
    odd = np.array([0, 70, 80, 90])[np.asarray(stack.dataobj)].astype(np.uint8)
    nibabel.save(nibabel.Nifti1Image(odd, stack.affine), scans / "a.nii.gz")
    assert cohort(scans, *QUICK) == 1
    assert "--labels" in capfd.readouterr().err
    assert "--labels" in rows(tmp_path / "out")["a"]["message"]
    assert cohort(scans, *QUICK, "--no-check", "--labels", "LV=70", "MYO=80", "RV=90") == 0


def test_a_view_of_another_place_is_left_out_and_said_so(tmp_path: Path) -> None:
    scans = tmp_path / "in"
    scans.mkdir()
    shutil.copy(FOLDER / "healthy_1" / "S_LR_none.nii.gz", scans / "a.nii.gz")
    view = nibabel.load(FOLDER / "healthy_1" / "S_LA.nii.gz")
    far = view.affine.copy()
    far[:3, 3] += 500
    nibabel.save(nibabel.Nifti1Image(np.asarray(view.dataobj), far), scans / "a_LA.nii.gz")
    made_so = Cohort(tmp_path / "out", INTERACTIVE, surface=False, check=False)
    (subject,) = find_subjects(scans, made_so.out).subjects
    assert subject.long_axis == "a_LA.nii.gz"
    (made_so.out / ".staging").mkdir(parents=True)
    record = made_so.restore(subject)
    assert (record.status, record.long_axis) == ("done", None)
    assert "The view a_LA.nii.gz was left out: " in record.message
    assert made_so.record(subject) == record


def test_a_view_whose_name_begins_anothers_stays(tmp_path: Path) -> None:
    scans = tmp_path / "in"
    scans.mkdir()
    shutil.copy(FOLDER / "healthy_1" / "S_LR_none.nii.gz", scans / "a_sa.nii.gz")
    view = nibabel.load(FOLDER / "healthy_1" / "S_LA.nii.gz")
    nibabel.save(view, scans / "a_4ch.nii")
    far = view.affine.copy()
    far[:3, 3] += 500
    nibabel.save(nibabel.Nifti1Image(np.asarray(view.dataobj), far), scans / "a_4ch.nii.gz")
    made_so = Cohort(tmp_path / "out", INTERACTIVE, surface=False, check=False)
    (subject,) = find_subjects(scans, made_so.out).subjects
    assert subject.views == ("a_4ch.nii", "a_4ch.nii.gz")
    (made_so.out / ".staging").mkdir(parents=True)
    record = made_so.restore(subject)
    assert record.long_axis == "a_4ch.nii"
    assert "The view a_4ch.nii.gz was left out: " in record.message
