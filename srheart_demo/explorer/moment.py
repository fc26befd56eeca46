"""What there is to see of a run at one of its steps, whatever becomes of the run meanwhile."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.explorer import painting, pictures
from srheart_demo.explorer.history import Run, called
from srheart_demo.explorer.planes import Outlines, StackOutlines, Tiles
from srheart_demo.explorer.scene import Scene
from srheart_demo.explorer.subjects import SURFACES
from srheart_demo.explorer.why import field_volumes_ml
from srheart_demo.heart.generator import likeliest
from srheart_demo.heart.measures import dice
from srheart_demo.heart.surface import Mesh, heart_surfaces
from srheart_demo.scan.degradation import degrade
from srheart_demo.solver.algorithm import Step
from srheart_demo.solver.answer import answer
from srheart_demo.solver.gauge import common_translation, unsheared_motion_error
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings

COARSE, FULL = 2, 1  # Steps of marching cubes on the generator's lattice, while running and at rest
UNKNOWNS = ("losses", "shifts", "side", "motion_error", "lean", "motion_uncorrected")
QUALITY = ("dice", "nearest", "agreement", "volumes")
"""What `Moment.found` finds of the run and its unknowns, and of how good it is."""
ENOUGH = 5  # Iterations after which is said how long a run may still take

_Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shifts:
    """Displacements (K + V, 2) of a scan's slices and, behind them, views, along rows and columns,
    mm, less the translation of all slices."""

    tissue: NDArray[np.bool_]  # (K,) which show any; nothing tells the others' displacement
    estimate: _Floats
    truth: _Floats  # NaN where nobody knows


@dataclass(frozen=True, eq=False)
class Heart:
    """The 3-D view of one moment, in the model's frame and aligned with the truth."""

    meshes: dict[str, Mesh]
    outlines: Outlines
    slices: Tiles  # what was scanned of the slices that are painted, where d puts them back
    cut: Tiles  # what was scanned of the LA cut, as `slices`
    paint: painting.Paint | None


class Estimate:
    """The heart of a step, and its surfaces, each found when it is first asked for."""

    def __init__(self, step: Step, problem: Problem) -> None:
        self.step, self._problem = step, problem
        self._surfaces: dict[bool, dict[str, Mesh]] = {}

    @cached_property
    def field(self) -> Tensor:
        """Class logits (1, 4, 32, 64, 64): G(z), at a run's end its answer."""
        if self.step.stopped:
            return answer(self.step, self._problem)
        with torch.no_grad():
            return self._problem.G.decode(self.step.z)

    def surfaces(self, coarse: bool) -> dict[str, Mesh]:
        """Of each structure; `coarse` for a quarter of the triangles."""
        if coarse not in self._surfaces:
            step = COARSE if coarse else FULL
            self._surfaces[coarse] = heart_surfaces(self.field, SURFACES, step=step)
        return self._surfaces[coarse]


@dataclass(frozen=True, eq=False)
class Moment:
    """A step of a run with all that is kept beside it.

    It does not change while the session goes on, so that one thread may draw it while another
    computes the next step.
    """

    scene: Scene  # the scan, with the truth beside it
    estimate: Estimate  # the heart here
    principal: Tensor  # (n, M) directions of z that change hearts most
    runs: tuple[Run, ...]  # all runs as far as they are, oldest first
    active: int  # index of the one that is looked at
    at: int  # index of its step
    usual: int | None  # iterations after which such runs end; None where nothing is known of that
    paint: str  # what the surfaces show, "error", "uncertainty", "spread" or nothing
    all_painted: bool  # whether every slice is painted in 3-D, or only the one that is looked at
    # (n, 4, 32, 64, 64) what "uncertainty" or "spread" is found of; None before they are
    hearts: Tensor | None

    @property
    def run(self) -> Run:
        """The run that is looked at."""
        return self.runs[self.active]

    @property
    def step(self) -> Step:
        """What is looked at."""
        return self.estimate.step

    def found(self, *names: str) -> "Moment":
        """The same, some of its properties computed here and now: in the painter's thread, so that
        the event loop need not."""
        for name in names:
            getattr(self, name)
        return self

    def cuts(self, k: int, angle: float) -> pictures.Cuts:
        """The pictures of slice k and of the LA plane turned by `angle` degrees."""
        scene, d, field = self.scene, self.step.d, self.estimate.field
        k = min(k, len(scene.slices) - 1)
        plane = pictures.cut(scene, angle)
        return pictures.Cuts(
            number=int(scene.slices[k]) + 1,
            of=scene.of,
            short_axis=pictures.short_axis(scene, field, d, k),
            angle=angle,
            acquired=plane.acquired,
            long_axis=pictures.long_axis(scene, field, self.step, plane),
        )

    def heart(self, k: int, angle: float = 0.0, coarse: bool = False) -> Heart:
        """The 3-D view with slice k and the LA plane turned by `angle` degrees painted in it.

        `coarse` for a quarter of the triangles.
        """
        scene, d = self.scene, self.step.d
        outlines = scene.once("outlines", lambda: StackOutlines(scene))
        k = min(k, len(scene.slices) - 1)
        plane = pictures.cut(scene, angle)
        meshes = self.estimate.surfaces(coarse)
        back = np.eye(4)
        back[1:3, 3] = scene.gauge(d).numpy()
        moved = {name: mesh.transform(back) for name, mesh in meshes.items()}
        if self.paint == "error":
            paint = painting.error(moved, scene.subject)
        elif self.hearts is not None:
            problem = self.run.problem
            paint = painting.spread(self.paint, meshes, self.hearts, self.step, problem)
        else:
            paint = None
        return Heart(
            meshes=moved,
            outlines=outlines.moved_back(self.step, k, plane),
            slices=outlines.slices(d, range(len(scene.slices)) if self.all_painted else [k]),
            cut=outlines.cut(self.step, plane),
            paint=paint,
        )

    # -- how far the run is --------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """Those that the run has here."""
        return self.step.state.settings

    @property
    def most(self) -> int:
        """Iterations that it has at most."""
        return self.step.most

    @property
    def name(self) -> str:
        """What its settings and its generator are called."""
        return called(self.settings, self.run.problem.G)

    @property
    def last(self) -> int:
        """The last iteration done."""
        return len(self.run.steps) - 1

    @property
    def left(self) -> float | None:
        """Solver time until such runs end, s; None where nothing is known of that."""
        # The first iteration searches; nothing can be told from it alone.
        if self.usual is None or not ENOUGH <= self.at < self.usual:
            return None
        first = self.run.steps[1]
        return (self.step.seconds - first.seconds) / (self.at - 1) * (self.usual - self.at)

    # -- the run and its unknowns; takes a tenth of the time of `cuts` ----------------------

    @cached_property
    def losses(self) -> tuple[_Floats, ...]:
        """Of every run, (3, n) L, L_SA and L_LA so far, nats per voxel; L_LA is NaN without an LA
        view."""
        tables = ([(s.loss, s.loss_sa, s.loss_la) for s in run.steps] for run in self.runs)
        return tuple(np.array(table, np.float32).T for table in tables)

    @cached_property
    def paths(self) -> tuple[_Floats, ...]:
        """Of every run, (n, 2) its z along two principal directions; (0, 2) where the run that is
        looked at has another generator, and so another z."""
        return tuple(
            (torch.cat([s.z for s in run.steps]) @ self.principal[:2].T).numpy()
            if run.problem.G is self.run.problem.G
            else np.zeros((0, 2), np.float32)
            for run in self.runs
        )

    @cached_property
    def shifts(self) -> Shifts:
        """Estimated and true displacements, each less its own mean over slices with tissue."""
        scene, p = self.scene, self.scene.problem
        step, true = (self.step.d, self.step.d_LA), (scene.d, scene.d_LA)
        estimate, truth = (_less_the_mean(*each, p).numpy() for each in (step, true))
        return Shifts(p.tissue.numpy(), estimate, truth)

    @cached_property
    def side(self) -> pictures.Side:
        """The stack from the side."""
        return pictures.side(self.scene, self.step.d)

    def overlay(self, v: int) -> pictures.Overlay:
        """View v over the slices."""
        return pictures.overlay(self.scene, self.step, v)

    @cached_property
    def motion_error(self) -> float:
        """RMS over the slices with tissue, after one translation common to all slices, mm; NaN
        where the truth is not known."""
        return self.scene.motion_error(self.step.d)

    @cached_property
    def lean(self) -> float:
        """Of `motion_error` what grows linearly along the stack, as a leaning heart's, RMS,
        mm; NaN where the truth is not known."""
        scene = self.scene
        if scene.d is None:
            return float("nan")
        p = scene.problem
        rest = unsheared_motion_error(self.step.d, scene.d, p.stack.z, p.tissue)
        return float(np.sqrt(max(self.motion_error**2 - rest**2, 0.0)))

    @cached_property
    def motion_uncorrected(self) -> float:
        """The same for d = 0, mm."""
        return self.scene.motion_error(torch.zeros_like(self.step.d))

    # -- how good it is, by tissue -----------------------------------------------------------

    @cached_property
    def dice(self) -> dict[str, float]:
        """With the truth, after the common translation; empty where it is not known."""
        return self.scene.dice(self.estimate.field, self.step.d)

    @property
    def nearest(self) -> dict[str, float]:
        """The same of nearest-neighbour up-sampling."""
        return self.scene.nearest_dice

    @cached_property
    def agreement(self) -> dict[str, float]:
        """Dice of the re-degraded estimate with what was scanned."""
        problem = self.scene.problem
        seen = likeliest(degrade(self.estimate.field, problem.stack, self.step.d)[0])
        return dice(seen, problem.S_LR.numpy())

    @cached_property
    def volumes(self) -> dict[str, float]:
        """Of the estimate, ml."""
        return field_volumes_ml(self.estimate.field)


def _less_the_mean(d: Tensor | None, d_LA: Tensor | None, p: Problem) -> Tensor:
    """(K + V, 2) displacements less the translation of all slices with tissue; NaN if not known."""
    if d is None or d_LA is None:
        return torch.full((len(p.carried), 2), torch.nan)
    common = p.stack.in_model_axes(common_translation(d, torch.zeros_like(d), p.tissue))[0]
    return torch.cat([d, d_LA], dim=1)[0] - p.carried @ common
