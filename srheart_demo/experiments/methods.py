"""Methods by name: from a scan to a heart that can be looked at anywhere."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.experiments.cases import Scan
from srheart_demo.files import fingerprint
from srheart_demo.heart.generator import (
    HeartGenerator,
    available,
    load_generator,
    read_generator,
    weights_file,
)
from srheart_demo.scan.degradation import HR_GRID, Stack, degrade, one_hot_field
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.baselines import BASELINES, edsr
from srheart_demo.solver.gauge import centred, labels_at
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, RECOMMENDED, Settings

Labels = NDArray[np.uint8]

GAMMAS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""γ of Eq. 5 where it is swept; 0 is LO without the LA view."""


class Restoration(Protocol):
    """A restored heart, in the model's frame."""

    @property
    def d(self) -> Tensor:
        """(1, K, 2) displacements that the method found, mm; zero where it seeks none."""

    def on_grid(self, grid: Stack) -> Labels:
        """Its labels (K', h', w') on parallel slices."""

    def on_plane(self, plane: Plane) -> Labels:
        """Its labels (h, w) on a long-axis plane."""


Method = Callable[[Scan], Restoration]


@dataclass(frozen=True)
class Baseline:
    """A method of `baselines`, by its name there."""

    name: str

    def __call__(self, scan: Scan) -> Restoration:
        """Nothing is computed before it is known where."""
        return _Interpolation(self.name, scan)


@dataclass(frozen=True, eq=False)
class _Interpolation:
    name: str
    scan: Scan

    @property
    def d(self) -> Tensor:
        return torch.zeros(1, self.scan.stack.K, 2)

    def on_grid(self, grid: Stack) -> Labels:
        stack, S_LR = self.scan.seen
        return BASELINES[self.name](S_LR, stack, grid)

    def on_plane(self, plane: Plane) -> Labels:
        """The HR map that it restores, sliced along the plane, as in the paper (section 3.2)."""
        return labels_at(self._S_SR, plane.points)

    @cached_property
    def _S_SR(self) -> Tensor:
        return one_hot_field(self.on_grid(HR_GRID))


@dataclass(frozen=True)
class LatentOptimisation:
    """Algorithm 1.

    Attributes:
        settings: how to run it.
        multi_view: whether it sees the LA view.
        generator: a shipped one's name, or a file of weights.
        latent_size: how many leading latents of it; all by default.
    """

    settings: Settings = RECOMMENDED
    multi_view: bool = False
    generator: str = "betavae"
    latent_size: int | None = None

    def __call__(self, scan: Scan) -> Restoration:
        """Solve to the end.

        Raises:
            ArithmeticError: the run diverged.
        """
        view, (stack, S_LR) = scan.S_LA if self.multi_view else None, scan.seen
        problem = Problem(
            find_generator(self.generator, self.latent_size),
            stack,
            torch.as_tensor(S_LR).long(),
            None if view is None else scan.plane,
            None if view is None else torch.as_tensor(view).long(),
        ).crop()
        end = solve(problem, self.settings)
        if not math.isfinite(end.objective):
            raise ArithmeticError("the optimisation diverged")
        there, shift = centred(end.d, problem)
        d = torch.zeros(1, scan.stack.K, 2)
        d[:, torch.as_tensor(scan.looked_at)] = there
        return _Field(answer(end, problem), d, shift)


@dataclass(frozen=True, eq=False)
class _Field:
    field: Tensor
    d: Tensor
    shift: Tensor

    def on_grid(self, grid: Stack) -> Labels:
        # What the moved heart shows at x, the field shows at x − shift.
        there = replace(grid, origin=grid.origin - self.shift)
        logits = degrade(self.field, there, torch.zeros(1, grid.K, 2))
        return logits[0].argmax(0).numpy().astype(np.uint8)

    def on_plane(self, plane: Plane) -> Labels:
        return labels_at(self.field, plane.points, self.shift)


@cache
def find_generator(name: str, latent_size: int | None = None) -> HeartGenerator:
    """A shipped generator, or that of a file of weights."""
    if name in available():
        return load_generator(name, latent_size)
    return read_generator(Path(name), latent_size)


def multi_view_name(gamma: float) -> str:
    """What LO with the LA view is called at a γ."""
    return "LO-multi-view" if gamma == RECOMMENDED.gamma else f"LO-multi-view (γ = {gamma:g})"


def _with_gamma(gamma: float) -> LatentOptimisation:
    return LatentOptimisation(replace(RECOMMENDED, gamma=gamma), multi_view=True)


METHODS: dict[str, Method] = {
    **{name: Baseline(name) for name in BASELINES},
    "LO": LatentOptimisation(),
    "LO (INTERACTIVE)": LatentOptimisation(INTERACTIVE),
    **{multi_view_name(gamma): _with_gamma(gamma) for gamma in GAMMAS},
}


def method(name: str, level: str) -> Method:
    """A method by its name; "EDSR" is the one that was trained on this level of motion.

    Raises:
        KeyError: an unknown name, with the known ones.
    """
    full = f"EDSR ({level})" if name == "EDSR" else name
    if full not in METHODS:
        raise KeyError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[full]


def weights_in_use(names: Iterable[str], levels: Iterable[str]) -> dict[str, str]:
    """Fingerprints of the weights that methods of these names use at these levels."""
    files: dict[str, Path] = {}
    for used in (method(name, level) for name in names for level in levels):
        if isinstance(used, LatentOptimisation):
            files[used.generator] = weights_file(used.generator)
        elif isinstance(used, Baseline) and used.name.startswith("EDSR"):
            level = used.name.removeprefix("EDSR (").removesuffix(")")
            files[used.name] = Path(str(edsr.WEIGHTS / f"{level}.safetensors"))
    return {name: fingerprint(path) for name, path in files.items() if path.exists()}
