"""Lesson 0: its check; the look at the installation is `installation`'s."""

from srheart_demo.lessons.verdict import exercise


@exercise(
    lambda: {f"{K} slices, {mm:g} mm apart,": (K, mm) for K, mm in ((13, 10.0), (9, 8.0), (2, 7.5))}
)
def length_mm(K: int, gap: float) -> float:
    """Distance from the first slice to the last."""
    return (K - 1) * gap
