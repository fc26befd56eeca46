"""Tables 1, 2, 3 and S1 of the paper, on synthetic hearts; some are recorded in docs/results.

In Tables 1, 2 and S1 hearts are degraded as in the paper, at levels of motion. In Table 3 they are
scanned as in UK Biobank, and methods may see the long-axis view. There the paper scores on that
view alone, for the true hearts are unknown; here they are known, so each method is scored against
the true heart as well.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from srheart_demo.experiments import paper
from srheart_demo.experiments.cases import (
    CLINICAL_GAP,
    CLINICAL_NOISE,
    CLINICAL_PIXEL,
    LEVELS,
    Case,
    HeldOut,
    clinical_heart,
    simulated_heart,
)
from srheart_demo.experiments.methods import GAMMAS, multi_view_name, weights_in_use
from srheart_demo.experiments.paper import PrintedRow
from srheart_demo.experiments.runner import RESULTS_FILE, SETTINGS_FILE, Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, SCORED, scores_of
from srheart_demo.experiments.summary import Comparison, LinePlot, Plot, mean_cells
from srheart_demo.experiments.tables import Cell, Results, Table
from srheart_demo.files import shipped
from srheart_demo.frame import TISSUES

RESULTS_FOLDER = Path(os.environ.get("SRHEART_RESULTS", shipped("docs/results")))

MULTI_VIEW = multi_view_name(1.0)
SWEEP = {0.0: "LO"} | {gamma: multi_view_name(gamma) for gamma in GAMMAS}
"""γ → method; without weight the view is not seen."""
ON_VIEW, ON_HEART = "On the long-axis view", "Against the true heart"
RAW, FIXED = "as it stands", "after the common translation"

DiceTable = tuple[str, Mapping[str, Mapping[str, PrintedRow]], Sequence[str], str]
"""Title, what the paper prints, structures, and name of the columns in the results."""


@dataclass(frozen=True)
class Design:
    """What a table of the paper compares, and how it is shown.

    Attributes:
        title: of the summary.
        dice: its tables of Dice.
        methods: compared by default, with those that only the sweep of γ needs.
        levels: of the scans.
        case: population, seed, level → a scan of a heart.
        structures: whose Dice is compared with the best other's.
        crossed: whether Dice is shown as in Table 2, with a column for each level tested on.
        strips: titles, and names of the columns in the results, of every subject's Dice.
        swept: whether the weight γ of the view is swept.
    """

    title: str
    dice: tuple[DiceTable, ...] = ()
    methods: tuple[str, ...] = ("NN", "SBI", "EDSR", "LO")
    levels: tuple[str, ...] = LEVELS
    case: Callable[[str, int, str], Case] = simulated_heart
    structures: tuple[str, ...] = SCORED
    crossed: bool = False
    strips: Sequence[tuple[str, str]] = (("Dice of every subject", "dice_{}"),)
    swept: bool = False


_TABLE_1, _TABLE_S1 = "Table 1: severe motion", "Table S1: no, normal and severe motion"
DESIGNS: dict[str, Design] = {
    "table1": Design(
        _TABLE_1,
        ((_TABLE_1, {"severe": paper.TABLE_1}, TISSUES[1:], "dice_{}"),),
        levels=("severe",),
        structures=TISSUES[1:],
    ),
    "table-s1": Design(_TABLE_S1, ((_TABLE_S1, paper.TABLE_S1, SCORED, "dice_{}"),)),
    "table2": Design(
        "Table 2: trained on one level of motion, tested on each",
        methods=("EDSR (none)", "EDSR (normal)", "EDSR (severe)", "LO"),
        structures=("mean",),
        crossed=True,
    ),
    "table3": Design(
        "Table 3: a clinical protocol",
        (
            (f"{ON_VIEW}, {RAW}", {"clinical": paper.TABLE_3}, TISSUES[1:], "raw_la_dice_{}"),
            (f"{ON_VIEW}, {FIXED}", {}, SCORED, "la_dice_{}"),
            (f"{ON_HEART}, {RAW}", {}, SCORED, "raw_dice_{}"),
            (f"{ON_HEART}, {FIXED}", {}, SCORED, "dice_{}"),
        ),
        methods=("NN", "SBI", "EDSR (normal)", *SWEEP.values()),
        levels=("clinical",),
        case=clinical_heart,
        strips=((f"{ON_VIEW}, {RAW}", "raw_la_dice_{}"), (f"{ON_HEART}, {FIXED}", "dice_{}")),
        swept=True,
    ),
}
"""The paper's tables by their names on the command line."""


@dataclass(frozen=True)
class PaperTable(Experiment):
    """Methods on scans of synthetic hearts, as one of the paper's tables compares them."""

    name: str
    subjects: HeldOut
    methods: tuple[str, ...]
    figures: ClassVar[tuple[str, ...]] = COLUMNS

    @property
    def design(self) -> Design:
        """What the paper does there."""
        return DESIGNS[self.name]

    @property
    def title(self) -> str:
        """Of the summary."""
        return self.design.title

    def settings(self) -> dict[str, Any]:
        """The subjects, the protocol, the methods, and the weights."""
        protocol = (
            f"slices of {CLINICAL_GAP:g} mm, pixels of {CLINICAL_PIXEL} mm, normal motion, "
            f"ε = {CLINICAL_NOISE} on both views"
        )
        return {
            "experiment": self.name,
            **self.subjects.settings(),
            **({"protocol": protocol} if self.design.case is clinical_heart else {}),
            "methods": self.methods,
            "weights": weights_in_use(self.methods, self.design.levels),
        }

    def tasks(self) -> Sequence[Task]:
        """Each heart at each level, so that a heart is made once for all."""
        population = self.subjects.population
        return [
            Task(
                f"{population} {seed}",
                level,
                partial(self.design.case, population, seed, level),
                scores_of(self.methods, level),
            )
            for seed in self.subjects.seeds
            for level in self.design.levels
        ]

    @property
    def swept(self) -> dict[str, str]:
        """γ, in words → method; empty unless there are several."""
        swept = {f"{gamma:g}": name for gamma, name in SWEEP.items() if name in self.methods}
        return swept if self.design.swept and len(swept) > 1 else {}

    def tables(self, results: Results) -> list[Table]:
        """Dice as in the paper, what differences are worth, the sweep of γ, and all else."""
        design, compared = self.design, self._comparison(results)
        tables = [compared.dice(*table) for table in design.dice]
        if design.crossed:
            tables.append(compared.crossed(paper.TABLE_2))
        tables += compared.differences(design.structures)
        if design.swept and {"LO", MULTI_VIEW} <= set(self.methods):
            tables.append(compared.less(MULTI_VIEW, ["LO"]))
        if self.swept:
            tables.append(self._sweep(results))
        return [*tables, compared.other_measures()]

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice, and the sweep."""
        strips, compared = self.design.strips, self._comparison(results)
        plots: list[Plot] = [compared.strips(*strip) for strip in strips]
        if self.swept:
            panels = {
                title: {
                    tissue: self._along(results, named.format(tissue)) for tissue in TISSUES[1:]
                }
                for title, named in strips
            }
            title, axis = "Weight of the long-axis view", "Dice, mean ± SD"
            plots.append(LinePlot(title, "γ", axis, tuple(self.swept), panels))
        return plots

    def _comparison(self, results: Results) -> Comparison:
        """Of the methods of the table: all but those that only the sweep needs."""
        for_sweep = set(SWEEP.values()) - {"LO", MULTI_VIEW} if self.design.swept else ()
        methods = [name for name in self.methods if name not in for_sweep]
        return Comparison(results, self.design.levels, methods)

    def _along(self, results: Results, name: str) -> list[Cell]:
        level = self.design.levels[0]
        return [*mean_cells(results, name, level, self.swept.values()).values()]

    def _sweep(self, results: Results) -> Table:
        figures = {
            **{f"view {tissue}": f"raw_la_dice_{tissue}" for tissue in TISSUES[1:]},
            **{f"heart {tissue}": f"dice_{tissue}" for tissue in TISSUES[1:]},
            "motion error, mm": "motion_error_mm",
        }
        columns = [self._along(results, name) for name in figures.values()]
        rows = list(zip(self.swept, *columns, strict=True))
        note = (
            "On the view as it stands, against the heart after the common translation. γ = 0 is LO "
            "without the view."
        )
        return Table("Weight of the long-axis view", ("γ", *figures), rows, note)


def paper_table(name: str, subjects: HeldOut, methods: Sequence[str] = ()) -> PaperTable:
    """A table of the paper, with its own methods by default.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    if name not in DESIGNS:
        raise KeyError(f"unknown table {name!r}; known: {', '.join(DESIGNS)}")
    return PaperTable(name, subjects, tuple(methods) or DESIGNS[name].methods)


def recorded(name: str, folder: Path = RESULTS_FOLDER) -> tuple[PaperTable, Results]:
    """A table that was measured beforehand, for lessons to show, and its results.

    Args:
        name: one of `DESIGNS`.
        folder: holds one folder for each table.

    Raises:
        KeyError: an unknown name, with the known ones.
        FileNotFoundError: it is not there; says how to get it.
    """
    home, unmeasured = folder / name, paper_table(name, HeldOut())
    if missing := [f for f in (SETTINGS_FILE, RESULTS_FILE) if not (home / f).is_file()]:
        raise FileNotFoundError(
            f"{home} has no {missing[0]}. The full tables come with a clone of the repository, in "
            "docs/results; SRHEART_RESULTS names another folder. Or measure them, which takes an "
            f"hour or two: srheart experiment {name} -o {home}"
        )
    settings = json.loads((home / SETTINGS_FILE).read_text(encoding="utf-8"))["settings"]
    subjects = HeldOut(settings["population"], settings["hearts"], settings["seed"])
    experiment = replace(unmeasured, subjects=subjects, methods=tuple(settings["methods"]))
    return experiment, Results(home / RESULTS_FILE, experiment.figures)
