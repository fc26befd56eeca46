"""Type, inks and line colours of the dashboard. Tissue colours live in `srheart_demo.frame`.

What figures draw is readable on light and on dark: lines have a contrast of 3 or more on both.
Text and grid take their colour from the page's style sheet.
"""

from collections.abc import Sequence

from srheart_demo.frame import TISSUE_COLOURS

FONT = 'Inter, "Segoe UI", system-ui, -apple-system, Roboto, "Helvetica Neue", Arial, sans-serif'
INK = "#1A2230"
MUTED = "#56606F"
GRID = "#E3E8EF"
RUNS = ("#8E52B5", "#B07D12", "#D1478C")  # One for each run that is kept; none is a tissue's
DASHES = ("solid", "dash", "dot")  # So that runs are told apart without colour too
LANE_DASHES = ("solid", "dash", "dot", "dashdot")
ESTIMATE = RUNS[0]  # What the solver estimates: z, d
MIDDLE = "#7C8797"  # A grey for both themes: losses' parts, true values, scale bars
LANES = (*RUNS, MIDDLE)  # Of what is compared; after four with other dashes
TRUTH = "#8A94A3"
CUT = RUNS[1]  # The border of a long-axis cut
BACKGROUND = "#EEF1F5"  # Of pictures of label maps
AGREE, DISAGREE = "#B9C1CC", "#D1478C"
"""Colours of a disagreement: the same tissue, and not the same."""
SEQUENTIAL = ((0.0, "#F3E9C6"), (0.35, "#E0A64B"), (0.7, "#B23A6B"), (1.0, "#3B0F52"))
"""Lengths and losses, light to dark; ordered in grey as well."""
_METHODS = ("#8A94A3", "#56B4E9", "#E69F00", "#CC79A7", "#882255", "#999933", "#332288")
"""Of the methods that are not ours, in order: a grey, those of Okabe and Ito's that are no tissue's
(see `palette`), and three of Paul Tol's muted ones."""


def line_colours(names: Sequence[str]) -> list[str]:
    """Tissues in their own colours, latent optimisation in the estimate's, others in order."""
    first = next((name for name in names if name.startswith("LO")), "")
    known = {**TISSUE_COLOURS, first: ESTIMATE, "LO (ours)": ESTIMATE, "LO (paper)": RUNS[2]}
    others = [name for name in names if name not in known]
    of = known | {name: _METHODS[i % len(_METHODS)] for i, name in enumerate(others)}
    return [of[name] for name in names]
