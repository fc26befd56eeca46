"""``srheart population`` end to end, on very few hearts."""

import pytest

from srheart_demo.cli import main, population
from srheart_demo.heart.population import POPULATIONS
from srheart_demo.heart.published import HEALTHY


def test_without_options_it_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["population"]) == 0
    assert capsys.readouterr().out.split() == list(POPULATIONS)


def test_two_hearts_are_no_population(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["population", "--check", "--hearts", "2"])
    assert stopped.value.code == 1
    report = capsys.readouterr()
    assert "SD out of tolerance" in report.out
    assert "2 of 2 hearts pass" in report.out
    assert "healthy 2/2" in report.err


def test_all_within_is_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(population, "outside", lambda drawn, target: [])
    assert main(["population", "--check", "--hearts", "2"]) == 0
    assert f"{len(HEALTHY)} of {len(HEALTHY)} within tolerance" in capsys.readouterr().out


def test_patients_are_reported_beside_acdc(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["population", "--check", "--hearts", "2", "--population", "dilated"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("LV volume"))
    assert line.split()[2] == "285"


def test_an_unknown_population_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["population", "--population", "athletes"]) == 2
    assert "athletes; known: healthy, men" in capsys.readouterr().err
