"""``srheart experiment`` end to end: rows, summary and page; killed and gone on with; refusals."""

from __future__ import annotations

import csv
import json
import re
import signal
import subprocess
import sys
from base64 import b64decode
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from processes import wait_until
from simple_heart import scanner_from_model, short_axis_stack

from srheart_demo.cli import experiment as command
from srheart_demo.cli import main
from srheart_demo.heart.generator import Architecture, available
from srheart_demo.scan.volume import write_volume
from srheart_demo.solver import best_code as ceiling
from srheart_demo.training import BetaVAESettings, betavae, loop
from srheart_demo.training.betavae import encode_decode

QUICK = ["NN", "LO (INTERACTIVE)"]


def experiment(name: str, out: Path, *more: str, methods: list[str] = QUICK) -> list[str]:
    """The command's arguments."""
    return ["experiment", name, *more, "--methods", *methods, "-o", str(out)]


def rows(out: Path) -> list[dict[str, str]]:
    """What was measured, without the time it took."""
    with (out / "results.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    for row in found:
        del row["seconds"]
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Table S1 of one heart."""
    out = tmp_path_factory.mktemp("s1") / "out"
    assert main(experiment("table-s1", out, "--hearts", "1")) == 0
    return out


def test_one_row_for_each_subject_level_and_method(finished: Path) -> None:
    found = rows(finished)
    assert [(row["subject"], row["level"], row["method"]) for row in found] == [
        ("healthy 5000000", level, name) for level in ("none", "normal", "severe") for name in QUICK
    ]
    assert not any(row["error"] for row in found)
    nearest, ours = found[4:]
    for structure in ("LV", "MYO", "RV", "mean"):
        assert float(ours[f"dice_{structure}"]) > float(nearest[f"dice_{structure}"])
    assert float(ours["motion_error_mm"]) < float(nearest["motion_error_mm"])
    # The same heart at every level.
    assert len({row["true_volume_RV_ml"] for row in found}) == 1
    settings = json.loads((finished / "settings.json").read_text())
    assert settings["settings"]["seeds of hearts and motion"] == "5000000 to 5000000"
    assert {"commit", "torch", "processor", "date"} <= set(settings["made_with"])


def test_the_summary_stands_beside_the_papers(finished: Path) -> None:
    text = (finished / "summary.md").read_text()
    (nearest,) = re.findall(r"\| severe \| NN \| [*]{2}0\.\d{3}[*]{2} .*", text)
    assert nearest.endswith("| 0.74 ± 0.04 | 0.32 ± 0.06 | 0.72 ± 0.04 | 0.59 ± 0.04 |")
    assert "95 % interval" in text


class Outside(HTMLParser):
    """Whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {name}" for name, _ in attributes if name in ("src", "href")]


def test_the_page_asks_no_other_host(finished: Path) -> None:
    page = (finished / "report.html").read_text()
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    assert [b64decode(picture) for picture in pictures] == [
        path.read_bytes() for path in sorted(finished.glob("*.png"))
    ]
    own = re.sub(r'src="data:image/png[^"]+"', "", page)
    assert not re.search(r"https?:|//\w|@import|url\(", own)
    parser = Outside()
    parser.feed(own)
    assert not parser.found
    assert "<b>0.9" in own
    assert "5000000" in own


def test_a_killed_run_goes_on_where_it_was(finished: Path, tmp_path: Path) -> None:
    """Nothing lost, nothing twice, and the figures of a run that nobody killed."""
    out = tmp_path / "out"
    arguments = experiment("table-s1", out, "--hearts", "1")
    process = subprocess.Popen(
        [sys.executable, "-m", "srheart_demo.cli", *arguments], stderr=subprocess.DEVNULL
    )
    try:
        table = out / "results.csv"
        wait_until(lambda: table.exists() and table.read_bytes().count(b"\n") >= 3)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    kept = table.read_bytes().splitlines(keepends=True)
    assert len(kept) < 7
    with table.open("ab") as file:
        file.write(b"healthy 5000000,severe,NN,0.8")

    assert main(arguments) == 0
    assert table.read_bytes().startswith(b"".join(kept))
    assert rows(out) == rows(finished)
    before = table.read_bytes()
    assert main(arguments) == 0
    assert table.read_bytes() == before


@pytest.mark.usefixtures("warm_processes")
def test_processes_measure_the_same(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(experiment("table1", one, "--hearts", "2", methods=["NN"])) == 0
    assert main(experiment("table1", two, "--hearts", "2", "--jobs", "2", methods=["NN"])) == 0
    assert sorted(rows(two), key=lambda row: row["subject"]) == rows(one)


def test_a_subject_that_fails_is_recorded_and_the_others_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hearts, out = tmp_path / "hearts", tmp_path / "out"
    (hearts / "deep").mkdir(parents=True)
    write_volume(short_axis_stack(scanner_from_model()), hearts / "deep" / "good.nii.gz")
    (hearts / "bad.nii.gz").write_bytes(b"no NIfTI")
    (hearts / "other.nrrd").touch()
    assert main(experiment("real-stacks", out, str(hearts), methods=["NN", "SBI"])) == 0
    assert [(r["subject"], r["method"], bool(r["error"])) for r in rows(out)] == [
        ("bad", "NN", True),
        ("bad", "SBI", True),
        ("deep/good", "NN", False),
        ("deep/good", "SBI", False),
    ]
    printed, warned = capsys.readouterr()
    assert "passed over: 1 file in another format" in warned
    assert "over 1 subject that" in printed
    assert "not a readable NIfTI file" in printed


def test_real_hearts_are_degraded(tmp_path: Path) -> None:
    write_volume(
        short_axis_stack(scanner_from_model(), 64, (2.0, 1.25, 1.25), 128),
        tmp_path / "heart.nii.gz",
    )
    file = str(tmp_path / "heart.nii.gz")
    assert main(experiment("real-stacks", tmp_path / "out", file, methods=["NN"])) == 0
    found = rows(tmp_path / "out")
    assert [row["level"] for row in found] == ["none", "normal", "severe"]
    dice = [float(row["dice_MYO"]) for row in found]
    assert dice == sorted(dice, reverse=True)
    assert "0.86 ± 0.02" in (tmp_path / "out" / "summary.md").read_text()


def test_the_view_helps_in_table_3(tmp_path: Path) -> None:
    methods = ["LO (ours)", "LO-multi-view (ours)"]
    assert main(experiment("table3", tmp_path, "--hearts", "1", methods=methods)) == 0
    alone, both = (float(row["raw_la_dice_mean"]) for row in rows(tmp_path))
    assert alone < both
    lines = (tmp_path / "summary.md").read_text().splitlines()
    sweep = lines[lines.index("## Weight of the long-axis view") :]
    assert [line.split("|")[1].strip() for line in sweep[4:6]] == ["0", "1"]


def test_the_ablation_tells_what_each_step_brings(tmp_path: Path) -> None:
    arguments = experiment("ablation", tmp_path, "--hearts", "1", methods=["+ start", "+ residual"])
    assert main(arguments) == 0
    found = rows(tmp_path)
    assert [row["method"] for row in found] == ["+ start", "+ residual"] * 3
    for without, residual in zip(found[::2], found[1::2], strict=True):
        assert float(residual["dice_mean"]) > float(without["dice_mean"])
        assert residual["loss"] == without["loss"]
        assert residual["faulty"] in "01"
    lines = (tmp_path / "summary.md").read_text().splitlines()
    gains = lines[lines.index("## What each step brings") :]
    assert gains[4].startswith("| + residual | +0.")
    assert (tmp_path / "from-the-paper-to-ours-step-by-step.png").stat().st_size > 10_000


def test_methods_may_come_to_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(experiment("table1", tmp_path, "--hearts", "1", methods=["NN"])) == 0
    before = (tmp_path / "results.csv").read_bytes()
    assert main(experiment("table1", tmp_path, "--hearts", "1", methods=["NN", "SBI"])) == 0
    assert (tmp_path / "results.csv").read_bytes().startswith(before)
    assert [row["method"] for row in rows(tmp_path)] == ["NN", "SBI"]
    record = json.loads((tmp_path / "settings.json").read_text())
    assert record["settings"]["methods"] == ["NN", "SBI"]
    assert "commit" in record["made_with"]["before that"]
    assert main(experiment("table1", tmp_path, "--hearts", "1", methods=["SBI"])) == 2
    assert 'methods ["NN", "SBI"], not ["SBI"]' in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{}", "[]", "no JSON", '{"settings": 3, "made_with": {}}'])
def test_settings_of_something_else_are_refused(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.json").write_text(content)
    assert main(experiment("table1", tmp_path, "--hearts", "1", methods=["NN"])) == 2
    assert "settings.json is not of an experiment; give the same" in capsys.readouterr().err


def test_the_latent_study_trains_and_compares(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ceiling, "ITERATIONS", 3)
    monkeypatch.setattr(ceiling, "SCOUTING", 1)
    monkeypatch.setattr(ceiling, "BANK", 4)
    monkeypatch.setattr(loop, "INFORMATION_CODES", 1)
    monkeypatch.setattr(betavae, "encode_decode", partial(encode_decode, hearts=2))
    small = partial(BetaVAESettings, architecture=Architecture(4, (4, 3, 2), (4, 3, 2)))
    monkeypatch.setattr(command, "BetaVAESettings", small)
    arguments = ["experiment", "latent-study", "--hearts", "1", "--latents", "8"]
    budget = ["--betas", "0.001", "--train-hearts", "2", "--train-steps", "2", "--draws", "2"]
    assert main([*arguments, *budget, "--preset", "interactive", "-o", str(tmp_path)]) == 0
    shipped = ["M = 8", *sorted({"betavae", "dcgan"} & {*available()})]
    generators = [*shipped, "β = 0.001"]
    found = {(row["level"], row["method"], row["subject"]): row for row in rows(tmp_path)}
    for level in ("none", "normal", "severe", "best code"):
        dice = [float(found[level, name, "healthy 5000000"]["dice_mean"]) for name in generators]
        assert dice[-1] < min(dice[:-1])
    assert found["draws", "M = 8", "draw 1"]["sound"] == "1"
    assert len(found) == (4 + 2) * len(generators)
    weights = tmp_path / "training" / "beta-0.001" / "betavae.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["settings"]["beta"] == 0.001
    assert "nested, not retrained" in (tmp_path / "summary.md").read_text()


def test_other_settings_are_refused(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (finished / "results.csv").read_bytes()
    assert main(experiment("table-s1", finished, "--hearts", "2")) == 2
    error = capsys.readouterr().err
    assert "hearts 1, not 2" in error
    assert "give the same options, or another folder" in error
    assert main(experiment("table1", finished, "--hearts", "1")) == 2
    assert 'experiment "table-s1", not "table1"' in capsys.readouterr().err
    assert (finished / "results.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["table1", "--methods", "magic"], "unknown method 'magic'; known: NN, SBI"),
        (["table1", "--population", "giants", "--methods", "NN"], "unknown giants; known: healthy"),
        (["table1", "--hearts", "0"], "a whole number, 1 or more"),
        (["table1", "--methods", "NN", "-o", __file__], "cannot be written here"),
        (["real-stacks", "missing.nii.gz"], "there is no such file"),
        (["real-stacks", str(Path(__file__).parent)], "no .nii or .nii.gz"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(
    arguments: list[str], complaint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = [] if "-o" in arguments else ["-o", str(tmp_path / "out")]
    try:
        status = main(["experiment", *arguments, *out])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2
    error = capfd.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
