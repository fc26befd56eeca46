"""`benchmarks.population` end to end, on very few hearts."""

import pytest

from benchmarks import population
from srheart_demo.heart.published import HEALTHY


def test_two_hearts_are_no_population(capsys: pytest.CaptureFixture[str]) -> None:
    assert population.main(["--hearts", "2"]) == population.OUT_OF_TOLERANCE
    report = capsys.readouterr().out
    assert "SD out of tolerance" in report
    assert "2 of 2 hearts pass" in report


def test_all_within_is_status_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(population, "outside", lambda drawn, target: [])
    assert population.main(["--hearts", "2"]) == 0
    assert f"{len(HEALTHY)} of {len(HEALTHY)} within tolerance" in capsys.readouterr().out


def test_patients_are_reported_beside_acdc(capsys: pytest.CaptureFixture[str]) -> None:
    assert population.main(["--population", "dilated", "--hearts", "2"]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("LV volume"))
    assert line.split()[2] == "285"


def test_an_unknown_population_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        population.main(["--population", "athletes"])
    assert "athletes" in capsys.readouterr().err
