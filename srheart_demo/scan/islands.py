"""Which labelled voxels are the heart, and which are islands: the strays that networks leave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from srheart_demo.heart.distances import tissue_box

TOGETHER = 10.0
"""Tissue this near to other tissue, mm, hangs together with it, within a slice or from one to the
next: an apex of 5 mm may lie off by a breath-hold."""
FEW = 0.05  # Islands have less tissue than this share of the heart; larger parts are kept
STRAY_END = 0.05
"""Slices beyond others without a label are stray if none of them has so much of the largest slice's
tissue."""
SLIVER, ABRUPT = 0.005, 0.5
"""So is an end slice of less than the first share right beside one of more than the second."""


def heart_of(labels: NDArray[np.uint8], spacing: tuple[float, float, float]) -> NDArray[np.bool_]:
    """The labelled voxels that belong to the heart.

    Within a slice, tissue in reach of each other is a piece; pieces of neighbouring labelled
    slices hang together where their surroundings overlap. What hangs together with the most
    tissue is the heart, and with it every other part of `FEW` or more. Its ends are then cut back
    to where a heart can end, since few voxels right above the base overlap with it.
    `labels` are (D, H, W), `spacing` is mm along these.
    """
    inside = labels > 0
    if not inside.any():
        return inside
    box = tissue_box(inside)
    kept = np.zeros_like(inside)
    kept[box] = _without_stray_ends(_main_parts(inside[box], spacing))
    return kept


def _main_parts(inside: np.ndarray, spacing: tuple[float, float, float]) -> np.ndarray:
    pieces, n = np.zeros(inside.shape, np.int64), 0
    below, meeting = pieces[0], []
    for k in np.flatnonzero(inside.any(axis=(1, 2))):
        around = distance_transform_edt(~inside[k], sampling=spacing[1:]) <= TOGETHER / 2
        found, number = label(around, np.ones((3, 3)))
        pieces[k] = np.where(found, found + n, 0)
        meeting.append(np.stack([pieces[k], below])[:, (pieces[k] > 0) & (below > 0)])
        below, n = pieces[k], n + number
    one, other = np.concatenate(meeting, axis=1)
    together = coo_array((np.ones(len(one)), (one, other)), (n + 1, n + 1))
    part = connected_components(together)[1][pieces]
    tissue = np.bincount(part[inside], minlength=n + 1)
    return inside & (tissue >= FEW * tissue.max())[part]


def _without_stray_ends(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    area = kept.sum(axis=(1, 2)) / max(1, kept.sum(axis=(1, 2)).max())
    slices = np.flatnonzero(area)
    runs = np.split(slices, np.flatnonzero(np.diff(slices) > 1) + 1)
    for end in (0, -1):
        while area[runs[end]].max() < STRAY_END:
            kept[runs.pop(end)] = False
        run = runs[end]
        if len(run) > 1 and area[run[end]] < SLIVER and area[run[1 if end == 0 else -2]] > ABRUPT:
            kept[run[end]] = False
    return kept
