"""Scores of a restored heart against the truth, as it stands and up to one common translation.

A common shift of all slices with the opposite one of the heart leaves the stack as it was (see
`gauge`), so each score is taken twice: "raw", and after moving the restored heart in-plane by the
mean difference of the displacements found and true, the same for all tissues. A baseline finds no
displacement; the mean of the true ones moves it.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from srheart_demo.experiments.cases import Case
from srheart_demo.experiments.methods import Labels, Method, Restoration
from srheart_demo.frame import TISSUES
from srheart_demo.heart.measures import (
    dice,
    lv_mass_g,
    surface_distances,
    surface_scores,
    volumes_ml,
)
from srheart_demo.scan.degradation import Stack
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.gauge import (
    common_translation,
    motion_error,
    raw_motion_error,
    unsheared_motion_error,
)

Figures = Mapping[str, float]

DICE = ("dice_{}", "la_dice_{}")
"""Of the tissues and their mean, taken raw too: at HR voxels, and on the plane of the LA view."""
DISTANCES = ("assd_{}_mm", "hd95_{}_mm")
"""Of the tissues, taken raw too."""
SIZE = ("volume_{}_ml", "true_volume_{}_ml")


def _columns() -> tuple[str, ...]:
    tissues = TISSUES[1:]
    scores = [name.format(structure) for name in DICE for structure in (*tissues, "mean")]
    scores += [name.format(tissue) for name in DISTANCES for tissue in tissues]
    sizes = [name.format(tissue) for name in SIZE for tissue in tissues]
    masses = ["lv_mass_g", "true_lv_mass_g"]
    motion = ["motion_error_mm", "raw_motion_error_mm", "unsheared_motion_error_mm"]
    return (*scores, *(f"raw_{name}" for name in scores), *sizes, *masses, *motion, "seconds")


COLUMNS = _columns()
"""What `score` tells of a method on a case."""


def score(method: Method, case: Case) -> Figures:
    """Run a method on a case and score it; "seconds" run from the scan to labels at HR voxels."""
    began = time.perf_counter()
    found = method(case.scan)
    labels = found.on_grid(case.grid)
    seconds = time.perf_counter() - began

    tissue, shift = _tissue(case), _common_shift(found, case)
    raw = _overlap(labels, found.on_plane(case.plane), case)
    fixed = _fixed(found, shift, case) if shift.any() else raw
    true_labels, spacing = case.S_HR.labels, case.S_HR.spacing
    return {
        **fixed,
        **{f"raw_{name}": value for name, value in raw.items()},
        **_by_tissue("volume_{}_ml", volumes_ml(labels, spacing)),
        **_by_tissue("true_volume_{}_ml", volumes_ml(true_labels, spacing)),
        "lv_mass_g": lv_mass_g(labels, spacing),
        "true_lv_mass_g": lv_mass_g(true_labels, spacing),
        "motion_error_mm": motion_error(found.d, case.d, tissue),
        "raw_motion_error_mm": raw_motion_error(found.d, case.d, tissue),
        "unsheared_motion_error_mm": unsheared_motion_error(
            found.d, case.d, case.scan.stack.z, tissue
        ),
        "seconds": seconds,
    }


def labels_at_truth(found: Restoration, case: Case) -> Labels:
    """A restored heart's labels at the true heart's voxels, after the common translation."""
    return found.on_grid(_moved_grid(case, _common_shift(found, case)))


def _tissue(case: Case) -> Tensor:
    """Which slices show tissue, (K,)."""
    return torch.as_tensor((case.scan.S_LR > 0).any(axis=(1, 2)))


def _common_shift(found: Restoration, case: Case) -> Tensor:
    """(2,) along H and W, mm, that the heart as found is to be moved by."""
    common = common_translation(found.d, case.d, _tissue(case))
    return case.scan.stack.in_model_axes(common)[0]


def _moved_grid(case: Case, shift: Tensor) -> Stack:
    """Where the heart as found shows what it shows at the truth's voxels once moved by `shift`."""
    return replace(case.grid, origin=case.grid.origin - shift)


def _fixed(found: Restoration, shift: Tensor, case: Case) -> dict[str, float]:
    """`_overlap` of the heart moved by `shift` (2,), mm along H and W."""
    points = case.plane.points.clone()
    points[..., 1:] -= shift
    return _overlap(found.on_grid(_moved_grid(case, shift)), found.on_plane(Plane(points)), case)


def _overlap(labels: Labels, on_plane: Labels, case: Case) -> dict[str, float]:
    distances = surface_distances(labels, case.S_HR.labels, case.S_HR.spacing)
    assd, hd95 = surface_scores(distances)
    return {
        **with_mean("dice_{}", dice(labels, case.S_HR.labels)),
        **with_mean("la_dice_{}", dice(on_plane, case.S_LA.labels[0])),
        **_by_tissue("assd_{}_mm", assd),
        **_by_tissue("hd95_{}_mm", hd95),
    }


def with_mean(name: str, dice: Mapping[str, float]) -> dict[str, float]:
    """Dice of each tissue and their mean, under a name with a place for what it is of."""
    return _by_tissue(name, {**dice, "mean": sum(dice.values()) / len(dice)})


def _by_tissue(name: str, figures: Mapping[str, float]) -> dict[str, float]:
    return {name.format(tissue): value for tissue, value in figures.items()}
