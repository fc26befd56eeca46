"""Where the left ventricle ends: its base, which is the plane of its valves, and its apex."""

import torch
import torch.nn.functional as F
from torch import Tensor

from srheart_demo.frame import HALF_EXTENT
from srheart_demo.heart.anatomy import LV, MYO
from srheart_demo.heart.surface import margin

ENDS = ("base", "apex")
PLANES = int(2 * HALF_EXTENT[0])  # Across D, 1 mm apart


@torch.no_grad()
def ends(field: Tensor) -> Tensor:
    """The LV's `ENDS`, (B, 2, 3) mm in the model's frame, of class logits (B, 4, D', H', W').

    The base is the highest plane across D on which the cavity's section is half as large as its
    largest one, so of a tilted plane of valves the mean height. The apex is the lowest point of the
    wall. Each point lies in the middle of the section beside it; it is NaN where there is no LV.
    """
    return torch.stack([_ends_of(one) for one in field.split(1)])


def _ends_of(field: Tensor) -> Tensor:
    """(2, 3) of one field."""
    # As rows of a picture, which takes a quarter of the time of a volume.
    planes = F.interpolate(field.flatten(3), size=(PLANES, field[0, 0, 0].numel()), mode="bilinear")
    logits = planes[0].unflatten(2, field.shape[3:])
    cavity, ventricle = margin(logits, (LV,)), margin(logits, (LV, MYO))
    section = (cavity > 0).sum((1, 2)).float()
    if not section.any():
        return torch.full((2, 3), torch.nan)
    base, top = _last_above_zero(section - section.max() / 2)
    apex, tip = _last_above_zero(ventricle.amax((1, 2)).flip(0))
    apex = PLANES - 1 - apex
    heights = top + 0.5 - PLANES / 2, PLANES / 2 - 0.5 - tip
    middles = _middle(cavity[base] > 0), _middle(ventricle[apex] > 0)
    return torch.stack([torch.tensor([h, *m]) for h, m in zip(heights, middles, strict=True)])


def _last_above_zero(along: Tensor) -> tuple[int, float]:
    """The last of some numbers that is above zero, and where after it they cross zero."""
    k = int(torch.nonzero(along > 0)[-1])
    here, there = along[k : k + 2].tolist() if k + 1 < len(along) else (0.0, 0.0)
    return k, k + (here / (here - there) if here > there else 0.5)


def _middle(inside: Tensor) -> list[float]:
    """Of a section (H', W'), mm along H and W."""
    at = torch.nonzero(inside).float().mean(0)
    size, half = torch.tensor(inside.shape), torch.tensor(HALF_EXTENT[1:])
    return (half * ((2 * at + 1) / size - 1)).tolist()
