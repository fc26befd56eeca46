"""A beating heart: frames alone, with shared displacements, and with a constant volume of muscle.

    python -m benchmarks.cine [--hearts N]                     # synthetic, the truth is known
    python -m benchmarks.cine --stack SA.nii.gz [--long-axis LA.nii.gz ...]

Tables for docs/results.md: motion error, Dice after the common translation and in the world, how
far the muscle's volume wanders over the cycle, ejection fraction (with a stack of one's own also
that of the labels themselves), seconds of the solves.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import srheart_demo as sr
from srheart_demo.enhancement.cycle import Kept, found_alone, restore_cycle, wandering
from srheart_demo.enhancement.enhance import Enhancement, enhance
from srheart_demo.experiments.cases import FIRST_SEED
from srheart_demo.frame import HR_SPACING, TISSUES, hr_affine
from srheart_demo.heart import phantom
from srheart_demo.heart.measures import mean_dice, volumes_ml
from srheart_demo.heart.population import draw
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, one_hot_field
from srheart_demo.scan.long_axis import BY_WORTH, long_axis_view, standard_view
from srheart_demo.scan.placement import place
from srheart_demo.scan.read import HowToRead, read_cycle
from srheart_demo.scan.scan import Scan, Unlabelled
from srheart_demo.scan.volume import LabelVolume
from srheart_demo.solver.gauge import labels_at, motion_error
from srheart_demo.solver.settings import RECOMMENDED, Settings

ENDS: tuple[Unlabelled, ...] = ("auto", "unknown")
SYSTOLE = (0.0, 0.3, 0.6, 1.0, 0.8, 0.4)
"""How far the frames of a synthetic cycle are contracted; 1 is end-systole, LVEF about 60 %."""


def beating(seed: int, contracted: Sequence[float] = SYSTOLE) -> list[LabelVolume]:
    """The frames of a synthetic heart: the base comes down, the cavity narrows, the muscle keeps
    its volume, by bisection of the wall."""
    full, muscle, frames = draw(1, seed, "healthy"), 0.0, list[LabelVolume]()
    for s in contracted:
        low, high = (1.0, 2.2) if frames else (1.0, 1.0)
        for _ in range(9 if frames else 1):
            thicker = (low + high) / 2
            shape = replace(
                full,
                length=full.length * (1 - 0.14 * s),
                radius=full.radius * (1 - 0.33 * s),
                wall=full.wall * thicker,
                apex_wall=full.apex_wall * (1 + 0.3 * s),
                rv_width=full.rv_width * (1 - 0.25 * s),
            )
            labels = phantom.label_maps(shape.double())[0]
            ml = volumes_ml(labels, HR_SPACING)["MYO"]
            low, high = (low, thicker) if ml > muscle else (thicker, high)
        muscle = muscle or ml
        frames.append(LabelVolume(labels, simulate.scanner_frame(seed) @ hr_affine()))
    return frames


def scanned(
    hearts: Sequence[LabelVolume], seed: int, level: str, gap: int = 5, views: Sequence[str] = ()
) -> tuple[list[Scan], NDArray[np.float64]]:
    """A cine of them: every `gap`-th slice, and views, each displaced alike in all frames.

    Also the true d (K, 2), mm.
    """
    factor, drawn = MOTION_LEVELS[level], simulate.view_motion(seed)
    sims = [simulate.simulate(heart, factor, seed, Stack.from_hr(gap)) for heart in hearts]
    placement = place(sims[0].stack)
    planes = {view: standard_view(hearts[0].labels, view, 128, 1.25) for view in views}
    scans = []
    for heart, sim in zip(hearts, sims, strict=True):
        field, world = one_hot_field(heart.labels).double(), simulate.world_from_model(heart)
        seen = []
        for view, plane in planes.items():
            d = drawn[view].displacement(factor)[:, 0].double()
            seen.append(simulate.view_volume(long_axis_view(field, plane, d), plane, world))
        scans.append(Scan.of(sim.stack, *seen, placement=placement))
    return scans, sims[0].d[0].double().numpy()


Way = tuple[str, float, list[Enhancement]]


def restored(scans: Sequence[Scan], settings: Settings = RECOMMENDED) -> Iterator[Way]:
    """The cine by each way: its name, seconds of the solves, and the frames.

    Seconds of the second and third are those that they take beyond the first.
    """
    G, kept, alone = sr.load_generator(), Kept(), list[Enhancement]()
    began = time.perf_counter()
    for scan in scans:
        alone.append(enhance(scan, G, settings, z=alone[-1].last.z if alone else None))
    kept.alone += [found_alone(e) for e in alone]
    yield "alone", time.perf_counter() - began, alone
    for name, sd in (("shared d", 0.0), ("shared d and muscle", settings.muscle_sd)):
        began = time.perf_counter()
        frames = list(restore_cycle(scans, G, replace(settings, muscle_sd=sd), kept=kept))
        yield name, time.perf_counter() - began, frames


def volumes(hearts: Iterable[LabelVolume]) -> NDArray[np.float64]:
    """LV, MYO and RV of each frame: three rows, ml."""
    return np.array([list(volumes_ml(h.labels, h.spacing).values()) for h in hearts]).T


def ejected(ml: NDArray[np.float64]) -> float:
    """Ejection fraction, %, of the volumes of a ventricle."""
    return float(100 * (1 - ml.min() / ml.max()))


def synthetic(hearts: int) -> None:
    """Means over synthetic cines."""
    print("scan, way: mm, Dice (in the world), MYO wanders %, |MYO error| %, |LVEF error|, s")
    for level, gap, views in (("normal", 5, ()), ("severe", 5, ()), ("normal", 8, ()),
                              ("severe", 5, BY_WORTH)):  # fmt: skip
        rows: dict[str, list[list[Any]]] = {}
        for seed in range(FIRST_SEED + 500, FIRST_SEED + 500 + hearts):
            truth = beating(seed)
            scans, d = scanned(truth, seed, level, gap, views)
            true_LV, true_MYO, _ = volumes(truth)
            for name, seconds, frames in restored(scans):
                LV, MYO, _ = volumes(e.S_SR for e in frames)
                rows.setdefault(name, []).append([
                    np.mean([error(e, d) for e in frames]),
                    *np.mean([dice(*of, d) for of in zip(frames, truth, strict=True)], axis=0),
                    100 * wandering(MYO.tolist()),
                    100 * np.abs(MYO / true_MYO - 1).mean(),
                    abs(ejected(LV) - ejected(true_LV)),
                    seconds,
                ])  # fmt: skip
        for name, values in rows.items():
            mm, shape, there, wanders, muscle, LVEF, seconds = np.mean(values, axis=0)
            print(
                f"{level}, {2 * gap} mm, {len(views)} views, {name}: {mm:.2f}, {shape:.3f} "
                f"({there:.3f}), {wanders:.1f}, {muscle:.2f}, {LVEF:.2f}, {seconds:.0f}",
                flush=True,
            )


def error(e: Enhancement, d: NDArray[np.float64]) -> float:
    """Motion error over the frame's slices with tissue, mm."""
    own, true = (torch.from_numpy(x)[None] for x in (e.d, d))
    return motion_error(own, true, torch.from_numpy(e.scan.stack.labelled))


def dice(e: Enhancement, heart: LabelVolume, d: NDArray[np.float64]) -> tuple[float, float]:
    """Mean Dice of S_SR after the common translation of its d, and where it lies."""
    stack = e.scan.stack
    common = (d - e.d)[stack.labelled].mean(0) / stack.spacing[1:]
    found = []
    for shift in (stack.affine[:3, 1:3] @ common, np.zeros(3)):
        at = torch.from_numpy(e.scan.placement.to_model(heart.points() + shift))
        found.append(mean_dice(labels_at(e.field, at, e.centred.translation), heart.labels))
    return found[0], found[1]


def real(stack: Path, long_axis: Sequence[Path]) -> None:
    """A cine of one's own, as it is read and with the ends not looked at."""
    print("views, ends, way: LV ml, LVEF %, RVEF %, MYO ml, d of a frame off the shared mm, s")
    for views, ends in product([(), long_axis][: 1 + bool(long_axis)], ENDS):
        found = read_cycle(stack, *views, how=HowToRead(unlabelled=ends))
        scans = [scan for scan in found if isinstance(scan, Scan)]
        ways = list(restored(scans))
        shared = ways[-1][2]
        for name, seconds, frames in ways:
            LV, MYO, RV = volumes(e.S_SR for e in frames)
            off = [error(e, of.d) ** 2 for e, of in zip(frames, shared, strict=True)]
            print(
                f"{len(views)} views, {ends}, {name}: {said(LV)}, {ejected(RV):.1f}, "
                f"{MYO.min():.1f} to {MYO.max():.1f} "
                f"({wandering(MYO.tolist()):.1%}), {np.sqrt(np.mean(off)):.2f}, {seconds:.0f}",
                flush=True,
            )
    print("the labels themselves: LV ml, LVEF %, MYO ml")
    slices = volumes(scan.stack for scan in scans)
    print(f"slices' areas by their spacing: {said(slices[0])}; {said(slices[1])}")
    for planes in zip(*(scan.views for scan in scans), strict=True):
        print(
            f"{Path(planes[0].name).name}, 8 A²/3πL: {said(np.array([*map(area_length, planes)]))}"
        )


def said(ml: NDArray[np.float64]) -> str:
    """Largest and smallest volume, and by what share of the first they differ."""
    return f"{ml.max():.1f} to {ml.min():.1f}, {ejected(ml):.1f}"


def area_length(view: LabelVolume) -> float:
    """Volume of the LV, ml, were it round about its length L in a long-axis view: 8 A² / 3 π L."""
    at = np.argwhere(view.labels == TISSUES.index("LV")) @ view.affine[:3, :3].T
    A = len(at) * np.prod(view.spacing[1:])
    L = np.ptp((at - at.mean(0)) @ np.linalg.svd(at - at.mean(0), full_matrices=False)[2][0])
    return float(8 * A**2 / (3 * np.pi * L) / 1000)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hearts", type=int, default=6)
    parser.add_argument("--stack", type=Path)
    parser.add_argument("--long-axis", type=Path, action="append", default=[])
    options = parser.parse_args()
    if options.stack:
        real(options.stack, options.long_axis)
    else:
        synthetic(options.hearts)
