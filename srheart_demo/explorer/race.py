"""All presets from one start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.watch import Watch
from srheart_demo.solver.algorithm import Step, latent_optimisation
from srheart_demo.solver.settings import PRESETS, Settings

_Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Lane:
    """One runner of a race: a preset's run.

    Attributes:
        name: of the preset.
        seconds: (n,) solver time.
        loss: (n,) L, nats per voxel.
        motion_error: (n,) mm; NaN where the truth is not known.
        stopped: why it ended, or None.
    """

    name: str
    seconds: _Floats
    loss: _Floats
    motion_error: _Floats
    stopped: str | None

    @classmethod
    def of(cls, name: str, steps: Sequence[Step], scene: Scene) -> Lane:
        """A run as far as it is."""
        table = [(step.seconds, step.loss, scene.motion_error(step.d)) for step in steps]
        seconds, loss, error = np.array(table, np.float32).T.copy()
        return cls(name, seconds, loss, error, steps[-1].stopped)


def race(
    scene: Scene,
    gamma: float,
    watch: Watch,
    show: Callable[[list[Lane]], None],
    presets: Sequence[Settings] = tuple(PRESETS.values()),
    seconds: float = 8.0,
) -> list[Lane]:
    """All presets from z = d = 0, each given the same solver time, `seconds` at most.

    Args:
        show: called with what there is, now and then.
    """
    settings = [replace(preset, gamma=gamma, start="zero") for preset in presets]
    runs = [latent_optimisation(scene.problem, each) for each in settings]
    steps, slot, lanes = [[next(run)] for run in runs], 0.0, list[Lane]()
    while slot < seconds and not all(done[-1].stopped for done in steps):
        slot += 0.1
        for run, done in zip(runs, steps, strict=True):
            while not done[-1].stopped and done[-1].seconds < slot:
                watch.tick(slot / seconds)
                done.append(next(run))
        lanes = [Lane.of(p.name, done, scene) for p, done in zip(presets, steps, strict=True)]
        show(lanes)
    return lanes
