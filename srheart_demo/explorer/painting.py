"""Lengths painted on the heart's surfaces: its error, and how sure it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.explorer.subjects import Scannable
from srheart_demo.explorer.watch import Watch, WatchedGenerator
from srheart_demo.heart.surface import STRUCTURES, Mesh, margin
from srheart_demo.scan.degradation import sample
from srheart_demo.solver import uncertainty
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.answer import answer
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE

DRAWS, STARTS = 12, 5
MOST_ERROR, MOST_SPREAD = 6.0, 3.0  # What the darkest colour stands for, mm
OUTER = {"LV": 1, "epicardium": 2, "RV": 3}  # The tissue that a surface is the border of


@dataclass(frozen=True, eq=False)
class Paint:
    """A length for every vertex of some surfaces, mm."""

    most: float  # what the darkest colour stands for, mm
    values: dict[str, NDArray[np.float32]]  # structure → (N,) of its mesh's vertices


def error(meshes: Mapping[str, Mesh], subject: Scannable) -> Paint | None:
    """Distance of every vertex to the true surface; None where nobody knows it."""
    distances = subject.distances
    if not distances:
        return None
    values = {
        name: sample(distances[name], torch.from_numpy(mesh.vertices))[0, 0].abs().numpy()
        for name, mesh in meshes.items()
    }
    return Paint(MOST_ERROR, values)


def hearts(what: str, step: Step, p: Problem, watch: Watch) -> Tensor:
    """Hearts (n, 4, 32, 64, 64) that explain the scan: draws from the posterior ("uncertainty") or
    what comes of random starts ("spread"). A run without priors has no posterior: a ValueError."""
    if what == "uncertainty":
        decodes = step.z.shape[1] + DRAWS + 3  # one for each derivative in z, and three at its end
        watched = replace(p, G=WatchedGenerator(p.G, watch, decodes))
        return uncertainty.laplace(step, watched).hearts(DRAWS)
    settings = replace(INTERACTIVE, gamma=step.state.settings.gamma)

    def tick(start: int, step: Step) -> None:
        watch.tick((start + step.iteration / step.most) / STARTS)

    ends = uncertainty.multi_start(p, settings, STARTS, tick)
    return torch.cat([answer(end, p) for end in ends])


@torch.no_grad()
def spread(what: str, meshes: Mapping[str, Mesh], drawn: Tensor, step: Step, p: Problem) -> Paint:
    """Standard deviation of hearts' surfaces at the vertices of one of them, along its normal."""
    values = {}
    for name, mesh in meshes.items():
        points = torch.from_numpy(mesh.vertices)
        if what == "uncertainty":
            unexplained = uncertainty.unexplained_variance(step, p)
            sd = uncertainty.surface_spread(drawn, OUTER[name], points, unexplained)
        else:
            # Near a surface a margin is twice the signed distance.
            margins = torch.stack([margin(heart, STRUCTURES[name]) for heart in drawn])
            sd = (sample(margins[:, None], points)[:, 0] / 2).std(0)
        values[name] = sd.numpy()
    return Paint(MOST_SPREAD, values)
