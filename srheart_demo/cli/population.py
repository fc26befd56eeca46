"""``srheart population``: the synthetic populations, and whether they are like published ones."""

import argparse
import sys
from collections import Counter

import numpy as np

from srheart_demo.cli.chosen import check_populations
from srheart_demo.cli.errors import told
from srheart_demo.cli.progress import ProgressLine
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.population import POPULATIONS, VOLUME_RANGES, draw
from srheart_demo.heart.published import HEALTHY, VOLUMES_ACDC, MeanSD, outside

OUT_OF_TOLERANCE = 1

Hearts = dict[str, list[float]]  # Statistics of several hearts, by name


def run(options: argparse.Namespace) -> None:
    """List the populations, or draw hearts and compare."""
    check_populations(options.population)
    if not options.check:
        print("\n".join(POPULATIONS))
        return
    within = [_check(name, options.hearts, options.seed) for name in options.population]
    if not all(within):
        sys.exit(OUT_OF_TOLERANCE)


def _check(population: str, n: int, seed: int) -> bool:
    """Print a report; whether all that has a tolerance is within."""
    shapes = draw(n, seed, population)
    hearts: Hearts = {}
    findings = []
    with ProgressLine() as progress:
        for i in range(n):
            labels = phantom.label_maps(shapes[i : i + 1])[0]
            for name, value in anatomy.statistics(labels).items():
                hearts.setdefault(name, []).append(value)
            findings.append(anatomy.faults(labels, volumes=VOLUME_RANGES))
            progress.update(population, i + 1, n)
    print(f"{population}: {n} hearts of seed {seed}; ml, mm, degrees, ratios\n")
    within = _print_statistics(population, hearts)
    sound = sum(not found for found in findings)
    print(f"\n{sound} of {n} hearts pass the checks of their anatomy.")
    for finding, times in Counter(f for found in findings for f in found).most_common():
        print(f"  {times} × {finding}")
    ranges = {t: np.percentile(hearts[f"{t} volume"], (0.1, 99.9)) for t in VOLUME_RANGES}
    text = ", ".join(f"{tissue} {low:.0f} to {high:.0f}" for tissue, (low, high) in ranges.items())
    print(f"0.1 to 99.9 percentiles of volumes, ml: {text}.\n")
    return within


def _print_statistics(population: str, hearts: Hearts) -> bool:
    """One line for each, and for healthy adults a verdict; whether all verdicts are good."""
    published = {name: _text(*figure) for name, figure in HEALTHY.items()}
    if population != "healthy":
        volumes = VOLUMES_ACDC.get(population, ())
        published = {f"{t} volume": str(ml) for t, ml in zip(VOLUME_RANGES, volumes, strict=False)}
    print(f"{'':20}{'published':>17}{'drawn':>17}")
    wrong = 0
    for name, values in hearts.items():
        drawn = MeanSD(float(np.mean(values)), float(np.std(values, ddof=1)))
        line = f"{name:20}{published.get(name, ''):>17}{_text(*drawn):>17}"
        if population == "healthy" and name in HEALTHY:
            out = outside(drawn, HEALTHY[name])
            line += f"  {' and '.join(out)} out of tolerance" if out else "  within"
            wrong += bool(out)
        print(line)
    if population == "healthy":
        n = len(HEALTHY)
        print(f"\n{told('tolerance', within=n - wrong, n=n)}")
    return not wrong


def _text(mean: float, sd: float) -> str:
    digits = 1 if abs(mean) >= 10 else 2
    return f"{mean:.{digits}f} ± {sd:.{digits}f}"
