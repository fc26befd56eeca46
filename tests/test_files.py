"""Files and folders that a reader never meets half of."""

from __future__ import annotations

from pathlib import Path

import pytest

from srheart_demo.files import whole_folder


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
