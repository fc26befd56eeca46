"""Where synthetic scans lie in the figures of `enhancement.quantities`, and what does not pass.

``python -m benchmarks.check [--scans N] [--odd N]`` prints the ranges of `QUANTITIES` from N scans
whose hearts the prior should know, then of as many other scans how many are judged unusual or not
to be trusted, and the same of scans that are wrong on purpose. Real scans have no part in it.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from srheart_demo.enhancement.quantities import QUANTITIES, Grade, Range, judge, measured
from srheart_demo.frame import HALF_EXTENT, lattice_points
from srheart_demo.heart.generator import load_generator
from srheart_demo.heart.phantom import label_maps
from srheart_demo.heart.population import POPULATIONS, SEEDS, draw
from srheart_demo.scan.degradation import Motion, Stack, label_noise, simulate_stack
from srheart_demo.scan.placement import AUTOMATIC, ByHand
from srheart_demo.scan.scan import Scan
from srheart_demo.scan.simulate import scanner_frame, stack_volume
from srheart_demo.scan.volume import InvalidVolume, LabelVolume

SEED = SEEDS["experiments"].start
"""Seeds of these hearts; none was trained on."""

Case = tuple[LabelVolume, ByHand]


def scan(i: int, S_HR: NDArray[np.uint8] | None = None) -> LabelVolume:
    """The i-th scan: a heart of each population in turn (or S_HR), by a protocol that is drawn.

    5 to 12 mm between slices, pixels of 0.8 to 2 mm, motion from none to severe, outlines drawn up
    to 1.5 mm off (`drawn`) and up to 5 % label noise; from some of them slices at the ends or one
    in between are missing.
    """
    rng = np.random.default_rng(SEED + i)
    population = list(POPULATIONS)[i % len(POPULATIONS)]
    if S_HR is None:
        S_HR = label_maps(draw(1, SEED + i, population))[0]
    gap, pixel = rng.uniform(5.0, 12.0), rng.uniform(0.8, 2.0)
    K, side = int(2 * HALF_EXTENT[0] / gap), int(2 * HALF_EXTENT[1] / pixel)
    start = rng.uniform(-0.5, 0.5) * gap - (K - 1) * gap / 2
    stack = Stack(
        z=torch.tensor(start + gap * np.arange(K), dtype=torch.float32),
        origin=torch.full((2,), -(side - 1) * pixel / 2),
        row_step=torch.tensor([pixel, 0.0]),
        column_step=torch.tensor([0.0, pixel]),
        shape=(side, side),
    )
    d = Motion.draw(K, SEED + i).displacement(rng.choice([0.0, 1.0, 2.0, 4.0]))
    labels = simulate_stack(S_HR, stack, d)
    labels = drawn(labels, rng.uniform(0.0, 1.5) / pixel, 8.0 / pixel, rng)
    labels = label_noise(labels, rng.uniform(0.0, 0.05), SEED + i)
    shown = np.flatnonzero(labels.any(axis=(1, 2)))
    if rng.random() < 0.3:
        labels[rng.choice(shown[[0, -1]])] = 0
    if rng.random() < 0.1:
        labels[rng.choice(shown[1:-1])] = 0
    return stack_volume(labels, stack, scanner_frame(SEED + i))


def drawn(
    labels: NDArray[np.uint8], sd: float, smooth: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Slices (K, h, w) with outlines as people draw them: smoothly off, in each slice anew.

    Two people's contours of one scan differ by a millimetre or so, which voxel noise does not show.

    Args:
        labels: as they are.
        sd: of the displacement along rows and along columns, pixels.
        smooth: over how much it is alike, pixels.
        rng: that draws it.
    """
    off = gaussian_filter(rng.normal(size=(2, *labels.shape)), (0, 0, smooth, smooth))
    off *= sd / off.std()
    k, row, column = np.indices(labels.shape)
    h, w = labels.shape[1:]
    row, column = (row + off[0]).round().astype(int), (column + off[1]).round().astype(int)
    return labels[k, row.clip(0, h - 1), column.clip(0, w - 1)]


def _scaled(volume: LabelVolume, *factors: float) -> LabelVolume:
    return replace(volume, affine=volume.affine @ np.diag([*factors, 1.0]))


def _relabelled(volume: LabelVolume, *values: int) -> LabelVolume:
    return replace(volume, labels=np.array([0, *values], np.uint8)[volume.labels])


def _grid() -> NDArray[np.float64]:
    return np.moveaxis(lattice_points(), -1, 0)


def _shells(i: int) -> NDArray[np.uint8]:
    """An LV in a myocardium in an RV, like an onion."""
    rng = np.random.default_rng(i)
    radius = np.sqrt(((_grid() / rng.uniform(0.8, 1.2, (3, 1, 1, 1))) ** 2).sum(axis=0))
    return np.select([radius < 22, radius < 32, radius < 45], [1, 2, 3], 0).astype(np.uint8)


def _blobs(i: int) -> NDArray[np.uint8]:
    """Whatever lies on top of smooth noise, within a ball."""
    noise = np.random.default_rng(i).normal(size=(4, 64, 128, 128))
    smooth = np.stack([gaussian_filter(part, (6, 10, 10)) for part in noise])
    inside = np.sqrt((_grid() ** 2).sum(axis=0)) < 50
    return (smooth.argmax(axis=0) * inside).astype(np.uint8)


def _boxes(i: int) -> NDArray[np.uint8]:
    """A box in a box, and one beside them."""
    z, y, x = _grid()
    a = np.random.default_rng(i).uniform(15, 25)
    tall = np.abs(z) < 40
    inner, outer = (np.maximum(np.abs(y), np.abs(x - 15)) < side for side in (a, a + 9))
    beside = (np.abs(y) < 35) & (np.abs(x + 30) < 20)
    return (np.select([inner, outer, beside], [1, 2, 3], 0) * tall).astype(np.uint8)


def _one_far(volume: LabelVolume, i: int) -> LabelVolume:
    labels = volume.labels.copy()
    shown = np.flatnonzero(volume.labelled)
    k = shown[len(shown) // 2]
    labels[k] = np.roll(labels[k], round(35 / volume.spacing[1]), axis=0)
    return replace(volume, labels=labels)


def _spacing_only(volume: LabelVolume) -> LabelVolume:
    return replace(volume, affine=np.diag([*volume.spacing, 1.0]))


ODD: dict[str, Callable[[int], Case]] = {
    "mirrored": lambda i: (_flipped_columns(scan(i)), AUTOMATIC),
    "mirrored, spacing only": lambda i: (_spacing_only(_flipped_columns(scan(i))), AUTOMATIC),
    "turned by 90°": lambda i: (scan(i), ByHand(turn_deg=90.0 * (-1) ** i)),
    "turned by 180°": lambda i: (scan(i), ByHand(turn_deg=180.0)),
    "apex and base exchanged": lambda i: (scan(i), ByHand(flip=True)),
    "slices twice as far apart": lambda i: (_scaled(scan(i), 2.0, 1.0, 1.0), AUTOMATIC),
    "slices half as far apart": lambda i: (_scaled(scan(i), 0.5, 1.0, 1.0), AUTOMATIC),
    "half the size": lambda i: (_scaled(scan(i), 0.5, 0.5, 0.5), AUTOMATIC),
    "LV and RV exchanged": lambda i: (_relabelled(scan(i), 3, 2, 1), AUTOMATIC),
    "LV and MYO exchanged": lambda i: (_relabelled(scan(i), 2, 1, 3), AUTOMATIC),
    "one slice 35 mm off": lambda i: (_one_far(scan(i), i), AUTOMATIC),
    "an onion": lambda i: (scan(i, _shells(i)), AUTOMATIC),
    "boxes": lambda i: (scan(i, _boxes(i)), AUTOMATIC),
    "blobs": lambda i: (scan(i, _blobs(i)), AUTOMATIC),
}
"""Scans that are wrong on purpose, by what is wrong with them."""


def _flipped_columns(volume: LabelVolume) -> LabelVolume:
    return replace(volume, labels=volume.labels[:, :, ::-1].copy())


def figures(cases: Iterator[Case]) -> Iterator[dict[str, float] | None]:
    """Of each case; None where it is refused."""
    for stack, by_hand in cases:
        try:
            yield measured(Scan.of(stack, by_hand=by_hand), load_generator())
        except InvalidVolume:
            yield None


def verdict(numbers: dict[str, float] | None) -> str:
    """Of one scan's figures."""
    if numbers is None:
        return "refused"
    return max(m.verdict for m in judge(numbers)).name.lower()


def _print_ranges(rows: list[dict[str, float]]) -> None:
    for name, quantity in QUANTITIES.items():
        values = np.array([row[name] for row in rows])
        print(f'"{name}": {range_of(values, in_proportion=quantity.both)}')


def range_of(values: NDArray[np.float64], in_proportion: bool) -> Range:
    """Of a quantity of synthetic scans; distances from the median are ratios or differences."""
    low, middle, high = np.nanpercentile(np.log(values) if in_proportion else values, (1, 50, 99))
    ends = np.array([low, high, 1.5 * low - 0.5 * middle, 1.5 * high - 0.5 * middle])
    return Range(*(float(f"{end:.4g}") for end in (np.exp(ends) if in_proportion else ends)))


def known_scans(n: int, path: Path | None) -> list[dict[str, float]]:
    """Figures of n scans that the prior should know; those that a file holds are not done again."""
    rows = []
    if path and path.exists():
        with path.open(newline="") as file:
            rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)][:n]
    for row in figures((scan(i), AUTOMATIC) for i in range(len(rows), n)):
        rows.append(row or dict.fromkeys(QUANTITIES, float("nan")))
        if path:
            with path.open("w", newline="") as file:
                table = csv.DictWriter(file, QUANTITIES)
                table.writeheader()
                table.writerows(rows)
    return rows


def _print_verdicts(name: str, found: list[dict[str, float] | None]) -> None:
    counts = Counter(map(verdict, found))
    shares = [counts[word] / len(found) for word in ("fine", "unusual", "distrust", "refused")]
    measures = [m for numbers in found if numbers for m in judge(numbers)]
    why = Counter(m.name for m in measures if m.verdict == Grade.DISTRUST)
    reasons = ", ".join(f"{reason} {n}" for reason, n in why.most_common(4))
    print(f"| {name} | {' | '.join(f'{share:.0%}' for share in shares)} | {reasons} |", flush=True)


def main() -> None:
    """Print the table and the verdicts."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--scans", type=int, default=72, help="0: judge others only")
    arguments.add_argument(
        "--odd",
        type=int,
        default=20,
        help="of each kind, and twice of others",
    )
    arguments.add_argument("--csv", type=Path, help="figures of the known scans, to go on with")
    options = arguments.parse_args()
    known = known_scans(options.scans, options.csv)
    if known:
        _print_ranges(known)
    if not options.odd:
        return
    print("| scans | fine | unusual | not to be trusted | refused | why most often |")
    print("|---|---:|---:|---:|---:|---|")
    others = range(10_000, 10_000 + 2 * options.odd)
    _print_verdicts("as the prior knows them", list(figures((scan(i), AUTOMATIC) for i in others)))
    for name, make in ODD.items():
        cases = (make(i) for i in range(20_000, 20_000 + options.odd))
        _print_verdicts(name, list(figures(cases)))


if __name__ == "__main__":
    main()
