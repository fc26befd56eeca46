"""What the data cannot tell, and scoring that does not punish it.

A common shift of all slices with the opposite shift of the heart leaves every SA slice, hence
L_SA, as it was; and L_LA too, if the views move along. An answer is given where d averages zero
over the slices with tissue that did not go astray, so the heart lies where the stack was scanned.
Only a view that is taken to lie where its file says, as in the paper, shows something of that
shift. Scores are given up to one common translation, the same for all tissues, and never the best
shift per tissue.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from srheart_demo.heart.generator import likeliest
from srheart_demo.scan.degradation import sample
from srheart_demo.scan.long_axis import Plane
from srheart_demo.solver.motion_prior import astray
from srheart_demo.solver.problem import Problem
from srheart_demo.solver.settings import Settings
from srheart_demo.solver.step import Step

SHOWN = 0.25
"""Views show a translation if their planes together hold this share of its squared length.

One plane 60° from the translation does, or two planes 41° apart, whatever the translation. What a
plane tells of a translation across itself, by cutting the heart elsewhere, is little: the
generator's own idea of where a heart lies in its box outweighs it.
"""


@dataclass(frozen=True, eq=False)
class Centred:
    """An answer where d averages zero over the slices with tissue: the stack as scanned.

    A slice whose breath-hold went astray has no part in that mean.
    """

    d: Tensor  # (1, K, 2) displacements of the slices, mm; zero for those without tissue
    d_LA: Tensor  # (1, V, 2) of the long-axis views, mm
    translation: Tensor  # (2,) of the heart along (H, W) that goes with them, mm


def centred(step: Step, p: Problem) -> Centred:
    """Where a run came to, in the gauge of every output.

    Along directions in which a view without a displacement of its own shows where the heart lies,
    the mean stays.
    """
    d, settings = step.d, step.state.settings
    if p.known:
        return Centred(*p.split(p.known.d), p.known.translation)
    lost = p.split(astray(step.state.point.d, p, settings)[None])[0][0]
    common = common_translation(d, torch.zeros_like(d), p.tissue & ~lost)
    shift = (p.stack.in_model_axes(common) @ unseen(trusted(p, settings)).to(d.dtype))[0]
    carried = p.carried @ shift
    there, there_LA = p.split(torch.cat([d, step.d_LA], dim=1) - carried)
    return Centred(there * p.tissue[:, None], there_LA * settings.seeks_views, shift)


def trusted(p: Problem, settings: Settings) -> list[Plane]:
    """Of the views that are taken to lie where their files say, and have weight."""
    return [view.plane for view in p.heeded(settings.gamma).views if not settings.moving_views]


def unseen(planes: Sequence[Plane]) -> Tensor:
    """(2, 2) projection of a translation of the heart along (H, W) on what no long-axis view shows.

    A plane shows the part of a translation that lies in it; see `SHOWN`.
    """
    shown = torch.zeros(2, 2)
    for plane in planes:
        across = plane.normal[1:]
        shown += torch.eye(2) - torch.outer(across, across)
    share, directions = torch.linalg.eigh(shown)
    hidden = directions[:, share < SHOWN]
    return hidden @ hidden.T


def common_translation(d: Tensor, d_true: Tensor, tissue: Tensor) -> Tensor:
    """Mean difference (..., 2) of displacements (..., K, 2) over the slices with tissue (K,), mm.

    It is zero where no slice shows tissue.
    """
    difference = (d - d_true)[..., tissue, :]
    if not difference.shape[-2]:
        return torch.zeros_like(difference.sum(-2))
    return difference.mean(-2)


def motion_error(d: Tensor, d_true: Tensor, tissue: Tensor) -> float:
    """RMS length of d − d_true over slices with tissue, after their common translation, mm."""
    common = common_translation(d, d_true, tissue).unsqueeze(-2)
    return raw_motion_error(d - common, d_true, tissue)


def unsheared_motion_error(d: Tensor, d_true: Tensor, z: Tensor, tissue: Tensor) -> float:
    """`motion_error` after removing what grows linearly along the stack as well, mm.

    A shear of the slices, whose positions are z (K,), looks like a leaning heart: in SA slices only
    the prior tells them apart.
    """
    return float(rms_length(unsheared((d - d_true)[..., tissue, :], z[tissue])))


def raw_motion_error(d: Tensor, d_true: Tensor, tissue: Tensor) -> float:
    """RMS length of d − d_true over slices with tissue, as they stand, mm."""
    return float(rms_length((d - d_true)[..., tissue, :]))


def unsheared(apart: Tensor, z: Tensor) -> Tensor:
    """Vectors (1, K, 2) at positions z (K,) without their mean and what grows linearly with z."""
    along = z.double()
    shear = torch.stack([torch.ones_like(along), along - along.mean()], dim=1)
    return apart.double() - shear @ torch.linalg.pinv(shear) @ apart.double()


def rms_length(vectors: Tensor) -> Tensor:
    """RMS length () of vectors (..., 2)."""
    return vectors.square().sum(-1).mean().sqrt()


def labels_at(field: Tensor, points: Tensor, shift: Tensor | None = None) -> NDArray[np.uint8]:
    """Labels (...) of a field (1, 4, ...) of class logits over the HR box at points (..., 3), mm.

    `shift` (2,) is a translation of the heart along (H, W), mm.
    """
    if shift is not None:
        points = torch.cat([points[..., :1], points[..., 1:] - shift.to(points.dtype)], dim=-1)
    return likeliest(sample(field, points)[0])
