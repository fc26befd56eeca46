"""Paired differences over subjects."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 10_000

Values = NDArray[np.float64]


def paired_interval(
    a: Values, b: Values, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of a − b over subjects, and its bootstrap interval by percentiles (Efron 1979).

    Args:
        a, b: (n,) figures of two methods on the same subjects.
        level: how often such an interval holds the mean of all subjects.
        seed: of the resampling.

    Returns:
        Mean, lower and upper end.

    Raises:
        ValueError: not as many of one as of the other, or none.
    """
    if a.shape != b.shape or not len(a):
        raise ValueError(f"pairs are needed, not {len(a)} and {len(b)} values")
    difference = a - b
    chosen = np.random.default_rng(seed).integers(0, len(difference), (RESAMPLES, len(difference)))
    means = difference[chosen].mean(1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(difference.mean()), float(low), float(high)
