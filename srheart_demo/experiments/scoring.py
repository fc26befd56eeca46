"""Scores of a restored heart against the truth, as it stands and up to one common translation.

A common shift of all slices with the opposite one of the heart leaves the stack as it was (see
`gauge`), so each score is taken twice: "raw", and after moving the restored heart in-plane by the
mean difference of the displacements found and true, the same for all tissues. A baseline finds no
displacement; the mean of the true ones moves it.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from torch import Tensor

from srheart_demo.experiments.cases import Case
from srheart_demo.experiments.methods import Labels, Method, Restoration, method
from srheart_demo.experiments.tables import Scores, Values
from srheart_demo.frame import TISSUES
from srheart_demo.heart import anatomy, measures
from srheart_demo.scan.degradation import Stack
from srheart_demo.solver import gauge

SCORED = (*TISSUES[1:], "mean")  # LV, MYO, RV and the mean of their Dice
ON_SLICE = 0.01  # A plane so near to a slice lies on it, mm

_TAKEN_TWICE = (
    *(name.format(structure) for name in ("dice_{}", "la_dice_{}") for structure in SCORED),
    *(name.format(tissue) for name in ("assd_{}_mm", "hd95_{}_mm") for tissue in TISSUES[1:]),
)
"""At HR voxels and, la, on the plane of the LA view."""
APART = tuple(f"{where}_dice_{of}" for where in ("inside", "outside") for of in SCORED)
"""Between the outermost slices that show tissue, and beyond them."""
TOPOLOGY = ("pieces", "open_lv", "holes")
COLUMNS = (
    *_TAKEN_TWICE,
    *APART,
    *TOPOLOGY,
    *(f"raw_{name}" for name in _TAKEN_TWICE),
    *(f"{true}volume_{tissue}_ml" for true in ("", "true_") for tissue in TISSUES[1:]),
    "lv_mass_g",
    "true_lv_mass_g",
    "motion_error_mm",
    "raw_motion_error_mm",
    "unsheared_motion_error_mm",
    "seconds",
)
"""What `score` tells of a method on a case."""


More = Callable[[Restoration, Labels, Case], Scores]
"""What is scored besides, of a restored heart and its labels at the true one's voxels."""


def score(method: Method, case: Case, more: Sequence[More] = ()) -> Scores:
    """Run a method on a case and score it.

    "seconds" are one core's, from the scan to labels at HR voxels.
    """
    began = time.thread_time()
    found = method(case.scan)
    labels = found.on_grid(case.grid)
    seconds = time.thread_time() - began

    d, tissue, shift = (found.d, case.d), case.tissue, _common_shift(found, case)
    raw = _overlap(labels, found, case)
    moved = found.moved(shift)
    there = moved.on_grid(case.grid) if shift.any() else labels
    fixed = _overlap(there, moved, case) if shift.any() else raw
    true_labels, spacing = case.S_HR.labels, case.S_HR.spacing
    return {
        **fixed,
        **apart(there, true_labels, sampled(case.stack, case.tissue, case.grid)),
        **anatomy.topology(labels, spacing),
        **{f"raw_{name}": value for name, value in raw.items()},
        **by_tissue("volume_{}_ml", measures.volumes_ml(labels, spacing)),
        **by_tissue("true_volume_{}_ml", measures.volumes_ml(true_labels, spacing)),
        "lv_mass_g": measures.lv_mass_g(labels, spacing),
        "true_lv_mass_g": measures.lv_mass_g(true_labels, spacing),
        "motion_error_mm": gauge.motion_error(*d, tissue),
        "raw_motion_error_mm": gauge.raw_motion_error(*d, tissue),
        "unsheared_motion_error_mm": gauge.unsheared_motion_error(*d, case.stack.z, tissue),
        "seconds": seconds,
        **{name: x for of in more for name, x in of(found, labels, case).items()},
    }


def scores_of(
    methods: Iterable[str], level: str, scored: Callable[[Method, Any], Scores] = score
) -> dict[str, Callable[[Any], Scores]]:
    """Name of a method → what scores it on a case of a level, for a `Task`."""
    return {name: partial(scored, method(name, level)) for name in methods}


def labels_at_truth(found: Restoration, case: Case) -> Labels:
    """A restored heart's labels at the true heart's voxels, after the common translation."""
    return found.moved(_common_shift(found, case)).on_grid(case.grid)


def _common_shift(found: Restoration, case: Case) -> Tensor:
    """(2,) along H and W, mm, that the heart as found is to be moved by."""
    return case.stack.in_model_axes(gauge.common_translation(found.d, case.d, case.tissue))[0]


def _overlap(labels: Labels, found: Restoration, case: Case) -> Scores:
    distances = measures.surface_distances(labels, case.S_HR.labels, case.S_HR.spacing)
    assd, hd95 = measures.surface_scores(distances)
    return {
        **with_mean("dice_{}", measures.dice(labels, case.S_HR.labels)),
        **with_mean("la_dice_{}", measures.dice(found.on_plane(case.plane), case.S_LA.labels[0])),
        **by_tissue("assd_{}_mm", assd),
        **by_tissue("hd95_{}_mm", hd95),
    }


def sampled(stack: Stack, tissue: Tensor, grid: Stack) -> NDArray[np.bool_]:
    """Which planes of a grid lie between the outermost slices with `tissue` (K,), or on one."""
    shown, z = stack.z[tissue], grid.z
    return ((z > shown.min() - ON_SLICE) & (z < shown.max() + ON_SLICE)).numpy()


def apart(labels: Labels, true: Labels, inside: NDArray[np.bool_]) -> Scores:
    """`APART` of label maps (D, H, W), `inside` (D,) of the sampled range.

    Of a tissue that neither shows there it is NaN, and no part of the mean.
    """
    scores = dict.fromkeys(APART, math.nan)
    for where, planes in (("inside", inside), ("outside", ~inside)):
        maps = np.stack([labels[planes], true[planes]])
        shown = [(maps == n).any() for n in range(1, len(TISSUES))]
        if any(shown):
            found = compress(measures.dice(*maps).items(), shown)
            scores |= with_mean(f"{where}_dice_{{}}", dict(found))
    return scores


def dice_at_shifts(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Values:
    """Dice of a tissue in two maps, b moved by each shift in whole voxels; 0 where neither has it.

    Each at its index, and moved cyclically: [0, 0] is where they lie.
    """
    overlaps = fft.irfftn(fft.rfftn(a) * fft.rfftn(b).conj(), a.shape)
    return 2 * overlaps / max(int(a.sum() + b.sum()), 1)


def with_mean(name: str, dice: Mapping[str, float]) -> Scores:
    """Dice of each tissue and their mean, under a name with a place for what it is of."""
    return by_tissue(name, {**dice, "mean": sum(dice.values()) / len(dice)})


def by_tissue(name: str, scores: Mapping[str, float]) -> Scores:
    """Scores of each tissue under a name with a place for what it is of."""
    return {name.format(tissue): value for tissue, value in scores.items()}
