"""The full tables in docs/results are whole, and scores look where the picture looks."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from srheart_demo.experiments.ablation import Ablation, DisplacedViews
from srheart_demo.experiments.cases import FIRST_SEED, simulated_heart
from srheart_demo.experiments.methods import method
from srheart_demo.experiments.paper_tables import (
    PAPER_TABLES,
    RESULTS_FOLDER,
    MethodsOnHearts,
    Table2,
    recorded,
)
from srheart_demo.experiments.scoring import labels_at_truth, score
from srheart_demo.heart.measures import mean_dice

KINDS = (*PAPER_TABLES.values(), Ablation, DisplacedViews)
TABLES = [kind for kind in KINDS if (RESULTS_FOLDER / kind.name).is_dir()]


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.name)
def test_a_table_has_every_row_that_its_settings_promise(kind: type[MethodsOnHearts]) -> None:
    experiment, results = recorded(kind)
    promised = {(t.subject, t.level, m) for t in experiment.tasks() for m in t.measures}
    assert results.done == promised
    assert not results.failures
    assert experiment.tables(results)


@pytest.mark.parametrize(("table", "columns"), [("table-s1", 5), ("table2", 4)])
def test_the_document_shows_the_recorded_table_and_its_best(
    root: Path, table: str, columns: int
) -> None:
    shown = re.sub(r" \(\d\.\d\d\)", "", (root / "docs/results.md").read_text("utf-8"))
    recorded = (root / f"docs/results/{table}/summary.md").read_text("utf-8").split("\n\n")[2]
    for line in recorded.replace("(paper, as printed)", "(paper), as printed").splitlines()[2:]:
        assert "|".join(line.split("|")[: columns + 1]) in shown


def test_a_missing_table_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"docs/results; .*srheart experiment table2"):
        recorded(Table2, tmp_path)
    assert not any(tmp_path.iterdir())


def test_labels_at_the_truth_are_those_that_are_scored() -> None:
    case = simulated_heart("healthy", FIRST_SEED, "severe")
    sbi = method("SBI", "severe")
    labels = labels_at_truth(sbi(case.scan), case)
    found = score(sbi, case)
    assert np.isclose(mean_dice(labels, case.S_HR.labels), found["dice_mean"])
    assert not np.isclose(found["dice_mean"], found["raw_dice_mean"])
