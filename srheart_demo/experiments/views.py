"""What long-axis views are worth that have a breath-hold of their own, as slices have.

On synthetic hearts, with one to three views that are displaced or not. On real scans each view is
left out in turn, and the heart of the rest is held against it: as it lies, and moved in its plane
to where it agrees best, since it too was taken in a breath-hold of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from srheart_demo.experiments.cases import LEVELS, VIEWS_AT
from srheart_demo.experiments.methods import LO_OURS, SEEN, TRUSTED, Labels, Method, weights_in_use
from srheart_demo.experiments.paper_tables import MethodsOnHearts
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import SCORED, by_tissue, dice_at_shifts, scores_of
from srheart_demo.experiments.summary import Comparison, Plot
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import TISSUES
from srheart_demo.scan.placement import plane_geometry
from srheart_demo.scan.read import read_scan
from srheart_demo.scan.scan import Scan

BEST = "shifted_dice_{}"
"""Dice where the view left out is moved, within its plane, to where it agrees best."""


class DisplacedViews(MethodsOnHearts):
    """One to three views, displaced by no, normal and severe motion."""

    name, title = "views", "Long-axis views, each in a breath-hold of its own"
    usual = (*SEEN.values(), TRUSTED)
    levels = tuple(f"{m}{VIEWS_AT}{v}" for m in ("normal", "severe") for v in LEVELS)

    def tables(self, results: Results) -> list[Table]:
        """Against the true heart, after one translation and in the world."""
        compared = self.compared(results)
        return [compared.means(self.title, ["views"]), *compared.differences(["mean"])]


def score_left_out(method: Method, scan: Scan, which: int) -> Scores:
    """Dice of a restored heart on the view left out, of the tissues that are outlined in it."""
    view, rest = scan.views[which], (*scan.views[:which], *scan.views[which + 1 :])
    shown = method(replace(scan, views=rest)).on_plane(plane_geometry(view, scan.placement))
    there, best = dice_where_it_lies(shown, view.labels[0])
    return by_tissue("dice_{}", there) | by_tissue(BEST, best)


def dice_where_it_lies(a: Labels, b: Labels) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Dice of two pictures (h, w) by tissue, and "mean"; and at the shift of best mean.

    Of the tissues that b shows; another's is NaN, and no part of the mean.
    """
    scores = {
        tissue: dice_at_shifts(a == label, b == label)
        if (b == label).any()
        else np.full(a.shape, np.nan)
        for label, tissue in enumerate(TISSUES[1:], start=1)
    }
    scores["mean"] = np.nanmean([*scores.values()], axis=0)
    best = np.unravel_index(np.argmax(scores["mean"]), a.shape)
    there, moved = (
        {name: float(values[at]) for name, values in scores.items()} for at in ((0, 0), best)
    )
    return there, moved


@dataclass(frozen=True)
class RealViews(Experiment):
    """Every view of real scans left out in turn: the stack alone, and with the other views."""

    subjects: Mapping[str, tuple[Path, ...]]  # name → files of the stack and of its views
    methods: tuple[str, ...] = (LO_OURS, SEEN[3])
    name: ClassVar[str] = "real-views"
    title: ClassVar[str] = "Views of real scans, left out in turn"
    levels: ClassVar[tuple[str, ...]] = ("left out",)
    figures: ClassVar[tuple[str, ...]] = tuple(
        named.format(name) for named in ("dice_{}", BEST) for name in SCORED
    )

    def settings(self) -> dict[str, Any]:
        """The files, the methods, and the weights."""
        paths = [path for files in self.subjects.values() for path in files]
        return {
            "files": {path.name: fingerprint(path) for path in paths},
            "methods": self.methods,
            "weights": weights_in_use(self.methods, self.levels),
        }

    def tasks(self) -> Sequence[Task]:
        """Each view of each subject."""
        (level,), tasks = self.levels, []
        for name, files in self.subjects.items():
            for v, view in enumerate(files[1:]):
                scores = scores_of(self.methods, level, partial(score_left_out, which=v))
                case, subject = partial(read_scan, *files), f"{name}, without {view.name}"
                tasks.append(Task(subject, level, case, scores))
        return tasks

    def _compared(self, results: Results) -> Comparison:
        return Comparison(results, self.levels, self.methods)

    def tables(self, results: Results) -> list[Table]:
        """Dice on the view left out, as it lies and after its own best shift."""
        compared, (alone, *_, with_others) = self._compared(results), self.methods
        return [
            compared.dice("On the view left out, as it lies"),
            compared.dice("On the view left out, moved to where it agrees best", named=BEST),
            compared.less(with_others, [alone], [*TISSUES[1:]]),
        ]

    def plots(self, results: Results) -> list[Plot]:
        """Every view's Dice."""
        return [self._compared(results).strips("On the view left out, as it lies")]
