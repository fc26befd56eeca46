"""What each step from the paper's method to ours is worth, and why the paper's own differs here.

`Ablation` goes from the one to the other in single steps. `DisplacedViews` asks what long-axis
views add that have a breath-hold of their own, as slices have. `Gap` asks why the paper's method
does not give its printed Dice on hearts of ours. Maximum likelihood may choose a wrong heart
because the loss is lower there than at the truth, because G cannot make the true heart, or because
the loop stops too soon or too late; so beside the Dice stand the loss where the run ended, and at
the best code with the true d.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
import torch

from srheart_demo.experiments import methods
from srheart_demo.experiments.cases import LEVELS, VIEWS_AT, Case, displaced_heart
from srheart_demo.experiments.generators import ceiling_of
from srheart_demo.experiments.methods import PAPERS, SEEN, TRUSTED, Labels, Restoration
from srheart_demo.experiments.paper_tables import MethodsOnHearts
from srheart_demo.experiments.scoring import COLUMNS, dice_at_shifts, score, scores_of
from srheart_demo.experiments.summary import PRINTED, TABLES, Plot, lines, paired_interval
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.frame import TISSUES
from srheart_demo.heart import anatomy
from srheart_demo.heart.generator import OURS, load_generator
from srheart_demo.scan.evidence import whole_heart
from srheart_demo.solver.losses import multi_view_loss
from srheart_demo.solver.problem import Problem

BEYOND = ("faulty", "loss", "size_of_z", "dice_best_shifts")
"""What is scored besides `COLUMNS`; see `beyond`."""


def beyond(found: Restoration, labels: Labels, case: Case) -> Scores:
    """Whether the heart is faulty, and what Algorithm 1 says of its end.

    "dice_best_shifts" is the mean Dice as the public code takes it, each tissue at its best shift.
    """
    told = {"loss": found.loss, "size_of_z": found.size_of_z}
    return {
        "faulty": float(bool(anatomy.faults(labels, case.S_HR.spacing))),
        **{name: value for name, value in told.items() if value is not None},
        "dice_best_shifts": dice_at_best_shifts(labels, case.S_HR.labels),
    }


def dice_at_best_shifts(a: Labels, b: Labels) -> float:
    """Mean Dice of LV, MYO and RV, each at the whole-voxel shift that is best for it."""
    labels = range(1, len(TISSUES))
    return float(np.mean([dice_at_shifts(a == label, b == label).max() for label in labels]))


class Ablation(MethodsOnHearts):
    """From the paper's method to ours, step by step; views are displaced as slices are."""

    name, title = "ablation", "From the paper to ours, step by step"
    usual = tuple(methods.LADDER)
    figures = (*COLUMNS, *BEYOND)
    more, made = (beyond,), staticmethod(displaced_heart)

    def tables(self, results: Results) -> list[Table]:
        """Where each step stands, and what it brings."""
        means = self.compared(results).means(self.title, ["steps", "ablation"])
        return [means, self._gains(results)]

    def _gains(self, results: Results) -> Table:
        def gain(level: str, before: str, name: str) -> str:
            found = results.paired("dice_mean", level, [name, before])
            if not len(found[name]):
                return ""
            return "{:+.3f} ({:+.3f} to {:+.3f})".format(*paired_interval(*found.values()))

        steps = pairwise(self.methods)
        rows = [(step[1], *(gain(level, *step) for level in self.levels)) for step in steps]
        head = ("step", *self.levels)
        return Table("What each step brings", head, rows, TABLES["gains"]["note"])

    def plots(self, results: Results) -> list[Plot]:
        """Dice and motion error along the steps: one figure for a lecture."""
        shown = {"mean Dice": "dice_mean", "motion error, mm": "motion_error_mm"}
        panels = {
            title: {f"motion: {level}": (level, name) for level in self.levels}
            for title, name in shown.items()
        }
        return [lines(results, {m: m for m in self.methods}, self.title, ("", ""), panels)]


class DisplacedViews(MethodsOnHearts):
    """One to three views, displaced by no, normal and severe motion."""

    name, title = "views", "Long-axis views, each in a breath-hold of its own"
    usual = (*SEEN.values(), TRUSTED)
    levels = tuple(f"{m}{VIEWS_AT}{v}" for m in ("normal", "severe") for v in LEVELS)

    def tables(self, results: Results) -> list[Table]:
        """Against the true heart, after one translation and in the world."""
        compared = self.compared(results)
        return [compared.means(self.title, ["views"]), *compared.differences(["mean"])]


class Gap(MethodsOnHearts):
    """Why the paper's method does not give the printed Dice here."""

    name, title = "gap", "Why the paper's method differs from what is printed"
    known: ClassVar[Mapping[str, str]] = {
        f"{generator}, best code": generator for generator in (PAPERS, OURS)
    }
    usual = (*methods.CROSSED, *methods.OTHERWISE, *known)
    figures, more = Ablation.figures, Ablation.more

    def measures(self, level: str) -> dict[str, Callable[[Case], Scores]]:
        """The best codes know the truth, so they are no methods."""
        codes = {
            name: partial(_score_best_code, generator)
            for name, generator in self.known.items()
            if name in self.methods
        }
        runs = [name for name in self.methods if name not in codes]
        return scores_of(runs, level, partial(score, more=self.more)) | codes

    def tables(self, results: Results) -> list[Table]:
        """Every variant, with its loss, beside what the paper prints."""
        means = PRINTED["table_2"]["LO (paper)"].items()
        printed = ", ".join(f"{level} {mean}" for level, (mean, _) in means)
        return [self.compared(results).means(self.title, ["steps", "gap"], printed=printed)]


def _score_best_code(generator: str, case: Case) -> Scores:
    return score(lambda scan: best_code(generator, case), case, [beyond])


def best_code(generator: str, case: Case) -> Restoration:
    """The nearest that G can come to the true heart, with the true d."""
    G, scan = load_generator(generator), replace(case.scan, views=())
    frame = np.linalg.inv(scan.placement.world_from_model) @ case.S_HR.affine
    z = ceiling_of(G).best_code(whole_heart(replace(case.S_HR, affine=frame)))
    problem = Problem.of(scan, G)
    there = case.d[:, scan.looked_at]
    there = there.flip(1) if scan.placement.flipped else there
    with torch.no_grad():
        loss, *_ = multi_view_loss(problem.decode(z, there), there, problem, 0.0)
        return methods.solved(G.decode(z), case.d, float(loss), z)
