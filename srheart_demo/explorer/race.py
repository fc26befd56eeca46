"""Settings side by side, from one scan: all presets, or the steps from the paper's to ours."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.watch import Watch
from srheart_demo.solver.algorithm import Step, latent_optimisation
from srheart_demo.solver.answer import answer
from srheart_demo.solver.settings import PRESETS, STEPS, Settings

_Floats = NDArray[np.float32]

FIELDS = {
    "presets": tuple(replace(preset, start="zero") for preset in PRESETS.values()),
    "steps": STEPS,
}
"""Who runs: the presets, all from z = d = 0, or REFERENCE and what each step adds to it."""


@dataclass(frozen=True, eq=False)
class Lane:
    """One runner of a race."""

    name: str  # of its settings
    seconds: _Floats  # (n,) solver time
    loss: _Floats  # (n,) L, nats per voxel
    motion_error: _Floats  # (n,) mm; NaN where the truth is not known
    stopped: str | None  # why it ended, or None
    # of the answer at the end, mean over tissues; NaN before that, and where the truth is not known
    dice: float = float("nan")

    @classmethod
    def of(cls, name: str, steps: Sequence[Step], scene: Scene) -> "Lane":
        """A run as far as it is."""
        table = [(step.seconds, step.loss, scene.motion_error(step.d)) for step in steps]
        seconds, loss, error = np.array(table, np.float32).T.copy()
        return cls(name, seconds, loss, error, steps[-1].stopped)


def race(
    scene: Scene,
    gamma: float,
    watch: Watch,
    show: Callable[[list[Lane]], None],
    field: Sequence[Settings] = FIELDS["presets"],
    seconds: float = 8.0,
) -> list[Lane]:
    """All settings, each given the same solver time, `seconds` at most; `show` is called with what
    there is, now and then."""
    runs = [latent_optimisation(scene.problem, replace(each, gamma=gamma)) for each in field]
    steps, slot, lanes = [[next(run)] for run in runs], 0.0, list[Lane]()
    while slot < seconds and not all(done[-1].stopped for done in steps):
        slot += 0.1
        for run, done in zip(runs, steps, strict=True):
            while not done[-1].stopped and done[-1].seconds < slot:
                watch.tick(slot / seconds)
                done.append(next(run))
        lanes = [Lane.of(s.name, done, scene) for s, done in zip(field, steps, strict=True)]
        show(lanes)
    scored = []
    for lane, done in zip(lanes, steps, strict=True):
        dice = scene.dice(answer(done[-1], scene.problem), done[-1].d)
        scored.append(replace(lane, dice=float(np.mean([*dice.values()])) if dice else np.nan))
    return scored
