"""``srheart evaluate generator`` end to end, with a tiny untrained generator."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from simple_heart import scanner_from_model, short_axis_stack

from srheart_demo.cli import main
from srheart_demo.experiments import generators as evaluation
from srheart_demo.experiments.generators import Evaluation, Section
from srheart_demo.heart.generator import DCGAN, Architecture, EncodedGenerator, save_weights
from srheart_demo.heart.measures import Summary
from srheart_demo.scan.volume import write_volume
from srheart_demo.solver import best_code as ceiling

WIDTHS = Architecture(latent_size=5, widths=(4, 3, 2), encoder_widths=(4, 3, 2))


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ceiling, "ITERATIONS", 2)
    monkeypatch.setattr(evaluation, "DRAWS_PER_PAIR", 2)
    torch.manual_seed(0)
    model = EncodedGenerator(WIDTHS)
    # Noise would have surfaces everywhere, which take long to measure; this has hardly any.
    model.decoder[-1].bias.data[0] = 1.0
    save_weights(model, tmp_path / "tiny.safetensors", {})
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def evaluate(weights: Path) -> Callable[..., int]:
    quick = ["--generator", str(weights), "--hearts", "1", "--draws", "2", "--jobs", "2"]
    return lambda *arguments: main(
        ["evaluate", "generator", *map(str, arguments), *quick, "--population", "healthy", "women"]
    )


def test_the_table_holds_every_part_and_is_the_same_each_time(
    evaluate: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.nii.gz", "two.nii.gz"):
        write_volume(short_axis_stack(scanner_from_model()), tmp_path / name)
    files = [tmp_path / "one.nii.gz", tmp_path / "two.nii.gz"]
    assert evaluate("-o", tmp_path / "synthetic.csv") == 0
    assert evaluate(*files, "-o", tmp_path / "all.csv") == 0
    synthetic, rows = (
        [row for row in csv.DictReader((tmp_path / name).open()) if "ms" not in row["measure"]]
        for name in ("synthetic.csv", "all.csv")
    )
    assert synthetic == [row for row in rows if "file" not in row["on"] and "nii" not in row["on"]]
    parts = {row["on"]: int(row["n"]) for row in rows}
    assert parts == {
        "healthy": 1,
        "women": 1,
        "one.nii.gz": 1,
        "two.nii.gz": 1,
        "mean of 2 files": 2,
        "z ~ N(0, I)": 2,
        "z = 0": 1,
        "latent space": 2,
        "interpolation": 5,
        "decoder": 1,
    }
    printed = capsys.readouterr().out
    assert all(f"| {name}" in printed for name in parts)
    assert "ceiling Dice LV / MYO / RV" in printed


def test_a_stopped_evaluation_goes_on_where_it_was(
    evaluate: Callable[..., int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    measured: list[str] = []
    accuracy = evaluation.accuracy

    def stop_at_women(G: evaluation.Generator, heart: evaluation.LabelVolume) -> dict[str, float]:
        measured.append(heart.name)
        if measured == ["healthy", "women"]:
            raise KeyboardInterrupt
        return accuracy(G, heart)

    monkeypatch.setattr(evaluation, "accuracy", stop_at_women)
    with pytest.raises(SystemExit) as end:
        evaluate("-o", tmp_path / "out.csv")
    assert end.value.code == 130
    stopped = capsys.readouterr()
    assert "| healthy | 1 |" in stopped.out
    assert "women" not in stopped.out
    assert "goes on" in stopped.err
    assert "healthy" in (tmp_path / "out.csv").read_text()

    measured.clear()
    assert evaluate("-o", tmp_path / "out.csv") == 0
    assert measured == ["women"]
    assert "| healthy | 1 |" in capsys.readouterr().out


def test_a_generator_without_encoder_has_no_encodings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(DCGAN(replace(WIDTHS, encoder_widths=())), tmp_path / "gan.safetensors", {})
    arguments = ["--generator", str(tmp_path / "gan.safetensors"), "--hearts", "0", "--draws", "2"]
    assert main(["evaluate", "generator", *arguments, "-o", str(tmp_path / "out.md")]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out.md").read_text() + "\n"
    assert "z = 0: sound hearts" in printed
    assert not {"posterior", "interpolation", "encode"} & set(printed.replace(":", " ").split())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--population", "giants"], "unknown giants; known: healthy"),
        (["--generator", "gan"], "unknown generator 'gan'; known: "),
        (["--generator", __file__], "holds no generator"),
        (["-o", "out.txt"], "end it with .csv or .md"),
        (["-o", __file__ + "/out.csv"], "cannot be written here"),
        (["missing.nii.gz"], "missing.nii.gz"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(
    arguments: list[str], complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "generator", *arguments]) == 2
    error = capfd.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1


def test_another_file_is_not_taken_for_a_table(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.csv").write_text("iteration,L\n0,1.5\n")
    assert main(["evaluate", "generator", "-o", str(tmp_path / "other.csv")]) == 2
    assert "no table of srheart evaluate" in capfd.readouterr().err
    assert (tmp_path / "other.csv").read_text() == "iteration,L\n0,1.5\n"


HEALTHY = Section("vae", "12ab", "healthy", 0, 2)
DECODER = Section("vae", "12ab", "decoder", 0, 1)
HEARTS = [{"Dice LV": 0.9, "Dice MYO": 0.8, "Dice RV": 0.7, "RMS of z": 1.0}] * 2


def test_a_table_survives_its_file(tmp_path: Path) -> None:
    table = Evaluation(tmp_path / "table.csv")
    short = {"a": 3.0, "b": float("inf")}
    table.add_section(HEALTHY, [{"a": 1.0, "b": 2.0}, short, {"a": 1.0, "b": 4.0}, short])
    found = {row["measure"]: [float(row[x]) for x in Summary._fields] for row in table.rows}
    assert found == {"a": [2.0, 1.0, 0], "b": [3.0, 1.0, 2]}
    table.add_section(DECODER, [{"a": float("inf")}])
    again = Evaluation(tmp_path / "table.csv")
    assert again.rows == table.rows
    assert HEALTHY in again
    assert HEALTHY._replace(seed=1) not in again


def test_a_table_as_markdown(tmp_path: Path) -> None:
    table = Evaluation(tmp_path / "table.md")
    table.add_section(HEALTHY, HEARTS)
    table.add_section(DECODER, [{"decode, ms": 12.5}])
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert "| hearts | n | Dice LV / MYO / RV | RMS of z |" in lines
    assert "| healthy | 2 | 0.900 / 0.800 / 0.700 | 1 |" in lines
    assert "| decoder: decode, ms | 1 | 12.5 |" in lines


def test_a_table_says_how_many_hearts_lack_a_tissue() -> None:
    table = Evaluation()
    table.add_section(HEALTHY, [HEARTS[0], HEARTS[0] | {"Dice RV": float("inf")}])
    assert "| healthy | 2 | 0.900 / 0.800 / 0.700 (1 missing) | 1 |" in table.markdown()
