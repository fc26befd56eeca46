"""How good a restored heart is, and how big.

Scores compare two label maps voxel by voxel, tissue by tissue, and shift nothing. What the data
cannot tell, one translation common to all tissues, is removed beforehand where a table says so:
see `gauge`, which also has the motion error. A tissue that only one map holds has Dice 0 and
infinite distances; `summary` says how tables deal with those.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.ndimage import binary_erosion

from srheart_demo.frame import TISSUES
from srheart_demo.heart.distances import Spacing, tissue_box

CONFIDENCES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.01)
"""Edges of the bins of `reliability`."""
MYOCARDIAL_DENSITY = 1.05
"""Specific gravity of heart muscle, g/ml (Myerson et al., Hypertension 39(3):750-755, 2002)."""

Distances = dict[str, tuple[np.ndarray, np.ndarray]]
"""For each tissue, distances from one surface to the other and back, mm."""


def dice(estimate: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Dice coefficient 2|A ∩ B| / (|A| + |B|) of LV, MYO and RV between two label maps.

    >>> S_HR = sr.load_sample("healthy_1").S_HR.labels
    >>> sr.dice(S_HR, S_HR)
    {'LV': 1.0, 'MYO': 1.0, 'RV': 1.0}

    A tissue that neither map holds counts as 1.
    """
    return dict(zip(TISSUES[1:], class_dice(estimate, truth, len(TISSUES)), strict=True))


def class_dice(estimate: np.ndarray, truth: np.ndarray, classes: int) -> list[float]:
    """`dice` of each class but the first, background, of maps with any number of classes."""
    if estimate.shape != truth.shape:
        raise ValueError(f"label maps differ in shape: {estimate.shape} and {truth.shape}")
    scores = []
    for label in range(1, classes):
        a, b = estimate == label, truth == label
        total = a.sum() + b.sum()
        scores.append(float(2 * (a & b).sum() / total) if total else 1.0)
    return scores


def mean_dice(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Mean of `dice` over LV, MYO and RV."""
    return float(np.mean(list(dice(estimate, truth).values())))


def volumes_ml(labels: np.ndarray, spacing: Spacing) -> dict[str, float]:
    """Volume of LV, MYO and RV in ml; `spacing` is the voxel size in mm.

    >>> S_HR = sr.load_sample("healthy_1").S_HR
    >>> {tissue: round(ml) for tissue, ml in sr.volumes_ml(S_HR.labels, S_HR.spacing).items()}
    {'LV': 124, 'MYO': 120, 'RV': 150}
    """
    if len(spacing) != 3:
        raise ValueError(f"a voxel has a size along three axes, not {len(spacing)}")
    voxel = float(np.prod(spacing)) / 1000
    return {t: float((labels == i).sum() * voxel) for i, t in enumerate(TISSUES) if i}


def lv_mass_g(labels: np.ndarray, spacing: Spacing) -> float:
    """Mass of the left ventricle in g: its myocardium's volume by `MYOCARDIAL_DENSITY`."""
    return MYOCARDIAL_DENSITY * volumes_ml(labels, spacing)["MYO"]


def surface_distances(estimate: np.ndarray, truth: np.ndarray, spacing: Spacing) -> Distances:
    """Distances between the surfaces of LV, MYO and RV in two label maps (D, H, W), mm.

    A tissue's surface is its voxels that share a face with another label or with the end of the
    map. Distances run between voxel centres, from every surface voxel of `estimate` to the nearest
    of `truth`, and back: infinite where the other map lacks the tissue, empty where the map itself
    does.
    """
    from scipy.spatial import KDTree

    if estimate.shape != truth.shape:
        raise ValueError(f"label maps differ in shape: {estimate.shape} and {truth.shape}")
    either = (estimate > 0) | (truth > 0)
    heart = tissue_box(either) if either.any() else ()
    distances = {}
    for label, tissue in enumerate(TISSUES[1:], start=1):
        masks = estimate[heart] == label, truth[heart] == label
        a, b = (np.argwhere(mask & ~binary_erosion(mask)) * spacing for mask in masks)
        # Trees of few nodes, which of a map as rough as noise are searched in half the time.
        tree_a, tree_b = (KDTree(x, 64, compact_nodes=False, balanced_tree=False) for x in (a, b))
        distances[tissue] = tree_b.query(a)[0], tree_a.query(b)[0]
    return distances


def surface_scores(distances: Distances) -> tuple[dict[str, float], dict[str, float]]:
    """`assd` and `hd95` of the same `surface_distances`, which take longest to find."""
    both_ways = {tissue: np.concatenate(pair) for tissue, pair in distances.items()}
    mean = {tissue: float(d.mean()) if len(d) else 0.0 for tissue, d in both_ways.items()}
    return mean, {tissue: max(map(_percentile_95, pair)) for tissue, pair in distances.items()}


def assd(estimate: np.ndarray, truth: np.ndarray, spacing: Spacing) -> dict[str, float]:
    """Average symmetric surface distance of LV, MYO and RV, mm: of `surface_distances` both ways.

    A tissue that neither map holds counts as 0, one that only one map holds as infinite.
    """
    return surface_scores(surface_distances(estimate, truth, spacing))[0]


def hd95(estimate: np.ndarray, truth: np.ndarray, spacing: Spacing) -> dict[str, float]:
    """95 % Hausdorff distance, mm: the greater of the 95th percentiles both ways; see `assd`."""
    return surface_scores(surface_distances(estimate, truth, spacing))[1]


def _percentile_95(distances: np.ndarray) -> float:
    if not len(distances):
        return 0.0
    # All are infinite or none is, and infinities have no percentile.
    return float(np.percentile(distances, 95)) if np.isfinite(distances[0]) else math.inf


class Summary(NamedTuple):
    """A figure over subjects."""

    # mean, sd: over the subjects that have it; SD of one is NaN
    mean: float
    sd: float
    missing: int  # subjects without it


def summary(values: Sequence[float]) -> Summary:
    """Mean and standard deviation over subjects, with those counted apart that have no figure.

    The distance of a tissue that only one map holds is infinite, and one such would make any mean
    so. A mean over the others flatters, so tables show it with `missing`; Dice, 0 there, counts
    every subject. Where none has the figure, the mean is infinite; of fewer than two the SD is NaN.
    """
    finite = [value for value in values if math.isfinite(value)]
    missing = len(values) - len(finite)
    if not finite:
        return Summary(math.inf, math.nan, missing)
    sd = float(np.std(finite)) if len(finite) > 1 else math.nan
    return Summary(float(np.mean(finite)), sd, missing)


def reliability(confidence: np.ndarray, correct: np.ndarray) -> list[tuple[float, float, int]]:
    """Of voxels said to be so sure, how many are right?

    For each bin of confidence with voxels, between two of `CONFIDENCES`: mean confidence, share
    that is right, number of voxels.
    """
    bins = ((confidence >= low) & (confidence < high) for low, high in pairwise(CONFIDENCES))
    return [
        (float(confidence[inside].mean()), float(correct[inside].mean()), int(inside.sum()))
        for inside in bins
        if inside.any()
    ]
