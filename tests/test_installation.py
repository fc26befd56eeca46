"""The check of the installation finds what is wrong and says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    assert "lesson 7" in finding.found
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
