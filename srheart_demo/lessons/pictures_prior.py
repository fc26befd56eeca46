"""Pictures of lesson 3: galleries of hearts, and what the latents know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from srheart_demo.dashboard.theme import INK, MIDDLE, MUTED, RUNS
from srheart_demo.frame import HALF_EXTENT, HR_SPACING, TISSUE_COLOURS
from srheart_demo.lessons.pictures import Labels, finish, show_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BAR = 50
"""Length of a picture's scale bar, mm."""


def picture_hearts(
    rows: Mapping[str, Sequence[Labels]],
    captions: Mapping[str, Sequence[str]] | None = None,
    through: Sequence[int] | None = None,
) -> Figure:
    """Hearts (64, 128, 128) in rows: each cut along its length, and one slice; a bar is 50 mm.

    Args:
        rows: title → hearts, as many in each row.
        captions: title → a caption below each heart.
        through: the slice, and the row of the cut; by default through the middle of each LV.
    """
    import matplotlib.pyplot as plt

    columns = len(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(1.3 * columns + 1.1, 2.3 * len(rows)), squeeze=False
    )
    for line, (title, hearts) in zip(axes, rows.items(), strict=True):
        for axis, heart in zip(line, hearts, strict=True):
            show_labels(axis, _tile(heart, *(_middle(heart) if through is None else through)))
        line[0].set_ylabel(title, rotation=0, ha="right", va="center", labelpad=8)
        for axis, caption in zip(line, (captions or {}).get(title, ()), strict=False):
            axis.set_xlabel(caption, fontsize=9)
    bottom = axes[-1, 0].get_ylim()[0] - 6
    axes[-1, 0].plot([6, 6 + BAR / HR_SPACING[1]], [bottom, bottom], color=MUTED, lw=2)
    axes[-1, 0].text(
        10 + BAR / HR_SPACING[1], bottom, f"{BAR} mm", fontsize=7, va="center", color=MUTED
    )
    return finish(figure)


def picture_latents(information: Sequence[float], sds: Mapping[str, Sequence[float]]) -> Figure:
    """What a heart tells of each latent, and how sure q is of each for several β.

    Args:
        information: (M,) nats per heart, most first.
        sds: name → (M,) standard deviations of q(z|x).
    """
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.1))
    latents = np.arange(1, len(information) + 1)
    left.semilogy(latents, information, color=INK)
    left.set(xlabel="latent, in order", ylabel="information, nats per heart")
    left.set_title("what a heart tells of a latent")
    for (name, sd), colour, style in zip(
        sds.items(), (*RUNS, MIDDLE), ("-", "--", "-.", ":"), strict=False
    ):
        right.plot(latents, sd, style, color=colour, label=name)
    right.set(xlabel="latent, in order", ylabel="SD of q(z|x)", ylim=(0, 1.05))
    right.set_title("what q leaves open (1: all)")
    right.legend(frameon=False, fontsize=9)
    return finish(figure)


def picture_sizes(sizes: Sequence[int], scores: Sequence[Mapping[str, float]]) -> Figure:
    """Dice of the best code, by the number of latents M."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(4.6, 3.0))
    for (tissue, colour), marker in zip(TISSUE_COLOURS.items(), "o^s", strict=True):
        axis.plot(sizes, [s[tissue] for s in scores], color=colour, marker=marker, label=tissue)
    axis.set_xscale("log", base=2)
    axis.set_xticks(sizes, [str(M) for M in sizes])
    axis.set(xlabel="M, latents kept", ylabel="Dice of the best code")
    axis.legend(frameon=False)
    return finish(figure)


def _middle(heart: Labels) -> tuple[int, int]:
    """The slice and the row in the middle of the LV, or of the box where there is none."""
    LV = np.argwhere(heart == 1)
    level, row, _ = (LV if len(LV) else np.argwhere(heart >= 0)).mean(0).astype(int)
    return int(level), int(row)


def _tile(heart: Labels, level: int, row: int, reach: float = 70.0) -> Labels:
    """A heart's cut along its length, base on top, above one of its slices."""
    thick, pitch = HR_SPACING[:2]
    height = np.arange(0, 2 * HALF_EXTENT[0], pitch)
    cut = heart[(height / thick).astype(int), row][::-1]
    middle, half = heart.shape[1] // 2, int(reach / pitch)
    near = slice(middle - half, middle + half)
    tile: Labels = np.concatenate([cut, heart[level, near]])[:, near]
    return tile
