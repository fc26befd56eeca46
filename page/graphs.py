"""What the page computes: a subject's scan, the objective and its gradients, and their pictures.

Each is a function of the library's, of one subject, in tensors; `export.write` makes a graph of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from page.export import exportable, write
from srheart_demo.frame import HR_SHAPE, HR_SPACING, N_CLASSES
from srheart_demo.heart.generator import HeartGenerator
from srheart_demo.heart.surface import STRUCTURES, margin
from srheart_demo.scan.degradation import (
    HR_GRID,
    Stack,
    degrade,
    downsample,
    move,
    noise_draws,
    noisy,
    one_hot_field,
    simulate_stack,
)
from srheart_demo.scan.long_axis import BY_WORTH, Plane
from srheart_demo.scan.samples import Sample
from srheart_demo.solver.fast import Voxels, thinned_weights
from srheart_demo.solver.gauge import common_translation, rms_length, unsheared
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
OUTSIDE = -1.0  # margin beyond the lattice: all surfaces are closed
MARGIN_MM = 10.0  # around the tissue of a view, as `Problem.crop` has it
SCORES = ["objective", "L", "L_SA", "L_LA", "error", "lean"]
"""What a look at the objective tells: L_LA is summed over the views that weigh anything; error and
lean, mm, are of d, after the translation common to d and its truth."""
SPARE = 1.04
"""Room for more voxels near a border than those of the stack without motion and noise have."""
NOISE_SEED = 1  # one for all samples, so that one file of draws serves them
MOST_NOISE = 30  # %, of the explorer's control, which chooses whole ones


@dataclass(frozen=True, eq=False)
class Subject:
    """A sample, all of its slices uncut, as the page scans and solves it."""

    sample: Sample
    G: HeartGenerator
    spacing: float = 10.0  # mm from slice to slice; 10 is the paper's

    @cached_property
    def stack(self) -> Stack:
        """As the explorer has it at this spacing."""
        step = round(self.spacing / HR_SPACING[0])
        return Stack.from_hr(step=step, first=step // 2)

    @cached_property
    def problem(self) -> Problem:
        """Without motion, with every view."""
        scan = self.sample.scan("none", views=BY_WORTH)
        still = torch.zeros(1, self.stack.K, 2)
        views = (View.of(view, scan.placement).crop(MARGIN_MM) for view in scan.views)
        # Planes as the graphs compute them, to the last bit.
        even = (replace(v, plane=_plane(_corners(v.plane), v.S_LA.shape)) for v in views)
        return Problem(self.G, self.stack, self._scan(still, 0), tuple(even))

    def unseen(self) -> Problem:
        """The same, without views."""
        return replace(self.problem, views=())

    @cached_property
    def room(self) -> int:
        """How many thinned-out voxels the graph takes, a number that can be summed in parts."""
        return 256 * math.ceil(SPARE * len(self.problem.voxels.k) / 256)

    def scanned(self, d: Tensor, noise: int = 0) -> Problem:
        """The problem with d (1, K, 2), mm, in its stack, and wrong labels, %."""
        return replace(self.problem, S_LR=self._scan(d, noise))

    def _scan(self, d: Tensor, noise: int) -> Tensor:
        S_HR = self.sample.S_HR.labels
        S_LR = simulate_stack(S_HR, self.stack, d, noise / 100, NOISE_SEED)
        return torch.from_numpy(S_LR).long()

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

    @property
    def corners(self) -> Tensor:
        """(V, 3, 3) where the first pixel of each view lies, and the next ones down and across."""
        return torch.stack([_corners(v.plane) for v in self.problem.views])

    def write_objective(self, path: Path) -> None:
        """`SCORES`, their gradients, and how far d lies from the truth in common.

        `gamma` (V,) is γ of each view, 0 of those that are not looked at; `prior` is 1 with the
        priors and 0 without.
        """
        p, settings, decoder = self.unseen(), SETTINGS, exportable(self.G)
        moves = p.tissue[:, None]
        _ = p.carried
        V = len(self.problem.views)

        def look(*arguments: Tensor) -> tuple[Tensor, ...]:
            z, d = (x.detach().requires_grad_() for x in arguments[:2])
            truth, gamma, prior, planes, k, pixels, labels, weights = arguments[2:]
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
            common, *judged = _judged(d.detach(), truth, p)
            used = (gamma > 0).to(L_LA.dtype) @ L_LA
            scores = torch.cat([x.detach().view(1) for x in (whole, L, L_SA, used, *judged)])
            return scores, of_z, of_d * moves, common

        z, d = self.problem.zero()
        inputs = {
            "z": z,
            "d": d,
            "truth": d.clone(),
            "gamma": torch.ones(V),
            "prior": torch.ones(1),
        }
        inputs |= {"planes": self.corners, **self.filled(self.problem.voxels)}
        write(look, inputs, ["scores", "gradient_z", "gradient_d", "common"], path)

    def write_scan(self, path: Path) -> None:
        """Eq. 1: the labels (K, h, w) of the stack under d with so many % of wrong ones, how many
        of its voxels the thinned-out L_SA needs, and those, as the objective takes them."""
        planes = downsample(one_hot_field(self.sample.S_HR.labels), self.stack)
        pixels = self.stack.pixels().flatten(0, 1)
        which, chance = noise_draws(self.problem.S_LR.shape, NOISE_SEED)
        percent = (100 * chance).floor().clamp(max=MOST_NOISE)
        draws = {"which": which * (percent < MOST_NOISE), "percent": percent}

        @torch.no_grad()
        def scan(d: Tensor, noise: Tensor, *known: Tensor) -> tuple[Tensor, ...]:
            there, which, percent = known
            S_LR = move(there.to(d.dtype), self.stack, d).argmax(1)[0]
            S_LR = noisy(S_LR, noise, which.long(), percent)
            shares = thinned_weights(S_LR, self.stack).flatten()
            weights, at = shares.topk(self.room)
            near = shares.gt(0).to(d.dtype).sum()
            k, pixel = at // len(pixels), at % len(pixels)
            labels = S_LR.flatten()[at]
            return S_LR.int(), near[None], k.int(), pixels[pixel], labels.int(), weights

        constants = {"planes": planes.round()} | draws
        outputs = ["S_LR", "near", "k", "pixels", "labels", "weights"]
        inputs = {"d": self.problem.zero()[1], "noise": torch.zeros(1)}
        write(scan, inputs, outputs, path, {n: x.byte() for n, x in constants.items()})


def write_surfaces(G: HeartGenerator, path: Path) -> None:
    """Margins of the surfaces of G(z) on the lattice and a node around it: (3, D', H', W')."""
    decoder = exportable(G)

    @torch.no_grad()
    def surfaces(z: Tensor) -> tuple[Tensor]:
        field = decoder(z)[0]
        inside = torch.stack([margin(field, STRUCTURES[name]) for name in SURFACES])
        return (torch.nn.functional.pad(inside, [1] * 6, value=OUTSIDE),)

    write(surfaces, {"z": torch.zeros(1, G.latent_size)}, ["inside"], path)


def write_dice(G: HeartGenerator, path: Path) -> None:
    """Dice (3,) with labels S_HR of G(z), moved along H and W, on the HR grid."""
    decoder = exportable(G)

    @torch.no_grad()
    def compared(z: Tensor, shift: Tensor, S_HR: Tensor) -> tuple[Tensor]:
        moved = degrade(decoder(z), HR_GRID, shift.expand(1, HR_GRID.K, 2))
        found, scores = moved.argmax(1)[0], []
        for label in range(1, N_CLASSES):
            a, b = (x.eq(label).float() for x in (found, S_HR.int()))
            scores.append(2 * (a * b).sum() / (a.sum() + b.sum()))
        return (torch.stack(scores),)

    shift, S_HR = torch.zeros(1, 1, 2), torch.zeros(HR_SHAPE, dtype=torch.uint8)
    inputs = {"z": torch.zeros(1, G.latent_size), "shift": shift, "S_HR": S_HR}
    write(compared, inputs, ["dice"], path)


def _judged(d: Tensor, truth: Tensor, p: Problem) -> tuple[Tensor, ...]:
    """The translation (1, 2) common to d − truth, the length of what is left, and of this what a
    leaning heart explains, RMS, mm."""
    common = common_translation(d, truth, p.tissue)
    apart = (d - truth)[..., p.tissue, :] - common[:, None]
    error, rest = rms_length(apart), rms_length(unsheared(apart, p.stack.z[p.tissue]))
    return common, error, (error**2 - rest**2).clamp_min(0).sqrt()


def _corners(plane: Plane) -> Tensor:
    return torch.stack([plane.points[i] for i in ((0, 0), (1, 0), (0, 1))])


def _plane(corners: Tensor, shape: tuple[int, ...]) -> Plane:
    """The plane of (h, w) pixels whose first three are `corners`."""
    corner, down, across = corners
    rows, columns = (torch.arange(n, dtype=corner.dtype) for n in shape)
    points = rows[:, None, None] * (down - corner) + columns[:, None] * (across - corner)
    return Plane(corner + points)
