"""Methods, from a scan to a heart that can be looked at anywhere: baselines, and Algorithm 1.

Two latent optimisations stand beside each other: the paper's, and ours. The paper's is the public
code's schedule on the paper's generator: maximum likelihood from z = d = 0, with no search, no
prior and no residual. Ours is `RECOMMENDED` on our generator.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.files import fingerprint
from srheart_demo.heart.generator import OURS, likeliest, load_generator, weights_file
from srheart_demo.scan.degradation import HR_GRID, Stack, degrade, one_hot_field
from srheart_demo.scan.long_axis import Plane
from srheart_demo.scan.placement import stack_geometry
from srheart_demo.scan.scan import Scan
from srheart_demo.solver.algorithm import solve
from srheart_demo.solver.answer import answer
from srheart_demo.solver.baselines import BASELINES, edsr
from srheart_demo.solver.gauge import centred, labels_at
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import INTERACTIVE, PAPER, RECOMMENDED, REFERENCE, STEPS, Settings

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Restoration:
    """A restored heart, in the model's frame."""

    d: Tensor  # (1, K, 2) found, mm, in the file's order; zero where none is sought
    on_grid: Callable[[Stack], Labels]  # gives its labels (K', h', w') on parallel slices
    on_plane: Callable[[Plane], Labels]  # gives its labels (h, w) on a long-axis plane
    loss: float | None = None  # L of Eq. 5 at (z, d), where Algorithm 1 found it
    size_of_z: float | None = None  # |z|/√M there; of draws from N(0, I) it is near 1

    def moved(self, shift: Tensor) -> Self:
        """The heart moved by `shift` (2,), mm along H and W: what lay at x − shift lies at x."""

        def on_plane(plane: Plane) -> Labels:
            points = plane.points.clone()
            points[..., 1:] -= shift
            return self.on_plane(Plane(points))

        def on_grid(grid: Stack) -> Labels:
            return self.on_grid(replace(grid, origin=grid.origin - shift))

        return replace(self, on_grid=on_grid, on_plane=on_plane)


Method = Callable[[Scan], Restoration]


def interpolated(name: str, scan: Scan) -> Restoration:
    """A baseline's answer; nothing is computed before it is known where.

    Slices that nobody looked at do not show "no heart". On a plane it is the HR map that it
    restores, sliced along the plane, as in the paper (section 3.2).
    """
    placement, seen = scan.placement, scan.placement.from_apex(scan.looked_at)
    ordered = placement.apex_first(scan.stack)
    stack = stack_geometry(ordered, placement).slices(seen)

    def on_grid(grid: Stack) -> Labels:
        return BASELINES[name](ordered.labels[seen], stack, grid)

    S_SR = cache(lambda: one_hot_field(on_grid(HR_GRID)))
    no_d = torch.zeros(1, len(scan.looked_at), 2)
    return Restoration(no_d, on_grid, lambda plane: labels_at(S_SR(), plane.points))


def solved(field: Tensor, d: Tensor, loss: float, z: Tensor) -> Restoration:
    """Algorithm 1's answer, class logits over the HR box: the likeliest class at each voxel."""

    def on_grid(grid: Stack) -> Labels:
        return likeliest(degrade(field, grid, torch.zeros(1, grid.K, 2))[0])

    size = float(z.square().mean().sqrt())
    return Restoration(d, on_grid, lambda plane: labels_at(field, plane.points), loss, size)


@dataclass(frozen=True)
class LatentOptimisation:
    """Algorithm 1, as `enhance` runs it."""

    settings: Settings = RECOMMENDED
    views: int = 0  # how many of the LA views it sees
    generator: str = OURS  # a shipped one's name, or a file of weights
    latent_size: int | None = None  # how many leading latents of it; all by default

    def __call__(self, scan: Scan) -> Restoration:
        """Solve to the end, or raise `ArithmeticError`: the run diverged."""
        G = load_generator(self.generator, self.latent_size)
        problem = Problem.of(replace(scan, views=scan.views[: self.views]), G)
        end = solve(problem, self.settings)
        if not math.isfinite(end.objective):
            raise ArithmeticError("the optimisation diverged")
        there = centred(end, problem)
        d = torch.zeros(1, len(scan.looked_at), 2)
        d[:, scan.looked_at] = there.d.flip(1) if scan.placement.flipped else there.d
        return solved(answer(end, problem), d, end.loss, end.z).moved(there.translation)


LO_OURS, LO_PAPER = "LO (ours)", "LO (paper)"
LO_PRINTED = "LO (paper, as printed)"
VIEWS_OURS, VIEWS_PAPER = "LO-multi-view (ours)", "LO-multi-view (paper)"
PAPERS = "betavae"  # The paper's generator; ours is `OURS`
_on_ours, _on_papers = (partial(LatentOptimisation, generator=name) for name in (OURS, PAPERS))

SWEEP = {gamma: f"LO-multi-view (ours, γ = {gamma:g})" for gamma in (0.0, 0.1, 0.3, 1.0, 3.0, 10.0)}
"""γ of Eq. 5 → method; without weight the view is not seen."""
SWEEP |= {0.0: LO_OURS, RECOMMENDED.gamma: VIEWS_OURS}

SEEN = {0: LO_OURS, 1: VIEWS_OURS, 2: "LO, two views (ours)", 3: "LO, three views (ours)"}
"""How many long-axis views → method."""
TRUSTED = "+ LA view, where its file says"  # as in the paper

LADDER: dict[str, Method] = {
    LO_PAPER: _on_papers(REFERENCE),
    "+ our generator": _on_ours(REFERENCE),
    **{step.name: _on_ours(step) for step in STEPS[1:]},
    TRUSTED: _on_ours(replace(RECOMMENDED, moving_views=False), 1),
    "+ its own displacement": _on_ours(RECOMMENDED, 1),
    "+ second and third view": _on_ours(RECOMMENDED, 3),
}
"""From the paper's method to ours: each does as the one before it, and what its name adds."""

_HELD = {"no prior": "", "prior on z": "z", "prior on d": "d", "both priors": "zd"}
CROSSED: dict[str, Method] = {
    f"{name}, {held}": on(replace(STEPS[2], prior=bool(of), prior_of=of))
    for name, on in ((PAPERS, _on_papers), (OURS, _on_ours))
    for held, of in _HELD.items()
}
"""The public code's schedule on either generator, with priors of z and of d."""

OTHERWISE: dict[str, Method] = {
    f"{PAPERS}, d held at 0": _on_papers(replace(REFERENCE, lr_d=0.0)),
    f"{PAPERS}, d ten times slower": _on_papers(replace(REFERENCE, lr_d=REFERENCE.lr_d / 10)),
    f"{PAPERS}, 50 iterations": _on_papers(replace(REFERENCE, iterations=50)),
    LO_PRINTED: _on_papers(PAPER),
}
"""Other ways to read the paper: its demonstration never moves d, and as printed it stops early."""

METHODS: dict[str, Method] = {
    **{name: partial(interpolated, name) for name in BASELINES},
    LO_OURS: _on_ours(RECOMMENDED),
    "LO (INTERACTIVE)": _on_ours(INTERACTIVE),
    **{name: _on_ours(replace(RECOMMENDED, gamma=x), 1) for x, name in SWEEP.items() if x},
    VIEWS_PAPER: _on_papers(REFERENCE, 1),
    **{name: _on_ours(RECOMMENDED, n) for n, name in SEEN.items() if n > 1},
    **LADDER,
    **CROSSED,
    **OTHERWISE,
}


def method(name: str, level: str) -> Method:
    """A method by its name; "EDSR" is the one that was trained on this level of motion. An unknown
    name is a KeyError with the known ones."""
    full = _full_name(name, level)
    if full not in METHODS:
        raise KeyError(f"unknown method {name!r}; known: {', '.join(METHODS)}")
    return METHODS[full]


def _full_name(name: str, level: str) -> str:
    return f"EDSR ({level})" if name == "EDSR" else name


def weights_in_use(names: Iterable[str], levels: Iterable[str]) -> dict[str, str]:
    """Fingerprints of the weights that methods of these names use at these levels."""
    files: dict[str, Path] = {}
    for name in (_full_name(name, level) for name in names for level in levels):
        used = METHODS.get(name)
        if isinstance(used, LatentOptimisation):
            files[used.generator] = weights_file(used.generator)
        elif name.startswith("EDSR"):
            files[name] = edsr.EDSR_WEIGHTS / f"{name[6:-1]}.safetensors"
    return {name: fingerprint(path) for name, path in files.items() if path.exists()}
