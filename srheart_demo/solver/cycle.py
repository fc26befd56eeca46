"""What the frames of a beating heart share: one d for each breath-hold, and the muscle's volume.

A slice of a cine is scanned in one breath-hold, so its displacement is the same in every frame, and
so is a long-axis view's. Each frame alone finds it up to a translation of its own heart; the shared
one is a mean over the frames after these translations, to which a frame far off adds little. Then
each frame is solved again with d known, and with the volume of its myocardium held near the
geometric mean of all. Why not one sum over the frames: ``docs/decisions.md``.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from srheart_demo.scan.scan import Scan
from srheart_demo.solver.gauge import trusted, unseen
from srheart_demo.solver.motion_prior import astray_among
from srheart_demo.solver.problem import Known, Problem
from srheart_demo.solver.settings import Settings

ROUNDS = 30  # Of shared d and frames' translations in turn
FAR_MM = 3.0  # A frame's d that lies so far from the others', mm, counts for a quarter


class Alone(NamedTuple):
    """What a frame was found to be without the others."""

    z: Tensor  # (1, M)
    d: Tensor  # (1, K + V, 2), mm, of its own slices and views
    muscle_ml: float  # of its answer


def breath_holds(scans: Sequence[Scan]) -> list[Tensor]:
    """Of each frame, (K_t + V_t,) which of the cycle's breath-holds its slices and views are.

    Slices have the first indices, from the apex; views of one plane are of one breath-hold.
    """
    views, indices = list[bytes](), []
    for scan in scans:
        slices = np.flatnonzero(scan.placement.from_apex(scan.looked_at))
        # As stored: the room around a view that was cropped differs from frame to frame.
        planes = [read.volume for read in scan.view_readings] or scan.views
        own = [view.affine.tobytes() for view in planes]
        views += [view for view in dict.fromkeys(own) if view not in views]
        at = [len(scan.looked_at) + views.index(view) for view in own]
        indices.append(torch.tensor([*slices, *at]))
    return indices


def shared(
    frames: Sequence[Problem], holds: Sequence[Tensor], alone: Sequence[Alone], settings: Settings
) -> list[Known]:
    """What all frames together tell of each; `holds` are its `breath_holds`.

    The shared d averages zero as in `gauge`.
    """
    N = 1 + max(int(at.max()) for at in holds)
    told = torch.full((len(frames), N, 2), torch.nan)
    carried, is_slice = torch.zeros(N, 2, 2), torch.zeros(N, dtype=torch.bool)
    for t, (p, at, own) in enumerate(zip(frames, holds, alone, strict=True)):
        moves = p.moves(settings.seeks_views)
        told[t, at[moves]], carried[at] = own.d[0, moves], p.carried
        is_slice[at[: p.stack.K]] = True
    there = ~told.isnan().any(2)
    moving = there.any(0)
    fixed = [trusted(p, settings) for p in frames]
    free = [unseen(planes) for planes in fixed]
    translations, d = torch.zeros(len(frames), 2), told.nanmedian(0).values.nan_to_num()
    for _ in range(ROUNDS):
        moved = told - torch.einsum("kij,tj->tki", carried, translations)
        weights = (1 + (moved - d).square().sum(2, keepdim=True) / FAR_MM**2) ** -2
        d = ((weights * moved).nansum(0) / weights.nansum(0)).nan_to_num()
        for t, seen in enumerate(there & is_slice):
            root = weights[t, seen].sqrt()
            towards = torch.linalg.pinv((root[..., None] * carried[seen]).flatten(0, 1))
            apart = (root * (told[t, seen] - d[seen])).flatten()
            translations[t] = free[t] @ towards @ apart
    near = moving & is_slice
    if settings.prior and "d" in settings.prior_of and settings.astray:
        near[moving] &= ~astray_among(d[None, moving], carried[moving], settings)
    common = torch.linalg.solve(carried[near], d[near]).sum(0) / max(1, int(near.sum()))
    free_of_all = unseen([plane for planes in fixed for plane in planes])
    there_d = (d - carried @ free_of_all @ common) * moving[:, None]
    translation = free_of_all @ (common + translations.mean(0))
    muscle_ml = math.exp(np.mean([math.log(own.muscle_ml) for own in alone]))
    return [Known(there_d[at][None], translation, muscle_ml) for at in holds]
