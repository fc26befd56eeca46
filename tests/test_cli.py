"""The commands end to end, with a generator that knows the analytic heart instead of weights."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import trimesh
from processes import in_foreground
from simple_heart import heart_labels, long_axis_view, scanner_from_model, short_axis_stack
from torch import Tensor

from srheart_demo.cli import chosen, main, parser
from srheart_demo.cli.progress import ProgressLine, duration
from srheart_demo.enhancement import enhance as enhancement
from srheart_demo.files import fingerprint
from srheart_demo.frame import HR_SHAPE, HR_SPACING, LATTICE_SHAPE, hr_affine, lattice_points
from srheart_demo.heart import generator
from srheart_demo.heart.generator import (
    Architecture,
    EncodedGenerator,
    read_generator,
    save_weights,
)
from srheart_demo.heart.measures import dice
from srheart_demo.scan.degradation import Motion, one_hot_field
from srheart_demo.scan.read import read_long_axis, read_short_axis
from srheart_demo.scan.samples import FOLDER, SAMPLES
from srheart_demo.scan.volume import LabelVolume, write_volume
from srheart_demo.solver.algorithm import STARTS
from srheart_demo.solver.settings import RECOMMENDED
from srheart_demo.training import dcgan, loop

RESULTS = {"S_SR.nii.gz", "d.json", "convergence.csv", "heart.stl"}
TRUTH = scanner_from_model()
D = np.random.default_rng(1).normal(0.0, 3.0, (10, 2))


class OneHeart:
    """G(z) = the analytic heart where hearts of the population lie, whatever z."""

    latent_size = 2
    information = torch.zeros(2, 2)
    name = "one heart"

    def __init__(self) -> None:
        points = lattice_points(LATTICE_SHAPE)
        self.field = 8.0 * one_hot_field(heart_labels(points))

    def decode(self, z: Tensor) -> Tensor:
        return self.field + 0.0 * z.sum()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, few_draws: None) -> None:
    """`enhance` with the generator above and few iterations."""
    settings = replace(RECOMMENDED, iterations=60)
    monkeypatch.setattr(chosen, "load_generator", lambda name: OneHeart())
    monkeypatch.setattr(chosen, "preset", lambda name: settings)


def base_first(stack: LabelVolume) -> LabelVolume:
    affine = stack.affine.copy()
    affine[:3, 3] += (stack.shape[0] - 1) * affine[:3, 0]
    affine[:3, 0] *= -1
    return replace(stack, labels=stack.labels[::-1].copy(), affine=affine)


def columns_backwards(stack: LabelVolume) -> LabelVolume:
    affine = stack.affine.copy()
    affine[:3, 3] += (stack.shape[2] - 1) * affine[:3, 2]
    affine[:3, 2] *= -1
    return replace(stack, labels=stack.labels[:, :, ::-1].copy(), affine=affine)


STORAGE: dict[str, Callable[[LabelVolume], LabelVolume]] = {
    "as scanned": lambda stack: stack,
    "base first": base_first,
    "columns backwards": columns_backwards,
}


@pytest.fixture
def scan(tmp_path: Path) -> SimpleNamespace:
    """A displaced stack of the analytic heart, its long-axis view, and a folder to come."""
    files = SimpleNamespace(
        stack=tmp_path / "stack.nii.gz", view=tmp_path / "view.nii.gz", out=tmp_path / "out"
    )
    write_volume(short_axis_stack(TRUTH, d=D), files.stack)
    write_volume(long_axis_view(TRUTH), files.view)
    return files


@pytest.mark.parametrize("storage", STORAGE)
@pytest.mark.usefixtures("quick")
def test_enhance_finds_heart_and_motion_in_the_world(storage: str, scan: SimpleNamespace) -> None:
    """Up to one common translation, wherever the scanner lay and however the file is stored."""
    write_volume(STORAGE[storage](short_axis_stack(TRUTH, d=D)), scan.stack)
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 0

    report = json.loads((scan.out / "d.json").read_text())
    order = slice(None, None, -1) if storage == "base first" else slice(None)
    tissue = np.array(report["slice_has_tissue"])[order]
    found = np.array(report["d_world_mm"])[order][tissue]
    true = (D @ TRUTH[:3, 1:3].T)[tissue]
    common = (true - found).mean(axis=0)
    # The prior on d holds the smallest slice back by half a millimetre, hence the mean.
    assert np.sqrt(((found + common - true) ** 2).sum(axis=1).mean()) < 0.4
    axes = np.stack([report["row_direction_ras"], report["column_direction_ras"]], axis=1)
    np.testing.assert_allclose(np.array(report["d_mm"]) @ axes.T, report["d_world_mm"], atol=1e-3)
    np.testing.assert_allclose(np.mean(report["d_mean_removed_mm"], axis=0), 0.0, atol=1e-3)
    assert report["slice_order"].startswith("base" if storage == "base first" else "apex")
    assert report["gauge"]

    S_SR = read_short_axis(scan.out / "S_SR.nii.gz")
    assert S_SR.shape == HR_SHAPE
    assert S_SR.spacing == pytest.approx(HR_SPACING, rel=1e-4)
    points = (S_SR.points() - common - TRUTH[:3, 3]) @ TRUTH[:3, :3]
    assert min(dice(S_SR.labels, heart_labels(points)).values()) > 0.9

    solid = trimesh.load(scan.out / "heart.stl")
    tissue = S_SR.points()[S_SR.labels > 0]
    np.testing.assert_allclose(solid.bounds[0], tissue.min(axis=0), atol=3.0)
    np.testing.assert_allclose(solid.bounds[1], tissue.max(axis=0), atol=3.0)
    assert solid.volume / 1000 == pytest.approx(
        len(tissue) * np.prod(S_SR.spacing) / 1000, rel=0.05
    )


@pytest.mark.usefixtures("quick")
def test_enhance_uses_the_long_axis_view_and_does_as_told(scan: SimpleNamespace) -> None:
    arguments = ["enhance", str(scan.stack), "--long-axis", str(scan.view), "-o", str(scan.out)]
    assert main([*arguments, "--gamma", "0.5", "--start", "random", "--seed", "4"]) == 0
    report = json.loads((scan.out / "d.json").read_text())
    chosen = {name: report["settings"][name] for name in ("gamma", "start", "seed")}
    assert chosen == {"gamma": 0.5, "start": "random", "seed": 4}
    assert report["L"] == pytest.approx(report["L_SA"] + 0.5 * report["L_LA"], rel=1e-4)
    assert report["long_axis"] == [str(scan.view)]
    assert np.abs(report["d_LA_mm"]).max() > 0
    assert main([*arguments, "--long-axis", str(scan.view), "--trust-views"]) == 0
    report = json.loads((scan.out / "d.json").read_text())
    assert report["d_LA_mm"] == [[0, 0], [0, 0]]
    assert len(report["view_agrees_dice"]) == 2


@pytest.mark.parametrize("start", STARTS)
def test_enhance_offers_every_start(start: str) -> None:
    options = parser().parse_args(["enhance", "stack.nii.gz", "--start", start, "-o", "out"])
    assert options.start == start


@pytest.mark.parametrize("name", ["dcgan", "betavae.safetensors"])
def test_enhance_solves_with_the_generator_that_is_asked_for(
    name: str, scan: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with one whose encoder was never shown a scan: z starts at 0."""
    monkeypatch.chdir(scan.stack.parent)
    torch.manual_seed(0)
    tiny = EncodedGenerator(Architecture(3, (4, 3, 2), (4, 3, 2)), "betavae")
    save_weights(tiny, Path("betavae.safetensors"), {"settings": {"beta": 0.001}})
    options = ["--preset", "interactive", "--no-check", "--generator", name, "-o", str(scan.out)]
    assert main(["enhance", str(scan.stack), *options]) == 0
    report = json.loads((scan.out / "d.json").read_text())
    weights = generator.weights_file(name)
    assert report["generator"] == {"name": weights.stem, "weights": fingerprint(weights)}
    assert len(report["z"]) == {"dcgan": 64}.get(name, 3)
    assert not read_generator(weights).reads_scans
    assert generator.load_generator("traits").reads_scans


@pytest.mark.parametrize(
    "command", [["enhance"], ["check"], ["cohort", "--list"]], ids=lambda command: command[0]
)
def test_a_generator_that_does_not_exist_is_refused_with_the_known_ones(
    command: list[str], scan: SimpleNamespace, capfd: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    given = scan.stack.parent if name == "cohort" else scan.stack
    options += ["-o", str(scan.out)] if name == "enhance" else []
    assert main([name, str(given), *options, "--generator", "gan"]) == 2
    error = capfd.readouterr().err
    assert "--generator: unknown generator 'gan'; known: " in error
    assert "dcgan" in error
    assert "traits" in error
    assert ".safetensors" in error
    assert main([name, str(given), *options, "--generator", str(scan.stack)]) == 2
    assert f"{scan.stack}: this holds no generator" in capfd.readouterr().err
    assert not scan.out.exists()


@pytest.mark.usefixtures("quick")
def test_without_the_residual_the_heart_differs_and_the_motion_does_not(
    scan: SimpleNamespace,
) -> None:
    reports, hearts = [], []
    for name, option in (("with", []), ("without", ["--no-residual"])):
        assert main(["enhance", str(scan.stack), *option, "-o", str(scan.out / name)]) == 0
        reports.append(json.loads((scan.out / name / "d.json").read_text()))
        hearts.append(read_short_axis(scan.out / name / "S_SR.nii.gz").labels)
    assert [report["settings"]["residual"] for report in reports] == [True, False]
    assert reports[0]["d_mm"] == reports[1]["d_mm"]
    assert (hearts[0] != hearts[1]).any()


@pytest.mark.usefixtures("quick")
def test_convergence_has_a_row_for_every_step(scan: SimpleNamespace) -> None:
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 0
    rows = list(csv.DictReader((scan.out / "convergence.csv").open()))
    iterations = json.loads((scan.out / "d.json").read_text())["iterations"]
    assert [int(row["iteration"]) for row in rows] == list(range(iterations + 1))
    assert float(rows[-1]["L"]) < float(rows[0]["L"])
    assert all(row["L_LA"] == "" for row in rows)


@pytest.mark.usefixtures("quick")
def test_results_replace_old_ones_and_nothing_else(scan: SimpleNamespace) -> None:
    scan.out.mkdir()
    (scan.out / "heart.glb").write_text("somebody's")
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 0
    assert (scan.out / "heart.glb").read_text() == "somebody's"
    for name in ("S_SR.nii.gz", "d.json", "notes.txt"):
        (scan.out / name).write_text("before")
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 0
    assert {path.name for path in scan.out.iterdir()} == RESULTS | {"notes.txt"}
    assert (scan.out / "notes.txt").read_text() == "before"
    assert (scan.out / "d.json").read_text() != "before"


@pytest.mark.parametrize(
    ("present", "end"),
    [(False, "SIGINT"), (True, "SIGINT"), (True, "SIGTERM"), (False, "SIGHUP")],
)
@pytest.mark.usefixtures("quick")
def test_ctrl_c_or_another_end_leaves_everything_as_it_was(
    present: bool,
    end: str,
    scan: SimpleNamespace,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if present:
        scan.out.mkdir()
        for name in ("S_SR.nii.gz", "d.json"):
            (scan.out / name).write_text("before")

    if not hasattr(signal, end):
        pytest.skip("no such signal here")
    number = getattr(signal, end)
    handler = before = signal.getsignal(number)
    if end != "SIGINT":
        handler = signal.SIG_DFL
        signal.signal(number, handler)  # `nohup make test` ignores SIGHUP
        request.addfinalizer(lambda: signal.signal(number, before))

    def interrupted(*_: object) -> None:
        if end == "SIGINT":
            raise KeyboardInterrupt
        assert signal.getsignal(number) != signal.SIG_DFL, "this would end pytest"
        signal.raise_signal(number)

    monkeypatch.setattr(enhancement, "write_surfaces", interrupted)
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 130
    assert "Traceback" not in capfd.readouterr().err
    assert scan.out.exists() == present
    if present:
        assert {path.name for path in scan.out.iterdir()} == {"S_SR.nii.gz", "d.json"}
        assert (scan.out / "d.json").read_text() == "before"
    assert not [path for path in scan.stack.parent.iterdir() if path.name.startswith(".")]
    assert signal.getsignal(number) == handler


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for another process on Windows")
@pytest.mark.usefixtures("in_background")
def test_a_user_may_press_ctrl_c(scan: SimpleNamespace) -> None:
    command = ["-m", "srheart_demo.cli", "enhance", str(scan.stack), "-o", str(scan.out)]
    run = in_foreground(*command, "--preset", "reference", stderr=subprocess.PIPE)
    assert run.stderr is not None
    assert run.stderr.readline().startswith("iteration 0/500")
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=300)
    assert run.returncode == 130
    assert "Traceback" not in error
    assert sorted(scan.stack.parent.iterdir()) == [scan.stack, scan.view]


@pytest.mark.usefixtures("quick")
def test_a_run_that_diverges_says_so(
    scan: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(OneHeart, "decode", lambda self, z: self.field * float("nan") + z.sum())
    assert main(["enhance", str(scan.stack), "-o", str(scan.out)]) == 2
    error = capfd.readouterr().err
    assert f"{scan.stack}: the optimisation diverged" in error
    assert not scan.out.exists()


@pytest.fixture(scope="module")
def heart() -> LabelVolume:
    return LabelVolume(heart_labels(lattice_points()), TRUTH @ hr_affine())


def test_degrade_without_motion_takes_every_fifth_slice(heart: LabelVolume, tmp_path: Path) -> None:
    write_volume(heart, tmp_path / "S_HR.nii.gz")
    out = tmp_path / "scan"
    assert main(["degrade", str(tmp_path / "S_HR.nii.gz"), "--motion", "none", "-o", str(out)]) == 0
    S_LR = read_short_axis(out / "S_LR.nii.gz")
    np.testing.assert_array_equal(S_LR.labels, heart.labels[2::5])
    np.testing.assert_allclose(S_LR.points(), heart.points()[2::5], atol=1e-3)
    S_LA = read_long_axis(out / "S_LA.nii.gz")
    at_view = (S_LA.points()[0] - TRUTH[:3, 3]) @ TRUTH[:3, :3]
    assert min(dice(S_LA.labels[0], heart_labels(at_view)).values()) > 0.95


def test_what_is_no_result_of_the_command_is_not_written_over(
    heart: LabelVolume, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_volume(heart, tmp_path / "S_HR.nii.gz")
    given = ["degrade", str(tmp_path / "S_HR.nii.gz"), "-o"]
    out = tmp_path / "out"
    out.mkdir()
    (out / "S_LA.nii.gz").write_text("somebody's")
    assert main([*given, str(out)]) == 2
    assert "S_LA.nii.gz: this is no result of an earlier run" in capfd.readouterr().err
    assert [path.name for path in out.iterdir()] == ["S_LA.nii.gz"]
    for _ in range(2):  # its own results are
        assert main([*given, str(tmp_path / "again")]) == 0
    assert (
        main(["enhance", str(tmp_path / "again/S_LR.nii.gz"), "-o", str(tmp_path / "again")]) == 2
    )
    assert "d.json: this is no result of an earlier run" in capfd.readouterr().err


def test_who_reads_the_first_line_alone_is_told_of_no_error() -> None:
    command = [sys.executable, "-m", "srheart_demo.cli", "sample"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait() == 0


def test_degrade_moves_slices_by_what_it_writes(heart: LabelVolume, tmp_path: Path) -> None:
    write_volume(heart, tmp_path / "S_HR.nii.gz")
    degraded = {}
    for motion in ("normal", "severe", "4"):
        arguments = ["degrade", str(tmp_path / "S_HR.nii.gz"), "--motion", motion, "--seed", "5"]
        assert main([*arguments, "-o", str(tmp_path / motion)]) == 0
        degraded[motion] = np.array(json.loads((tmp_path / motion / "d.json").read_text())["d_mm"])
    expected = Motion.draw(13, 5).displacement(1.0)[0]
    np.testing.assert_allclose(degraded["normal"], expected, atol=1e-3)
    np.testing.assert_allclose(degraded["severe"], 4 * degraded["normal"], atol=1e-3)
    same = [(tmp_path / motion / "S_LR.nii.gz").read_bytes() for motion in ("severe", "4")]
    assert same[0] == same[1]
    S_LR = read_short_axis(tmp_path / "severe" / "S_LR.nii.gz")
    model = (S_LR.points() - TRUTH[:3, 3]) @ TRUTH[:3, :3]
    model[..., 1:] -= degraded["severe"][:, None, None, :]
    assert min(dice(S_LR.labels, heart_labels(model)).values()) > 0.95


def test_degrade_takes_hearts_on_other_grids(tmp_path: Path) -> None:
    fine = short_axis_stack(TRUTH, slices=100, spacing=(1.0, 1.0, 1.0), size=100)
    write_volume(fine, tmp_path / "fine.nii.gz")
    out = tmp_path / "scan"
    assert main(["degrade", str(tmp_path / "fine.nii.gz"), "--motion", "0", "-o", str(out)]) == 0
    S_LR = read_short_axis(out / "S_LR.nii.gz")
    model = (S_LR.points() - TRUTH[:3, 3]) @ TRUTH[:3, :3]
    assert min(dice(S_LR.labels, heart_labels(model)).values()) > 0.93


def test_noise_is_drawn_by_seed(heart: LabelVolume, tmp_path: Path) -> None:
    write_volume(heart, tmp_path / "S_HR.nii.gz")
    command = ["degrade", str(tmp_path / "S_HR.nii.gz"), "--motion", "none", "--noise", "0.5"]
    for name, seed in (("one", "1"), ("again", "1"), ("two", "2")):
        assert main([*command, "--seed", seed, "-o", str(tmp_path / name)]) == 0
    one, again, two = (
        (tmp_path / name / "S_LR.nii.gz").read_bytes() for name in ("one", "again", "two")
    )
    assert one == again != two


def test_sample_lists_and_copies_what_is_shipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(SAMPLES)
    assert main(["sample", SAMPLES[0], "-o", str(tmp_path / "copy")]) == 0
    shipped = {path.name: path.read_bytes() for path in (FOLDER / SAMPLES[0]).iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()} == shipped


def test_sample_draws_the_same_heart_for_a_seed(tmp_path: Path) -> None:
    for name, seed in (("one", "11"), ("again", "11"), ("two", "12")):
        assert main(["sample", "--seed", seed, "-o", str(tmp_path / name)]) == 0
    one, again, two = (
        (tmp_path / name / "S_LR_severe.nii.gz").read_bytes() for name in ("one", "again", "two")
    )
    assert one == again != two
    assert set(np.unique(read_short_axis(tmp_path / "one" / "S_HR.nii.gz").labels)) == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["nobody", "-o", "out"], "choose from"), ([SAMPLES[0]], "add -o OUT")],
)
def test_sample_says_what_it_lacks(
    arguments: list[str], complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", *arguments]) == 2
    error = capfd.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_train_writes_weights_and_refuses_other_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dcgan.DCGANTraining, "quality", lambda self: {})
    monkeypatch.setattr(loop, "INFORMATION_CODES", 1)
    command = ["train", "dcgan", "--hearts", "2", "--steps", "2", "--latent-size", "3"]
    command += ["-o", str(tmp_path / "run")]
    assert main(command) == 0
    assert read_generator(tmp_path / "run" / "dcgan.safetensors").latent_size == 3
    assert "training 2/2" in capfd.readouterr().err
    assert main([*command, "--seed", "3"]) == 2
    assert "other settings" in capfd.readouterr().err


def test_train_without_a_name_trains_ours() -> None:
    options = parser().parse_args(["train", "-o", "run"])
    assert options.generator == "traits"


def test_training_does_not_go_on_from_a_damaged_checkpoint(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "checkpoint.pt").write_text("oops")
    assert main(["train", "dcgan", "--hearts", "2", "--steps", "1", "-o", str(tmp_path)]) == 2
    assert "checkpoint.pt is damaged, or no checkpoint" in capfd.readouterr().err


@pytest.mark.parametrize("option", [["--beta", "3"], ["--motion", "severe"], ["--start", "x"]])
def test_train_refuses_for_one_generator_what_only_another_has(
    option: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "dcgan", *option, "-o", str(tmp_path / "run")]) == 2
    assert option[0] in capfd.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments", [["--help"], ["enhance", "--help"], ["--version"]])
def test_help_is_immediate(arguments: list[str]) -> None:
    """Nothing heavy is imported, which is what makes it fast on any machine."""
    code = (
        "import sys\nfrom srheart_demo.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "assert not {'torch', 'numpy', 'nibabel', 'scipy'} & set(sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert "srheart" in ran.stdout


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("srheart_demo.cli.progress.time.monotonic", lambda: clock.now)
    return clock


def count_to(total: int, stream: io.StringIO, clock: SimpleNamespace) -> str:
    with ProgressLine(stream) as progress:
        for done in range(total + 1):
            progress.update("iteration", done, total)
            clock.now += 1.0
    return stream.getvalue()


def test_progress_in_a_log_is_a_line_now_and_then(clock: SimpleNamespace) -> None:
    lines = count_to(60, io.StringIO(), clock).splitlines()
    assert len(lines) == 13
    assert lines[6] == "iteration 30/60 · 30 s · about 30 s left"
    assert lines[-1] == "iteration 60/60 · 1 min 00 s"


def test_progress_on_a_terminal_is_one_line(clock: SimpleNamespace) -> None:
    shown = count_to(60, Terminal(), clock)
    assert shown.count("\n") == 1
    assert shown.endswith("\n")
    assert shown.count("\r") == 61


def test_a_resumed_run_is_not_thought_fast(clock: SimpleNamespace) -> None:
    stream = io.StringIO()
    with ProgressLine(stream) as progress:
        for done in (900, 910):
            progress.update("training", done, 1000)
            clock.now += 10.0
    assert stream.getvalue().splitlines()[-1].endswith("about 1 min 30 s left")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (185, "3 min 05 s"), (7800, "2 h 10 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
