"""What the page computes: a subject's scan, the objective and its gradients, and their pictures.

Each is a function of the library's, of one subject, in tensors; `export.write` makes a graph of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from page.export import exportable, write
from srheart_demo.heart.generator import HeartGenerator
from srheart_demo.heart.surface import STRUCTURES, margin
from srheart_demo.scan.degradation import (
    HR_GRID,
    Stack,
    degrade,
    downsample,
    move,
    one_hot_field,
    simulate_stack,
)
from srheart_demo.scan.long_axis import BY_WORTH, Plane, long_axis_view
from srheart_demo.scan.samples import Sample
from srheart_demo.solver.fast import Voxels, thinned_weights
from srheart_demo.solver.losses import long_axis_loss, objective
from srheart_demo.solver.problem import Decoded, Problem, View
from srheart_demo.solver.settings import RECOMMENDED

SETTINGS = replace(
    RECOMMENDED,
    name="PAGE",
    thinned=True,
    moving_views=False,
    astray=0.0,
    search_at=(),
    search_last=False,
    stop_dice=0.0,
    start="zero",
    residual=False,
    iterations=40,
)
"""Ours, of a graph's fixed course: long-axis views lie where they were taken, and no breath-hold
goes astray."""
SURFACES = ("LV", "MYO", "RV")
MARGIN_MM = 10.0  # around the tissue of a view, as `Problem.crop` has it
SPARE = 1.06
"""Room for more voxels near a border than those of the stack without motion have."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A sample, all of its slices uncut, as the page scans and solves it."""

    sample: Sample
    G: HeartGenerator

    @cached_property
    def stack(self) -> Stack:
        """The paper's."""
        return Stack.from_hr()

    @cached_property
    def problem(self) -> Problem:
        """Without motion, with every view."""
        scan = self.sample.scan("none", views=BY_WORTH)
        still = torch.zeros(1, self.stack.K, 2)
        S_LR = simulate_stack(self.sample.S_HR.labels, self.stack, still)
        views = (View.of(view, scan.placement).crop(MARGIN_MM) for view in scan.views)
        # Planes as the graphs compute them, to the last bit.
        even = (replace(v, plane=_plane(_corners(v.plane), v.S_LA.shape)) for v in views)
        return Problem(self.G, self.stack, torch.from_numpy(S_LR).long(), tuple(even))

    def unseen(self) -> Problem:
        """The same, without views."""
        return replace(self.problem, views=())

    @cached_property
    def room(self) -> int:
        """How many thinned-out voxels the graph takes, a number that can be summed in parts."""
        return 256 * math.ceil(SPARE * len(self.problem.voxels.k) / 256)

    def scanned(self, d: Tensor) -> Problem:
        """The problem with d (1, K, 2), mm, in its stack."""
        S_LR = simulate_stack(self.sample.S_HR.labels, self.stack, d)
        return replace(self.problem, S_LR=torch.from_numpy(S_LR).long())

    def filled(self, v: Voxels) -> dict[str, Tensor]:
        """Voxels as the objective's graph takes them: weights of 0 fill its room."""
        n = self.room - len(v.k)
        if n < 0:
            raise ValueError(f"{len(v.k)} voxels are more than the graph's {self.room}")
        wide = torch.nn.functional.pad
        return {
            "k": wide(v.k, (0, n)).int(),
            "pixels": wide(v.pixels, (0, 0, 0, n)),
            "labels": wide(v.labels, (0, n)).int(),
            "weights": wide(v.weights, (0, n)),
        }

    def start(self) -> dict[str, Tensor]:
        """z and d of 0, as Algorithm 1 starts."""
        z, d = self.problem.zero()
        return {"z": z, "d": d}

    def write_objective(self, path: Path) -> None:
        """What is minimised, its parts, and its gradients.

        `gamma` (V,) is γ of each view, 0 of those that are not looked at; `prior` is 1 with the
        priors and 0 without.
        """
        p, settings, decoder = self.unseen(), SETTINGS, exportable(self.G)
        moves = p.tissue[:, None]
        _ = p.carried
        V = len(self.problem.views)

        def look(*arguments: Tensor) -> tuple[Tensor, ...]:
            z, d = (x.detach().requires_grad_() for x in arguments[:2])
            gamma, prior, k, pixels, labels, weights, *planes = arguments[2:]
            field = decoder(z)
            heart = Decoded(downsample(field, p.stack), field)
            seen = replace(p)
            voxels = Voxels(k.long(), pixels, labels.long(), weights)
            seen.__dict__.update(p.__dict__, voxels=voxels)
            with_prior, (L_SA, _, _) = objective(z, d, seen, settings, heart)
            views = (
                replace(v, plane=_plane(corners, v.S_LA.shape))
                for v, corners in zip(self.problem.views, planes, strict=True)
            )
            L_LA = torch.cat([long_axis_loss(field, replace(seen, views=(v,))) for v in views])
            L = L_SA + gamma @ L_LA
            whole = L + prior * (with_prior - L_SA)
            of_z, of_d = torch.autograd.grad(whole.sum(), (z, d))
            parts = (x.detach() for x in (whole, L, L_SA, L_LA))
            return (*parts, of_z, of_d * moves)

        inputs = {**self.start(), "gamma": torch.ones(V), "prior": torch.ones(1)}
        inputs |= self.filled(self.problem.voxels)
        outputs = ["objective", "L", "L_SA", "L_LA", "gradient_z", "gradient_d"]
        write(look, inputs, outputs, path, self.planes)

    @property
    def planes(self) -> Mapping[str, Tensor]:
        """Of each view, where its first pixel lies, and the next ones down and across, (3, 3)."""
        return {f"plane_{i}": _corners(v.plane) for i, v in enumerate(self.problem.views)}

    def write_scan(self, path: Path) -> None:
        """Eq. 1: the labels (K, h, w) of the stack under d, how many of its voxels the thinned-out
        L_SA needs, and those, as the objective takes them."""
        planes = downsample(one_hot_field(self.sample.S_HR.labels), self.stack)
        pixels = self.stack.pixels().flatten(0, 1)

        @torch.no_grad()
        def scan(d: Tensor, there: Tensor) -> tuple[Tensor, ...]:
            S_LR = move(there.to(d.dtype), self.stack, d).argmax(1)[0]
            shares = thinned_weights(S_LR, self.stack).flatten()
            weights, at = shares.topk(self.room)
            near = shares.gt(0).to(d.dtype).sum()
            k, pixel = at // len(pixels), at % len(pixels)
            labels = S_LR.flatten()[at]
            return S_LR.int(), near[None], k.int(), pixels[pixel], labels.int(), weights

        constants = {"planes": planes.round().byte()}
        outputs = ["S_LR", "near", "k", "pixels", "labels", "weights"]
        write(scan, {"d": self.start()["d"]}, outputs, path, constants)

    def write_pictures(self, path: Path) -> None:
        """Margins of the surfaces on the lattice, and what slices and views show of G(z)."""
        decoder, stack = exportable(self.G), self.stack

        @torch.no_grad()
        def picture(z: Tensor, d: Tensor, *planes: Tensor) -> tuple[Tensor, ...]:
            field = decoder(z)
            inside = torch.stack([margin(field[0], STRUCTURES[name]) for name in SURFACES])
            seen = [degrade(field, stack, d).argmax(1).int()]
            for v, corners in zip(self.problem.views, planes, strict=True):
                plane = _plane(corners, v.S_LA.shape)
                seen.append(long_axis_view(field, plane).argmax(1).int())
            return inside, *seen

        outputs = ["inside", "S_SA", *(f"S_LA_{i}" for i in range(len(self.problem.views)))]
        write(picture, self.start(), outputs, path, self.planes)

    def write_heart(self, path: Path) -> None:
        """Labels (64, 128, 128) of G(z), moved along H and W, on the HR grid."""
        decoder = exportable(self.G)

        @torch.no_grad()
        def heart(z: Tensor, shift: Tensor) -> tuple[Tensor]:
            moved = degrade(decoder(z), HR_GRID, shift.expand(1, HR_GRID.K, 2))
            return (moved.argmax(1)[0].to(torch.uint8),)

        inputs = {"z": self.start()["z"], "shift": torch.zeros(1, 1, 2)}
        write(heart, inputs, ["labels"], path)


def _corners(plane: Plane) -> Tensor:
    return torch.stack([plane.points[i] for i in ((0, 0), (1, 0), (0, 1))])


def _plane(corners: Tensor, shape: tuple[int, ...]) -> Plane:
    """The plane of (h, w) pixels whose first three are `corners`."""
    corner, down, across = corners
    rows, columns = (torch.arange(n, dtype=corner.dtype) for n in shape)
    points = rows[:, None, None] * (down - corner) + columns[:, None] * (across - corner)
    return Plane(corner + points)
