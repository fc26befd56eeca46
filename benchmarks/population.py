"""Are the synthetic populations like published ones? Draws hearts and compares their statistics.

    python -m benchmarks.population [--population NAME ...] [--hearts N] [--seed SEED]

Counts, too, the hearts that pass the checks of their anatomy. Exit status 1: a statistic of the
healthy population is out of tolerance.
"""

import argparse
import sys
from collections import Counter

import numpy as np

from benchmarks.shape import statistics
from srheart_demo.heart import anatomy, phantom
from srheart_demo.heart.population import POPULATIONS, VOLUME_RANGES, draw
from srheart_demo.heart.published import HEALTHY, VOLUMES_ACDC, MeanSD

OUT_OF_TOLERANCE = 1
MEAN_TOLERANCE = 1 / 3  # How far a mean may lie from the published one, in published SDs
SD_TOLERANCE = 0.3  # How far an SD may lie from the published one, as a share of it

Hearts = dict[str, list[float]]  # Statistics of several hearts, by name


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--population", nargs="+", default=["healthy"], choices=[*POPULATIONS])
    parser.add_argument("--hearts", type=int, default=200, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    within = [_check(name, options.hearts, options.seed) for name in options.population]
    return 0 if all(within) else OUT_OF_TOLERANCE


def _check(population: str, n: int, seed: int) -> bool:
    """Print a report; whether all that has a tolerance is within."""
    shapes = draw(n, seed, population)
    hearts: Hearts = {}
    findings = []
    for i in range(n):
        labels = phantom.label_maps(shapes[i : i + 1])[0]
        for name, value in statistics(labels).items():
            hearts.setdefault(name, []).append(value)
        findings.append(anatomy.faults(labels, volumes=VOLUME_RANGES))
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
        rule = "the mean within a third of the published SD, the SD within 30 %"
        print(f"\n{n - wrong} of {n} within tolerance: {rule}.")
    return not wrong


def _text(mean: float, sd: float) -> str:
    digits = 1 if abs(mean) >= 10 else 2
    return f"{mean:.{digits}f} ± {sd:.{digits}f}"


def outside(drawn: MeanSD, target: MeanSD) -> list[str]:
    """Which of ``mean`` and ``SD`` lie outside their tolerance."""
    off = {
        "mean": abs(drawn.mean - target.mean) > MEAN_TOLERANCE * target.sd,
        "SD": abs(drawn.sd / target.sd - 1) > SD_TOLERANCE,
    }
    return [name for name, is_off in off.items() if is_off]


if __name__ == "__main__":
    sys.exit(main())
