"""Check of lesson 0."""

from __future__ import annotations

from collections.abc import Callable

from srheart_demo.course.verdict import NotYet, check, written


@check
def length_mm(length: Callable[[int, float], float]) -> str:
    """Distance from the first slice to the last."""
    found = float(written(length(13, 10.0), "the length"))
    if found == 130.0:
        raise NotYet("13 slices have 12 gaps between them: that is one too many.")
    if found == 110.0:
        raise NotYet("13 slices have 12 gaps between them: that is one too few.")
    if found == 12.0:
        raise NotYet("12 is the number of gaps; each is `gap` mm wide.")
    for K, gap, right in ((13, 10.0, 120.0), (9, 8.0, 64.0)):
        if (found := float(length(K, gap))) != right:
            raise NotYet(f"{K} slices, {gap:g} mm apart: {right:g} mm, and you find {found:g}.")
    return "120 mm for 13 slices, 10 mm apart. This is how every exercise works."
