"""Other methods' answers, in a folder with stacks and true hearts, scored as ours are.

`SUBJECT_truth.nii.gz` is a true heart, `SUBJECT_SCAN_SA.nii.gz` a stack of it, and
`SUBJECT_SCAN_NAME.nii.gz` what a method of that name gave for that stack, with the truth's voxels
and values; `_prediction` and `_HR` may follow. How slices were really displaced nobody tells, so
the translation common to all slices and tissues is the one of best Dice, in whole pixels.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from srheart_demo.experiments.methods import LO_OURS, Labels, Method, method, weights_in_use
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import APART, TOPOLOGY, apart, dice_at_shifts, sampled
from srheart_demo.experiments.summary import Comparison
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import TISSUES
from srheart_demo.heart.anatomy import topology
from srheart_demo.heart.measures import dice
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.scan.read import labels_like, read_short_axis, survey
from srheart_demo.scan.scan import Reading, Scan

TRUTH, STACK = "truth", "SA"
_NAMED = re.compile(rf"([^_]+)_(?:({TRUTH})|([^_]+)_(.+?))(?:_prediction)?(?:_HR)?\.nii(?:\.gz)?")
Rivalled = tuple[Reading, Scan]  # A true heart and a stack of it


def answers_in(folder: Path) -> dict[tuple[str, str], dict[str, Path]]:
    """Subject and scan → its truth, its stack, and methods' answers by their names."""
    named = [(path, _NAMED.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    truths = {match[1]: path for path, match in named if match and match[2]}
    scans: dict[tuple[str, str], dict[str, Path]] = {}
    for path, match in named:
        if match and match[3] and match[1] in truths:
            scans.setdefault((match[1], match[3]), {TRUTH: truths[match[1]]})[match[4]] = path
    return {key: files for key, files in scans.items() if STACK in files}


def _read(truth: Path, stack: Path) -> Rivalled:
    return survey(truth), Scan.of(read_short_axis(stack))


def _answered(path: Path, case: Rivalled) -> Labels:
    return labels_like(path, case[0])


def _restored(ours: Method, case: Rivalled) -> Labels:
    return ours(case[1]).on_grid(stack_geometry(case[0].volume, case[1].placement))


def score_rival(answer: Callable[[Rivalled], Labels], case: Rivalled) -> Scores:
    """Dice of the tissues that are in an answer, as a whole and `apart`, and its topology."""
    labels, heart, scan = answer(case), case[0].volume, case[1]
    shown = [n for n in range(1, len(TISSUES)) if (labels == n).any()]
    true = np.where(np.isin(heart.labels, shown), heart.labels, 0)
    overlaps = np.mean([dice_at_shifts(true == n, labels == n)[0] for n in shown], axis=0)
    best = np.unravel_index(overlaps.argmax(), overlaps.shape)
    moved = np.roll(labels, tuple(map(int, best)), axis=(1, 2))
    stack, grid = (stack_geometry(volume, scan.placement) for volume in (scan.stack, heart))
    of_all = dice(moved, true)
    return {
        **{f"dice_{TISSUES[n]}": of_all[TISSUES[n]] for n in shown},
        **apart(moved, true, sampled(stack, torch.as_tensor(scan.stack.labelled), grid)),
        **topology(labels, heart.spacing),
    }


@dataclass(frozen=True)
class Rivals(Experiment):
    """Methods of ours beside those whose answers lie in a folder."""

    folder: Path
    methods: tuple[str, ...] = ("NN", "SBI", LO_OURS)
    name, title = "rivals", "Beside other methods' answers"
    figures = (*(f"dice_{t}" for t in TISSUES[1:]), *APART, *TOPOLOGY)

    def settings(self) -> dict[str, Any]:
        """The files, the methods, and the weights."""
        scans = answers_in(self.folder)
        paths = sorted({path for files in scans.values() for path in files.values()})
        return {
            "files": {path.name: fingerprint(path) for path in paths},
            "methods": self.methods,
            "weights": weights_in_use(self.methods, [level for _, level in scans]),
        }

    def tasks(self) -> Iterator[Task]:
        """Each stack; other methods' answers come before ours."""
        for (subject, level), files in answers_in(self.folder).items():
            case = partial(_read, files.pop(TRUTH), files.pop(STACK))
            answers = {name: partial(_answered, path) for name, path in files.items()}
            answers |= {name: partial(_restored, method(name, level)) for name in self.methods}
            scores = {name: partial(score_rival, answer) for name, answer in answers.items()}
            yield Task(subject, level, case, scores)

    def tables(self, results: Results) -> list[Table]:
        """Dice and topology."""
        levels, methods = ({row[x]: 0 for row in results.rows} for x in ("level", "method"))
        return [Comparison(results, [*levels], [*methods]).means(self.title, ["rivals"])]
