"""The controller of a run: a scan and settings in, steps, and pictures of where it stands."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from srheart_demo.beyond import answer
from srheart_demo.gauge import common_translation
from srheart_demo.generator import load_generator
from srheart_demo.optimise import Change, Step, latent_optimisation
from srheart_demo.presets import PRESETS, RECOMMENDED, preset
from srheart_demo.problem import Generator
from srheart_demo.samples import SAMPLES
from srheart_demo.session.pictures import SURFACES, StackOutlines, cut, long_axis, short_axis
from srheart_demo.session.scene import Scan, Scene, Subject
from srheart_demo.session.show import Curves, Frame, Heart, Progress, Scores, Shifts
from srheart_demo.settings import Settings
from srheart_demo.surface import Mesh, heart_surfaces

COARSE, FULL = 2, 1
"""Steps of marching cubes on the generator's lattice, while running and at rest."""


def use_one_thread() -> None:
    """One torch thread, unless the environment asks for another number.

    Several dashboards on a machine, or a browser that draws beside one, otherwise make torch's
    threads spin for one another: measured at 535 ms an iteration instead of 19 ms.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(1)


class Session:
    """A scan of a sample subject, and a run of Algorithm 1 on it.

    Not for use from several threads at once, but `gamma` may be set from any.

    Attributes:
        scene: the scan, with the truth beside it.
        settings: the preset that a reset starts from.
        gamma: γ of Eq. 5; the next iteration uses it.
        steps: all steps of the run so far; the first is the start.
    """

    subjects = tuple(SAMPLES)
    presets = tuple(PRESETS)

    def __init__(
        self,
        scan: Scan | None = None,
        settings: Settings = RECOMMENDED,
        generator: Generator | None = None,
    ) -> None:
        self._generator = generator or load_generator()
        self._subject: Subject | None = None
        self.settings = settings
        self.gamma = settings.gamma
        scan = scan or Scan(self.subjects[0])
        self.scan(scan.subject, scan.motion, scan.long_axis)

    def scan(self, subject: str, motion: float = 1.0, long_axis: bool = True) -> None:
        """Scan a subject anew (see `Scan`), and go back to the start."""
        if self._subject is None or self._subject.name != subject:
            self._subject = Subject(subject)
        self.scene = Scene(Scan(subject, motion, long_axis), self._subject, self._generator)
        self._outlines = StackOutlines(self.scene)
        self.reset()

    def preset(self, name: str) -> None:
        """Take other settings, and go back to the start; γ stays as it is."""
        self.settings = preset(name)
        self.reset()

    def reset(self) -> None:
        """Back to iteration 0."""
        settings = replace(self.settings, gamma=self.gamma)
        self._problem = self.scene.problem.crop()
        self._run = latent_optimisation(self._problem, settings)
        self.steps = [next(self._run)]
        self._decoded: tuple[Step, Tensor] | None = None

    @property
    def step(self) -> Step:
        """Where the run stands."""
        return self.steps[-1]

    @property
    def finished(self) -> bool:
        """Whether the run has ended by itself."""
        return self.step.stopped is not None

    def advance(self, seconds: float = 0.0) -> None:
        """One iteration, and more until `seconds` have passed; none once the run has ended."""
        end = time.monotonic() + seconds
        while not self.finished:
            changed = self.gamma != self.step.state.settings.gamma
            self.steps.append(self._run.send(Change(gamma=self.gamma) if changed else None))
            if time.monotonic() >= end:
                return

    # -- what there is to see --------------------------------------------------------------

    def field(self) -> Tensor:
        """The heart here, class logits (1, 4, 32, 64, 64): G(z), at the end the run's answer."""
        if self._decoded is None or self._decoded[0] is not self.step:
            if self.finished:
                self._decoded = self.step, answer(self.step, self._problem)
            else:
                with torch.no_grad():
                    self._decoded = self.step, self._generator.decode(self.step.z)
        return self._decoded[1]

    def frame(self, k: int, angle: float) -> Frame:
        """The 2-D views, of slice k and of the LA plane turned by `angle` degrees."""
        step, field = self.step, self.field()
        plane = cut(self.scene, angle)
        return Frame(
            k=k,
            angle=angle,
            progress=self.progress(),
            curves=self.curves(),
            z=step.z[0].numpy(),
            shifts=self.shifts(),
            short_axis=short_axis(self.scene, field, step.d, k),
            long_axis=long_axis(self.scene, field, step.d, plane),
            long_axis_acquired=plane.acquired,
        )

    def heart(self, k: int, coarse: bool = False) -> Heart:
        """The 3-D view with slice k framed; `coarse` for under 8,000 triangles.

        So many a browser was measured to redraw at 5 Hz and more, even without a GPU.
        """
        meshes = heart_surfaces(self.field(), SURFACES, step=COARSE if coarse else FULL)
        back = np.eye(4)
        back[1:3, 3] = self.scene.gauge(self.step.d).numpy()
        return Heart(
            meshes={name: mesh.transform(back) for name, mesh in meshes.items()},
            outlines=self._outlines.moved_back(self.step.d, k),
        )

    def ghost(self) -> dict[str, Mesh]:
        """Surfaces of the truth."""
        return self.scene.subject.ghost

    def progress(self) -> Progress:
        """How far the run is."""
        step = self.step
        return Progress(step.iteration, self.settings.iterations, step.seconds, step.stopped)

    def curves(self) -> Curves:
        """The losses so far."""
        table = np.array([(s.loss, s.loss_sa, s.loss_la) for s in self.steps], np.float32)
        iteration = np.array([s.iteration for s in self.steps], np.int32)
        return Curves(iteration, *np.ascontiguousarray(table.T))

    def shifts(self) -> Shifts:
        """Estimated and true displacements, each less its own mean over slices with tissue."""
        tissue = self.scene.problem.tissue
        centred = [
            (d - common_translation(d, torch.zeros_like(d), tissue))[0].numpy()
            for d in (self.step.d, self.scene.d)
        ]
        slices = np.arange(1, len(tissue) + 1, dtype=np.int32)
        return Shifts(slices, tissue.numpy(), *centred)

    def scores(self) -> Scores:
        """How good the estimate is."""
        d = self.step.d
        return Scores(
            dice=self.scene.dice(self.field(), d),
            nearest=self.scene.nearest_dice,
            motion_error=self.scene.motion_error(d),
            motion_uncorrected=self.scene.motion_error(torch.zeros_like(d)),
        )
