"""The full tables in docs/results are whole, and scores look where the picture looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from srheart_demo.experiments import paper_tables
from srheart_demo.experiments.cases import FIRST_SEED, simulated_heart
from srheart_demo.experiments.methods import method
from srheart_demo.experiments.paper_tables import recorded
from srheart_demo.experiments.scoring import labels_at_truth, score
from srheart_demo.heart.measures import mean_dice

TABLES = sorted(
    p.name for p in paper_tables.RESULTS_FOLDER.iterdir() if p.name in paper_tables.PAPER_TABLES
)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_has_every_row_that_its_settings_promise(name: str) -> None:
    experiment, results = recorded(name)
    promised = {(t.subject, t.level, m) for t in experiment.tasks() for m in t.measures}
    assert results.done == promised
    assert not results.failures
    assert experiment.tables(results)


def test_a_missing_table_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"docs/results; .*srheart experiment table2"):
        recorded("table2", tmp_path)
    with pytest.raises(KeyError, match="table-s1"):
        recorded("table9")
    assert not any(tmp_path.iterdir())


def test_labels_at_the_truth_are_those_that_are_scored() -> None:
    case = simulated_heart("healthy", FIRST_SEED, "severe")
    sbi = method("SBI", "severe")
    labels = labels_at_truth(sbi(case.scan), case)
    found = score(sbi, case)
    assert np.isclose(mean_dice(labels, case.S_HR.labels), found["dice_mean"])
    assert not np.isclose(found["dice_mean"], found["raw_dice_mean"])
