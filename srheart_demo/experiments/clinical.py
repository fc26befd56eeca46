"""Table 3: a clinical protocol, without and with the long-axis view.

The paper scores on the long-axis view alone, for the true hearts of UK Biobank are unknown. Here
they are known, so each method is scored against the true heart as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from srheart_demo.experiments import paper
from srheart_demo.experiments.cases import (
    CLINICAL_GAP,
    CLINICAL_NOISE,
    CLINICAL_PIXEL,
    Case,
    clinical,
    synthetic_heart,
)
from srheart_demo.experiments.methods import GAMMAS, method, multi_view_name, weights_in_use
from srheart_demo.experiments.results import Results
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, score
from srheart_demo.experiments.simulated import Hearts, differences
from srheart_demo.experiments.summary import (
    STRUCTURES,
    Cell,
    Curves,
    Plot,
    Table,
    cell,
    dice_strips,
    dice_table,
    difference_table,
    other_measures,
)
from srheart_demo.frame import TISSUES

LEVEL = "clinical"
MULTI_VIEW = multi_view_name(1.0)
SWEEP = {0.0: "LO"} | {gamma: multi_view_name(gamma) for gamma in GAMMAS}
"""γ → method; without weight the view is not seen."""
ON_VIEW = "On the long-axis view"
ON_HEART = "Against the true heart"
FIXED = "after the common translation"


@dataclass(frozen=True)
class Table3(Experiment):
    """Methods on scans as in UK Biobank of synthetic hearts."""

    subjects: Hearts
    methods: tuple[str, ...] = ("NN", "SBI", "EDSR (normal)", *SWEEP.values())
    name: ClassVar[str] = "table3"
    title: ClassVar[str] = "Table 3: a clinical protocol"
    figures: ClassVar[tuple[str, ...]] = COLUMNS

    def settings(self) -> dict[str, Any]:
        """The subjects, the protocol, the methods, and the weights."""
        return {
            "experiment": self.name,
            **self.subjects.settings(),
            "protocol": f"slices of {CLINICAL_GAP:g} mm, pixels of {CLINICAL_PIXEL} mm, "
            f"normal motion, ε = {CLINICAL_NOISE} on both views",
            "methods": self.methods,
            "weights": weights_in_use(self.methods, [LEVEL]),
        }

    def tasks(self) -> Sequence[Task]:
        """Each heart once."""
        measures = {name: partial(score, method(name, LEVEL)) for name in self.methods}
        population = self.subjects.population
        return [
            Task(f"{population} {s}", LEVEL, partial(scanned_heart, population, s), measures)
            for s in self.subjects.seeds
        ]

    @property
    def compared(self) -> list[str]:
        """The methods of the paper's table: all but those that only the sweep needs."""
        swept = set(SWEEP.values()) - {"LO", MULTI_VIEW}
        return [name for name in self.methods if name not in swept]

    def tables(self, results: Results) -> list[Table]:
        """On the view and against the heart, differences, the sweep, and all else."""
        tables = [
            self._dice(results, f"{ON_VIEW}, as it stands", "raw_la_dice_{}", TISSUES[1:]),
            self._dice(results, f"{ON_VIEW}, {FIXED}", "la_dice_{}"),
            self._dice(results, f"{ON_HEART}, as it stands", "raw_dice_{}"),
            self._dice(results, f"{ON_HEART}, {FIXED}", "dice_{}"),
        ]
        tables += differences(results, [LEVEL], self.compared)
        if {"LO", MULTI_VIEW} <= set(self.methods):
            tables.append(difference_table(results, [LEVEL], MULTI_VIEW, ["LO"]))
        if len(self._swept()) > 1:
            tables.append(self._sweep(results))
        return [*tables, other_measures(results, [LEVEL], self.compared)]

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice, and the sweep."""
        titles = {"raw_la_dice_{}": f"{ON_VIEW}, as it stands", "dice_{}": f"{ON_HEART}, {FIXED}"}
        strips = [
            dice_strips(results, title, [LEVEL], self.compared, column)
            for column, title in titles.items()
        ]
        if len(self._swept()) < 2:
            return [*strips]
        panels = {
            title: {t: self._along(results, column.format(t)) for t in TISSUES[1:]}
            for column, title in titles.items()
        }
        x = tuple(f"{gamma:g}" for gamma in self._swept())
        return [*strips, Curves("Weight of the long-axis view", "γ", "Dice, mean ± SD", x, panels)]

    def _dice(
        self, results: Results, title: str, column: str, printed: Sequence[str] = ()
    ) -> Table:
        figures = {LEVEL: paper.TABLE_3} if printed else {}
        structures = printed or STRUCTURES
        return dice_table(results, title, [LEVEL], self.compared, figures, structures, column)

    def _swept(self) -> dict[float, str]:
        return {gamma: name for gamma, name in SWEEP.items() if name in self.methods}

    def _along(self, results: Results, column: str) -> list[Cell]:
        """A figure for each γ, over the subjects that have all."""
        swept = self._swept()
        values = results.paired(column, LEVEL, swept.values())
        return [cell(values[name]) for name in swept.values()]

    def _sweep(self, results: Results) -> Table:
        figures = {
            "view LV": "raw_la_dice_LV",
            "view MYO": "raw_la_dice_MYO",
            "view RV": "raw_la_dice_RV",
            "heart LV": "dice_LV",
            "heart MYO": "dice_MYO",
            "heart RV": "dice_RV",
            "motion error, mm": "motion_error_mm",
        }
        along = [self._along(results, column) for column in figures.values()]
        rows: list[tuple[str | Cell, ...]] = [
            (f"{gamma:g}", *(column[i] for column in along))
            for i, gamma in enumerate(self._swept())
        ]
        note = (
            "On the view as it stands, against the heart after the common translation. γ = 0 is LO "
            "without the view."
        )
        return Table("Weight of the long-axis view", ("γ", *figures), tuple(rows), note)


def scanned_heart(population: str, seed: int) -> Case:
    """A synthetic heart, scanned as in UK Biobank."""
    return clinical(synthetic_heart(population, seed), seed)
