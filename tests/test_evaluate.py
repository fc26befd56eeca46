"""``srheart evaluate generator`` end to end, with a tiny untrained generator."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from simple_heart import scanner_from_model, short_axis_stack

from srheart_demo.cli import main
from srheart_demo.experiments import generators as evaluation
from srheart_demo.experiments.generators import Generators
from srheart_demo.experiments.tables import Results
from srheart_demo.heart.generator import DCGAN, Architecture, EncodedGenerator, save_weights
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
    quick = ["--generator", str(weights), "--hearts", "1", "--draws", "2"]
    return lambda *arguments: main(
        ["evaluate", "generator", *map(str, arguments), *quick, "--population", "healthy", "women"]
    )


def rows(out: Path) -> list[dict[str, str]]:
    """What was measured, without times."""
    with (out / "results.csv").open(newline="") as file:
        return [{k: v for k, v in row.items() if "ms" not in k} for row in csv.DictReader(file)]


def test_the_table_holds_every_part_and_is_the_same_each_time(
    evaluate: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.nii.gz", "two.nii.gz"):
        write_volume(short_axis_stack(scanner_from_model()), tmp_path / name)
    files = [tmp_path / "one.nii.gz", tmp_path / "two.nii.gz"]
    assert evaluate("-o", tmp_path / "synthetic") == 0
    assert evaluate(*files, "-o", tmp_path / "all") == 0
    measured = rows(tmp_path / "all")
    assert rows(tmp_path / "synthetic") == [row for row in measured if row["level"] != "files"]
    assert not any(row["error"] for row in measured)
    assert Counter(row["level"] for row in measured) == {
        "healthy": 1,
        "women": 1,
        "files": 2,
        "z ~ N(0, I)": 2,
        "z = 0": 1,
        "interpolation": 1,
        "latent space": 1,
        "decoder": 1,
    }
    printed = capsys.readouterr().out
    parts = [*(row["level"] for row in measured), "one.nii.gz", "two.nii.gz"]
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
    assert evaluate("-o", tmp_path / "out") == 130
    assert "goes on" in capsys.readouterr().err
    assert [row["level"] for row in rows(tmp_path / "out")] == ["healthy"]

    measured.clear()
    assert evaluate("-o", tmp_path / "out") == 0
    assert measured == ["women"]
    assert "| healthy | " in capsys.readouterr().out


def test_a_generator_without_encoder_has_no_encodings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_weights(DCGAN(replace(WIDTHS, encoder_widths=())), tmp_path / "gan.safetensors", {})
    arguments = ["--generator", str(tmp_path / "gan.safetensors"), "--hearts", "0", "--draws", "2"]
    assert main(["evaluate", "generator", *arguments, "-o", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert printed == (tmp_path / "out" / "summary.md").read_text()
    assert "| z = 0 | " in printed
    measured = rows(tmp_path / "out")
    assert {row["level"] for row in measured} == {"z ~ N(0, I)", "z = 0", "decoder"}
    encoded = [name for name in measured[0] if {"posterior", "encode-decode"} & {*name.split()}]
    assert encoded
    assert not any(row[name] for row in measured for name in encoded)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--population", "giants"], "unknown giants; known: healthy"),
        (["--generator", "gan"], "unknown generator 'gan'; known: "),
        (["--generator", __file__], "holds no generator"),
        (["--hearts", "0", "-o", __file__ + "/out"], "cannot be written here"),
        (["missing.nii.gz"], "missing.nii.gz"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once(
    arguments: list[str], complaint: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["evaluate", "generator", "-o", str(tmp_path / "out"), *arguments]) == 2
    error = capfd.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_another_file_is_not_taken_for_a_table(
    evaluate: Callable[..., int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.csv").write_text("iteration,L\n0,1.5\n")
    assert evaluate("-o", tmp_path) == 2
    assert "is not of an experiment" in capfd.readouterr().err
    assert (tmp_path / "results.csv").read_text() == "iteration,L\n0,1.5\n"


OF_TWO = Generators(("vae",), ("healthy",), (), hearts=2, draws=0)
HEART = {
    f"ceiling {score} {tissue}": f"{value}"
    for score, values in {"Dice": (0.9, 0.8, 0.7), "ASSD": (0.5, 0.25, 1.0)}.items()
    for tissue, value in zip(("LV", "MYO", "RV"), values, strict=True)
}


def results(*hearts: dict[str, str]) -> Results:
    found = Results(None, OF_TWO.figures)
    known = {"level": "healthy", "method": "vae", "ceiling RMS of z": "1.0"}
    found.add(*({"subject": f"healthy {i}", **known, **heart} for i, heart in enumerate(hearts)))
    return found


def test_a_table_as_markdown() -> None:
    found = results(HEART, HEART)
    found.add({"subject": "decoder", "level": "decoder", "method": "vae", "decode, ms": "12.5"})
    known, decoder = (table.markdown() for table in OF_TWO.tables(found))
    assert known[0].startswith("| of | generator | ceiling Dice LV / MYO / RV | ")
    assert known[2].startswith("| healthy | vae | 0.900 / 0.800 / 0.700 | 0.500 / 0.250 / 1.000 |")
    assert known[2].endswith("| 1.000 |")
    assert known[2].count("|  |") == 1  # no encoder, no encodings
    assert known[3] == ""
    assert decoder[2].startswith("| decoder | vae | 12.5 |")


def test_a_table_says_how_many_hearts_lack_a_tissue() -> None:
    found = results(HEART, HEART | {"ceiling Dice RV": "inf"})
    (table,) = OF_TWO.tables(found)
    assert "| healthy | vae | 0.900 / 0.800 / 0.700 (1 missing) | " in "\n".join(table.markdown())
