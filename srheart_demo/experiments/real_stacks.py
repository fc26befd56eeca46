"""Real label maps: hidden slices of stacks, hearts degraded as in the paper, views left out.

Every second slice of a stack is hidden and the heart restored from the rest; those hidden between
two that show tissue are what the restored heart is scored on, at their own pixels. Of a scan with
views each is left out in turn, and the heart of the rest is held against it: as it lies, and moved
in its plane to where it agrees best, since it was taken in a breath-hold of its own.

A hidden slice has a displacement of its own, which no method can know. Where a method says how the
seen slices were displaced, the hidden one is predicted as its neighbours are: interpolation between
displaced slices does so by itself. "Raw" scores take the restored heart as it stands.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from os.path import commonpath
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from srheart_demo.experiments.cases import LEVELS, held_out_seeds, simulated_file
from srheart_demo.experiments.methods import SEEN, Labels, Method, Restoration, weights_in_use
from srheart_demo.experiments.runner import Experiment, Task
from srheart_demo.experiments.scoring import COLUMNS, SCORED, dice_at_shifts, scores_of, with_mean
from srheart_demo.experiments.summary import PRINTED, Comparison, Plot
from srheart_demo.experiments.tables import Results, Scores, Table
from srheart_demo.files import fingerprint
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import dice
from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.placement import is_on_hr_grid, plane_geometry, stack_geometry
from srheart_demo.scan.read import read_scan, read_short_axis
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.volume import InvalidVolume, LabelVolume, or_refusal

HIDDEN = "hidden slices"
BEST = "shifted_dice_{}"
"""Dice where the view left out is moved, within its plane, to where it agrees best."""


@dataclass(frozen=True, eq=False)
class HiddenSlices:
    """A stack of which every second slice is hidden."""

    scan: Scan  # what is seen
    grid: Stack  # where the hidden slices between two seen ones lie
    labels: Labels  # (K', h, w) what they show

    @cached_property
    def stack(self) -> Stack:
        """The seen slices, in the file's order."""
        return stack_geometry(self.scan.stack, self.scan.placement)


@dataclass(frozen=True)
class RealStacks(Experiment):
    """Methods, the usual ones where none are named, on SA stacks and hearts on the HR grid.

    With `simulate` all are taken for high-resolution hearts, whatever their grid.
    """

    files: tuple[Path, ...]
    simulate: bool = False
    seed: int = 0
    methods: tuple[str, ...] = ()
    name, title = "real-stacks", "Real stacks"
    figures = (*COLUMNS, "hidden_slices", "seen_gap_mm")

    def settings(self) -> dict[str, Any]:
        """The files, the methods, and the weights."""
        levels = dict.fromkeys(level for path in self.files for level in self._levels(path))
        used = [weights_in_use(self._on(level), [level]) for level in levels]
        return {
            "files": {name: fingerprint(path) for name, path in self._names().items()},
            "simulate": self.simulate,
            "seed": self.seed,
            "methods": self.methods,
            "weights": {name: weights for found in used for name, weights in found.items()},
        }

    @cached_property
    def _hearts(self) -> frozenset[Path]:
        """Those of the files that are degraded; in the others slices are hidden."""
        return frozenset(path for path in self.files if self.simulate or _is_heart(path))

    def _levels(self, path: Path) -> tuple[str, ...]:
        return LEVELS if path in self._hearts else (HIDDEN,)

    def _on(self, level: str) -> tuple[str, ...]:
        """The methods at a level; no EDSR was trained on hidden slices."""
        return self.methods or ("NN", "SBI", *(["EDSR"] if level in LEVELS else []), SEEN[0])

    def _names(self) -> dict[str, Path]:
        """The files by their paths below the folder that holds all."""
        folder = Path(commonpath([path.absolute().parent for path in self.files]))
        names = [path.absolute().relative_to(folder).as_posix() for path in self.files]
        bare = [name.removesuffix(".gz").removesuffix(".nii") for name in names]
        return dict(zip(bare, self.files, strict=True))

    def tasks(self) -> Iterator[Task]:
        """Hearts at each level of motion, stacks once."""
        seeds = held_out_seeds(len(self.files), self.seed)
        for (name, path), seed in zip(self._names().items(), seeds, strict=True):
            for level in self._levels(path):
                scores = partial(scores_of, self._on(level), level)
                if level == HIDDEN:
                    yield Task(name, level, partial(read_hidden, path), scores(score_hidden))
                else:
                    yield Task(name, level, partial(simulated_file, path, seed, level), scores())

    def _compared(self, results: Results) -> dict[str, Comparison]:
        """Hidden slices and hearts, those that were measured."""
        measured = {row["level"] for row in results.rows}
        levels = {"Hidden slices": (HIDDEN,), "Simulated scans": LEVELS}
        return {
            what: Comparison(results, these, self._on(these[0]))
            for what, these in levels.items()
            if measured & {*these}
        }

    def tables(self, results: Results) -> list[Table]:
        """Dice on hidden slices; of hearts as in Table S1."""
        tables, compared = [], self._compared(results)
        if hidden := compared.get("Hidden slices"):
            title = "Dice on hidden slices"
            raw = hidden.dice(f"{title} of the hearts as they stand", named="raw_dice_{}")
            tables += [hidden.dice(title), raw, *hidden.differences()]
        if hearts := compared.get("Simulated scans"):
            title = "Dice of simulated scans, as in Table S1"
            tables += [hearts.dice(title, PRINTED["table_s1"]), *hearts.differences()]
            tables.append(hearts.means())
        return tables

    def plots(self, results: Results) -> list[Plot]:
        """Every subject's Dice."""
        return [compared.strips(what) for what, compared in self._compared(results).items()]


def hide(stack: LabelVolume) -> HiddenSlices:
    """Hide every second slice, the first with tissue being seen.

    Placement and restoration know the others only. A slice that nobody labelled is no score.
    `InvalidVolume` where none lies hidden between two with tissue, or the rest cannot be placed.
    """
    first = int(np.flatnonzero(stack.labels.any(axis=(1, 2)))[0]) % 2
    affine = stack.affine.copy()
    affine[:3, 3] += first * affine[:3, 0]
    affine[:3, 0] *= 2
    seen = replace(stack, labels=np.ascontiguousarray(stack.labels[first::2]), affine=affine)
    tissue = first + 2 * np.flatnonzero(seen.labels.any(axis=(1, 2)))
    hidden = np.arange(tissue[0] + 1, tissue[-1], 2)
    hidden = hidden[stack.labelled[hidden]]
    if not len(hidden):
        raise InvalidVolume.of(stack.name, "nothing to hide")
    scan = Scan.of(seen)
    grid = stack_geometry(stack, scan.placement)
    return HiddenSlices(scan, grid.slices(hidden), stack.labels[hidden])


def read_hidden(path: Path) -> HiddenSlices:
    """`hide` of a file."""
    return hide(read_short_axis(path))


def score_hidden(method: Method, case: HiddenSlices) -> Scores:
    """Dice of each tissue over all hidden slices together, as scanned and as restored ("raw")."""
    began = time.perf_counter()
    found = method(case.scan)
    labels = on_hidden_slices(found, case)
    seconds = time.perf_counter() - began
    return {
        **with_mean("dice_{}", dice(labels, case.labels)),
        **with_mean("raw_dice_{}", dice(found.on_grid(case.grid), case.labels)),
        "seconds": seconds,
        "hidden_slices": len(case.labels),
        "seen_gap_mm": case.stack.gap,
    }


def on_hidden_slices(found: Restoration, case: HiddenSlices) -> Labels:
    """A restored heart on the hidden slices, each displaced as the seen ones beside it were found.

    Between two of them the displacement is interpolated linearly.
    """
    upwards = case.stack.z.argsort()
    seen = upwards[torch.as_tensor(case.scan.stack.labelled)[upwards]]
    z, d = case.stack.z[seen].numpy(), found.d[0, seen].numpy()
    between = np.stack([np.interp(case.grid.z.numpy(), z, along) for along in d.T], axis=-1)
    shifts = case.grid.in_model_axes(torch.as_tensor(between, dtype=found.d.dtype))
    if not shifts.any():
        return found.on_grid(case.grid)
    return found.on_grid(replace(case.grid, offset=case.grid.offsets - shifts))


def _is_heart(path: Path) -> bool:
    found = or_refusal(read_short_axis, path)  # Measuring it will say why.
    return isinstance(found, LabelVolume) and is_on_hr_grid(found)


@dataclass(frozen=True)
class RealViews(Experiment):
    """Every view of real scans left out in turn: the stack alone, and with the other views."""

    subjects: Mapping[str, tuple[Path, ...]]  # name → files of the stack and of its views
    methods: tuple[str, ...] = (SEEN[0], SEEN[3])
    name, title = "real-views", "Views of real scans, left out in turn"
    levels: ClassVar[tuple[str, ...]] = ("left out",)
    figures = tuple(named.format(name) for named in ("dice_{}", BEST) for name in SCORED)

    def settings(self) -> dict[str, Any]:
        """The files, the methods, and the weights."""
        paths = [path for files in self.subjects.values() for path in files]
        return {
            "files": {path.name: fingerprint(path) for path in paths},
            "methods": self.methods,
            "weights": weights_in_use(self.methods, self.levels),
        }

    def tasks(self) -> Iterator[Task]:
        """Each view of each subject."""
        (level,) = self.levels
        for name, files in self.subjects.items():
            for v, view in enumerate(files[1:]):
                scores = scores_of(self.methods, level, partial(score_left_out, which=v))
                case, subject = partial(read_scan, *files), f"{name}, without {view.name}"
                yield Task(subject, level, case, scores)

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


def score_left_out(method: Method, scan: Scan, which: int) -> Scores:
    """Dice of a restored heart on the view left out, as it lies and at the shift of best mean.

    Of the tissues that are outlined in it; another's is NaN, and no part of the mean.
    """
    view, rest = scan.views[which], (*scan.views[:which], *scan.views[which + 1 :])
    shown = method(replace(scan, views=rest)).on_plane(plane_geometry(view, scan.placement))
    scores = {
        tissue: dice_at_shifts(shown == label, view.labels[0] == label)
        if (view.labels == label).any()
        else np.full(shown.shape, np.nan)
        for label, tissue in enumerate(TISSUES[1:], start=1)
    }
    scores["mean"] = np.nanmean([*scores.values()], axis=0)
    best = int(np.argmax(scores["mean"]))
    return {
        named.format(name): float(values.flat[at])
        for named, at in (("dice_{}", 0), (BEST, best))
        for name, values in scores.items()
    }
