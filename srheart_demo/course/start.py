"""Check of lesson 0."""

from srheart_demo.course.verdict import exercise


@exercise(
    lambda: {
        "13 slices, 10 mm apart,": (13, 10.0),
        "9 slices, 8 mm apart,": (9, 8.0),
        "2 slices, 7.5 mm apart,": (2, 7.5),
    },
    "120 mm for 13 slices, 10 mm apart. This is how every exercise works.",
    mistakes=(
        (lambda K, gap: K * gap, "13 slices have 12 gaps between them: that is one too many."),
        (lambda K, gap: (K - 2) * gap, "13 slices have 12 gaps between them: that is one too few."),
        (lambda K, gap: K - 1, "12 is the number of gaps; each is `gap` mm wide."),
        (lambda K, gap: K - 1 + gap, "12 gaps of `gap` mm: multiply, and do not add."),
        (lambda K, gap: (K - 1) / gap, "12 gaps of `gap` mm: multiply, and do not divide."),
        (lambda K, gap: (1 - K) * gap, "a length is not negative: K − 1 gaps, not 1 − K."),
    ),
)
def length_mm(K: int, gap: float) -> float:
    """Distance from the first slice to the last."""
    return (K - 1) * gap
