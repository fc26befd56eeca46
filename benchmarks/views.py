"""Long-axis views and where the heart lies; one breath-hold astray, and what it does to the rest.

    python -m benchmarks.views [--hearts N]

Tables for docs/results.md and docs/decisions.md: Dice in the world on the shipped samples, placed
by their labels, with each view and with all; how d of the others and mean Dice change where one
slice lies 20 mm off, or one view 15 mm; and INTERACTIVE beside RECOMMENDED with displaced views.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

import srheart_demo as sr
from srheart_demo.experiments.cases import FIRST_SEED
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.subjects import ScanSettings, load_subject
from srheart_demo.heart.measures import mean_dice
from srheart_demo.scan import simulate
from srheart_demo.scan.degradation import MOTION_LEVELS, Stack, simulate_stack
from srheart_demo.scan.long_axis import BY_WORTH
from srheart_demo.scan.samples import SAMPLES
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.gauge import common_translation, labels_at
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings

SEEN = {"none": (), **{view: (view,) for view in BY_WORTH}, "all": BY_WORTH}


def in_the_world() -> None:
    """Dice of S_SR where it lies, by the views that were seen."""
    print("sample, motion: " + ", ".join([*SEEN, "all, displaced"]))
    for name in SAMPLES:
        sample = sr.load_sample(name)
        for level in MOTION_LEVELS:
            row = []
            for views, moved in (*((v, "none") for v in SEEN.values()), (BY_WORTH, level)):
                seen = [sample.views[view, moved] for view in views]
                found = sr.enhance(Scan.of(sample.stacks[level], *seen))
                at = torch.tensor(found.scan.placement.to_model(sample.S_HR.points()))
                labels = labels_at(found.field, at, found.centred.translation)
                row.append(mean_dice(labels, sample.S_HR.labels))
            print(f"{name}, {level}: " + ", ".join(f"{dice:.3f}" for dice in row), flush=True)


def solved(
    seed: int, level: str, off: Tensor, far: Tensor, views: Sequence[str], settings: Settings
) -> tuple[Tensor, Tensor, float]:
    """The error of d (K, 2), which slices show tissue, and mean Dice, after their translation.

    `off` (K, 2) and `far` (2,), of the first view, are added to the displacements, mm.
    """
    heart = simulate.synthetic_heart("healthy", seed)
    d = simulate.simulate(heart, MOTION_LEVELS[level], seed).d + off
    stack = Stack.from_hr().to(torch.float64)
    world = simulate.world_from_model(heart)
    scanned = simulate.stack_volume(simulate_stack(heart.labels, stack, d.double()), stack, world)
    drawn = simulate.view_motion(seed)
    own = [drawn[view].displacement(MOTION_LEVELS[level])[:, 0].double() for view in views]
    if own:
        own[0] = own[0] + far
    seen = [simulate.long_axis_scan(heart, *pair) for pair in zip(views, own, strict=True)]
    found = sr.enhance(simulate.where_it_is_known(scanned, *seen, world=world), settings=settings)
    tissue = torch.from_numpy(scanned.labelled)
    d_found = torch.from_numpy(found.d).float()[None]
    shift = stack.in_model_axes(common_translation(d_found, d, tissue).double())[0].float()
    at = torch.tensor(found.scan.placement.to_model(heart.points()))
    # Moved by what all slices share beyond the true d, so that only the shape is scored.
    labels = labels_at(found.field, at, found.centred.translation + shift)
    return (d_found - d)[0], tissue, mean_dice(labels, heart.labels)


def astray(hearts: int) -> None:
    """One slice 20 mm off, or one view 15 mm, held against the same scan without."""
    cases = {"slice 7": (6, False, ()), "slice 5": (4, False, ()), "a view": (None, True, BY_WORTH)}
    for share in (RECOMMENDED.astray, 0.0):
        for level in ("none", "normal"):
            for name, (k, moves, views) in cases.items():
                changed = []
                for seed in range(FIRST_SEED, FIRST_SEED + hearts):
                    angle = torch.tensor(1.3 * seed)
                    way = torch.stack([angle.cos(), angle.sin()])
                    off, far = torch.zeros(13, 2), 15.0 * way * moves
                    if k is not None:
                        off[k] = 20.0 * way
                    settings = replace(RECOMMENDED, astray=share)
                    still = solved(seed, level, 0 * off, 0 * far, views, settings)
                    moved = solved(seed, level, off, far, views, settings)
                    kept = still[1] & moved[1] & (torch.arange(13) != (-1 if k is None else k))
                    apart = (moved[0] - still[0])[kept]
                    rms = float((apart - apart.mean(0)).square().sum(1).mean().sqrt())
                    changed.append((rms, moved[2] - still[2]))
                rms, dice = np.array(changed).T
                print(
                    f"astray {share:g}, motion {level}, {name}: others by {rms.min():.2f} to "
                    f"{rms.max():.2f} mm, Dice by {dice.min():+.4f} to {dice.max():+.4f}",
                    flush=True,
                )


def quickly() -> None:
    """INTERACTIVE, as it is and without what it does for views, beside RECOMMENDED, on the shipped
    samples with none to three views displaced as slices are: means, as the explorer has them."""
    G = sr.load_generator()
    plain = replace(INTERACTIVE, name="plain", views_search_at=(), far_iterations=0)
    for motion in (4.0, 1.0):
        for views in range(4):
            scan = ScanSettings("", motion, views, views_move=True)
            scenes = [Scene(replace(scan, subject=n), load_subject(n), G) for n in SAMPLES]
            for settings in (plain, INTERACTIVE, RECOMMENDED):
                rows: list[tuple[float, ...]] = []
                for scene in scenes:
                    step = sr.solve(scene.problem, settings)
                    dice = scene.dice(sr.answer(step, scene.problem), step.d).values()
                    of_run = scene.motion_error(step.d), step.seconds, step.iteration
                    rows.append((float(np.mean([*dice])), *of_run))
                dice, error, seconds, iterations = np.mean(rows, axis=0)
                print(
                    f"motion {motion:g}, {views} views, {settings.name}: Dice {dice:.3f}, motion "
                    f"error {error:.2f} mm, {seconds:.2f} s, {iterations:.0f} iterations",
                    flush=True,
                )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hearts", type=int, default=3)
    torch.set_num_threads(1)
    astray(parser.parse_args().hearts)
    in_the_world()
    quickly()


if __name__ == "__main__":
    main()
