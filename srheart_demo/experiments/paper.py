"""Figures that the paper prints: Dice, mean and standard deviation (Wang et al. 2021)."""

PrintedRow = dict[str, tuple[float, float]]
"""Structure or column → mean, SD."""


def _row(names: str, *pairs: tuple[float, float]) -> PrintedRow:
    return dict(zip(names.split(), pairs, strict=True))


TABLE_1: dict[str, PrintedRow] = {
    "NN": _row("LV MYO RV", (0.74, 0.04), (0.32, 0.06), (0.72, 0.04)),
    "SBI": _row("LV MYO RV", (0.75, 0.03), (0.31, 0.07), (0.74, 0.04)),
    "EDSR": _row("LV MYO RV", (0.89, 0.02), (0.70, 0.07), (0.89, 0.03)),
    "LO (paper)": _row("LV MYO RV", (0.92, 0.02), (0.75, 0.08), (0.91, 0.02)),
}
"""Table 1, severe motion; 100 subjects."""

TABLE_2: dict[str, PrintedRow] = {
    "EDSR (none)": _row("none normal severe", (0.98, 0.00), (0.88, 0.02), (0.62, 0.04)),
    "EDSR (normal)": _row("none normal severe", (0.91, 0.01), (0.93, 0.01), (0.70, 0.05)),
    "EDSR (severe)": _row("none normal severe", (0.68, 0.03), (0.75, 0.03), (0.83, 0.04)),
    "LO (paper)": _row("none normal severe", (0.95, 0.01), (0.92, 0.01), (0.86, 0.04)),
}
"""Table 2, mean Dice by the level tested on."""

TABLE_3: dict[str, PrintedRow] = {
    "NN": _row("LV MYO RV", (0.88, 0.07), (0.57, 0.15), (0.85, 0.12)),
    "SBI": _row("LV MYO RV", (0.89, 0.07), (0.58, 0.16), (0.85, 0.12)),
    "EDSR (normal)": _row("LV MYO RV", (0.90, 0.12), (0.64, 0.12), (0.87, 0.13)),
    "LO (paper)": _row("LV MYO RV", (0.91, 0.08), (0.68, 0.12), (0.87, 0.12)),
    "LO-multi-view (paper)": _row("LV MYO RV", (0.92, 0.05), (0.72, 0.10), (0.89, 0.12)),
}
"""Table 3, UK Biobank, on the four-chamber view; 200 subjects."""

_S1 = "LV MYO RV mean"
TABLE_S1: dict[str, dict[str, PrintedRow]] = {
    "none": {
        "NN": _row(_S1, (0.95, 0.01), (0.86, 0.02), (0.94, 0.01), (0.92, 0.01)),
        "SBI": _row(_S1, (0.96, 0.01), (0.87, 0.02), (0.93, 0.01), (0.92, 0.01)),
        "EDSR": _row(_S1, (0.99, 0.00), (0.96, 0.01), (0.98, 0.00), (0.98, 0.00)),
        "LO (paper)": _row(_S1, (0.97, 0.00), (0.91, 0.01), (0.96, 0.01), (0.95, 0.01)),
    },
    "normal": {
        "NN": _row(_S1, (0.91, 0.01), (0.72, 0.05), (0.89, 0.01), (0.84, 0.02)),
        "SBI": _row(_S1, (0.92, 0.01), (0.73, 0.04), (0.90, 0.01), (0.85, 0.02)),
        "EDSR": _row(_S1, (0.96, 0.01), (0.88, 0.02), (0.96, 0.01), (0.93, 0.01)),
        "LO (paper)": _row(_S1, (0.96, 0.01), (0.86, 0.02), (0.95, 0.01), (0.92, 0.01)),
    },
    "severe": {
        "NN": _row(_S1, (0.74, 0.04), (0.32, 0.06), (0.72, 0.04), (0.59, 0.04)),
        "SBI": _row(_S1, (0.75, 0.03), (0.31, 0.07), (0.74, 0.04), (0.60, 0.04)),
        "EDSR": _row(_S1, (0.89, 0.02), (0.70, 0.07), (0.89, 0.03), (0.83, 0.04)),
        "LO (paper)": _row(_S1, (0.92, 0.02), (0.75, 0.08), (0.91, 0.02), (0.86, 0.04)),
    },
}
"""Table S1; each EDSR was trained on the level that it is tested on."""
