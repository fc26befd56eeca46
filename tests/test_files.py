"""Files and folders that a reader never meets half of."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from srheart_demo.files import as_shipped, whole_folder, write_csv, write_json
from srheart_demo.heart import generator
from srheart_demo.solver.baselines import edsr

WEIGHTS = generator.WEIGHTS


def test_what_is_no_text_in_a_files_name_is_written_too(tmp_path: Path) -> None:
    """Linux takes any bytes for a name; JSON gives it back."""
    name = os.fsdecode(b"\xff.nii.gz")
    write_json({"stack": name}, tmp_path / "d.json")
    assert json.loads((tmp_path / "d.json").read_text("utf-8")) == {"stack": name}
    write_csv([{"file": name}], ["file"], tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text("utf-8") == "file\n\\udcff.nii.gz\n"


def test_a_folder_is_the_old_one_until_it_is_the_new_one(tmp_path: Path) -> None:
    path, staging = tmp_path / "deep" / "result", tmp_path / "staging"
    staging.mkdir()
    for name in ("first", "second"):
        with whole_folder(path, staging) as draft:
            (draft / name).touch()
            assert list(path.glob("*")) == ([path / "first"] if name == "second" else [])
        assert list(path.iterdir()) == [path / name]
    assert not list(staging.iterdir())


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    path, staging = tmp_path / "result", tmp_path / "staging"
    for folder in (path, staging):
        folder.mkdir()
    (path / "old").touch()

    def fail() -> None:
        with whole_folder(path, staging) as draft:
            (draft / "new").touch()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert list(path.iterdir()) == [path / "old"]
    assert not list(staging.iterdir())


def test_an_exception_between_the_two_moves_leaves_the_old_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, staging = tmp_path / "result", tmp_path / "staging"
    for folder in (path, staging):
        folder.mkdir()
    (path / "old").touch()
    replace = os.replace

    def stopped(source: Path, target: Path) -> None:
        if Path(source).name == "new":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", stopped)
    with pytest.raises(KeyboardInterrupt), whole_folder(path, staging) as draft:
        (draft / "new").touch()
    assert list(path.iterdir()) == [path / "old"]
    assert not list(staging.iterdir())


def test_all_shipped_weights_are_what_their_list_says() -> None:
    files = sorted(WEIGHTS.rglob("*.safetensors"))
    assert len(files) >= 5
    assert [as_shipped(file, WEIGHTS) for file in files] == files


def test_weights_with_a_wrong_byte_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("dcgan.safetensors", "edsr/none.safetensors"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        content = bytearray((WEIGHTS / name).read_bytes())
        content[-1] ^= 1
        (tmp_path / name).write_bytes(content)
    shutil.copy(WEIGHTS / "SHA256SUMS", tmp_path)
    monkeypatch.setattr(generator, "WEIGHTS", tmp_path)
    monkeypatch.setattr(edsr, "EDSR_WEIGHTS", tmp_path / "edsr")
    for load in (
        lambda: generator._loaded.__wrapped__("dcgan", None),
        lambda: edsr.load_edsr.__wrapped__("none"),
    ):
        with pytest.raises(ValueError, match=r"not the file that was shipped .* install"):
            load()
