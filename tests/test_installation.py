"""The check of the installation finds what is wrong and says what to do."""

from __future__ import annotations

import platform
import re
import webbrowser
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from srheart_demo.cli import doctor, main
from srheart_demo.lessons import start
from srheart_demo.lessons.installation import (
    Finding,
    Findings,
    Wrong,
    full_tables,
    look_at,
    packages,
    solver_times,
)


def test_a_missing_package_is_named_with_the_command_that_brings_it() -> None:
    needs = ["numpy>=1", "no-such-package>=2; extra == 'app'"]
    finding = look_at("packages", lambda: packages(needs))
    assert finding.found == "missing: no-such-package"
    assert "pip install" in finding.cure


def test_a_package_of_another_version_is_told_both() -> None:
    with pytest.raises(Wrong, match=r"numpy is \d.*needed >=999"):
        packages(["numpy>=999"])


def test_what_only_developers_need_is_not_asked_for() -> None:
    assert packages(["numpy", "no-such-package; extra == 'test'"]).startswith("all 1")


def test_missing_tables_say_where_they_come_from(tmp_path: Path) -> None:
    finding = look_at("full tables", lambda: full_tables(tmp_path))
    assert "lessons 7 and 11" in finding.found
    assert "docs/results" in finding.cure
    assert "srheart experiment table-s1" in finding.cure


def test_whatever_fails_becomes_a_finding() -> None:
    finding = look_at("broken", lambda: str(1 / 0))
    assert "division by zero" in finding.found
    assert finding.cure


def test_what_is_wrong_stands_first() -> None:
    found = Findings((Finding("a", "good"), Finding("b", "bad <x>", "do it")))
    assert found.verdict == "1 of 2 need a cure."
    assert repr(found).index("○ b") < repr(found).index("✓ a")
    assert "bad &lt;x&gt;" in found._repr_html_()
    assert Findings((Finding("a", "good"),)).verdict == "All is in place."


def test_recorded_times_are_found_in_the_results(root: Path) -> None:
    text = (root / "docs/results.md").read_text("utf-8")
    for preset in ("INTERACTIVE", "RECOMMENDED"):
        iteration, whole = solver_times(text, preset)
        assert iteration is not None
        assert whole is not None
        assert 0 < iteration < whole
    assert solver_times("", "RECOMMENDED") == (None, None)


@pytest.mark.parametrize(
    ("mistake", "word"),
    [
        (lambda K, gap: K * gap, "too many"),
        (lambda K, gap: (K - 2) * gap, "too few"),
        (lambda K, gap: K - 1, "number of gaps"),
        (lambda K, gap: 120, "and you find"),
    ],
)
def test_typical_mistakes_of_the_first_exercise(mistake, word: str) -> None:
    verdict = start.length_mm(mistake)
    assert not verdict.right
    assert word in verdict.sentence


def test_the_doctor_looks_at_the_machine_and_times_a_solve(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.webbrowser, "get", lambda: webbrowser.GenericBrowser("firefox"))
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("All is in place.")
    assert f"srheart {metadata.version('srheart-demo')}, Python {platform.python_version()}" in said
    assert "firefox opens by itself" in said
    assert re.search(r"processor: [1-9]\d* cores", said)
    assert re.search(r"memory: \d+\.\d of \d+\.\d GB are free", said)
    assert str(Path.cwd()) in said
    assert re.search(r"a solve, RECOMMENDED *\| *\d", said)


def test_the_doctor_says_what_to_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No browser, no leave to write, no memory: each with its cure, and a status that tells."""

    def refuse(**_: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    def none() -> NoReturn:
        raise webbrowser.Error("could not locate runnable browser")

    monkeypatch.setattr(doctor, "TemporaryFile", refuse)
    monkeypatch.setattr(doctor.webbrowser, "get", none)
    monkeypatch.setattr(doctor, "timings", lambda: pytest.fail("nothing is timed"))
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--quick"])
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert said.startswith("2 of 10 need a cure.\n○ ")
    assert f"{Path.home()}: Permission denied" in said
    assert "set HOME" in said
    assert "srheart explore --no-browser" in said
    with pytest.raises(Wrong, match=r"are free; 1e\+06 are needed"):
        doctor.memory(least_gb=1e6)
