"""Check of lesson 0."""

from srheart_demo.lessons.verdict import exercise


@exercise(
    lambda: {
        "13 slices, 10 mm apart,": (13, 10.0),
        "9 slices, 8 mm apart,": (9, 8.0),
        "2 slices, 7.5 mm apart,": (2, 7.5),
    },
    "120 mm for 13 slices, 10 mm apart. This is how every exercise works.",
)
def length_mm(K: int, gap: float) -> float:
    """Distance from the first slice to the last."""
    return (K - 1) * gap
