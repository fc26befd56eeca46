"""The reference method against every preset: how good, how soon, at what cost.

``python -m benchmarks.solver [--hearts N] [--level LEVEL ...] [--picture FILE]``
solves held-out synthetic hearts with the rebuilt reference (`reference`, on the paper's β-VAE; with
its published nearest-neighbour motion layer, and bilinear), and with each preset, in one run: PAPER
and REFERENCE on that generator, the others on ours. Prints Markdown tables: final mean Dice and
motion error after the common translation, time of an iteration, time until the reference's own
final loss and Dice are reached, peak memory. Times count computing alone: judging on the way is not
in them, an answer's residual is. The reference's times and memory are those of its network at full
resolution.
"""

from __future__ import annotations

import argparse
import platform
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.reference import ReferenceLoop, UpSampled
from srheart_demo.experiments.methods import PAPERS
from srheart_demo.frame import HR_SHAPE, lattice_points
from srheart_demo.heart import phantom
from srheart_demo.heart.generator import OURS, HeartGenerator, load_generator
from srheart_demo.heart.measures import mean_dice
from srheart_demo.heart.population import SEEDS, draw
from srheart_demo.scan.degradation import MOTION_LEVELS, Motion, Stack, downsample, simulate_stack
from srheart_demo.solver.algorithm import latent_optimisation
from srheart_demo.solver.answer import answer
from srheart_demo.solver.gauge import common_translation, labels_at, motion_error
from srheart_demo.solver.losses import short_axis_loss
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import PRESETS, Settings

SEED = SEEDS["experiments"].start
"""Seeds of these hearts; training seeds lie below one million."""
ITERATIONS = 500
"""Of the reference, as in its public code."""
REFERENCES = {"reference, bilinear": "bilinear", "reference, nearest": "nearest"}
BASE = "reference, bilinear"
"""What others are compared with: its nearest-neighbour variant never moves d."""


@dataclass(frozen=True)
class Case:
    """A heart, its scan and the displacements that made it."""

    truth: np.ndarray
    stack: Stack
    S_LR: Tensor
    d: Tensor


@dataclass(frozen=True)
class Mark:
    """Where a run stood: seconds of computing, L_SA on the whole stack, mean Dice, error of d."""

    seconds: float
    loss: float
    dice: float
    error: float


@dataclass(frozen=True)
class Run:
    """A run's marks, its number of iterations and the seconds that these took."""

    marks: list[Mark]
    iterations: int
    seconds: float


def case(i: int, level: str) -> Case:
    """The i-th held-out heart, healthy, with its scan at a level of motion."""
    truth = phantom.label_maps(draw(1, SEED + i))[0]
    stack = Stack.from_hr()
    d = Motion.draw(stack.K, SEED + i).displacement(MOTION_LEVELS[level])
    return Case(truth, stack, torch.as_tensor(simulate_stack(truth, stack, d)).long(), d)


def judge(field: Tensor, d: Tensor, case: Case) -> tuple[float, float]:
    """Mean Dice on the HR grid and motion error, mm, after the common translation."""
    tissue = (case.S_LR > 0).flatten(1).any(1)
    shift = common_translation(d, case.d, tissue)[0]
    points = torch.as_tensor(lattice_points(HR_SHAPE)).float()
    return mean_dice(labels_at(field, points, shift), case.truth), motion_error(d, case.d, tissue)


def worth_judging(iteration: int) -> bool:
    """Some thirty of five hundred iterations, denser at the start."""
    return iteration <= 10 or iteration % max(1, iteration // 8) == 0


def run_reference(case: Case, mode: str) -> Run:
    """The reference's 500 iterations."""
    once = seconds_an_iteration(ReferenceLoop(case.S_LR, case.stack, mode))
    loop = ReferenceLoop(case.S_LR, case.stack, mode, network=UpSampled())
    marks = []
    for i in range(1, ITERATIONS + 1):
        loop.iterate()
        if worth_judging(i) or i == ITERATIONS:
            with torch.no_grad():
                field = loop.decoder(loop.z)
                loss = torch.nn.functional.cross_entropy(loop.motion(field), loop.target)
            marks.append(Mark(i * once, float(loss), *judge(field, loop.d, case)))
    return Run(marks, ITERATIONS, ITERATIONS * once)


def seconds_an_iteration(loop: ReferenceLoop, iterations: int = 20) -> float:
    """Mean seconds, after one iteration to warm up."""
    loop.iterate()
    began = time.perf_counter()
    for _ in range(iterations):
        loop.iterate()
    return (time.perf_counter() - began) / iterations


def generator_of(preset: str) -> HeartGenerator:
    """The paper's for the paper's ways, ours for ours."""
    return load_generator(PAPERS if preset in ("PAPER", "REFERENCE") else OURS)


def run_preset(case: Case, settings: Settings) -> Run:
    """A preset to its end; each mark is the answer that a stop there would give."""
    whole = Problem(generator_of(settings.name), case.stack, case.S_LR)
    began = time.perf_counter()
    p = whole.crop()
    marks, cropping = [], time.perf_counter() - began
    for step in latent_optimisation(p, settings):
        if worth_judging(step.iteration) or step.stopped:
            began = time.perf_counter()
            field = answer(step, p)
            answering = time.perf_counter() - began
            with torch.no_grad():
                planes = downsample(whole.G.decode(step.z), whole.stack)
                loss = float(short_axis_loss(planes, step.d, whole))
            seconds = cropping + step.seconds + answering
            marks.append(Mark(seconds, loss, *judge(field, step.d, case)))
    return Run(marks, step.iteration, step.seconds)


def contenders() -> dict[str, Callable[[Case], Run]]:
    """Name to a whole run on a case."""
    runs: dict[str, Callable[[Case], Run]] = {}
    for name, mode in REFERENCES.items():
        runs[name] = partial(run_reference, mode=mode)
    for name, settings in PRESETS.items():
        runs[name] = partial(run_preset, settings=settings)
    return runs


def until(marks: list[Mark], loss: float = np.inf, dice: float = 0.0) -> float:
    """Seconds to the first mark that is so good; infinite if none is."""
    return next((m.seconds for m in marks if m.loss <= loss and m.dice >= dice), np.inf)


def measure(level: str, hearts: int) -> dict[str, list[Run]]:
    """Every contender on every case of a level, case by case."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders()}
    for i in range(hearts):
        this = case(i, level)
        for name, solve in contenders().items():
            runs[name].append(solve(this))
    return runs


def table(level: str, runs: dict[str, list[Run]]) -> Iterator[str]:
    """Lines of Markdown: means over cases; times to reach as medians, with how many did."""
    finals = [run.marks[-1] for run in runs[BASE]]
    per_iteration = np.mean([run.seconds / run.iterations for run in runs[BASE]])
    total = np.median([final.seconds for final in finals])
    for name, mine in runs.items():
        ends = [run.marks[-1] for run in mine]
        pairs = list(zip(mine, finals, strict=True))
        to_loss = [until(run.marks, loss=final.loss) for run, final in pairs]
        to_dice = [until(run.marks, dice=final.dice) for run, final in pairs]
        once = np.mean([run.seconds / run.iterations for run in mine])
        cells = [
            f"{np.mean([end.dice for end in ends]):.3f}",
            f"{np.mean([end.error for end in ends]):.2f}",
            f"{np.mean([end.loss for end in ends]):.4f}",
            f"{np.mean([run.iterations for run in mine]):.0f}",
            f"{1e3 * once:.0f} ({per_iteration / once:.1f}×)",
            f"{np.mean([end.seconds for end in ends]):.2f}",
            _reached(to_loss, total),
            _reached(to_dice, total),
        ]
        yield f"| {level} | {name} | {' | '.join(cells)} |"


def _reached(seconds: list[float], total: float) -> str:
    got = [s for s in seconds if np.isfinite(s)]
    if not got:
        return "never"
    median = float(np.median(got))
    return f"{median:.2f} ({total / median:.0f}×), {len(got)} of {len(seconds)}"


def memory(name: str) -> float:
    """MiB that a short run adds to a fresh process that has torch, the library and a scan."""
    # Making a heart takes more than restoring it, so that is not done there.
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (name, case(0, "normal")))


def _peak(name: str, this: Case) -> float:
    torch.set_num_threads(1)
    generator_of(name)
    before = high_water()
    if name in REFERENCES:
        loop = ReferenceLoop(this.S_LR, this.stack, REFERENCES[name])
        for _ in range(5):
            loop.iterate()
    else:
        p = Problem(generator_of(name), this.stack, this.S_LR).crop()
        for _ in latent_optimisation(p, replace(PRESETS[name], iterations=5)):
            pass
    return high_water() - before


def high_water() -> float:
    """Most memory that this process has had resident, MiB; Linux only.

    `resource.getrusage` would count what its parent had when it began.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def picture(results: dict[str, dict[str, list[Run]]], path: Path) -> None:
    """Mean Dice against computing time, one panel a level, every contender's every case."""
    import matplotlib.pyplot as plt

    colours = ("#000000", "#767676", "#CC79A7", "#E69F00", "#0072B2", "#009E73")
    figure, axes = plt.subplots(1, len(results), figsize=(4.4 * len(results), 3.9), sharey=True)
    for axis, (level, runs) in zip(np.atleast_1d(axes), results.items(), strict=True):
        for (name, mine), colour in zip(runs.items(), colours, strict=True):
            for k, run in enumerate(mine):
                times, dices = zip(*((m.seconds, m.dice) for m in run.marks), strict=True)
                axis.plot(times, dices, color=colour, lw=1.2, label=None if k else name)
                axis.plot(times[-1], dices[-1], "o", color=colour, ms=4)
        axis.set(xscale="log", xlabel="computing time, s", title=f"motion: {level}", ylim=(0.4, 1))
        axis.grid(alpha=0.25)
    np.atleast_1d(axes)[0].set_ylabel("mean Dice of LV, MYO and RV")
    np.atleast_1d(axes)[-1].legend(frameon=False, fontsize=8, loc="lower right")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Print the tables and draw the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hearts", type=int, default=2, help="per level (default: 2)")
    parser.add_argument("--level", nargs="+", default=[*MOTION_LEVELS], choices=MOTION_LEVELS)
    parser.add_argument("--picture", type=Path, help="PNG: Dice against time")
    options = parser.parse_args()
    torch.set_num_threads(1)  # For the reference too.
    print(
        f"PyTorch {torch.__version__}, {platform.machine()}, one thread, "
        f"{options.hearts} held-out hearts a level\n"
    )
    print(
        "| motion | method | mean Dice | motion error, mm | L_SA | iterations | ms an iteration "
        "| s in all | s to the reference's L_SA | s to the reference's Dice |\n"
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    )
    results = {}
    for level in options.level:
        results[level] = measure(level, options.hearts)
        for line in table(level, results[level]):
            print(line, flush=True)
    if options.picture:
        picture(results, options.picture)
    print("\n| method | MiB above the peak of loading |\n|---|---:|")
    for name in contenders():
        print(f"| {name} | {memory(name):.0f} |", flush=True)


if __name__ == "__main__":
    main()
