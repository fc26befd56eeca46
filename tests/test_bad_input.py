"""Whatever is wrong with the input: one sentence, exit status 2, nothing written.

Each case is a file that a user might really give. The sentence names the file and what is wrong;
a few cases run in a process of their own, to see what a user sees.
"""

from __future__ import annotations

import ast
import gzip
import io
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from string import Formatter

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from simple_heart import long_axis_view, scanner_from_model, short_axis_stack

import srheart_demo
from srheart_demo.cli import main
from srheart_demo.scan.volume import LabelVolume, write_volume

TRUTH = scanner_from_model()
STACK = short_axis_stack(TRUTH)
VIEW = long_axis_view(TRUTH)


def save(path: Path, array: NDArray, affine: NDArray[np.float64] = STACK.affine) -> None:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def save_raw(path: Path, **header: object) -> None:
    """A file whose header fields are overwritten after nibabel has had its say."""
    image = nibabel.Nifti1Image(STACK.labels, STACK.affine)
    content = bytearray(image.to_bytes())
    fields = nibabel.Nifti1Header(bytes(content[:348]), check=False)
    for name, value in header.items():
        fields[name] = value
    content[:348] = fields.binaryblock
    path.write_bytes(gzip.compress(bytes(content)))


def with_spacing(path: Path, *spacing: float) -> None:
    save_raw(path, pixdim=[1.0, *spacing, 0.0, 0.0, 0.0, 0.0])


def relabelled(path: Path, change: Callable[[NDArray], None], dtype: type = np.uint8) -> None:
    labels = STACK.labels.astype(dtype)
    change(labels)
    save(path, labels)


def put(value: float) -> Callable[[NDArray], None]:
    return lambda labels: labels.__setitem__((5, 40, 40), value)


def truncated(path: Path) -> None:
    write_volume(STACK, path)
    path.write_bytes(path.read_bytes()[:-300])


def truncated_plain(path: Path) -> None:
    plain = path.with_suffix("")
    write_volume(STACK, plain)
    path.write_bytes(gzip.compress(plain.read_bytes()[:5000]))
    plain.unlink()


def wrong_checksum(path: Path) -> None:
    write_volume(STACK, path)
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)


def sheared(path: Path) -> None:
    affine = STACK.affine.copy()
    affine[:3, 1] += 0.1 * affine[:3, 2]
    save(path, STACK.labels, affine)


def singular(path: Path) -> None:
    save_raw(path, srow_x=[0.0] * 4, srow_y=[0.0] * 4, srow_z=[0.0, 0.0, 1.0, 0.0])


def one_labelled_slice(labels: NDArray) -> None:
    labels[:5] = labels[6:] = 0


STACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (lambda path: None, "no such file"),
    "folder": (lambda path: path.mkdir(), "folder"),
    "empty file": (lambda path: path.touch(), "not a readable NIfTI"),
    "text file": (lambda path: path.write_text("not a scan\n" * 100), "not a readable NIfTI"),
    "another gzip": (lambda path: path.write_bytes(gzip.compress(b"x" * 999)), "not a readable"),
    "truncated gzip": (truncated, "truncated"),
    "truncated data": (truncated_plain, "truncated"),
    "wrong checksum": (wrong_checksum, "truncated or damaged"),
    "2-D": (lambda path: save(path, STACK.labels[5]), "single slice"),
    "three frames": (
        lambda path: save(path, np.stack([STACK.labels] * 3, axis=-1)),
        "labels in 3 of 3 frames (0 to 2, counted from 0); choose one",
    ),
    "5-D": (lambda path: save(path, np.zeros((9, 9, 9, 2, 2), np.uint8)), "5-D"),
    "huge header": (lambda path: save_raw(path, dim=[3, 30000, 30000, 3000, 1, 1, 1, 1]), "claims"),
    "colours": (
        lambda path: save(path, np.zeros((9, 9, 9), [(c, "u1") for c in "RGB"])),
        "not whole numbers",
    ),
    "NaN": (lambda path: relabelled(path, put(np.nan), np.float32), "NaN"),
    "infinite": (lambda path: relabelled(path, put(np.inf), np.float32), "NaN or infinite"),
    "interpolated": (lambda path: relabelled(path, put(1.5), np.float32), "such as 1.5"),
    "unknown label": (lambda path: relabelled(path, put(7)), "unknown label values (7)"),
    "negative label": (
        lambda path: relabelled(path, put(-1), np.int16),
        "unknown label values (-1)",
    ),
    "labels of another kind": (
        lambda path: save(path, np.array([0, 500, 200, 600], np.int16)[STACK.labels]),
        "LV=500 MYO=200 RV=600",
    ),
    "LV and MYO exchanged": (
        lambda path: save(path, np.array([0, 2, 1, 3], np.uint8)[STACK.labels]),
        "label 1 encloses label 2",
    ),
    "empty": (lambda path: save(path, np.zeros_like(STACK.labels)), "nothing is labelled"),
    "one slice": (lambda path: save(path, STACK.labels[5:6]), "single slice"),
    "one labelled slice": (lambda path: relabelled(path, one_labelled_slice), "only one slice"),
    "no RV": (lambda path: save(path, STACK.labels * (STACK.labels != 3)), "RV (3)"),
    "no LV": (lambda path: save(path, STACK.labels * (STACK.labels != 1)), "LV (1)"),
    "zero spacing": (lambda path: with_spacing(path, 10.0, 0.0, 1.5), "10 x 0 x 1.5"),
    "negative spacing": (lambda path: with_spacing(path, 10.0, 1.5, -1.5), "10 x 1.5 x -1.5"),
    "NaN spacing": (lambda path: with_spacing(path, np.nan, 1.5, 1.5), "spacing"),
    "two spacings": (lambda path: with_spacing(path, 8.0, 1.5, 1.5), "make the two agree"),
    "singular affine": (singular, "singular"),
    "NaN in affine": (lambda path: save_raw(path, srow_x=[np.nan] * 4), "not finite"),
    "sheared affine": (sheared, "right angles"),
    "metres for millimetres": (
        lambda path: save(path, STACK.labels, np.diag([1e-3, 1e-3, 1e-3, 1]) @ STACK.affine),
        "no heart",
    ),
}


def one_line_about(path: Path, complaint: str, error: str) -> None:
    assert error.count("\n") == 1
    assert str(path) in error
    assert complaint in error
    assert "Traceback" not in error
    assert error.endswith(".\n")


@pytest.mark.parametrize("case", STACKS)
def test_a_bad_stack_is_refused_in_one_sentence(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, complaint = STACKS[case]
    path, out = tmp_path / "stack.nii.gz", tmp_path / "out"
    make(path)
    before = set(tmp_path.iterdir())
    assert main(["enhance", str(path), "-o", str(out)]) == 2
    one_line_about(path, complaint, capfd.readouterr().err)
    assert set(tmp_path.iterdir()) == before


def test_a_path_that_leads_nowhere_keeps_no_other_file_from_being_checked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names too long for a file, and folders that must not be entered (simulated, for root)."""
    stack, long, locked = (tmp_path / name for name in ("stack.nii", 300 * "x" + ".nii", "no.nii"))
    write_volume(STACK, stack)
    is_file = Path.is_file

    def look(path: Path) -> bool:
        if path == locked:
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", look)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--no-solve", str(long), str(locked), str(stack)])
    assert stopped.value.code == 2
    said = capfd.readouterr()
    assert f"{long}: there is no such file" in said.err
    assert f"{locked}: reading it is not permitted" in said.err
    assert str(stack) in said.out


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("enhance", "S_SR.nii.gz"),
        ("enhance --on-stack", "S_stack.nii.gz"),
        ("enhance --frames all", "frame_000/S_SR.nii.gz"),
        ("degrade", "S_LR.nii.gz"),
    ],
)
@pytest.mark.parametrize("linked", [False, True])
def test_no_result_is_written_over_the_input_and_nothing_is_solved_first(
    command: str,
    name: str,
    linked: bool,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def solve(*_: object) -> None:
        raise AssertionError("this was solved first")

    for module in ("cli.enhance", "enhancement.cycle"):
        monkeypatch.setattr(f"srheart_demo.{module}.enhance", solve)
    path, out = tmp_path / "in" / "stack.nii.gz", tmp_path / "out"
    result = out / name
    for file in (path, result):
        file.parent.mkdir(parents=True)
    write_volume(STACK, path if linked else result)
    if linked:
        result.hardlink_to(path)
    before = result.read_bytes()
    program, *options = command.split()
    assert main([program, str(path if linked else result), "-o", str(out), *options]) == 2
    assert f"{result}: this is the input" in capfd.readouterr().err
    assert result.read_bytes() == before
    assert [file for file in out.rglob("*") if file.is_file()] == [result]


def test_a_command_speaks_to_whatever_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a terminal without all signs, and to none, as in the background."""
    path, heard = tmp_path / "stack.nii", io.BytesIO()
    write_volume(STACK, path)
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(heard, "ascii"))
    monkeypatch.setattr("sys.stderr", None)
    with pytest.raises(SystemExit) as stopped:
        main(["check", "--no-solve", str(path), str(tmp_path / "none.nii")])
    assert stopped.value.code == 2
    sys.stdout.flush()
    assert rb"\xb0 from the LV" in heard.getvalue()


def shifted(volume: LabelVolume, offset: NDArray[np.float64]) -> LabelVolume:
    affine = volume.affine.copy()
    affine[:3, 3] += offset
    return replace(volume, affine=affine)


VIEWS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing file": (lambda path: None, "no such file"),
    "misses the stack": (
        lambda path: write_volume(shifted(VIEW, 120 * TRUTH[:3, 1]), path),
        "misses the heart",
    ),
    "a stack": (lambda path: write_volume(STACK, path), "one plane"),
    "a short-axis slice": (
        lambda path: write_volume(
            replace(shifted(STACK, 5 * STACK.affine[:3, 0]), labels=STACK.labels[5:6]), path
        ),
        "no long-axis view",
    ),
    "empty": (
        lambda path: write_volume(replace(VIEW, labels=np.zeros_like(VIEW.labels)), path),
        "nothing is labelled",
    ),
    "a line of voxels": (lambda path: save(path, VIEW.labels[:, :, 50:51], VIEW.affine), "plane"),
}


@pytest.mark.parametrize("case", VIEWS)
def test_a_bad_long_axis_view_is_refused_in_one_sentence(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, complaint = VIEWS[case]
    stack, path, out = (tmp_path / name for name in ("stack.nii.gz", "view.nii.gz", "out"))
    write_volume(STACK, stack)
    make(path)
    before = set(tmp_path.iterdir())
    assert main(["enhance", str(stack), "--long-axis", str(path), "-o", str(out)]) == 2
    one_line_about(path, complaint, capfd.readouterr().err)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("out", ["stack.nii.gz", "stack.nii.gz/deeper"])
@pytest.mark.parametrize("command", ["enhance", "degrade"])
def test_a_folder_that_cannot_be_written_is_refused(
    command: str, out: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stack.nii.gz"
    write_volume(STACK, path)
    before = path.read_bytes()
    assert main([command, str(path), "-o", str(tmp_path / out)]) == 2
    one_line_about(tmp_path / out, "cannot be written", capfd.readouterr().err)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_without_permission_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Simulated, because permissions do not bind root."""

    def refuse(**_: object) -> str:
        raise PermissionError(13, "Permission denied")

    path, out = tmp_path / "stack.nii.gz", tmp_path / "locked"
    write_volume(STACK, path)
    monkeypatch.setattr("srheart_demo.files.tempfile.mkdtemp", refuse)
    assert main(["enhance", str(path), "-o", str(out)]) == 2
    one_line_about(out, "Permission denied", capfd.readouterr().err)
    assert list(tmp_path.iterdir()) == [path]


OPTIONS = {
    "unknown preset": (["--preset", "fastest"], "known: PAPER"),
    "gamma without a view": (["--gamma", "2"], "--long-axis"),
    "negative gamma": (["--gamma", "-1"], "0 or more"),
    "gamma is no number": (["--gamma", "nan"], "0 or more"),
    "unknown start": (["--start", "best"], "choose from"),
    "seed without a random start": (["--seed", "4"], "--start random"),
    "fractional seed": (["--seed", "1.5"], "whole number"),
    "unknown option": (["--fast"], "--fast"),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_a_bad_option_is_refused_in_one_line(
    case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    arguments, complaint = OPTIONS[case]
    path = tmp_path / "stack.nii.gz"
    write_volume(STACK, path)
    try:
        status = main(["enhance", str(path), "-o", str(tmp_path / "out"), *arguments])
    except SystemExit as refusal:
        status = refusal.code
    error = capfd.readouterr().err
    assert status == 2
    assert complaint in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("case", ["missing file", "truncated gzip", "negative spacing", "NaN"])
def test_a_user_sees_one_line_and_status_2(case: str, tmp_path: Path) -> None:
    make, complaint = STACKS[case]
    path, out = tmp_path / "stack.nii.gz", tmp_path / "out"
    make(path)
    before = set(tmp_path.iterdir())
    ran = subprocess.run(
        [sys.executable, "-m", "srheart_demo.cli", "enhance", str(path), "-o", str(out)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 2
    assert ran.stdout == ""
    one_line_about(path, complaint, ran.stderr)
    assert set(tmp_path.iterdir()) == before


def test_a_refusal_comes_from_another_process_as_it_was() -> None:
    import pickle

    from srheart_demo.scan.volume import InvalidVolume

    refusal = InvalidVolume.of("s.nii", "several frames", n=2, frames=10, labelled="0 and 9")
    again = pickle.loads(pickle.dumps(refusal))
    assert str(again) == str(refusal)
    assert (again.kind, again.remedy) == ("several frames", "frame")


SAID_BY = {"of": "refusals", "sentence": "refusals", "told": "told"}


@pytest.mark.parametrize("room", ["cli", "enhancement"])
def test_sentences_are_asked_for_by_their_names_and_with_their_facts(room: str) -> None:
    """Where a sentence is said is seldom run; a wrong name would be a KeyError there."""
    folder = Path(srheart_demo.__file__).parent / room
    sentences = tomllib.loads((folder / "sentences.toml").read_text("utf-8"))
    unsaid = {(part, key) for part in ("refusals", "told") for key in sentences.get(part, ())}
    for path in folder.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            match call:
                case ast.Call(
                    ast.Attribute(attr=name) | ast.Name(id=name), [ast.Constant(str(key))], facts
                ) if name in SAID_BY:
                    fields = Formatter().parse(sentences[SAID_BY[name]][key])
                    assert {fact.arg for fact in facts} == {
                        field for _, field, _, _ in fields if field
                    }, key
                    unsaid.discard((SAID_BY[name], key))
    assert not unsaid
