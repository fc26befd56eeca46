"""How good a restored heart is."""

import numpy as np

from srheart_demo.frame import TISSUES


def dice(estimate: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Dice coefficient 2|A ∩ B| / (|A| + |B|) of LV, MYO and RV between two label maps.

    A tissue that neither map holds counts as 1. Nothing is shifted: see `gauge` for scores up to
    the common translation that data cannot tell.

    Raises:
        ValueError: maps of different shapes.
    """
    if estimate.shape != truth.shape:
        raise ValueError(f"label maps differ in shape: {estimate.shape} and {truth.shape}")
    scores = {}
    for label, tissue in enumerate(TISSUES[1:], start=1):
        a, b = estimate == label, truth == label
        total = a.sum() + b.sum()
        scores[tissue] = float(2 * (a & b).sum() / total) if total else 1.0
    return scores


def mean_dice(estimate: np.ndarray, truth: np.ndarray) -> float:
    """Mean of `dice` over LV, MYO and RV."""
    return float(np.mean(list(dice(estimate, truth).values())))


def volumes_ml(labels: np.ndarray, spacing: tuple[float, float, float]) -> dict[str, float]:
    """Volume of LV, MYO and RV in ml; `spacing` is the voxel size in mm."""
    voxel = float(np.prod(spacing)) / 1000
    return {t: float((labels == i).sum() * voxel) for i, t in enumerate(TISSUES) if i}
