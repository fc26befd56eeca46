"""Lesson 0: its check; the look at the installation is `installation`'s."""

from srheart_demo.lessons.verdict import exercise


@exercise(
    lambda: {
        "13 slices, 10 mm apart,": (13, 10.0),
        "9 slices, 8 mm apart,": (9, 8.0),
        "2 slices, 7.5 mm apart,": (2, 7.5),
    }
)
def length_mm(K: int, gap: float) -> float:
    """Distance from the first slice to the last."""
    return (K - 1) * gap
